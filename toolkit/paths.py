"""Which path of a tree may become a file here: one rule for every place that writes what a run says.

A tree comes from a bucket. It is data, and must neither lead out of its folder nor name what tools obey.
"""

from toolkit.checker.staging import path_problem
from toolkit.errors import TfkitError


def parts_of(path: str) -> list[str]:
    """The parts of a path of a tree, as `checker.staging.path_problem` takes it for a file of the user's own.

    Raises `TfkitError` for one that no tree may hold.
    """
    if problem := path_problem(path, own=True):
        raise TfkitError(
            f"the result names a path that leads elsewhere or is no file of a tree: {path!r}: {problem}"
        )
    return path.split("/")


def printable(path: str) -> str:
    """A path that was no UTF-8 on disk, as text that can be written."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

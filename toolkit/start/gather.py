"""A folder as the tree that a run starts from, and what of it stays home, with the reason.

Nothing is left out in silence: each file and folder either goes or is named. No symbolic link is followed.
"""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from toolkit.checker.staging import MAX_DEPTH, MAX_FILE_BYTES, path_problem
from toolkit.contracts import Tree
from toolkit.errors import UsageError
from toolkit.paths import printable
from toolkit.start.ignored import Ignored, ignored_below
from toolkit.start.private import secret_by_name, secret_inside

MAX_FILES = 400
MAX_BYTES = 3 * 1024 * 1024
"""Less than a workspace may hold (500 files, 4 MiB), so that there is room for what the agent writes."""

OUR_RUNS = "tfkit-runs"


class Stays(NamedTuple):
    """A file, or with a `/` at its end a folder, that does not leave this machine. `path` can be written."""

    path: str
    reason: str


class Gathered(NamedTuple):
    """What goes, and what stays home."""

    tree: Tree
    stays: tuple[Stays, ...]


def gather(folder: Path) -> Gathered:
    """Read the folder. Raises `UsageError` where it cannot be read, and where it holds more than may go."""
    files: dict[str, bytes] = {}
    stays: list[Stays] = []
    _folder(folder, "", ignored_below(folder), files, stays)
    return Gathered(Tree(files=files), tuple(stays))


def _folder(place: Path, prefix: str, ignored: Ignored, files: dict[str, bytes], stays: list[Stays]) -> None:
    try:
        entries = sorted(os.scandir(place), key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(f"{place} cannot be read: {error.strerror}", "name a folder: --dir DIR") from error
    for entry in entries:
        path = prefix + entry.name
        folder = entry.is_dir(follow_symlinks=False)
        if why := _why_not(entry, path, folder, ignored):
            stays.append(Stays(printable(path) + "/" * folder, why))
        elif folder:
            below = place / entry.name
            _folder(below, path + "/", _rule_below(below, path + "/", ignored), files, stays)
        else:
            _take(place / entry.name, path, files, stays)


def _rule_below(folder: Path, prefix: str, ignored: Ignored) -> Ignored:
    """The rule for what lies in a folder: its own as well where it is a repository (a submodule, a clone)."""
    if not os.path.lexists(folder / ".git"):
        return ignored
    own = ignored_below(folder)
    return lambda path: ignored(path) or own(path.removeprefix(prefix))


def _why_not(entry: "os.DirEntry[str]", path: str, folder: bool, ignored: Ignored) -> str:
    """Why an entry stays home, as far as that can be told without opening it."""
    if not folder and (why := secret_by_name(entry.name)):
        return why
    if entry.name.startswith("."):
        return "what begins with a dot configures tools"
    if entry.is_symlink():
        return "it is a symbolic link"
    if not folder and not entry.is_file(follow_symlinks=False):
        return "it is no regular file"
    if ignored(path + "/" * folder):
        return "git ignores it"
    if folder and path == OUR_RUNS:
        return "results of earlier runs"
    if folder and path.count("/") + 1 >= MAX_DEPTH:
        return f"more than {MAX_DEPTH} folders deep"
    return path_problem(path, own=True) or ""


def _take(file: Path, path: str, files: dict[str, bytes], stays: list[Stays]) -> None:
    content = read_regular(file)
    if content is None:
        stays.append(Stays(path, "it cannot be read"))
    elif len(content) > MAX_FILE_BYTES:
        stays.append(Stays(path, f"it is larger than {MAX_FILE_BYTES:,} bytes"))
    elif why := secret_inside(file.name, content):
        stays.append(Stays(path, why))
    else:
        files[path] = content
        if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_BYTES:
            raise UsageError(
                f"the folder holds more than {MAX_FILES} files or {MAX_BYTES:,} bytes that could go",
                "name the folder of one root module, or let git ignore what is no part of it",
            )


def read_regular(file: Path) -> bytes | None:
    """The content up to a byte more than a file may have; None for what is no regular file, or unreadable."""
    try:
        # O_NONBLOCK, so that opening a FIFO does not wait for its other end.
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        return stream.read(MAX_FILE_BYTES + 1)

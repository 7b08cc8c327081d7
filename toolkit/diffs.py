"""What one tree has that another has not, as a unified diff that `patch -p1` and `git apply` take."""

import difflib
import re
from collections.abc import Iterator

from toolkit.contracts import Tree

MAX_DIFF_BYTES = 64 * 1024
MAX_DIFF_LINES = 2_000
"""Of one file; a comparison takes time that grows with the square of its lines."""

LINES = re.compile(r"[^\n]*\n|[^\n]+")
NO_LINE_FEED = "\\ No newline at end of file"
CUT = "… cut: a diff is kept up to 64 KB\n"


def diff(before: Tree, after: Tree, limit: int | None = MAX_DIFF_BYTES) -> str:
    """What changed, as a unified diff of all files in order, at most `limit` bytes and a note long.

    Without a limit it is whole, but for files of more than `MAX_DIFF_LINES` lines.
    """
    lines: list[str] = []
    size = 0
    for line in _changes(before, after):
        size += len(line.encode())
        if limit is not None and size > limit:
            return "".join([*lines, CUT])
        lines.append(line)
    return "".join(lines)


def _changes(before: Tree, after: Tree) -> Iterator[str]:
    for path in sorted({*before.files, *after.files}):
        old, new = before.files.get(path), after.files.get(path)
        if old != new:
            yield from _file(path, old, new)


def _file(path: str, old: bytes | None, new: bytes | None) -> Iterator[str]:
    """The diff of one file, each line with its line feed; None is a file that is not there."""
    source = f"a/{path}" if old is not None else "/dev/null"
    target = f"b/{path}" if new is not None else "/dev/null"
    left, right = _lines(old), _lines(new)
    if left and right and len(left) + len(right) > MAX_DIFF_LINES:
        yield f"--- {source}\n+++ {target}\n… not compared: {len(left):,} lines became {len(right):,}\n"
        return
    for line in difflib.unified_diff(left, right, source, target):
        yield line if line.endswith("\n") else f"{line}\n{NO_LINE_FEED}\n"


def _lines(content: bytes | None) -> list[str]:
    # Not splitlines(): what counts lines here counts line feeds.
    return LINES.findall((content or b"").decode("utf-8", "replace"))

"""A unified diff, taken apart by file."""

import re
from typing import NamedTuple

_HUNK = re.compile(r"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


class FileDiff(NamedTuple):
    """What a diff does to one file; `text` is its part of the diff, from the first hunk on."""

    path: str
    added: int
    removed: int
    text: str


def split(diff: str) -> list[FileDiff]:
    """The files of a unified diff, in order; a text that is none becomes one entry without a path.

    A removed line `-- x` looks like a header (`--- x`), so lines inside a hunk are counted off by the
    hunk's own numbers: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
    """
    files: list[FileDiff] = []
    body: list[str] = []
    path = old = ""
    left = right = 0
    # Not splitlines(): what counts a hunk's lines counts line feeds.
    for line in diff.removesuffix("\n").split("\n") if diff else ():
        if left > 0 or right > 0:
            left -= not line.startswith(("+", "\\"))
            right -= not line.startswith(("-", "\\"))
            body.append(line)
        elif line.startswith("--- "):
            _close(files, path, body)
            body = []
            old, path = _name(line), ""
        elif line.startswith("+++ "):
            path = _name(line) or old
        elif hunk := _HUNK.match(line):
            left, right = (int(count) if count is not None else 1 for count in hunk.groups())
            body.append(line)
        elif not line.startswith(("diff ", "index ", "new file", "deleted file")):
            body.append(line)
    _close(files, path or old, body)
    return files


def _name(header: str) -> str:
    """The path of a header line; nothing for /dev/null."""
    name = header[4:].partition("\t")[0].strip()
    return "" if name == "/dev/null" else re.sub(r"^[ab]/", "", name)


def _close(files: list[FileDiff], path: str, body: list[str]) -> None:
    if path or body:
        added = sum(line.startswith("+") for line in body)
        removed = sum(line.startswith("-") for line in body)
        files.append(FileDiff(path, added, removed, "\n".join(body)))

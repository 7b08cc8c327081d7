"""The attempts of a run: what each came to, what it changed and cost, whether the model repeats itself."""

import difflib
import re
import time
from collections.abc import Iterator

from toolkit.agent.ledger import Ledger, since
from toolkit.agent.verdict import to_mend
from toolkit.checker.selection import Selection
from toolkit.contracts import Attempt, CheckReport, Tree

MAX_DIFF_BYTES = 64 * 1024
MAX_DIFF_LINES = 2_000
"""Of one file; a comparison takes time that grows with the square of its lines."""

LINES = re.compile(r"[^\n]*\n|[^\n]+")
NO_LINE_FEED = "\\ No newline at end of file"
CUT = "… cut: a diff is kept up to 64 KB\n"

SAME_IN_A_ROW = 3
"""So many attempts with the same files and the same findings, and the model is not asked again: it has been
told of the findings, and once more that it changed nothing."""


class Attempts:
    """The attempts of one run so far. `tree` is what it started from."""

    def __init__(self, ledger: Ledger, tree: Tree) -> None:
        self.made: list[Attempt] = []
        self._ledger = ledger
        self._tree = tree
        self._usage = ledger.usage
        self._since = time.monotonic()

    def add(self, tree: Tree, report: CheckReport, selection: Selection) -> Attempt:
        """Keep what the gate has just found on this tree."""
        now, usage = time.monotonic(), self._ledger.usage
        attempt = Attempt(
            n=len(self.made) + 1,
            tree=tree.hash,
            validators={result.validator: result.status for result in report.results},
            findings=to_mend(report, selection),
            diff=diff(self._tree, tree),
            usage=since(usage, self._usage),
            seconds=round(now - self._since, 3),
        )
        self.made.append(attempt)
        self._tree, self._usage, self._since = tree, usage, now
        return attempt

    @property
    def same(self) -> int:
        """How many attempts up to the last have the same files and the same findings; 1 is the last alone."""
        found = [(one.tree, one.validators, frozenset(one.findings)) for one in self.made]
        return next((n for n, one in enumerate(reversed(found)) if one != found[-1]), len(found))


def diff(before: Tree, after: Tree) -> str:
    """What changed, as a unified diff of all files in order, at most `MAX_DIFF_BYTES` and a note long."""
    lines: list[str] = []
    size = 0
    for line in _changes(before, after):
        size += len(line.encode())
        if size > MAX_DIFF_BYTES:
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

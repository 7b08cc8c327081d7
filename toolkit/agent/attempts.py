"""The attempts of a run: what each came to, what it changed and cost, whether the model repeats itself."""

import time

from toolkit.agent.ledger import Ledger, since
from toolkit.agent.verdict import to_mend
from toolkit.checker.selection import Selection
from toolkit.contracts import Attempt, CheckReport, Shape, Tree, Usage
from toolkit.diffs import diff

SAME_IN_A_ROW = 3
"""So many attempts with the same files and the same findings, and the model is not asked again: it has been
told of the findings, and once more that it changed nothing."""


class SoFar(Shape, frozen=True):
    """The attempts of a run that goes on elsewhere: those that were made, and how the next one began: with
    which files, after what was consumed, and how many seconds ago."""

    made: list[Attempt]
    files: dict[str, bytes]
    usage: Usage
    seconds: float


class Attempts:
    """The attempts of one run so far. `tree` is what it started from; `so_far` comes from an earlier part."""

    def __init__(self, ledger: Ledger, tree: Tree, so_far: SoFar | None = None) -> None:
        self.made: list[Attempt] = list(so_far.made) if so_far else []
        self._ledger = ledger
        self._tree = Tree(files=so_far.files) if so_far else tree
        self._usage = so_far.usage if so_far else ledger.usage
        self._since = time.monotonic() - (so_far.seconds if so_far else 0.0)

    @property
    def so_far(self) -> SoFar:
        """What another part of the run goes on with."""
        seconds = time.monotonic() - self._since
        return SoFar(made=list(self.made), files=self._tree.files, usage=self._usage, seconds=seconds)

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

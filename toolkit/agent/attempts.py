"""The attempts of a run: what each came to, what it changed and cost, whether the model repeats itself."""

import time

from toolkit.agent.ledger import Ledger, since
from toolkit.agent.verdict import to_mend
from toolkit.checker.selection import Selection
from toolkit.contracts import Attempt, CheckReport, Tree
from toolkit.diffs import diff

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

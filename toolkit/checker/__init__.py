"""The checker: a tree of files in, findings out.

    tree ──▶ staging (a clean copy) ──▶ scan ──▶ terraform init ──▶ validators, in parallel ──▶ report

What a model wrote is hostile until this package has looked at it: it works on a copy that it made
itself from bytes, with an environment, a data folder and a CLI configuration of its own. `Checker` is
the one interface to it: `inprocess` runs it here, `remote` in a function of its own, where there is nothing
to steal:

    remote (in the agent) ──▶ message ──▶ [Lambda] handler ──▶ child: inprocess, a process for each check
                                                      └── reaper: nothing of it outlives the answer
"""

from collections.abc import Sequence
from typing import Protocol

from toolkit.contracts import CheckReport, CheckResult, RehearseDepth, Tree


class Checker(Protocol):
    """Checks trees of one run. Not shared between runs; `close` removes what it keeps on disk."""

    def prepare(self, tree: Tree) -> None:
        """Begin in the background with what a check of this tree will need. Raises nothing."""
        ...

    def init(self, tree: Tree) -> CheckResult:
        """Run `terraform init` on the tree; findings are the model's mistakes.

        Raises `PlatformError` where the platform is at fault (no terraform, no provider to be had).
        """
        ...

    def check(self, tree: Tree, validators: Sequence[str], *, rehearse: RehearseDepth = "off") -> CheckReport:
        """Run the named validators on the tree, in parallel, and report each by name.

        Raises `PlatformError` as `init` does; a validator that crashes is a result with status `error`.
        """
        ...

    def close(self) -> None:
        """Remove staging and data folders and stop child processes. May be called twice."""
        ...

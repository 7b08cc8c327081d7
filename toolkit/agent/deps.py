"""What the tools and hooks of one run share."""

from collections.abc import Callable
from dataclasses import dataclass, field

from toolkit.agent.attempts import Attempts
from toolkit.agent.baseline import Baseline
from toolkit.agent.ledger import Ledger
from toolkit.agent.relay import Relay
from toolkit.agent.workspace import Workspace
from toolkit.checker import Checker
from toolkit.checker.selection import Selection
from toolkit.contracts import CheckReport, RehearseDepth, Tree


@dataclass
class Deps:
    """The run's workspace, its checker, what it may consume, and how to say where it is.

    `selection` are the validators that the gate asks, `rehearse` is how deep the rehearsal among them goes.
    `progress` writes a step into the run's record and renews the lease; it raises where the run was
    cancelled or taken over. `baseline` is what was found in the user's own files before the run; `relay` is
    when another invocation has to go on with it. In a `chat` somebody reads each answer.
    """

    workspace: Workspace
    checker: Checker
    selection: Selection
    ledger: Ledger
    progress: Callable[[str], None]
    rehearse: RehearseDepth = "off"
    baseline: Baseline = field(default_factory=Baseline)
    relay: Relay = field(default_factory=Relay)
    chat: bool = False
    attempts: Attempts = field(init=False)

    def __post_init__(self) -> None:
        self.attempts = Attempts(self.ledger, self.workspace.tree)

    def check(self, tree: Tree) -> CheckReport:
        """What the gate's validators say of a tree; remembered from one call to the next."""
        return self.baseline.applied(self.checker.check(tree, self.selection.names, rehearse=self.rehearse))

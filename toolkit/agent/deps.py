"""What the tools and hooks of one run share."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from toolkit.agent.workspace import Workspace
from toolkit.checker import Checker
from toolkit.checker.selection import Selection
from toolkit.contracts import CheckReport, Price, RehearseDepth, Tree


@dataclass
class Ledger:
    """What the run has consumed so far, and what it may. Costs are None for a model without a price."""

    price: Price | None = None
    max_cost_usd: float | None = None
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tool_calls: int = 0
    unpriced: bool = False
    cost: Decimal = Decimal(0)

    @property
    def cost_usd(self) -> float | None:
        """US dollars so far, or None where the model has no known price."""
        return None if self.unpriced else float(self.cost)


@dataclass
class Deps:
    """The run's workspace, its checker, what it may consume, and how to say where it is.

    `selection` are the validators that the gate asks, `rehearse` is how deep the rehearsal among them goes.
    `progress` writes a step into the run's record and renews the lease; it raises where the run was
    cancelled or taken over.
    """

    workspace: Workspace
    checker: Checker
    selection: Selection
    ledger: Ledger
    progress: Callable[[str], None]
    rehearse: RehearseDepth = "off"

    def check(self, tree: Tree) -> CheckReport:
        """What the gate's validators say of a tree; remembered from one call to the next."""
        return self.checker.check(tree, self.selection.names, rehearse=self.rehearse)

"""When a run has to be over: by its own budget of seconds, or before Lambda ends the function."""

import time
from dataclasses import dataclass

from toolkit.agent.ledger import raise_it
from toolkit.errors import BudgetExceeded


@dataclass(frozen=True)
class Deadline:
    """A moment of `time.monotonic`, and why it is that one.

    `allowed_s` are the seconds from the run's beginning; `of_function` says that Lambda set them.
    """

    at: float
    allowed_s: float
    of_function: bool = False

    @classmethod
    def earliest(cls, started: float, timeout_s: float, latest: float) -> "Deadline":
        """The run's own deadline, or `latest`, which is the function's, where that comes first."""
        if started + timeout_s <= latest:
            return cls(started + timeout_s, timeout_s)
        return cls(latest, max(0.0, latest - started), of_function=True)

    @property
    def remaining_s(self) -> float:
        """Seconds from now on; negative once it has passed."""
        return self.at - time.monotonic()

    @property
    def passed(self) -> BudgetExceeded:
        """The error of a run that met it."""
        if self.of_function:
            return BudgetExceeded(
                f"the function's own time is used up: {self.allowed_s:,.1f} s of it were left for this run",
                "Lambda lets no run take longer; ask for less at once",
            )
        return BudgetExceeded(
            f"the budget of seconds is used up: {self.allowed_s:,g} s allowed",
            raise_it("budget_seconds", "--timeout"),
        )

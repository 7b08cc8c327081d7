"""What a run has consumed and what it may: one account of it, in the units that the result prints.

The library's own limits are not used: they count only the tool calls that went well, see no cost of a model
that is called by its profile (FACTS §3), and name nothing that a user could raise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from pydantic_ai.messages import ModelResponse, ToolCallPart

from toolkit.agent.models import entry_cost
from toolkit.agent.patience import answered_by
from toolkit.contracts import (
    BUDGET_TOKENS,
    BUDGET_TOOL_CALLS,
    BUDGET_TURNS,
    ModelEntry,
    Shape,
    Usage,
)
from toolkit.errors import BudgetExceeded, ModelFailed


def raise_it(setting: str, option: str = "") -> str:
    """How to give a run more: by the setting, for one run by the option where there is one."""
    by_option = f"with {option}, or " if option else ""
    return f"give a run more {by_option}by {setting} in tfkit.toml"


class Spent(Shape, frozen=True):
    """What a run has consumed by now, as it is carried to another invocation."""

    requests: int
    input_tokens: int
    output_tokens: int
    tool_calls: int
    retries: int
    unpriced: bool
    cost: Decimal
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    answered: list[str] = []


@dataclass
class Ledger:
    """The account of one run, over all its attempts. Costs are None for a model without a price.

    Each response is counted by the price of the model that gave it: of `entries`, by the registry's name.
    `answered` are those names, in the order of their first answers.
    `retries` counts requests that were throttled or broke off, and were sent again; they are no turns.
    """

    entries: Mapping[str, ModelEntry] = field(default_factory=dict)
    max_cost_usd: float | None = None
    max_turns: int = BUDGET_TURNS
    max_tool_calls: int = BUDGET_TOOL_CALLS
    max_tokens: int = BUDGET_TOKENS
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    tool_calls: int = 0
    retries: int = 0
    unpriced: bool = False
    cost: Decimal = Decimal(0)
    answered: list[str] = field(default_factory=list)

    @property
    def cost_usd(self) -> float | None:
        """US dollars so far, or None where the model has no known price."""
        return None if self.unpriced else float(self.cost)

    @property
    def spent(self) -> Spent:
        """What an account of another invocation goes on with (`go_on`)."""
        return Spent(**{name: getattr(self, name) for name in Spent.__struct_fields__})

    def go_on(self, spent: Spent) -> None:
        """Count on from there."""
        for name in Spent.__struct_fields__:
            setattr(self, name, getattr(spent, name))

    @property
    def usage(self) -> Usage:
        """What was consumed so far; of no requests the cost is not known either."""
        return Usage(
            requests=self.requests,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost_usd=self.cost_usd if self.requests else None,
        )

    def begin_turn(self) -> None:
        """Raises `BudgetExceeded` where the run may ask the model no more."""
        if self.requests >= self.max_turns:
            raise BudgetExceeded(
                "the budget of turns is used up: "
                f"{self.requests:,} of {self.max_turns:,} requests to the model",
                raise_it("budget_turns"),
            )

    def count(self, response: ModelResponse) -> None:
        """Add a response. Raises `BudgetExceeded` when it crosses a budget; nothing it asks for is done then.

        Raises `ModelFailed` where there is a budget in dollars and the response has no price.
        """
        self.requests += 1
        self.input_tokens += response.usage.input_tokens
        self.output_tokens += response.usage.output_tokens
        self.cache_read_tokens += response.usage.cache_read_tokens
        self.cache_write_tokens += response.usage.cache_write_tokens
        self.tool_calls += sum(isinstance(part, ToolCallPart) for part in response.parts)
        self._add_cost(response)
        self._refuse_crossed()

    def _add_cost(self, response: ModelResponse) -> None:
        name = answered_by(response)
        if name and name not in self.answered:
            self.answered.append(name)
        entry = self.entries.get(name)
        cost = entry_cost(entry, response.usage) if entry else None
        if cost is not None:
            self.cost += cost
            return
        self.unpriced = True
        if self.max_cost_usd is not None:
            raise ModelFailed("the price of an answer is not known, so a budget in dollars cannot be kept")

    def _refuse_crossed(self) -> None:
        if self.max_cost_usd is not None and self.cost > Decimal(str(self.max_cost_usd)):
            raise BudgetExceeded(
                f"the budget in dollars is used up: ${self.cost:.4f} spent, ${self.max_cost_usd:.4f} allowed",
                raise_it("budget_usd", "--max-cost"),
            )
        tokens = self.input_tokens + self.output_tokens
        if tokens > self.max_tokens:
            raise BudgetExceeded(
                f"the budget of tokens is used up: {tokens:,} of input and output, "
                f"{self.max_tokens:,} allowed",
                raise_it("budget_tokens"),
            )
        if self.tool_calls > self.max_tool_calls:
            raise BudgetExceeded(
                f"the budget of tool calls is used up: {self.tool_calls:,} asked for, "
                f"{self.max_tool_calls:,} allowed",
                raise_it("budget_tool_calls"),
            )


def since(now: Usage, before: Usage) -> Usage:
    """What was consumed between two looks at a ledger."""
    cost = None if now.cost_usd is None else round(now.cost_usd - (before.cost_usd or 0.0), 9)
    return Usage(
        requests=now.requests - before.requests,
        input_tokens=now.input_tokens - before.input_tokens,
        output_tokens=now.output_tokens - before.output_tokens,
        cost_usd=cost,
    )

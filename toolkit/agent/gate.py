"""Attempts until the validators agree: the model works, the host checks, findings go back as a turn."""

import time
from collections.abc import Callable
from decimal import Decimal

from pydantic_ai import Agent, ModelMessage, UsageLimits
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelRequestTimeout,
    ModelTimeoutError,
    RunTimedOut,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
)

from toolkit.agent.deps import Deps
from toolkit.agent.feedback import follow_up
from toolkit.contracts import Attempt, CheckReport, Shape, Tree
from toolkit.errors import BudgetExceeded, ModelFailed, PlatformError

MAX_TURNS = 60
NO_FILES = "no Terraform files were written"


class Outcome(Shape):
    """What the conversation came to; `report` is the last word of the gate on `tree`."""

    output: str
    tree: Tree
    attempts: list[Attempt]
    report: CheckReport | None
    converged: bool


async def converse(
    agent: Agent[Deps, str],
    deps: Deps,
    prompt: str,
    *,
    max_followups: int,
    deadline: float,
    on_attempt: Callable[[Attempt], None],
) -> Outcome:
    """Run the agent and the gate until the gate opens or the follow-ups are used up.

    `deadline` is of `time.monotonic`. Raises `ModelFailed`, `BudgetExceeded` or `PlatformError`.
    """
    history: list[ModelMessage] = []
    attempts: list[Attempt] = []
    while True:
        output, history = await _turns(agent, deps, prompt, history, deadline)
        tree = deps.workspace.tree
        report = closing_check(deps, tree)
        attempt = Attempt(
            n=len(attempts) + 1,
            tree=tree.hash,
            validators={result.validator: result.status for result in report.results},
            findings=report.findings,
        )
        attempts.append(attempt)
        on_attempt(attempt)
        if report.clean or len(attempts) > max_followups:
            return Outcome(
                output=output, tree=tree, attempts=attempts, report=report, converged=report.clean
            )
        prompt = follow_up(report)


def closing_check(deps: Deps, tree: Tree) -> CheckReport:
    """The gate's own check of exactly this tree; an unchanged one is remembered by the checker.

    Raises `PlatformError` naming a validator that could not do its work.
    """
    deps.progress("gate")
    report = deps.checker.check(tree, deps.validators)
    for result in report.results:
        if result.status == "error":
            raise PlatformError(f"the validator {result.validator} failed: {result.detail}")
    return report


async def _turns(
    agent: Agent[Deps, str], deps: Deps, prompt: str, history: list[ModelMessage], deadline: float
) -> tuple[str, list[ModelMessage]]:
    """Let the model work until it answers; foreign errors become ours here and nowhere else."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise BudgetExceeded("the run's time is used up")
    limits = UsageLimits(request_limit=MAX_TURNS, cost_limit=_cost_limit(deps))
    try:
        result = await agent.run(
            prompt, deps=deps, message_history=history, usage_limits=limits, timeout=remaining
        )
    except RunTimedOut as error:
        raise BudgetExceeded("the run's time is used up") from error
    except UsageLimitExceeded as error:
        raise BudgetExceeded(str(error)) from error
    except (ModelTimeoutError, ModelRequestTimeout) as error:
        raise ModelFailed(f"the model did not answer in time: {error}") from error
    except ModelAPIError as error:
        raise ModelFailed(f"the model could not be used: {error}") from error
    except (UnexpectedModelBehavior, AgentRunError) as error:
        raise ModelFailed(f"the model behaved in a way that cannot be used: {error}") from error
    return result.output, result.all_messages()


def _cost_limit(deps: Deps) -> Decimal | None:
    """The library's own limit as a second line behind the ledger's."""
    limit = deps.ledger.max_cost_usd
    return None if limit is None else Decimal(str(limit))

"""Attempts until the validators agree: the model works, the host checks, findings go back as a turn."""

import time
from collections.abc import Callable

import anyio
import anyio.to_thread
import msgspec
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
from toolkit.agent.verdict import passes, refuse_failed, to_mend
from toolkit.checker.sources import has_root_module
from toolkit.contracts import Attempt, CheckReport, CheckResult, Finding, Shape, Tree
from toolkit.errors import BudgetExceeded, ModelFailed, PlatformError

MAX_TURNS = 60
NO_FILES = Finding(
    validator="gate",
    rule="no-terraform-files",
    severity="high",
    message="no Terraform files were written",
    hint="write main.tf at the top of the workspace",
)
TIME_IS_UP = "the run's time is used up"
MORE_TIME = "give it more with --timeout"


class Outcome(Shape, frozen=True, kw_only=True):
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
    on_attempt: Callable[[Attempt, CheckReport], None],
) -> Outcome:
    """Run the agent and the gate until the gate opens or the follow-ups are used up.

    `deadline` is of `time.monotonic`. Raises `ModelFailed`, `BudgetExceeded` or `PlatformError`.
    """
    history: list[ModelMessage] = []
    attempts: list[Attempt] = []
    while True:
        output, history = await _turns(agent, deps, prompt, history, deadline)
        tree = deps.workspace.tree
        report = await _check_in_time(deps, tree, deadline)
        attempt = Attempt(
            n=len(attempts) + 1,
            tree=tree.hash,
            validators={result.validator: result.status for result in report.results},
            findings=to_mend(report, deps.selection),
        )
        attempts.append(attempt)
        on_attempt(attempt, report)
        refuse_failed(report, deps.selection)
        converged = passes(report, deps.selection)
        if converged or len(attempts) > max_followups:
            return Outcome(output=output, tree=tree, attempts=attempts, report=report, converged=converged)
        prompt = follow_up(report, tree, deps.selection)


def closing_check(deps: Deps, tree: Tree) -> CheckReport:
    """The gate's own check of exactly this tree; an unchanged one is remembered by the checker.

    Raises `PlatformError` where the checker speaks of another tree. A tree without Terraform never passes,
    whatever the validators think of it.
    """
    deps.progress("gate")
    report = deps.check(tree)
    if report.tree != tree.hash:
        raise PlatformError("the checker spoke of another tree than the one it was given")
    if passes(report, deps.selection) and not has_root_module(tree):
        empty = CheckResult(validator="gate", status="findings", findings=[NO_FILES])
        return msgspec.structs.replace(report, results=[*report.results, empty])
    return report


async def _check_in_time(deps: Deps, tree: Tree, deadline: float) -> CheckReport:
    """The closing check in a thread, which is left behind at the deadline; closing the checker ends it."""
    with anyio.move_on_after(deadline - time.monotonic()):
        return await anyio.to_thread.run_sync(closing_check, deps, tree, abandon_on_cancel=True)
    raise BudgetExceeded(TIME_IS_UP, MORE_TIME)


async def _turns(
    agent: Agent[Deps, str], deps: Deps, prompt: str, history: list[ModelMessage], deadline: float
) -> tuple[str, list[ModelMessage]]:
    """Let the model work until it answers; foreign errors become ours here and nowhere else."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise BudgetExceeded(TIME_IS_UP, MORE_TIME)
    limits = UsageLimits(request_limit=MAX_TURNS)
    try:
        result = await agent.run(
            prompt, deps=deps, message_history=history, usage_limits=limits, timeout=remaining
        )
    except RunTimedOut as error:
        raise BudgetExceeded(TIME_IS_UP, MORE_TIME) from error
    except UsageLimitExceeded as error:
        raise BudgetExceeded(str(error)) from error
    except (ModelTimeoutError, ModelRequestTimeout) as error:
        raise ModelFailed(f"the model did not answer in time: {error}") from error
    except ModelAPIError as error:
        raise ModelFailed(f"the model could not be used: {error}") from error
    except (UnexpectedModelBehavior, AgentRunError) as error:
        raise ModelFailed(f"the model behaved in a way that cannot be used: {error}") from error
    return result.output, result.all_messages()

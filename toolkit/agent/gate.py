"""Attempts until the validators agree: the model works, the host checks, findings go back as a turn."""

from collections.abc import Callable, Sequence

import anyio
import anyio.to_thread
import msgspec
from pydantic_ai import Agent, ModelMessage, UsageLimits, UserContent
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelRequestTimeout,
    ModelTimeoutError,
    RunTimedOut,
    UnexpectedModelBehavior,
)

from toolkit.agent.attempts import SAME_IN_A_ROW
from toolkit.agent.deadline import Deadline
from toolkit.agent.deps import Deps
from toolkit.agent.farewell import said_farewell
from toolkit.agent.feedback import follow_up
from toolkit.agent.relay import Standing
from toolkit.agent.verdict import passes, refuse_failed
from toolkit.checker.sources import has_root_module
from toolkit.contracts import Attempt, CheckReport, CheckResult, Finding, Shape, Tree
from toolkit.errors import ModelFailed, PlatformError

NO_FILES = Finding(
    validator="gate",
    rule="no-terraform-files",
    severity="high",
    message="no Terraform files were written",
    hint="write main.tf at the top of the workspace",
)


NO_LIMITS = UsageLimits(request_limit=None)
"""The run's ledger has the limits; the library would have one of its own."""


Prompt = str | Sequence[UserContent]
"""What a user says: a text, or a text with what is attached to it."""


class Outcome(Shape, frozen=True, kw_only=True):
    """What the conversation came to; `report` is the last word of the gate on `tree`.

    `repeats` is how many attempts at the end came to the same, where the model was not asked again for that.
    `messages` are the whole conversation, those included that it began with.
    """

    output: str
    tree: Tree
    attempts: list[Attempt]
    report: CheckReport | None
    converged: bool
    repeats: int = 0
    messages: list[ModelMessage] = []


async def converse(
    agent: Agent[Deps, str],
    deps: Deps,
    prompt: Prompt | None,
    *,
    max_followups: int,
    deadline: Deadline,
    on_attempt: Callable[[Attempt, CheckReport], None],
    before: Sequence[ModelMessage] = (),
    answer: str | None = None,
) -> Outcome:
    """Run the agent and the gate until the gate opens, or asking the model again is of no use or not allowed.

    `before` is what was said in earlier runs of the same conversation. In a run that goes on there is no
    `prompt`: then `before` ends with what the model is to be asked, or it has given its `answer` already.

    Raises `ModelFailed`, `BudgetExceeded` or `PlatformError`, and `HandOver` where the relay says so.
    """
    with deps.relay.watch():
        return await _until_agreed(
            agent, deps, prompt, list(before), answer, max_followups, deadline, on_attempt
        )


async def _until_agreed(
    agent: Agent[Deps, str],
    deps: Deps,
    prompt: Prompt | None,
    history: list[ModelMessage],
    answer: str | None,
    max_followups: int,
    deadline: Deadline,
    on_attempt: Callable[[Attempt, CheckReport], None],
) -> Outcome:
    attempts = deps.attempts
    while True:
        if answer is None:
            answer, history = await _turns(agent, deps, prompt, history, deadline)
        await deps.relay.step(Standing.of(history, deps.workspace, attempts, answer))
        tree = deps.workspace.tree
        report = await _check_in_time(deps, tree, deadline)
        on_attempt(attempts.add(tree, report, deps.selection), report)
        refuse_failed(report, deps.selection)
        converged = passes(report, deps.selection)
        repeats = 0 if converged or attempts.same < SAME_IN_A_ROW else attempts.same
        # In a chat these are words to the user, who may answer them.
        enough = deps.chat and (said_farewell(history) or not tree.files)
        if converged or repeats or enough or len(attempts.made) > max_followups:
            return Outcome(
                output=answer,
                tree=tree,
                attempts=attempts.made,
                report=report,
                converged=converged,
                repeats=repeats,
                messages=history,
            )
        answer, prompt = None, follow_up(report, tree, deps.selection, changed=attempts.same == 1)


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


async def _check_in_time(deps: Deps, tree: Tree, deadline: Deadline) -> CheckReport:
    """The closing check in a thread, which is left behind at the deadline; closing the checker ends it."""
    with anyio.move_on_after(deadline.remaining_s):
        return await anyio.to_thread.run_sync(closing_check, deps, tree, abandon_on_cancel=True)
    raise deadline.passed


async def _turns(
    agent: Agent[Deps, str],
    deps: Deps,
    prompt: Prompt | None,
    history: list[ModelMessage],
    deadline: Deadline,
) -> tuple[str, list[ModelMessage]]:
    """Let the model work until it answers; foreign errors become ours here and nowhere else."""
    remaining = deadline.remaining_s
    if remaining <= 0:
        raise deadline.passed
    try:
        result = await agent.run(
            prompt, deps=deps, message_history=history, usage_limits=NO_LIMITS, timeout=remaining
        )
    except RunTimedOut as error:
        raise deadline.passed from error
    except (ModelTimeoutError, ModelRequestTimeout) as error:
        raise ModelFailed(f"the model did not answer in time: {error}") from error
    except ModelAPIError as error:
        raise ModelFailed(f"the model could not be used: {error}") from error
    except (UnexpectedModelBehavior, AgentRunError) as error:
        raise ModelFailed(f"the model behaved in a way that cannot be used: {error}") from error
    return result.output, result.all_messages()

"""A model that follows a script, a checker that follows a rule, and one conversation between them."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage

from toolkit.agent.deadline import Deadline
from toolkit.agent.deps import Deps
from toolkit.agent.gate import Outcome, converse
from toolkit.agent.ledger import Ledger
from toolkit.agent.patience import Patient
from toolkit.agent.workspace import Workspace
from toolkit.agent.writer import make_writer
from toolkit.checker.selection import Selection
from toolkit.contracts import (
    Attempt,
    CheckReport,
    CheckResult,
    CheckStatus,
    Finding,
    RehearseDepth,
    Tree,
)

NAME = "scripted"
"""What the registry would call the model of a script."""

VALIDATORS = Selection(names=("fmt", "validate"))
GOOD = 'resource "aws_s3_bucket" "this" {}\n'

Step = Callable[[], ModelResponse | Awaitable[ModelResponse]]


def say(text: str, finish: Any = "stop", details: dict[str, Any] | None = None) -> Step:
    """The model ends its turn with a text."""
    return lambda: ModelResponse(parts=[TextPart(text)], finish_reason=finish, provider_details=details)


def call(tool: str, /, **arguments: Any) -> Step:
    """The model calls one tool."""
    return lambda: ModelResponse(parts=[ToolCallPart(tool, arguments)], finish_reason="tool_call")


def answer(*parts: Any, finish: Any = "stop") -> Step:
    """The model's response as it is."""
    return lambda: ModelResponse(parts=list(parts), finish_reason=finish)


def write(path: str, content: str = GOOD) -> Step:
    return call("write_file", path=path, content=content)


def used(step: Step, tokens_in: int, tokens_out: int) -> Step:
    """The step, with tokens that the provider counted."""

    def counted() -> ModelResponse:
        response = step()
        assert isinstance(response, ModelResponse)
        response.usage = RequestUsage(input_tokens=tokens_in, output_tokens=tokens_out)
        return response

    return counted


async def sleeps() -> ModelResponse:
    await asyncio.sleep(3600)
    raise AssertionError


class Script:
    """Answers one step after another, the last one for ever; keeps what it was shown at each."""

    def __init__(self, *steps: Step | Exception) -> None:
        self.steps = steps
        self.seen: list[list[ModelMessage]] = []

    @property
    def model(self) -> FunctionModel:
        return FunctionModel(self._answer, model_name="scripted")

    async def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        step = self.steps[min(len(self.seen), len(self.steps) - 1)]
        self.seen.append(list(messages))
        if isinstance(step, Exception):
            raise step
        response = step()
        return await response if inspect.isawaitable(response) else response

    @property
    def shown(self) -> list[Any]:
        """Every part of the messages that the model was shown with its last turn."""
        return [part for message in self.seen[-1] for part in message.parts]

    @property
    def prompts(self) -> list[str]:
        return [str(part.content) for part in self.shown if isinstance(part, UserPromptPart)]

    @property
    def retries(self) -> list[str]:
        """What a tool said that refused a call."""
        return [str(part.content) for part in self.shown if getattr(part, "outcome", "") == "retried"]

    @property
    def tool_answers(self) -> list[str]:
        """What the tools said that did what they were asked."""
        return [
            str(part.content)
            for part in self.shown
            if isinstance(part, ToolReturnPart) and part.outcome == "success"
        ]


def finding(message: str, rule: str = "wrong", **fields: Any) -> Finding:
    return Finding(validator="validate", rule=rule, severity="high", message=message, **fields)


def needs(*paths: str) -> Callable[[Tree], list[Finding]]:
    """A rule: these files have to be there."""
    return lambda tree: [finding(f"{path} is missing") for path in paths if path not in tree.files]


def passes(tree: Tree) -> list[Finding]:
    """A rule that is content with every tree."""
    return []


@dataclass
class ScriptedChecker:
    """Answers findings of `validate` by a rule over the tree; `statuses` overrules by validator's name."""

    rule: Callable[[Tree], list[Finding]] = passes
    statuses: dict[str, CheckStatus] = field(default_factory=dict)
    error: Exception | None = None
    checked: list[str] = field(default_factory=list)
    inits: int = 0
    closed: int = 0
    before: Callable[[], object] = lambda: None

    def prepare(self, tree: Tree) -> None:
        self.prepared = tree

    def init(self, tree: Tree) -> CheckResult:
        self.inits += 1
        return self._result("init", tree)

    def check(self, tree: Tree, validators: Sequence[str], *, rehearse: RehearseDepth = "off") -> CheckReport:
        self.before()
        self.checked.append(tree.hash)
        return CheckReport(tree=tree.hash, results=[self._result(name, tree) for name in validators])

    def close(self) -> None:
        self.closed += 1

    def _result(self, name: str, tree: Tree) -> CheckResult:
        if self.error is not None:
            raise self.error
        if name in self.statuses:
            return CheckResult(validator=name, status=self.statuses[name], detail=f"{name} crashed")
        found = self.rule(tree) if name == "validate" else []
        return CheckResult(validator=name, status="findings" if found else "ok", findings=found)


@dataclass
class Talk:
    """One conversation, and what came of it."""

    script: Script
    checker: Any
    workspace: Workspace
    ledger: Ledger
    steps: list[str] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    outcome: Outcome | None = None
    selection: Selection = VALIDATORS
    rehearse: RehearseDepth = "off"


def make_talk(
    *steps: Step | Exception,
    checker: Any = None,
    ledger: Ledger | None = None,
    selection: Selection = VALIDATORS,
) -> Talk:
    checker = checker or ScriptedChecker(needs("main.tf"))
    return Talk(Script(*steps), checker, Workspace(), ledger or Ledger(), selection=selection)


def hold(
    talk: Talk,
    max_followups: int = 3,
    seconds: float = 60.0,
    progress: Callable[[str], None] | None = None,
) -> Outcome:
    """Hold the conversation behind the real loop."""
    deps = Deps(
        workspace=talk.workspace,
        checker=talk.checker,
        selection=talk.selection,
        rehearse=talk.rehearse,
        ledger=talk.ledger,
        progress=progress or talk.steps.append,
    )
    talk.outcome = asyncio.run(
        converse(
            make_writer(Patient(talk.script.model, NAME)),
            deps,
            "a bucket",
            max_followups=max_followups,
            deadline=Deadline(time.monotonic() + seconds, seconds),
            on_attempt=lambda attempt, _report: talk.attempts.append(attempt),
        )
    )
    return talk.outcome

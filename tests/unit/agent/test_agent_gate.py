"""Conversations behind the real loop: a scripted model, a scripted checker, and how each one ends."""

import asyncio
import threading
from typing import Any

import pytest
from agent_platform import refusal
from agent_scripts import (
    GOOD,
    ScriptedChecker,
    Talk,
    answer,
    call,
    finding,
    hold,
    make_talk,
    needs,
    passes,
    say,
    used,
    write,
)
from pydantic_ai.exceptions import ModelHTTPError, ModelTimeoutError
from pydantic_ai.messages import ModelResponse, TextPart, ThinkingPart, ToolCallPart

from toolkit.agent.writer import RETRIES
from toolkit.checker.selection import Selection
from toolkit.contracts import MODEL_ERROR_PREFIX, CheckReport, CheckResult, Tree
from toolkit.errors import BudgetExceeded, ModelFailed, PlatformError, ToolMissing

MOCK = "[ministack mock generic tfkit.x-v1] reply for prompt#0a1b2c3d"


def hashes(talk: Talk) -> list[str]:
    return [attempt.tree for attempt in talk.attempts]


def test_converges_at_once_on_the_tree_that_it_names():
    talk = make_talk(write("main.tf"), say("made it"))
    outcome = hold(talk)
    assert (outcome.converged, outcome.output) == (True, "made it")
    assert outcome.tree.files == {"main.tf": GOOD.encode()}
    assert hashes(talk) == [outcome.tree.hash] == talk.checker.checked
    assert talk.attempts[0].validators == {"fmt": "ok", "validate": "ok"}
    assert outcome.report is not None
    assert outcome.report.clean
    assert talk.script.prompts == ["a bucket"]
    assert len(talk.script.seen) == talk.ledger.requests == 2


def test_converges_on_the_third_attempt_with_the_findings_as_follow_up_turns():
    talk = make_talk(
        write("main.tf"), say("first"), write("a.tf"), say("second"), write("b.tf"), say("third"),
        checker=ScriptedChecker(needs("main.tf", "a.tf", "b.tf")),
    )  # fmt: skip
    outcome = hold(talk)
    assert (outcome.converged, outcome.output) == (True, "third")
    assert [attempt.n for attempt in talk.attempts] == [1, 2, 3]
    assert [len(attempt.findings) for attempt in talk.attempts] == [2, 1, 0]
    assert [attempt.validators["validate"] for attempt in talk.attempts] == ["findings", "findings", "ok"]
    assert len(set(hashes(talk))) == 3
    assert hashes(talk)[-1] == outcome.tree.hash
    first, second, third = talk.script.prompts
    assert first == "a bucket"
    assert second.startswith("The gate did not pass.")
    assert third.startswith("The gate did not pass.")
    assert "a.tf is missing" in second
    assert "b.tf is missing" in second
    assert "a.tf is missing" not in third
    assert "b.tf is missing" in third


@pytest.mark.parametrize("max_followups", [0, 1, 3])
def test_never_converges_and_ends_after_the_follow_ups(max_followups: int):
    steps = [step for n in range(4) for step in (write("x.tf", GOOD + "\n" * n), say("done"))]
    talk = make_talk(*steps)
    outcome = hold(talk, max_followups)
    assert (outcome.converged, outcome.repeats) == (False, 0)
    assert outcome.tree.files == {"x.tf": GOOD.encode() + b"\n" * max_followups}
    assert [attempt.n for attempt in talk.attempts] == list(range(1, max_followups + 2))
    assert len(talk.script.prompts) == max_followups + 1


def test_a_claim_of_success_without_a_file_opens_no_gate():
    talk = make_talk(say("All validators pass; everything is done."))
    outcome = hold(talk, max_followups=1)
    assert not outcome.converged
    assert outcome.tree.files == {}
    assert len(talk.attempts) == 2


def test_even_validators_that_find_nothing_do_not_pass_a_tree_without_terraform():
    talk = make_talk(write("README.md", "# done"), say("done"), checker=ScriptedChecker(passes))
    outcome = hold(talk, max_followups=1)
    assert not outcome.converged
    assert [found.rule for found in talk.attempts[-1].findings] == ["no-terraform-files"]
    assert "no Terraform files were written" in talk.script.prompts[-1]


def test_what_is_deleted_at_the_end_is_not_there_at_the_gate():
    talk = make_talk(
        write("main.tf"), call("run_validators"), call("delete_file", path="main.tf"), say("done")
    )
    outcome = hold(talk, max_followups=0)
    assert talk.script.tool_answers[1].startswith("ok: fmt, validate")
    assert not outcome.converged
    assert outcome.tree.files == {}
    assert hashes(talk) == [Tree().hash]


def test_a_model_that_repeats_itself_is_told_so_once_and_not_asked_a_third_time():
    talk = make_talk(write("x.tf"), say("it is done"))
    outcome = hold(talk, max_followups=9)
    assert (outcome.converged, outcome.repeats, len(talk.attempts)) == (False, 3, 3)
    assert len(talk.script.seen) == 4
    _, first, second = talk.script.prompts
    assert "changed nothing" not in first
    assert "Your last answer changed nothing in the files" in second
    assert "main.tf is missing" in second


def test_a_model_that_comes_round_after_it_was_told_is_given_its_turns():
    talk = make_talk(
        write("x.tf"), say("."), say("."), write("y.tf"), say("."), say("."), write("main.tf"), say(".")
    )
    outcome = hold(talk, max_followups=9)
    assert (outcome.converged, outcome.repeats) == (True, 0)
    assert len(talk.attempts) == 5


def test_the_same_files_with_other_findings_are_no_repetition():
    rounds: list[str] = []

    def another(tree: Tree) -> list[Any]:
        rounds.append(tree.hash)
        return [finding(f"problem {len(rounds)}")]

    talk = make_talk(write("x.tf"), say("."), checker=ScriptedChecker(another))
    outcome = hold(talk, max_followups=4)
    assert (outcome.repeats, len(talk.attempts), len(set(hashes(talk)))) == (0, 5, 1)


@pytest.mark.parametrize(
    "mistake", [call("write_file", pth="main.tf"), write("../main.tf"), call("no_such_tool")]
)
def test_wrong_calls_beyond_the_retry_budget_end_the_run(mistake: Any):
    talk = make_talk(write("main.tf"), say("done"), mistake, checker=ScriptedChecker(needs("a.tf")))
    with pytest.raises(ModelFailed, match="behaved in a way that cannot be used"):
        hold(talk)
    assert len(talk.script.retries) == RETRIES
    assert talk.workspace.tree.files == {"main.tf": GOOD.encode()}
    assert len(talk.attempts) == 1


def test_wrong_calls_within_the_retry_budget_are_mended():
    talk = make_talk(*[call("write_file", pth="x")] * RETRIES, write("main.tf"), say("done"))
    assert hold(talk).converged


@pytest.mark.parametrize(
    ("step", "cause"),
    [
        (say("half of", finish="length"), "cut off at its token limit"),
        (answer(ToolCallPart("write_file", {"path": "main.tf"}), finish="length"), "cut off"),
        (say("I cannot", finish="content_filter"), "content filter"),
        (say("x", finish="error"), "ended its answer with an error"),
        (say("x", details={"finish_reason": "malformed_tool_use"}), "tool call could not be parsed"),
        (answer(), "empty answer"),
        (say(""), "empty answer"),
        (say(" \n"), "empty answer"),
        (answer(ThinkingPart("hm")), "empty answer"),
        (say(MODEL_ERROR_PREFIX + "upstream answered 503"), r"^upstream answered 503$"),
        (answer(TextPart("well,"), TextPart(MODEL_ERROR_PREFIX + "cut")), r"^cut$"),
        (say(MOCK), "no model answered"),
        (say(MOCK + "\n"), "no model answered"),
        (ModelHTTPError(403, "scripted", "not yours"), "could not be used.*not yours"),
        (ModelTimeoutError("scripted", "60 s"), "did not answer in time"),
    ],
)
def test_an_answer_that_is_none_ends_the_run_and_names_the_cause(step: Any, cause: str):
    talk = make_talk(write("main.tf"), step)
    with pytest.raises(ModelFailed, match=cause):
        hold(talk)
    assert len(talk.script.seen) == 2, "it is not asked again"
    assert talk.attempts == []
    assert talk.workspace.paths() != []


def test_a_text_that_only_speaks_of_such_errors_is_an_answer():
    text = f"A text starting with {MODEL_ERROR_PREFIX} is an error; so is {MOCK} alone."
    assert hold(make_talk(write("main.tf"), say(text))).output == text


FAILURES = {
    "platform": PlatformError("the disk is full"),
    "provider": ToolMissing("the provider hashicorp/aws cannot be had"),
    "disk": OSError(28, "No space left on device"),
    "table": refusal("update_item", "ProvisionedThroughputExceededException"),
    "bug": ZeroDivisionError("a bug"),
}
CHECKING = ("terraform_init", "terraform_validate", "run_validators")


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("tool", CHECKING)
def test_a_platform_failure_in_a_tool_ends_the_run_and_the_model_never_sees_it(tool: str, kind: str):
    talk = make_talk(write("main.tf"), call(tool), say("done"), checker=ScriptedChecker(error=FAILURES[kind]))
    with pytest.raises(type(FAILURES[kind])) as caught:
        hold(talk)
    assert caught.value is FAILURES[kind]
    assert (len(talk.script.seen), talk.script.retries) == (2, [])
    assert talk.workspace.paths() != []


@pytest.mark.parametrize("tool", CHECKING)
def test_a_table_that_is_away_while_a_tool_says_where_it_is_ends_the_run(tool: str):
    away = PlatformError("the run's record cannot be written")

    def progress(step: str) -> None:
        if not step.startswith("model"):
            raise away

    talk = make_talk(write("main.tf"), call(tool), say("done"))
    with pytest.raises(PlatformError) as caught:
        hold(talk, progress=progress)
    assert caught.value is away
    assert (len(talk.script.seen), talk.script.retries, talk.checker.checked) == (2, [], [])


FILE_TOOLS = {
    "list_files": ("paths", {}),
    "read_file": ("read", {"path": "main.tf"}),
    "write_file": ("write", {"path": "b.tf", "content": "x"}),
    "edit_file": ("edit", {"path": "main.tf", "old": "this", "new": "that"}),
    "delete_file": ("delete", {"path": "main.tf"}),
}


@pytest.mark.parametrize("tool", FILE_TOOLS)
def test_a_failure_of_the_workspace_itself_is_not_the_models_mistake(
    tool: str, monkeypatch: pytest.MonkeyPatch
):
    method, arguments = FILE_TOOLS[tool]
    talk = make_talk(call(tool, **arguments), say("done"))

    def full(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(talk.workspace, method, full)
    with pytest.raises(MemoryError):
        hold(talk)
    assert (len(talk.script.seen), talk.script.retries) == (1, [])


@pytest.mark.parametrize(
    ("tool", "validator"),
    [("terraform_init", "init"), ("terraform_validate", "validate"), ("run_validators", "fmt")],
)
def test_a_validator_that_crashes_in_a_tool_ends_the_run_and_is_named(tool: str, validator: str):
    checker = ScriptedChecker(statuses={validator: "error"})
    talk = make_talk(write("main.tf"), call(tool), say("done"), checker=checker)
    with pytest.raises(PlatformError, match=f"{validator} failed: {validator} crashed"):
        hold(talk)
    assert len(talk.script.seen) == 2


def test_a_validator_that_crashes_at_the_gate_ends_the_run_and_is_named():
    talk = make_talk(write("main.tf"), say("done"), checker=ScriptedChecker(statuses={"fmt": "error"}))
    with pytest.raises(PlatformError, match="the validator fmt failed: fmt crashed"):
        hold(talk)


@pytest.mark.parametrize("status", ["unsupported", "slow"])
def test_what_a_rehearsal_cannot_say_leaves_the_gate_open_and_is_not_called_clean(status: Any):
    talk = make_talk(
        write("main.tf"),
        call("run_validators"),
        say("done"),
        checker=ScriptedChecker(statuses={"rehearse": status}),
        selection=Selection(names=("validate", "rehearse")),
    )
    outcome = hold(talk)
    assert outcome.converged
    assert talk.attempts[0].validators == {"validate": "ok", "rehearse": status}
    assert talk.script.tool_answers[-1].splitlines() == [
        "ok: validate found nothing",
        f"rehearse ended as {status}: rehearse crashed",
    ]


class Deaf(ScriptedChecker):
    """Leaves out what it was asked for."""

    left_out: tuple[str, ...] = ("validate",)

    def check(self, tree: Tree, validators: Any, **options: Any) -> CheckReport:
        report = super().check(tree, validators, **options)
        kept = [result for result in report.results if result.validator not in self.left_out]
        return CheckReport(tree=report.tree, results=kept)


class Confused(ScriptedChecker):
    """Speaks of another tree than the one it was given."""

    def check(self, tree: Tree, validators: Any, **options: Any) -> CheckReport:
        return CheckReport(tree=Tree().hash, results=[CheckResult(validator="fmt", status="ok")])


@pytest.mark.parametrize(
    ("checker", "said"), [(Deaf(), "validate"), (Confused(), "another tree")], ids=["deaf", "confused"]
)
def test_a_checker_that_does_not_answer_what_it_was_asked_opens_no_gate(checker: Any, said: str):
    with pytest.raises(PlatformError, match=said):
        hold(make_talk(write("main.tf"), say("done"), checker=checker))


def test_tools_show_the_findings_one_a_line():
    checker = ScriptedChecker(lambda tree: [finding("is\nwrong", file="main.tf", line=3, hint="mend it")])
    talk = make_talk(
        write("main.tf"), call("terraform_validate"), call("run_validators"), say("."), checker=checker
    )
    hold(talk, max_followups=0)
    line = "main.tf:3: high [validate/wrong] is wrong (hint: mend it)"
    assert talk.script.tool_answers[1:] == [line, line]


def test_init_is_run_on_the_files_of_the_moment_and_each_step_is_said():
    talk = make_talk(write("main.tf"), call("terraform_init"), say("done"))
    hold(talk)
    assert talk.script.tool_answers[-1] == "ok: init found nothing"
    assert talk.checker.inits == 1
    assert talk.steps == ["model, turn 1", "model, turn 2", "terraform init", "model, turn 3", "gate"]


def test_tokens_requests_and_tool_calls_are_counted():
    both = answer(ToolCallPart("list_files", {}), ToolCallPart("list_files", {}), finish="tool_call")
    talk = make_talk(used(both, 10, 2), used(write("main.tf"), 20, 3), used(say("done"), 30, 4))
    hold(talk)
    ledger = talk.ledger
    assert (ledger.requests, ledger.input_tokens, ledger.output_tokens, ledger.tool_calls) == (3, 60, 9, 3)
    assert ledger.cost_usd is None, "nobody knows the price"


def test_a_deadline_that_has_passed_asks_no_model():
    talk = make_talk(say("done"))
    with pytest.raises(BudgetExceeded, match="budget of seconds is used up"):
        hold(talk, seconds=-1)
    assert talk.script.seen == []


def test_a_model_that_sleeps_is_left_at_the_deadline():
    async def sleeps() -> ModelResponse:
        await asyncio.sleep(3600)
        raise AssertionError

    talk = make_talk(write("main.tf"), sleeps)
    with pytest.raises(BudgetExceeded, match="budget of seconds is used up"):
        hold(talk, seconds=0.5)
    written = len(talk.script.seen) == 2  # not so where this machine took too long to begin
    assert [path for path, _ in talk.workspace.paths()] == (["main.tf"] if written else [])


@pytest.mark.parametrize("steps", [[call("run_validators")], [say("done")]], ids=["tool", "gate"])
@pytest.mark.timeout(30)
def test_a_checker_that_hangs_is_left_at_the_deadline(steps: Any):
    released = threading.Event()
    checker = ScriptedChecker(needs("main.tf"), before=lambda: released.wait(60))
    talk = make_talk(write("main.tf"), *steps, checker=checker)
    try:
        with pytest.raises(BudgetExceeded, match="budget of seconds is used up"):
            hold(talk, seconds=0.5)
        assert not released.is_set()
        assert talk.checker.checked == [], "it is still hanging"
    finally:
        released.set()

"""Models that follow a script behind the whole of a run: whatever they do, the ending is the right one.

Of each: the status, why, every attempt, the stored files, a closed trace and what it cost. Two of them meet
the real checker; to the others a checker that follows a rule tells as much.
"""

from typing import Any

import pytest
from agent_platform import Platform, check_left_behind
from agent_scripts import (
    GOOD,
    Script,
    ScriptedChecker,
    answer,
    call,
    needs,
    passes,
    say,
    sleeps,
    used,
    write,
)
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ToolCallPart

import toolkit.agent.run
from toolkit.agent import patience
from toolkit.agent.writer import RETRIES
from toolkit.checker.inprocess import InProcessChecker
from toolkit.contracts import Attempt, RunResult
from toolkit.telemetry import names

BUCKET = 'resource "aws_s3_bucket" "this" {\n  bucket = "acme-logs"\n}\n'
SYNTAX = 'resource "aws_s3_bucket" "this" {\n  bucket = \n}\n'
UNKNOWN = 'output "name" {\n  value = aws_s3_bucket.that.bucket\n}\n'
THROTTLED = ModelHTTPError(429, "scripted", "too many tokens", in_stream=True)


@pytest.fixture
def real_checker(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Platform:
    monkeypatch.setattr(toolkit.agent.checking, "InProcessChecker", InProcessChecker)
    return platform


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "RETRY_SECONDS", (0.0, 0.0, 0.0))


def costing(*steps: Any) -> Script:
    """Each turn costs 100 tokens of input and 10 of output."""
    return Script(*[step if isinstance(step, Exception) else used(step, 100, 10) for step in steps])


def ends(platform: Platform, result: RunResult, status: str, attempts: int) -> list[Attempt]:
    """What every ending has in common, whatever it is; returns the attempts."""
    attributes = check_left_behind(platform, result, status)
    assert [attempt.n for attempt in result.attempts] == list(range(1, attempts + 1))
    assert [attempt.tree for attempt in platform.record.attempts] == [one.tree for one in result.attempts]
    assert attributes[names.ATTEMPTS] == str(attempts)
    assert int(attributes[names.INPUT_TOKENS]) == result.usage.input_tokens
    assert result.usage.input_tokens == 100 * result.usage.requests
    spent = [attempt.usage for attempt in result.attempts]
    assert sum(usage.requests for usage in spent) <= result.usage.requests
    assert all(usage.input_tokens == 100 * usage.requests for usage in spent)
    assert all(attempt.seconds >= 0 for attempt in result.attempts)
    return result.attempts


def test_converges_on_the_third_attempt(real_checker: Platform):
    real_checker.script = costing(
        write("main.tf", SYNTAX), say("first"),
        write("main.tf", BUCKET), write("outputs.tf", UNKNOWN), say("second"),
        write("outputs.tf", UNKNOWN.replace("that", "this")), call("run_validators"), say("third"),
    )  # fmt: skip
    result = real_checker.run(rehearse="off")
    first, second, third = ends(real_checker, result, "ok", 3)
    assert result.output == "third"
    assert {finding.file for finding in first.findings} == {"main.tf"}
    assert [finding.file for finding in second.findings] == ["outputs.tf"]
    assert "that" in second.findings[0].message
    assert (third.validators, third.findings) == ({"fmt": "ok", "validate": "ok"}, [])
    assert '+  bucket = "acme-logs"\n' in second.diff and "--- a/main.tf\n" in second.diff
    assert "-  value = aws_s3_bucket.that.bucket\n+  value = aws_s3_bucket.this.bucket\n" in third.diff
    assert "main.tf" not in third.diff
    assert [attempt.usage.requests for attempt in result.attempts] == [2, 3, 3]
    assert result.usage.cost_usd == pytest.approx(sum(a.usage.cost_usd or 0 for a in result.attempts))
    assert real_checker.files["outputs.tf"] == UNKNOWN.replace("that", "this").encode()
    assert "aws_s3_bucket.that" in real_checker.script.prompts[-1], "the lines of code go back with them"


def test_never_converges(real_checker: Platform):
    real_checker.script = costing(
        write("main.tf", UNKNOWN), say("."), write("main.tf", UNKNOWN.replace("that", "those")), say(".")
    )
    result = real_checker.run(rehearse="off", max_followups=1)
    first, second = ends(real_checker, result, "not_converged", 2)
    assert result.error == "the validators do not agree with the files"
    assert first.findings != second.findings
    assert second.validators["validate"] == "findings"
    assert real_checker.files == {"main.tf": UNKNOWN.replace("that", "those").encode()}


def test_repeats_itself(platform: Platform):
    platform.checker = ScriptedChecker(needs("other.tf"))
    platform.script = costing(write("main.tf"), say("It is done."))
    result = platform.run(max_followups=9)
    attempts = ends(platform, result, "not_converged", 3)
    assert result.error == (
        "the validators do not agree with the files, and the model repeats itself: attempts 1 to 3 have the "
        "same files and the same findings, so it was not asked again"
    )
    assert result.usage.requests == 4
    assert len({attempt.tree for attempt in attempts}) == 1
    assert [bool(attempt.diff) for attempt in attempts] == [True, False, False]


def test_deletes_everything(platform: Platform):
    platform.script = costing(
        write("main.tf"), call("run_validators"), say("."), call("delete_file", path="main.tf"), say("Gone.")
    )
    platform.checker = ScriptedChecker(needs("other.tf"))
    result = platform.run(max_followups=1)
    _, last = ends(platform, result, "not_converged", 2)
    assert (result.error, result.files) == ("the model wrote no files", [])
    assert last.diff == f"--- a/main.tf\n+++ /dev/null\n@@ -1 +0,0 @@\n-{GOOD}"


def test_claims_success_without_validating_a_thing(platform: Platform):
    platform.checker = ScriptedChecker(passes)
    platform.script = costing(say("All validators pass. The bucket is ready."))
    result = platform.run(max_followups=1)
    attempts = ends(platform, result, "not_converged", 2)
    assert result.error == "the model wrote no files"
    assert [finding.rule for finding in attempts[-1].findings] == ["no-terraform-files"]
    assert result.output == "All validators pass. The bucket is ready.", "it is told, and not believed"


def test_calls_tools_with_wrong_arguments_ten_times_in_a_row(platform: Platform):
    platform.checker = ScriptedChecker(needs("other.tf"))
    platform.script = costing(write("main.tf"), say("."), *[call("write_file", pth="main.tf")] * 10)
    result = platform.run()
    ends(platform, result, "error", 1)
    assert "behaved in a way that cannot be used" in (result.error or "")
    assert "write_file" in (result.error or "")
    assert result.usage.requests == 2 + RETRIES + 1, "it was not let go on to the tenth"


def test_calls_tools_with_wrong_arguments_ten_times_and_mends_each(platform: Platform):
    pairs = [step for n in range(10) for step in (call("write_file", pth="x"), write(f"{n}.tf"))]
    platform.script = costing(*pairs, write("main.tf"), say("done"))
    ends(platform, platform.run(), "ok", 1)
    assert len(platform.script.retries) == 10


@pytest.mark.thorough
def test_writes_a_file_of_50_mb(platform: Platform):
    huge = "#" * (50 * 1024 * 1024)
    platform.script = costing(write("main.tf", huge), write("main.tf"), say("done"))
    result = platform.run()
    ends(platform, result, "ok", 1)
    (refusal,) = platform.script.retries
    assert "main.tf would have 52428800 bytes; 1048576 are allowed" in refusal
    assert platform.files == {"main.tf": GOOD.encode()}


def test_stops_at_its_limit_of_tokens_in_the_middle_of_a_tool_call(platform: Platform):
    platform.checker = ScriptedChecker(needs("other.tf"))
    cut = answer(ToolCallPart("write_file", {"path": "cut.tf", "content": "resource"}), finish="length")
    platform.script = costing(write("main.tf"), say("."), cut)
    result = platform.run()
    ends(platform, result, "error", 1)
    assert result.error == "the model's answer was cut off at its token limit"
    assert platform.files == {"main.tf": GOOD.encode()}, "what was cut off is not done"


def test_throttles_in_mid_stream_and_goes_on(platform: Platform):
    platform.script = costing(write("main.tf"), THROTTLED, THROTTLED, say("done"))
    result = platform.run()
    ends(platform, result, "ok", 1)
    assert (result.model_retries, result.usage.requests) == (2, 2)
    assert platform.root()[1][names.MODEL_RETRIES] == "2"


def test_throttles_in_mid_stream_for_ever(platform: Platform):
    platform.checker = ScriptedChecker(needs("other.tf"))
    platform.script = costing(write("main.tf"), say("."), THROTTLED)
    result = platform.run()
    ends(platform, result, "error", 1)
    assert "the model could not be used 4 times in a row" in (result.error or "")
    assert "too many tokens" in (result.error or "")
    assert (result.model_retries, result.usage.requests) == (3, 2)
    assert platform.files == {"main.tf": GOOD.encode()}


@pytest.mark.parametrize(
    ("remaining_s", "fields", "error"),
    [
        (
            900.0,
            {"timeout_s": 0.5},
            "the budget of seconds is used up: 0.5 s allowed; "
            "give a run more with --timeout, or by budget_seconds in tfkit.toml",
        ),
        (
            20.5,
            {},
            "the function's own time is used up: 0.5 s of it were left for this run; "
            "Lambda lets no run take longer; ask for less at once",
        ),
    ],
    ids=["own", "lambda"],
)
def test_hangs(platform: Platform, remaining_s: float, fields: Any, error: str):
    platform.script = Script(write("main.tf"), sleeps)
    result = platform.run(remaining_s, **fields)
    check_left_behind(platform, result, "budget_exceeded")
    assert result.error == error
    written = len(platform.script.seen) == 2  # not so where this machine took too long to begin
    assert list(platform.files) == (["main.tf"] if written else [])

"""A run from its request to what it leaves behind: record, files, result and trace, however it ends."""

import tempfile
from collections.abc import Callable
from typing import Any

import pytest
from agent_platform import AUDIT, ERROR, Platform, check_left_behind, everything
from agent_scripts import GOOD, Script, ScriptedChecker, call, needs, say, used, write
from botocore.exceptions import EndpointConnectionError

import toolkit.agent.run
from toolkit.agent.run import execute
from toolkit.agent.workspace import Workspace
from toolkit.contracts import MODEL_ERROR_PREFIX, FileEntry, Tree
from toolkit.errors import PlatformError
from toolkit.telemetry import names


def tree_hash(files: dict[str, bytes]) -> str:
    return Tree(files=files).hash


def test_a_run_that_converges_at_once_is_ok_everywhere(platform: Platform):
    platform.script = Script(
        used(write("main.tf"), 100, 10), used(call("terraform_init"), 200, 20), used(say("made it"), 300, 30)
    )
    result = platform.run()
    attributes = check_left_behind(platform, result, "ok")
    assert (result.output, result.error, result.model) == ("made it", None, "priced")
    assert platform.files == {"main.tf": GOOD.encode()}
    assert result.attempts[-1].tree == tree_hash(platform.files) == platform.checker.checked[-1]
    assert [check.validator for check in result.checks] == ["fmt", "validate"]
    assert (result.usage.requests, result.usage.input_tokens, result.usage.output_tokens) == (3, 600, 60)
    assert result.usage.cost_usd == pytest.approx(600e-6 + 600e-6)
    assert result.not_proven
    assert platform.checker.closed == 1
    assert platform.record.attempt == 1
    assert attributes[names.RUN_ID] == platform.run_id
    assert attributes[names.STACK] == "dev"
    assert attributes[names.MODEL] == "priced"
    assert (attributes[names.INPUT_TOKENS], attributes[names.OUTPUT_TOKENS]) == ("600", "60")
    assert (attributes[names.TOOL_CALLS], attributes[names.ATTEMPTS]) == ("2", "1")
    assert attributes[names.COST_USD] == pytest.approx(0.0012)
    assert names.ERROR not in attributes


def test_the_trace_holds_every_request_and_tool_call_under_the_root(platform: Platform):
    platform.run()
    spans = platform.spans()
    root, _ = platform.root()
    kinds = sorted(span["name"].split(" ")[0] for span in spans)
    assert kinds == ["attempt", "chat", "chat", "execute_tool", "invoke_agent", "run"]
    (agent,) = [span for span in spans if span["name"].startswith("invoke_agent")]
    assert agent["parentSpanId"] == root["spanId"]
    assert root["parentSpanId"] == ""
    assert {span["traceId"] for span in spans} == {root["traceId"]}


FIRST = [write("main.tf"), say("done")]  # an attempt that the gate does not pass


@pytest.mark.parametrize(
    ("steps", "cause"),
    [
        ([call("write_file", pth="main.tf")], "cannot be used"),
        ([say("half", finish="length")], "token limit"),
        ([say("no", finish="content_filter")], "content filter"),
        ([say("")], "empty answer"),
        ([say(MODEL_ERROR_PREFIX + "connection refused")], "connection refused"),
        ([say("[ministack mock generic x] reply for prompt#00000000")], "no model answered"),
        ([ConnectionError("the line is dead")], "ConnectionError: the line is dead"),
        ([say(MODEL_ERROR_PREFIX + "\ud800" + "x" * 500_000)], "x"),
    ],
    ids=["arguments", "length", "filter", "empty", "failed", "mock", "foreign", "enormous"],
)
def test_a_model_that_fails_ends_the_run_as_error_with_files_and_attempts(
    platform: Platform, steps: Any, cause: str
):
    platform.checker = ScriptedChecker(needs("other.tf"))
    platform.script = Script(*[used(step, 5, 5) for step in FIRST], *steps)
    result = platform.run()
    assert (result.status, platform.record.status, platform.result.status) == ("error",) * 3
    assert cause in (result.error or "")
    assert cause in (platform.record.error or "")
    assert platform.files == {"main.tf": GOOD.encode()}
    assert len(result.attempts) == len(platform.result.attempts) == platform.record.attempt == 1
    span, attributes = platform.root()
    assert (span["status"]["code"], attributes[names.STATUS]) == (ERROR, "error")
    assert list(platform.temporary.iterdir()) == []


def test_a_model_that_sends_no_unicode_is_told_so_and_the_run_goes_on(platform: Platform):
    steps = [write("main.tf", "\ud800"), write("main.tf"), say("\ud800 done")]
    platform.script = Script(*[used(step, 5, 5) for step in steps])
    result = platform.run()
    check_left_behind(platform, result, "ok")
    assert len(platform.script.retries) == 1
    assert "Invalid JSON" in platform.script.retries[0]
    assert result.output == "\ufffd done"


@pytest.mark.parametrize(
    ("checker", "cause"),
    [
        (
            ScriptedChecker(error=PlatformError("the disk is full", "free some")),
            "the disk is full; free some",
        ),
        (ScriptedChecker(statuses={"fmt": "error"}), "the validator fmt failed: fmt crashed"),
        (ScriptedChecker(error=ZeroDivisionError("bug")), "ZeroDivisionError: bug"),
    ],
    ids=["platform", "validator", "bug"],
)
@pytest.mark.parametrize("last", [call("run_validators"), say("done")], ids=["tool", "gate"])
def test_a_checker_that_fails_ends_the_run_as_error(platform: Platform, checker: Any, cause: str, last: Any):
    checker.closed = 0
    platform.checker = checker
    platform.script = Script(write("main.tf"), last)
    result = platform.run()
    check_left_behind(platform, result, "error")
    assert result.error is not None
    assert cause in result.error
    assert len(platform.script.seen) == 2, "the model never sees it"
    assert platform.files == {"main.tf": GOOD.encode()}
    assert checker.closed == 1


def test_spans_of_a_failed_run_carry_the_error(platform: Platform):
    platform.checker = ScriptedChecker(error=PlatformError("the disk is full"))
    platform.script = Script(write("main.tf"), call("run_validators"))
    platform.run()
    failed = {span["name"] for span in platform.spans() if span.get("status", {}).get("code") == ERROR}
    assert {"run", "invoke_agent writer", "execute_tool run_validators"} <= failed


def test_what_is_delivered_is_what_the_gate_has_seen(platform: Platform, monkeypatch: pytest.MonkeyPatch):
    """A tool that was left behind may still write while the gate is checking."""
    made: list[Workspace] = []

    class Watched(Workspace):
        def __init__(self, files: dict[str, bytes]) -> None:
            super().__init__(files)
            made.append(self)

    monkeypatch.setattr(toolkit.agent.run, "Workspace", Watched)
    platform.checker = ScriptedChecker(needs("main.tf"), before=lambda: made[0].write("late.tf", "x"))
    result = platform.run()
    check_left_behind(platform, result, "ok")
    assert platform.files == {"main.tf": GOOD.encode()}
    assert result.attempts[-1].tree == tree_hash(platform.files)


def test_the_budget_in_dollars_ends_the_run_with_everything_stored(platform: Platform):
    platform.script = Script(used(write("main.tf"), 1_000, 1_000), used(write("b.tf"), 1_000, 1_000))
    result = platform.run(max_cost_usd=0.015)
    attributes = check_left_behind(platform, result, "budget_exceeded")
    assert "$0.0220 spent, $0.0150 allowed" in (result.error or "")
    assert result.usage.cost_usd == attributes[names.COST_USD] == pytest.approx(0.022)
    assert platform.files == {"main.tf": GOOD.encode()}, "the call that crossed was not done"


def test_a_budget_in_dollars_needs_a_model_with_a_price(platform: Platform):
    result = platform.run(model="unpriced", max_cost_usd=1.0)
    check_left_behind(platform, result, "error")
    assert "the price of unpriced is not known" in (result.error or "")
    assert platform.script.seen == []


def test_without_a_price_the_cost_is_unknown_and_not_nothing(platform: Platform):
    result = platform.run(model="unpriced")
    attributes = check_left_behind(platform, result, "ok")
    assert result.usage.cost_usd is None
    assert names.COST_USD not in attributes


@pytest.mark.parametrize(
    ("remaining_s", "fields"), [(900.0, {"timeout_s": 0.0}), (5.0, {})], ids=["own", "lambda"]
)
def test_a_deadline_that_has_passed_asks_no_model(platform: Platform, remaining_s: float, fields: Any):
    result = platform.run(remaining_s, **fields)
    check_left_behind(platform, result, "budget_exceeded")
    assert platform.script.seen == []


def test_an_unknown_model_is_answered_with_the_known_ones(platform: Platform):
    result = platform.run(model="gpt")
    check_left_behind(platform, result, "error")
    assert result.error == "unknown model 'gpt'; known are: priced, unpriced"


def key_starts(part: str) -> Callable[[str, dict[str, Any]], bool]:
    return lambda operation, arguments: part in arguments.get("Key", "")


def test_a_registry_that_cannot_be_read_ends_the_run_as_error(platform: Platform):
    platform.refuse("ssm")
    result = platform.run()
    check_left_behind(platform, result, "error")
    assert "registry of models" in (result.error or "")


def test_files_that_cannot_be_stored_end_the_run_as_error_in_its_trace_too(platform: Platform):
    platform.refuse("s3", key_starts("/workspace/"))
    result = platform.run()
    assert (result.status, platform.record.status, platform.result.status) == ("error",) * 3
    assert "cannot store workspace/main.tf" in (result.error or "")
    span, attributes = platform.root()
    assert (span["status"]["code"], attributes[names.STATUS]) == (ERROR, "error")
    assert list(platform.temporary.iterdir()) == []


def test_a_result_that_cannot_be_stored_ends_the_run_as_error(platform: Platform):
    platform.refuse("s3", key_starts("result.json"))
    result = platform.run()
    assert (result.status, platform.record.status) == ("error", "error")
    assert "cannot store result.json" in (platform.record.error or "")


def test_without_firehose_the_records_go_past_it(platform: Platform):
    platform.refuse("firehose")
    result = platform.run()
    check_left_behind(platform, result, "ok")
    past = platform.objects(AUDIT, "fallback/{run_id}/")
    assert platform.root(past)[1][names.STATUS] == "ok"


def test_records_that_nobody_takes_end_the_run_as_error(platform: Platform):
    platform.refuse("firehose")
    platform.refuse("s3", lambda operation, arguments: arguments["Bucket"] == AUDIT)
    result = platform.run()
    assert (result.status, platform.record.status, platform.result.status) == ("error",) * 3
    assert "accepted neither by Firehose nor by the bucket" in (result.error or "")
    assert platform.files == {"main.tf": GOOD.encode()}
    assert list(platform.temporary.iterdir()) == []


@pytest.mark.parametrize("client", ["firehose", "s3", "ssm"])
def test_everything_refused_still_ends_the_record(platform: Platform, client: str):
    for each in {"firehose", "s3", client}:
        platform.refuse(each, everything)
    result = platform.run()
    assert (result.status, platform.record.status) == ("error", "error")
    assert list(platform.temporary.iterdir()) == []


def test_the_first_cause_is_named_before_what_failed_after_it(platform: Platform):
    platform.script = Script(write("main.tf"), say(MODEL_ERROR_PREFIX + "upstream is away"))
    platform.refuse("s3", lambda _, asked: not str(asked.get("Key")).endswith("request.json"))
    platform.refuse("firehose")
    result = platform.run()
    assert result.status == "error"
    assert (result.error or "").startswith("upstream is away; then: cannot store workspace/main.tf")
    assert "accepted neither" in (result.error or "")


def test_a_budget_that_ran_out_and_cannot_be_stored_is_an_error(platform: Platform):
    platform.refuse("s3", key_starts("/workspace/"))
    platform.script = Script(used(write("main.tf"), 1, 1), used(write("b.tf"), 10_000, 1_000))
    result = platform.run(max_cost_usd=0.01)
    assert result.status == "error"
    assert "spent" in (result.error or "")


def no_folder(**arguments: Any) -> str:
    raise OSError(28, "No space left on device")


def test_a_full_disk_ends_the_run_as_error(platform: Platform, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "mkdtemp", no_folder)
    result = platform.run()
    check_left_behind(platform, result, "error")
    assert "No space left on device" in (result.error or "")


def test_a_checker_that_cannot_be_closed_does_not_keep_the_run_open(platform: Platform):
    class Stuck(ScriptedChecker):
        def close(self) -> None:
            raise OSError("busy")

    platform.checker = Stuck(needs("main.tf"))
    result = platform.run()
    check_left_behind(platform, result, "error")
    assert "busy" in (result.error or "")


def test_a_table_that_goes_away_in_the_middle_leaves_no_ok(platform: Platform):
    platform.refuse("dynamodb", lambda operation, arguments: operation == "update_item")
    with pytest.raises(PlatformError, match="record cannot be written"):
        platform.run()
    assert platform.record.status == "running", "its lease will run out"
    assert platform.result.status == "error"
    assert platform.root()[1][names.STATUS] == "error"
    assert list(platform.temporary.iterdir()) == []


def test_a_run_that_was_taken_over_is_not_ok(platform: Platform):
    def taken() -> None:
        platform.change_record(owner={"S": "another"})

    platform.checker = ScriptedChecker(needs("main.tf"), before=taken)
    with pytest.raises(PlatformError, match="taken over"):
        platform.run()
    assert platform.result.status == "error"
    assert platform.record.status == "running", "that is the other's to say"


def test_a_run_that_is_lost_at_the_very_end_is_not_ok(platform: Platform):
    real = platform.clients.s3.put_object

    class Late:
        def put_object(self, **arguments: Any) -> Any:
            if "/records/" in arguments["Key"]:
                platform.change_record(owner={"S": "another"})
            return real(**arguments)

        def __getattr__(self, name: str) -> Any:
            return getattr(platform_s3, name)

    platform_s3, platform.clients.s3 = platform.clients.s3, Late()
    platform.checker = ScriptedChecker(needs("main.tf"))
    with pytest.raises(PlatformError, match="taken over"):
        platform.run()
    assert platform.result.status == "error"


def test_a_delivery_that_comes_later_changes_nothing(platform: Platform):
    platform.run()
    before, objects = platform.item, platform.objects()
    assert execute(platform.request(), platform.config, platform.clients, 900.0) is None
    assert (platform.item, platform.objects()) == (before, objects)
    assert len(platform.script.seen) == 2


def test_a_result_names_its_files_by_content(platform: Platform):
    result = platform.run()
    assert result.files == [
        FileEntry(path="main.tf", sha256=Tree(files={"": GOOD.encode()}).entries[0].sha256, bytes=len(GOOD))
    ]


def test_a_table_that_cannot_be_reached_is_said_by_an_error(platform: Platform):
    class Away:
        def put_item(self, **arguments: Any) -> Any:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    platform.clients.dynamodb = Away()
    with pytest.raises(PlatformError, match="record cannot be written"):
        platform.run()
    assert platform.script.seen == []

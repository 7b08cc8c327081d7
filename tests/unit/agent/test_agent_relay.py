"""A run that takes several invocations: what the next one goes on with, and how a hand-over can fail."""

import asyncio
import json
import time
import zlib
from typing import Any

import anyio.from_thread
import msgspec
import pytest
from agent_platform import RUNS, TABLE, Platform, check_left_behind
from agent_scripts import GOOD, Script, call, needs, say, sleeps, used, write
from botocore.exceptions import ReadTimeoutError
from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelResponse

import toolkit.agent.handler as entry
import toolkit.agent.run
from toolkit.agent.relay import RESERVE_SECONDS, Relay
from toolkit.agent.run import execute
from toolkit.agent.store import Store
from toolkit.cancelling import Cancelling
from toolkit.contracts import HandedOver, RunResult
from toolkit.errors import PlatformError, UsageError
from toolkit.tables import QUEUED_AT_MOST_SECONDS, baton_key, chat_key
from toolkit.telemetry import names

LONG = 900.0
SHORT = RESERVE_SECONDS + 300
"""A function's time that is less than a run's; in the tests it is over when the script says so."""


class Successor:
    """Stands for Lambda: keeps the events, and invokes the handler when it is told to."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def invoke(self, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        assert (FunctionName, InvocationType) == ("agent", "Event")
        self.events.append(json.loads(Payload))


class Context:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


@pytest.fixture
def successor(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Successor:
    platform.config = msgspec.structs.replace(platform.config, function="agent")
    platform.clients.successor = found = Successor()
    monkeypatch.setattr(entry, "_warm", {"config": platform.config, "clients": platform.clients})
    monkeypatch.setattr(toolkit.agent.relay, "Relay", Watched)
    return found


class Watched(Relay):
    """The relay whose moment comes at a word."""

    latest: "Watched"

    def __init__(self, *arguments: float) -> None:
        super().__init__(*arguments)
        Watched.latest = self

    def run_out(self) -> None:
        assert self._scope
        self._scope.cancel()


def begin(platform: Platform, remaining_s: float, **fields: Any) -> RunResult | HandedOver | None:
    return execute(platform.request(**fields), platform.config, platform.clients, remaining_s)


async def too_late() -> ModelResponse:
    """The function's time is over before the model answers."""
    Watched.latest.run_out()
    await asyncio.sleep(3600)
    raise AssertionError


def test_a_request_that_is_cut_off_is_sent_again_by_the_next_invocation(
    platform: Platform, successor: Successor
):
    platform.script = Script(used(write("main.tf"), 10, 1), too_late, used(say("done"), 20, 2))
    handed = begin(platform, SHORT)
    assert isinstance(handed, HandedOver)
    (event,) = successor.events
    assert event == {**msgspec.to_builtins(handed), "signature": event["signature"]}
    row = platform.record
    assert (row.status, row.step, row.owner) == ("running", "waiting for invocation 2", handed.baton_sha256)
    assert row.lease_until > time.time() + QUEUED_AT_MOST_SECONDS - 60
    assert "result.json" not in platform.objects()

    assert entry.handler(successor.events[0], Context(LONG)) == {"run_id": platform.run_id, "status": "ok"}
    result = platform.result
    attributes = check_left_behind(platform, result, "ok")
    assert (result.parts, attributes[names.PARTS]) == (2, "2")
    assert (result.usage.input_tokens, result.usage.requests, result.output) == (30, 2, "done")
    assert result.model_retries == 1
    assert any("1 requests cost that were cut off" in point for point in result.not_proven)
    assert platform.files == {"main.tf": GOOD.encode()}
    before, after = ([m.parts for m in messages] for messages in platform.script.seen[1:])
    assert before == after
    agents = [span for span in platform.spans() if span["name"] == "invoke_agent writer"]
    assert [span.get("status", {}).get("code", 0) for span in agents] == [0, 0]
    assert [names.HANDED_OVER in keys(span) for span in agents] == [True, False]


def test_no_step_is_begun_when_little_time_is_left(
    platform: Platform, successor: Successor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("toolkit.agent.relay.EARLY", 1.0)
    platform.script = Script(write("main.tf"), say("done"))
    assert isinstance(begin(platform, SHORT), HandedOver)
    assert len(platform.script.seen) == 1  # one is begun in any case
    assert entry.handler(successor.events[0], Context(LONG))["status"] == "ok"
    assert len(platform.script.seen) == 2


def test_the_gate_is_asked_in_the_next_invocation_where_the_answer_was_there(
    platform: Platform, successor: Successor
):
    moments = iter([lambda: anyio.from_thread.run_sync(Watched.latest.run_out)])
    platform.checker.before = lambda: next(moments, str)()
    assert isinstance(begin(platform, SHORT), HandedOver)
    assert entry.handler(successor.events[0], Context(LONG))["status"] == "ok"
    assert len(platform.script.seen) == 2  # the model is not asked again
    assert [attempt.n for attempt in platform.result.attempts] == [1]


def test_attempts_and_what_was_read_are_carried(platform: Platform, successor: Successor):
    platform.checker.rule = needs("main.tf", "outputs.tf")
    platform.script = Script(
        write("main.tf"),
        say("done?"),
        too_late,
        call("edit_file", path="main.tf", old="this", new="that"),
        write("outputs.tf", ""),
        say("done"),
    )
    begin(platform, SHORT)
    assert entry.handler(successor.events[0], Context(LONG))["status"] == "ok"
    first, second = platform.result.attempts
    assert [len(first.findings), len(second.findings)] == [1, 0]
    assert "that" in second.diff
    assert "this" not in platform.files["main.tf"].decode()
    assert platform.script.retries == []


def test_a_conversation_remembers_the_whole_turn(platform: Platform, successor: Successor):
    platform.script = Script(write("main.tf"), too_late, say("done"))
    begin(platform, SHORT, conversation=platform.run_id)
    assert entry.handler(successor.events[0], Context(LONG))["status"] == "ok"
    row = platform.clients.dynamodb.get_item(TableName=TABLE, Key=chat_key(platform.run_id, 1))["Item"]
    turn = ModelMessagesTypeAdapter.validate_json(zlib.decompress(row["messages"]["B"]))
    kinds = [part.part_kind for message in turn for part in message.parts]
    assert kinds == ["user-prompt", "tool-call", "tool-return", "text"]


def test_three_invocations_make_one_run(platform: Platform, successor: Successor):
    platform.script = Script(write("main.tf"), too_late, write("a.tf", ""), too_late, say("done"))
    begin(platform, SHORT)
    assert entry.handler(successor.events[0], Context(SHORT))["status"] == "handed_over"
    assert entry.handler(successor.events[1], Context(LONG))["status"] == "ok"
    assert (platform.result.parts, sorted(platform.files)) == (3, ["a.tf", "main.tf"])
    assert platform.result.model_retries == 2
    check_left_behind(platform, platform.result, "ok")


def test_a_hand_over_that_is_delivered_twice_is_taken_once(platform: Platform, successor: Successor):
    platform.script = Script(write("main.tf"), too_late, say("done"))
    begin(platform, SHORT)
    assert entry.handler(successor.events[0], Context(LONG))["status"] == "ok"
    assert entry.handler(successor.events[0], Context(LONG))["status"] == "skipped"
    assert len(platform.script.seen) == 3


def test_the_request_that_is_delivered_again_meanwhile_does_nothing(platform: Platform, successor: Successor):
    platform.script = Script(write("main.tf"), too_late, say("done"))
    begin(platform, SHORT)
    assert begin(platform, LONG) is None
    assert entry.handler(successor.events[0], Context(LONG))["status"] == "ok"


def test_a_run_that_was_cancelled_meanwhile_ends_in_the_next_invocation(
    platform: Platform, successor: Successor
):
    platform.script = Script(write("main.tf"), too_late, sleeps)
    begin(platform, SHORT)
    platform.change_record(cancel_requested={"S": "2026-01-01T00:00:00Z"})
    assert entry.handler(successor.events[0], Context(LONG))["status"] == "cancelled"
    check_left_behind(platform, platform.result, "cancelled")


def test_a_run_that_was_closed_as_cancelled_while_it_waited_stores_what_it_had_made(
    platform: Platform, successor: Successor
):
    platform.script = Script(used(write("main.tf"), 10, 1), too_late, say("never"))
    begin(platform, SHORT)
    done = Cancelling(platform.clients.dynamodb, TABLE).cancel([platform.run_id], wait_s=0.0)
    assert [one.how for one in done] == ["closed"]
    assert entry.handler(successor.events[0], Context(LONG))["status"] == "cancelled"
    check_left_behind(platform, platform.result, "cancelled")
    assert platform.files == {"main.tf": GOOD.encode()}
    assert (platform.result.usage.input_tokens, len(platform.script.seen)) == (10, 2)


@pytest.mark.parametrize("change", ["baton_sha256", "part", "signature"])
def test_what_the_agent_did_not_hand_over_is_refused(platform: Platform, successor: Successor, change: str):
    platform.script = Script(write("main.tf"), too_late, say("done"))
    begin(platform, SHORT)
    other = {"baton_sha256": "0" * 64, "part": 3, "signature": ""}[change]
    with pytest.raises(UsageError, match="not signed by the agent"):
        entry.handler({**successor.events[0], change: other}, Context(LONG))
    assert entry.handler(successor.events[0], Context(LONG))["status"] == "ok"


def test_a_baton_that_is_gone_ends_the_run_and_its_row_says_why(platform: Platform, successor: Successor):
    platform.script = Script(write("main.tf"), too_late, say("done"))
    begin(platform, SHORT)
    platform.clients.s3.delete_object(Bucket=RUNS, Key=baton_key(platform.run_id, 2))
    with pytest.raises(PlatformError, match="cannot read part 2"):
        entry.handler(successor.events[0], Context(LONG))
    assert platform.record.status == "error"
    assert "cannot read part 2" in (platform.record.error or "")


def test_a_lost_answer_to_an_invocation_that_has_begun_makes_no_second_owner(
    platform: Platform, successor: Successor
):
    platform.script = Script(write("main.tf"), too_late, say("done"))
    real = successor.invoke

    def begun_at_once(**arguments: Any) -> None:
        real(**arguments)
        assert entry.handler(successor.events[0], Context(LONG))["status"] == "ok"
        raise ReadTimeoutError(endpoint_url="x")

    successor.invoke = begun_at_once
    assert isinstance(begin(platform, SHORT), HandedOver)
    check_left_behind(platform, platform.result, "ok")


def test_a_lost_answer_to_an_invocation_that_waits_ends_the_run_here(
    platform: Platform, successor: Successor
):
    platform.script = Script(write("main.tf"), too_late, say("done"))
    real = successor.invoke

    def answer_lost(**arguments: Any) -> None:
        real(**arguments)
        raise ReadTimeoutError(endpoint_url="x")

    successor.invoke = answer_lost
    result = begin(platform, SHORT)
    assert isinstance(result, RunResult)
    check_left_behind(platform, result, "error")
    assert entry.handler(successor.events[0], Context(LONG))["status"] == "skipped"
    check_left_behind(platform, result, "error")


def test_a_request_that_takes_longer_than_an_invocation_is_not_paid_for_again_and_again(
    platform: Platform, successor: Successor
):
    platform.script = Script(write("main.tf"), too_late)
    begin(platform, SHORT)
    assert entry.handler(successor.events[0], Context(SHORT))["status"] == "budget_exceeded"
    assert (len(successor.events), platform.result.model_retries) == (1, 2)
    assert "the function's own time is used up" in (platform.result.error or "")
    check_left_behind(platform, platform.result, "budget_exceeded")


def test_a_run_that_cannot_be_handed_over_ends_as_an_error_with_all_that_was_made(
    platform: Platform, successor: Successor
):
    platform.script = Script(write("main.tf"), too_late, say("done"))
    platform.refuse("successor")
    result = begin(platform, SHORT)
    assert isinstance(result, RunResult)
    check_left_behind(platform, result, "error")
    assert "part 2 cannot be begun" in (result.error or "")
    assert platform.files == {"main.tf": GOOD.encode()}


def test_the_runs_own_time_goes_on_over_all_parts(platform: Platform, successor: Successor):
    platform.script = Script(write("main.tf"), too_late, sleeps)
    begin(platform, SHORT, timeout_s=400.0)
    baton = Store(platform.clients.s3, RUNS, platform.run_id).baton(HandedOver(**successor.events[0]))
    began = msgspec.structs.replace(baton.carried, started_ns=int((time.time() - 399.9) * 1e9))
    older = msgspec.structs.replace(baton, carried=began)
    token = successor.events[0]["baton_sha256"]
    ended = execute(baton.request, platform.config, platform.clients, LONG, older, token)
    assert isinstance(ended, RunResult)
    assert ended.status == "budget_exceeded"
    assert "400 s allowed" in (ended.error or "")
    assert ended.seconds > 399


def test_a_run_does_not_travel_for_ever(
    platform: Platform, successor: Successor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("toolkit.agent.relay.MOST_PARTS", 2)
    platform.script = Script(write("main.tf"), too_late, sleeps)
    begin(platform, SHORT)
    assert entry.handler(successor.events[0], Context(RESERVE_SECONDS + 0.1))["status"] == "budget_exceeded"
    assert len(successor.events) == 1
    assert "the function's own time is used up" in (platform.result.error or "")


def keys(span: dict[str, Any]) -> set[str]:
    return {item["key"] for item in span["attributes"]}

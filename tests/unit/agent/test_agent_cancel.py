"""A run that somebody ends: whatever it was doing, what is stored says the same everywhere."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from agent_platform import ERROR, RUNS, TABLE, Platform, Refusing, check_left_behind
from agent_scripts import Script, ScriptedChecker, call, needs, say, sleeps, used, write

from toolkit.agent import record
from toolkit.agent.cancellation import Cancellation
from toolkit.agent.run import execute
from toolkit.cancelling import NEVER_BEGAN, NO_ANSWER, Cancelled, Cancelling
from toolkit.client import Client
from toolkit.contracts import RunResult, StackOutputs
from toolkit.errors import PlatformError, TfkitError
from toolkit.tables import QUEUED_AT_MOST_SECONDS, STOP_KEY, new_run_id, run_key, setting

LONG = 30.0

names = {name: {} if name == "profiles" else name for name in StackOutputs.__struct_fields__}
OUTPUTS = StackOutputs(**{**names, "runs_table": TABLE, "runs_bucket": RUNS})


class Worker:
    """The run in a thread, as the function would do it beside us."""

    def __init__(self, platform: Platform) -> None:
        self.result: RunResult | None = None
        self._platform = platform
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        platform = self._platform
        self.result = execute(platform.request(), platform.config, platform.clients, 900.0)

    def end(self) -> RunResult:
        self._thread.join(LONG)
        assert not self._thread.is_alive(), "the run goes on"
        assert self.result is not None
        return self.result


@pytest.fixture
def client(platform: Platform) -> Client:
    clients = platform.clients
    cloud = type("Cloud", (), {"client": lambda _self, service: getattr(clients, service), "endpoint": ""})()
    return Client(cast("Any", cloud), OUTPUTS)


@pytest.fixture
def stop(platform: Platform) -> Iterator[Callable[..., None]]:
    """Writes the brake's row, which is taken away after the test."""
    dynamodb = platform._real("dynamodb")
    yield lambda **values: dynamodb.update_item(TableName=TABLE, Key=STOP_KEY, **setting(values))
    dynamodb.delete_item(TableName=TABLE, Key=STOP_KEY)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def hangs(platform: Platform, kind: str) -> threading.Event:
    """Let the run hang in its model, in a tool or in the gate; returns what ends the wait."""
    free, busy = threading.Event(), threading.Event()

    def hang() -> None:
        busy.set()
        free.wait(LONG)

    last = {"model": sleeps, "tool": call("run_validators"), "gate": say("done")}[kind]
    platform.script = Script(used(write("main.tf"), 100, 10), last)
    if kind != "model":
        platform.checker = ScriptedChecker(needs("main.tf"), before=hang)
    return free


def is_in(platform: Platform, kind: str) -> Callable[[], bool]:
    step = {"model": "model, turn 2", "tool": "validators", "gate": "gate"}[kind]

    def looked() -> bool:
        found = platform._real("dynamodb").get_item(
            TableName=TABLE, Key=run_key(platform.run_id), ConsistentRead=True
        )
        return "Item" in found and found["Item"]["step"]["S"] == step

    return looked


@pytest.mark.parametrize("kind", ["model", "tool", "gate"])
def test_whatever_it_waits_for_a_run_ends_and_stores_what_it_had(
    platform: Platform, client: Client, monkeypatch: pytest.MonkeyPatch, kind: str
):
    monkeypatch.setattr(record, "LOOK_SECONDS", 0.02)
    free = hangs(platform, kind)
    worker = Worker(platform)
    until(is_in(platform, kind), f"the run never came to its {kind}")
    assert client.cancel(platform.run_id) == Cancelled(run_id=platform.run_id, how="ended")
    result = worker.end()
    free.set()
    check_left_behind(platform, result, "cancelled")
    assert result.error == "cancelled on request"
    assert list(platform.files) == ["main.tf"]
    assert result.usage.requests == (1 if kind == "model" else 2)
    assert platform.checker.closed == 1
    assert platform.record.cancel_requested
    failed = {s["name"].split(" ")[0] for s in platform.spans() if s.get("status", {}).get("code") == ERROR}
    assert (
        failed
        == {
            "model": {"run", "invoke_agent", "chat"},
            "tool": {"run", "invoke_agent", "execute_tool"},
            "gate": {"run"},
        }[kind]
    )


def test_an_error_that_comes_of_the_cancelling_is_no_error_of_the_runs():
    """Closing the checker ends terraform under the check's feet."""
    cancellation = Cancellation()

    async def work() -> None:
        cancellation.request()
        try:
            await asyncio.sleep(LONG)
        except asyncio.CancelledError:
            raise PlatformError("terraform was ended by SIGKILL") from None

    with pytest.raises(record.Cancelled):
        cancellation.run(work())


def test_work_that_was_cancelled_before_it_began_does_not_begin():
    cancellation, begun = Cancellation(), list[bool]()
    cancellation.request()

    async def work() -> None:
        begun.append(True)

    with pytest.raises(record.Cancelled):
        cancellation.run(work())
    assert begun == []


def test_work_that_nobody_cancels_is_left_alone():
    async def work(error: Exception | None) -> str:
        if error:
            raise error
        return "done"

    cancellation = Cancellation()
    assert cancellation.run(work(None)) == "done"
    with pytest.raises(PlatformError, match="the disk is full"):
        cancellation.run(work(PlatformError("the disk is full")))


def test_a_cancelled_run_whose_files_cannot_be_stored_stays_cancelled_and_says_so(
    platform: Platform, client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(record, "LOOK_SECONDS", 0.02)
    hangs(platform, "model")
    platform.refuse("s3", lambda _operation, arguments: "/workspace/" in arguments.get("Key", ""))
    worker = Worker(platform)
    until(is_in(platform, "model"), "the model was not asked")
    client.cancel(platform.run_id)
    result = worker.end()
    assert (result.status, platform.record.status, platform.result.status) == ("cancelled",) * 3
    assert (result.error or "").startswith("cancelled on request; then: cannot store workspace/main.tf")


@pytest.mark.parametrize("kind", ["tool", "gate"])
def test_a_worker_that_does_not_answer_is_closed_and_agrees_later(
    platform: Platform, client: Client, monkeypatch: pytest.MonkeyPatch, kind: str
):
    monkeypatch.setattr(record, "LOOK_SECONDS", LONG)
    free = hangs(platform, kind)
    worker = Worker(platform)
    until(is_in(platform, kind), "the run never hung")
    closing = Cancelling(platform._real("dynamodb"), TABLE)
    assert closing.cancel([platform.run_id], 0.0) == [Cancelled(run_id=platform.run_id, how="closed")]
    assert client.result(platform.run_id).status == "cancelled", "before its worker has stored anything"
    before = platform.item
    free.set()
    result = worker.end()
    assert platform.item == before, "nothing is written over an end"
    assert (result.status, result.error) == ("cancelled", NO_ANSWER)
    assert platform.result == result == client.result(platform.run_id)
    assert list(platform.files) == ["main.tf"]


def test_a_run_that_is_closed_at_the_very_end_does_not_stay_ok(platform: Platform):
    """After its result is stored and before its last word."""
    real = platform.clients.s3
    closing = Cancelling(platform.clients.dynamodb, TABLE)

    class Late:
        def put_object(self, **arguments: Any) -> Any:
            answer = real.put_object(**arguments)
            if arguments["Key"].endswith("result.json"):
                closing.cancel([platform.run_id], 0.0)
            return answer

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

    platform.clients.s3 = Late()
    result = platform.run()
    assert (result.status, platform.result.status, platform.record.status) == ("cancelled",) * 3
    assert platform.result == result
    assert platform.record.error == result.error == NO_ANSWER


def test_a_run_whose_worker_died_is_closed_without_a_wait(platform: Platform, client: Client):
    held = record.RunTable(platform.clients.dynamodb, TABLE, platform.run_id)
    held.take(platform.request(), "priced")
    platform.change_record(lease_until={"N": str(int(time.time()) - 1)})
    looked: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.cancelling.time.sleep", looked.append)
        assert client.cancel(platform.run_id).how == "closed"
    assert looked == []
    assert platform.record.status == client.result(platform.run_id).status == "cancelled"


def test_a_worker_that_ends_its_run_at_the_last_moment_has_the_last_word(platform: Platform):
    real = platform.clients.dynamodb
    held = record.RunTable(real, TABLE, platform.run_id)
    held.take(platform.request(), "priced")

    class Late(Refusing):
        """Between the last look at the row and its close, the worker comes to its end."""

        def update_item(self, **arguments: Any) -> Any:
            if ":error" in arguments["ExpressionAttributeValues"]:
                held.finish("ok", None)
            return real.update_item(**arguments)

    late = Late(real, lambda *_: False)
    assert Cancelling(late, TABLE).cancel([platform.run_id], 0.0) == []
    assert platform.record.status == "ok"


def test_several_are_cancelled_together(platform: Platform):
    ids = [f"{platform.run_id}-{n}" for n in range(20)]
    for run_id in ids:
        platform.run_id = run_id
        record.RunTable(platform.clients.dynamodb, TABLE, run_id).take(platform.request(), "priced")
    done = Cancelling(platform.clients.dynamodb, TABLE).cancel([*ids, "nobody-knows-it"], 0.0)
    assert done == [Cancelled(run_id=run_id, how="closed") for run_id in ids]


def test_a_run_that_waits_to_be_started_never_begins(platform: Platform, client: Client):
    platform.run_id = new_run_id()
    assert client.cancel(platform.run_id).how == "never began"
    assert client.cancel(platform.run_id).how == "before"
    before = platform.item
    assert execute(platform.request(), platform.config, platform.clients, 900.0) is None
    assert platform.item == before
    assert platform.script.seen == []
    assert client.result(platform.run_id).error == NEVER_BEGAN
    assert platform.run_id in [each.run_id for each in client.runs([platform.record.started[:10]])]
    client._asked[platform.run_id] = platform.request().sha256  # whoever follows it is told, and not misled
    assert client.follow(platform.run_id, lambda _record: None).status == "cancelled"


def test_a_worker_that_takes_the_run_meanwhile_is_cancelled_all_the_same(
    platform: Platform, client: Client, monkeypatch: pytest.MonkeyPatch
):
    platform.run_id = new_run_id()
    forestall = Cancelling.forestall

    def late(self: Cancelling, run_id: str) -> bool:
        record.RunTable(platform.clients.dynamodb, TABLE, run_id).take(platform.request(), "priced")
        platform.change_record(lease_until={"N": "5"})
        return forestall(self, run_id)

    monkeypatch.setattr(Cancelling, "forestall", late)
    assert client.cancel(platform.run_id).how == "closed"
    assert platform.record.request_sha256 == platform.request().sha256


def test_what_nobody_knows_or_what_has_ended_cannot_be_cancelled(platform: Platform, client: Client):
    with pytest.raises(TfkitError, match="no run has the id"):
        client.cancel("a-name-that-somebody-mistyped")
    platform.run()
    before = platform.item
    with pytest.raises(TfkitError, match="had ended before it could be cancelled: ok"):
        client.cancel(platform.run_id)
    assert platform.item == before


# -- the brake ------------------------------------------------------------------------------------

EARLY, LATE = "2026-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"at": EARLY, "released": ""}, f"the platform was stopped at {EARLY}"),
        ({"at": LATE, "released": LATE}, f"it was asked for before the platform was stopped at {LATE}"),
    ],
    ids=["stopped", "released"],
)
def test_a_run_that_the_brake_refuses_ends_as_cancelled_and_asks_no_model(
    platform: Platform, stop: Callable[..., None], values: Any, cause: str
):
    platform.run_id = new_run_id()
    stop(**values)
    result = platform.run()
    check_left_behind(platform, result, "cancelled")
    assert result.error == cause
    assert platform.script.seen == []


def test_a_run_that_was_asked_for_after_the_release_begins(platform: Platform, stop: Callable[..., None]):
    platform.run_id = new_run_id()
    stop(at=EARLY, released=EARLY)
    assert platform.run().status == "ok"


def test_a_chosen_id_counts_as_older_for_as_long_as_lambda_keeps_requests(
    platform: Platform, stop: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    stop(at=record.now(), released=record.now())
    result = platform.run()
    assert result.status == "cancelled"
    assert "a chosen run id does not tell" in (result.error or "")
    platform.run_id += "-later"
    stopped = time.time() - QUEUED_AT_MOST_SECONDS - 1
    stop(at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(stopped)), released=record.now())
    assert platform.run().status == "ok"


def test_a_brake_that_cannot_be_read_lets_no_run_begin(platform: Platform):
    platform.refuse("dynamodb", lambda _operation, arguments: arguments.get("Key") == STOP_KEY)
    result = platform.run()
    check_left_behind(platform, result, "error")
    assert platform.script.seen == []


def test_nothing_is_asked_of_a_platform_that_is_stopped(
    client: Client, platform: Platform, stop: Callable[..., None]
):
    stop(at=EARLY, released="")
    with pytest.raises(TfkitError, match="was stopped") as caught:
        client.submit(platform.request())
    assert caught.value.hint == "release it: tfkit up"

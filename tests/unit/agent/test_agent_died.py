"""A worker that is killed in the middle of a run: the next look closes it, and no look closes a live one."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from agent_platform import TABLE, Platform, Refusing
from agent_scripts import Script, say, write

from toolkit.agent import handler as entry
from toolkit.agent.record import RunTable
from toolkit.client import Client
from toolkit.closing import close_dead
from toolkit.contracts import RunRecord, StackOutputs
from toolkit.errors import PlatformError
from toolkit.tables import WORKER_DIED

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)
LONG_AGO = {"N": "5"}

WORKER = """
import json, sys
from types import SimpleNamespace
from agent_scripts import Script, sleeps, write, ScriptedChecker, needs
import toolkit.agent.run
from toolkit.agent.handler import handler

toolkit.agent.lineup.build = lambda *_: Script(write("main.tf"), sleeps).model
toolkit.agent.checking.InProcessChecker = lambda folder, **_: ScriptedChecker(needs("main.tf"))
handler(json.loads(sys.argv[1]), SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000))
"""


@pytest.fixture(autouse=True)
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "_warm", {})


def client(platform: Platform) -> Client:
    names = {name: name for name in StackOutputs.__struct_fields__ if name != "profiles"}
    outputs = StackOutputs(**{**names, "runs_table": TABLE, "runs_bucket": "agent-runs"}, profiles={})
    cloud: Any = SimpleNamespace(client=lambda service: getattr(platform.clients, service))
    return Client(cloud, outputs)


def kill_a_worker(platform: Platform) -> None:
    """Let a process of its own work on the run until the model hangs, and kill it."""
    event = msgspec.json.encode(platform.request()).decode()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    worker = subprocess.Popen([sys.executable, "-c", WORKER, event], env=environment)
    try:
        deadline = time.monotonic() + 60
        while not _has_begun(platform):
            assert worker.poll() is None and time.monotonic() < deadline, "the worker did not begin"
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()


def _has_begun(platform: Platform) -> bool:
    try:
        return platform.record.step == "model, turn 2"
    except KeyError:
        return False


def by_delivery(platform: Platform) -> None:
    event = msgspec.to_builtins(platform.request())
    assert entry.handler(event, CONTEXT) == {"run_id": platform.run_id, "status": "skipped"}


def by_list(platform: Platform) -> None:
    found = {record.run_id: record for record in client(platform).runs([platform.record.started[:10]])}
    assert found[platform.run_id].status == "error"


def by_show(platform: Platform) -> None:
    shown = client(platform).latest(platform.run_id)
    assert shown is not None and shown.status == "error"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("close", [by_delivery, by_list], ids=["delivery", "runs"])
def test_a_worker_that_was_killed_leaves_a_run_that_the_next_look_closes(
    platform: Platform, close: Callable[[Platform], None]
):
    kill_a_worker(platform)
    assert platform.record.status == "running"
    platform.change_record(lease_until=LONG_AGO)
    close(platform)
    found = platform.record
    assert (found.status, found.step, found.lease_until) == ("error", "finished", 0)
    assert found.error == WORKER_DIED
    assert platform.script.seen == [], "the work is not done again"
    result = client(platform).result(platform.run_id)
    assert (result.status, result.error, result.files) == ("error", WORKER_DIED, [])


def dead(platform: Platform) -> RunRecord:
    RunTable(platform.clients.dynamodb, TABLE, platform.run_id).take(platform.request(), "priced")
    platform.change_record(lease_until=LONG_AGO)
    return platform.record


def test_show_closes_it_too_and_then_it_stays_closed(platform: Platform):
    dead(platform)
    by_show(platform)
    before = platform.item
    by_show(platform)
    by_list(platform)
    assert platform.item == before


def test_many_at_once_close_it_once(platform: Platform):
    record, gate = dead(platform), threading.Barrier(5)
    updates: list[str] = []

    class Counted:
        def __getattr__(self, name: str) -> Any:
            def called(**arguments: Any) -> Any:
                answer = getattr(platform.clients.dynamodb, name)(**arguments)
                if name == "update_item":
                    updates.append(name)  # only what the condition let through
                return answer

            return called

    def look() -> None:
        gate.wait()
        assert close_dead(Counted(), TABLE, record).status == "error"

    threads = [threading.Thread(target=look) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(updates) == 1
    assert platform.record.status == "error"


def test_a_worker_that_renewed_its_lease_meanwhile_is_alive(platform: Platform):
    record = dead(platform)
    platform.change_record(lease_until={"N": str(int(time.time()) + 60)})
    assert close_dead(platform.clients.dynamodb, TABLE, record).status == "running"
    assert platform.record.status == "running"


def test_a_lease_that_is_renewed_between_the_look_and_the_write_is_kept(platform: Platform):
    record = dead(platform)
    real = platform.clients.dynamodb

    class Renewing:
        """The worker comes back to life right after it was looked at."""

        def get_item(self, **arguments: Any) -> Any:
            answer = real.get_item(**arguments)
            platform.change_record(lease_until={"N": str(int(time.time()) + 60)})
            return answer

        def update_item(self, **arguments: Any) -> Any:
            return real.update_item(**arguments)

    assert close_dead(Renewing(), TABLE, record).status == "running"
    assert platform.record.status == "running"


def test_a_clock_that_is_ahead_closes_no_live_run(platform: Platform, monkeypatch: pytest.MonkeyPatch):
    RunTable(platform.clients.dynamodb, TABLE, platform.run_id).take(platform.request(), "priced")
    real = time.time
    monkeypatch.setattr("toolkit.closing.time.time", lambda: real() + 1_000)
    latest = client(platform).latest(platform.run_id)
    assert latest is not None and latest.status == platform.record.status == "running"


def test_who_may_only_read_gets_the_row_as_it_is(platform: Platform):
    dead(platform)
    platform.clients.dynamodb = Refusing(platform.clients.dynamodb, lambda name, _: name == "update_item")
    latest = client(platform).latest(platform.run_id)
    assert latest is not None and latest.lost(time.time())
    assert platform.record.status == "running"


def test_a_worker_that_was_only_slow_does_not_come_back(platform: Platform):
    slow = RunTable(platform.clients.dynamodb, TABLE, platform.run_id)
    slow.take(platform.request(), "priced")
    platform.change_record(lease_until=LONG_AGO)
    by_show(platform)
    with pytest.raises(PlatformError, match="taken over"):
        slow.finish("ok", None)
    assert platform.record.status == "error"


def test_three_deliveries_at_once_through_the_entry_do_the_work_once(platform: Platform):
    platform.script = Script(write("main.tf"), say("done"))
    event, gate = msgspec.to_builtins(platform.request()), threading.Barrier(3)
    answers: list[str] = []

    def deliver() -> None:
        gate.wait()
        answers.append(entry.handler(event, CONTEXT)["status"])

    threads = [threading.Thread(target=deliver) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["ok", "skipped", "skipped"]
    assert (platform.record.status, len(platform.script.seen)) == ("ok", 2)
    assert len(platform.checker.checked) == 1

"""The row of a run: who holds it, what a second delivery finds, and what it says at the end."""

import threading
import time
from typing import get_args

import msgspec
import pytest
from agent_platform import RUNS, TABLE, Platform, Refusing, everything
from agent_scripts import finding
from botocore.exceptions import EndpointConnectionError

from toolkit.agent import record
from toolkit.agent.record import LEASE_SECONDS, Cancelled, RunTable
from toolkit.agent.store import Store
from toolkit.contracts import ENDED, Attempt, RunStatus, Tree
from toolkit.errors import PlatformError, UsageError


def table(platform: Platform) -> RunTable:
    return RunTable(platform.clients.dynamodb, TABLE, platform.run_id)


ATTEMPTS = [
    Attempt(n=1, tree="sha256:a", validators={"fmt": "ok", "validate": "findings"}, findings=[finding("x")]),
    Attempt(n=2, tree="sha256:b", validators={"fmt": "ok", "validate": "ok"}),
]


def test_a_row_goes_round(platform: Platform):
    request = platform.request(model="priced", caller="arn:aws:iam::1:user/ü")
    held = table(platform)
    before = int(time.time())
    assert held.take(request, "priced")
    found = platform.record
    assert (found.status, found.step, found.attempt) == ("running", "started", 0)
    assert (found.prompt, found.model, found.caller) == ("a bucket", "priced", "arn:aws:iam::1:user/ü")
    assert found.request_sha256 == request.sha256
    assert found.started == found.updated
    assert before + LEASE_SECONDS <= found.lease_until <= int(time.time()) + LEASE_SECONDS

    held.progress("gate", ATTEMPTS)
    found = platform.record
    assert (found.status, found.step, found.attempt) == ("running", "gate", 2)
    assert found.attempts == [msgspec.structs.replace(each, findings=[]) for each in ATTEMPTS]

    held.finish("not_converged", "they do not agree")
    found = platform.record
    assert (found.status, found.step, found.lease_until) == ("not_converged", "finished", 0)
    assert found.error == "they do not agree"
    assert found.attempt == 2, "progress is kept"


def test_a_run_is_found_by_its_day_and_expires(platform: Platform):
    table(platform).take(platform.request(), "priced")
    item = platform.item
    started = platform.record.started
    assert item["gsi1pk"] == {"S": f"RUNS#{started[:10]}"}
    assert item["gsi1sk"] == {"S": f"{started}#{platform.run_id}"}
    assert int(item["expires"]["N"]) > time.time() + 80 * 86_400


def test_every_status_but_two_is_an_end():
    assert set(get_args(RunStatus)) - ENDED == {"queued", "running"}
    assert set(get_args(RunStatus)) > ENDED


def test_the_lease_is_renewed_while_a_single_step_takes_long(platform: Platform, monkeypatch):
    """A request to a model may take longer than the lease; the run must not count as dead meanwhile."""
    monkeypatch.setattr(record, "HEARTBEAT_SECONDS", 0.02)
    held = table(platform)
    assert held.take(platform.request(), "priced")
    first = platform.record.lease_until
    monkeypatch.setattr(record, "LEASE_SECONDS", 10_000)
    with held.heartbeat():
        deadline = time.monotonic() + 20
        while platform.record.lease_until < first + 9_000:
            assert time.monotonic() < deadline, "the lease was not renewed"
    assert platform.record.step == "started"


def test_the_heart_stops_with_the_run(platform: Platform, monkeypatch):
    monkeypatch.setattr(record, "HEARTBEAT_SECONDS", 0.02)
    before = threading.active_count()
    with table(platform).heartbeat():
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_of_three_deliveries_at_once_one_has_the_run(platform: Platform):
    request, gate = platform.request(), threading.Barrier(3)
    taken: list[bool] = []

    def deliver() -> None:
        held = table(platform)
        gate.wait()
        taken.append(held.take(request, "priced"))

    threads = [threading.Thread(target=deliver) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False, False, True]
    assert platform.record.status == "running"


def test_the_same_id_with_another_request_is_refused_and_nothing_is_touched(platform: Platform):
    table(platform).take(platform.request(), "priced")
    platform.change_record(lease_until={"N": "5"})
    before = platform.item
    other = msgspec.structs.replace(platform.request(), prompt="another bucket")
    with pytest.raises(UsageError, match=f"{platform.run_id} belongs to another request"):
        table(platform).take(other, "priced")
    assert platform.item == before


def test_a_delivery_of_a_run_that_goes_on_or_has_ended_changes_nothing(platform: Platform):
    held = table(platform)
    held.take(platform.request(), "priced")
    before = platform.item
    assert not table(platform).take(platform.request(), "priced")
    assert platform.item == before
    held.finish("ok", None)
    before = platform.item
    assert not table(platform).take(platform.request(), "priced")
    assert platform.item == before


def test_a_run_whose_lease_ran_out_is_closed_by_the_next_delivery(platform: Platform):
    held = table(platform)
    held.take(platform.request(), "priced")
    held.progress("terraform init", ATTEMPTS)
    platform.change_record(lease_until={"N": str(int(time.time()) - 1)})
    assert not table(platform).take(platform.request(), "priced")
    found = platform.record
    assert found.status == "error"
    assert "lease ran out" in (found.error or "")
    assert found.lease_until == 0
    assert found.attempt == 2


def test_a_run_closed_by_another_delivery_stays_closed(platform: Platform):
    """The first worker may only have been slow; what a client has read as the end must not change."""
    slow = table(platform)
    slow.take(platform.request(), "priced")
    platform.change_record(lease_until={"N": str(int(time.time()) - 1)})
    table(platform).take(platform.request(), "priced")
    with pytest.raises(PlatformError, match="taken over by another delivery"):
        slow.progress("gate", [])
    with pytest.raises(PlatformError, match="taken over by another delivery"):
        slow.finish("ok", None)
    assert platform.record.status == "error"


def test_a_worker_that_renews_in_time_is_not_closed_by_a_delivery_that_read_before(platform: Platform):
    slow = table(platform)
    slow.take(platform.request(), "priced")
    platform.change_record(lease_until={"N": str(int(time.time()) - 1)})

    class Late(Refusing):
        """Between its look at the row and its close, the worker goes on."""

        def get_item(self, **arguments: object) -> object:
            found = platform.clients.dynamodb.get_item(**arguments)
            slow.progress("gate", [])
            return found

    late = Late(platform.clients.dynamodb, lambda *_: False)
    assert not RunTable(late, TABLE, platform.run_id).take(platform.request(), "priced")
    assert (platform.record.status, platform.record.step) == ("running", "gate")
    slow.finish("ok", None)
    assert platform.record.status == "ok"


def test_progress_after_a_take_over_raises(platform: Platform):
    held = table(platform)
    held.take(platform.request(), "priced")
    platform.change_record(owner={"S": "another"})
    before = platform.item
    with pytest.raises(PlatformError, match="taken over"):
        held.progress("gate", [])
    assert platform.item == before


@pytest.mark.parametrize("status", sorted(ENDED))
def test_nothing_is_written_over_an_end(platform: Platform, status: str):
    """`cancelled` is written by a client, which leaves the owner as it is."""
    held = table(platform)
    held.take(platform.request(), "priced")
    platform.change_record(status={"S": status})
    before = platform.item
    kind = Cancelled if status == "cancelled" else PlatformError
    with pytest.raises(kind, match=status):
        held.progress("gate", [])
    with pytest.raises(kind, match=status):
        held.finish("ok", None)
    assert platform.item == before


def test_a_take_whose_answer_was_lost_is_still_ours(platform: Platform):
    """botocore repeats a call whose answer did not arrive; the second one finds the row of the first."""

    class Lossy(Refusing):
        def put_item(self, **arguments: object) -> object:
            platform.clients.dynamodb.put_item(**arguments)
            return platform.clients.dynamodb.put_item(**arguments)

    held = RunTable(Lossy(platform.clients.dynamodb, lambda *_: False), TABLE, platform.run_id)
    assert held.take(platform.request(), "priced")
    held.finish("ok", None)


def test_an_error_of_any_size_and_of_any_letters_is_recorded(platform: Platform):
    held = table(platform)
    held.take(platform.request(), "priced")
    held.finish("error", "it said: \ud800 " + "ü" * 500_000)
    found = platform.record
    assert found.status == "error"
    assert (found.error or "").startswith("it said: ")


class Unreachable:
    def __getattr__(self, name: str) -> object:
        def called(**arguments: object) -> object:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

        return called


@pytest.mark.parametrize("client", [Unreachable(), Refusing(None, everything)], ids=["away", "refusing"])
def test_a_table_that_cannot_be_written_is_a_failure_of_the_platform(platform: Platform, client: object):
    broken = RunTable(client, TABLE, platform.run_id)
    with pytest.raises(PlatformError, match="record cannot be written"):
        broken.take(platform.request(), "priced")
    with pytest.raises(PlatformError, match="record cannot be written"):
        broken.progress("gate", [])


def test_files_are_stored_byte_for_byte_and_a_refusal_names_the_file(platform: Platform):
    store = Store(platform.clients.s3, RUNS, platform.run_id)
    store.tree(Tree(files={"main.tf": b"\xff\x00", "m/a.tf": b""}))
    assert platform.files == {"main.tf": b"\xff\x00", "m/a.tf": b""}
    platform.refuse("s3")
    with pytest.raises(PlatformError, match=r"cannot store workspace/main\.tf"):
        Store(platform.clients.s3, RUNS, platform.run_id).tree(Tree(files={"main.tf": b""}))

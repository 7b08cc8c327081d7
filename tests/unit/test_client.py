"""The client: ids, what is written to disk, and how a run is followed."""

import hashlib
import io
import json
import re
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from toolkit import client as module
from toolkit.client import Client, new_run_id
from toolkit.contracts import RUN_ID, FileEntry, RunResult, StackOutputs, to_json
from toolkit.errors import PlatformError, TfkitError, UsageError
from toolkit.tables import STOP_KEY

ID = "0abcdefgh1234567"
OUTPUTS = StackOutputs(
    **{name: name for name in StackOutputs.__struct_fields__ if name != "profiles"},
    profiles={},
)


class NoSuchKey(Exception):
    pass


class FakeCloud:
    """S3, DynamoDB and SQS from memory. `rows` are what the table answers, one a look; the last one stays."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.rows: list[dict[str, Any] | None] = [None]
        self.stop: dict[str, Any] | None = None
        self.letters: list[dict[str, Any]] = []
        self.exceptions = type("Exceptions", (), {"NoSuchKey": NoSuchKey})

    def client(self, _service: str) -> "FakeCloud":
        return self

    endpoint = ""

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert Bucket == OUTPUTS.runs_bucket
        if Key not in self.objects:
            raise NoSuchKey(Key)
        return {"Body": io.BytesIO(self.objects[Key])}

    def get_item(self, **arguments) -> dict[str, Any]:
        if arguments["Key"] == STOP_KEY:
            return {"Item": self.stop} if self.stop else {}
        row = self.rows.pop(0) if len(self.rows) > 1 else self.rows[0]
        if isinstance(row, Exception):
            raise row
        return {"Item": row} if row else {}

    def receive_message(self, **arguments) -> dict[str, Any]:
        assert arguments["VisibilityTimeout"] == 0, "the letter must stay for others to read"
        return {"Messages": [{"Body": json.dumps(letter)} for letter in self.letters]}


def row(**changes: str) -> dict[str, Any]:
    values = {
        "run_id": ID,
        "status": "running",
        "request_sha256": "x",
        "prompt": "p",
        "updated": "1",
        **changes,
    }
    item = {name: {"S": value} for name, value in values.items()}
    return {**item, "lease_until": {"N": changes.get("lease_until", "0")}, "error": {"NULL": True}}


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud()


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """Time that passes only when somebody sleeps; what was slept, second by second."""
    slept: list[float] = []
    begin = time.time()
    monkeypatch.setattr(module.time, "sleep", slept.append)
    monkeypatch.setattr(module.time, "monotonic", lambda: sum(slept))
    monkeypatch.setattr(module.time, "time", lambda: begin + sum(slept))
    return slept


def stored(cloud: FakeCloud, files: dict[str, bytes]) -> RunResult:
    entries = []
    for path, content in files.items():
        cloud.objects[f"runs/{ID}/workspace/{path}"] = content
        entries.append(FileEntry(path=path, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)))
    return RunResult(run_id=ID, status="ok", model="m", prompt="p", output="", files=entries)


# -- ids ------------------------------------------------------------------------------------------


def test_ids_fit_and_differ():
    ids = {new_run_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(RUN_ID.fullmatch(run_id) for run_id in ids)


def test_ids_sort_by_time(monkeypatch):
    ids = []
    for day in (1, 2, 40, 400, 4000, 9000):
        monkeypatch.setattr(module.time, "time_ns", lambda day=day: (1_700_000_000 + day * 86_400) * 10**9)
        ids.append(new_run_id())
    monkeypatch.setattr(module.time, "time_ns", lambda: (1_700_000_000 + 9000 * 86_400) * 10**9 + 1_000_000)
    ids.append(new_run_id())
    assert ids == sorted(ids)
    assert len({run_id[:9] for run_id in ids}) == len(ids)


# -- what is written to disk ----------------------------------------------------------------------


@pytest.mark.parametrize("made", [False, True])
def test_a_download_is_every_file(cloud, tmp_path, made):
    folder = tmp_path / "deep" / "out"
    if made:
        folder.mkdir(parents=True)
    Client(cloud, OUTPUTS).download(
        stored(cloud, {"main.tf": b"a\r\n", "modules/x/main.tf": b"\xff"}), folder
    )
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == {"main.tf": b"a\r\n", "modules/x/main.tf": b"\xff"}
    assert list(folder.parent.iterdir()) == [folder]


def test_a_changed_file_is_refused_and_nothing_is_left(cloud, tmp_path):
    result = stored(cloud, {"a.tf": b"a", "b.tf": b"b"})
    cloud.objects[f"runs/{ID}/workspace/b.tf"] = b"other"
    with pytest.raises(TfkitError, match=r"b\.tf was changed"):
        Client(cloud, OUTPUTS).download(result, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_leaves_nothing(cloud, tmp_path):
    result = stored(cloud, {"a.tf": b"a", "b.tf": b"b"})
    del cloud.objects[f"runs/{ID}/workspace/b.tf"]
    with pytest.raises(TfkitError, match=r"b\.tf .* no longer in the bucket"):
        Client(cloud, OUTPUTS).download(result, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "a//x", "./x", "a/", "a\\..\\x", "", "x\0"])
def test_a_path_that_leads_elsewhere_is_refused(cloud, tmp_path, path):
    result = stored(cloud, {"a.tf": b"a", path: b"evil"})
    with pytest.raises(TfkitError, match="leads elsewhere"):
        Client(cloud, OUTPUTS).download(result, tmp_path / "in" / "out")
    assert [p.name for p in tmp_path.rglob("*")] == ["in"]


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_used_place_is_refused(cloud, tmp_path: Path, kind):
    place = tmp_path / "out"
    mine = place if kind == "file" else place / "mine"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        Client(cloud, OUTPUTS).download(stored(cloud, {"a.tf": b"a"}), place)
    assert mine.read_text() == "mine"


# -- outcomes -------------------------------------------------------------------------------------


def test_the_stored_outcome(cloud):
    result = stored(cloud, {"a.tf": b"a"})
    cloud.objects[f"runs/{ID}/result.json"] = to_json(result)
    assert Client(cloud, OUTPUTS).result(ID) == result


def test_no_outcome_of_an_unknown_run(cloud):
    with pytest.raises(TfkitError, match=f"no run has the id {ID}") as caught:
        Client(cloud, OUTPUTS).result(ID)
    assert (caught.value.exit_code, caught.value.hint) == (1, "list them: tfkit runs")


def test_no_outcome_yet(cloud):
    cloud.rows = [row(step="init")]
    with pytest.raises(TfkitError, match=r"it is running \(init\)"):
        Client(cloud, OUTPUTS).result(ID)


def test_an_outcome_of_another_form_is_refused(cloud):
    cloud.objects[f"runs/{ID}/result.json"] = b'{"run_id": "x"}'
    with pytest.raises(msgspec.ValidationError):
        Client(cloud, OUTPUTS).result(ID)


# -- following a run ------------------------------------------------------------------------------


def test_a_run_is_followed_to_its_end(cloud, clock):
    attempts = json.dumps([{"n": 1, "tree": "t", "validators": {"fmt": "ok"}}])
    first = row(step="started")
    cloud.rows = [None, first, first, row(updated="2", attempts=attempts), row(updated="3", status="ok")]
    seen = []
    ended = Client(cloud, OUTPUTS).follow(ID, seen.append)
    assert [record.updated for record in seen] == ["1", "2", "3"]
    assert seen[1].attempts[0].validators == {"fmt": "ok"}
    assert (ended.status, ended.error) == ("ok", None)


def test_a_connection_that_is_cut_is_tried_again(cloud, clock):
    away = [EndpointConnectionError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x")]
    cloud.rows = [row(step="started"), *away, row(updated="2", status="ok")]
    seen, cuts = [], []
    ended = Client(cloud, OUTPUTS).follow(ID, seen.append, on_cut=cuts.append)
    assert (ended.status, [record.updated for record in seen]) == ("ok", ["1", "2"])
    assert cuts == away


@pytest.mark.parametrize(
    ("endpoint", "seconds"),
    [("", module.PATIENCE_SECONDS), ("http://127.0.0.1:1", module.PATIENCE_LOCAL_SECONDS)],
    ids=["aws", "local"],
)
def test_a_connection_that_stays_away_ends_the_following(cloud, clock, endpoint, seconds):
    cloud.endpoint = endpoint
    cloud.rows = [EndpointConnectionError(endpoint_url="x")]
    with pytest.raises(EndpointConnectionError):
        Client(cloud, OUTPUTS).follow(ID, lambda _record: None)
    assert seconds - 10 <= sum(clock) <= seconds + 10


def test_a_refusal_is_no_cut_connection(cloud, clock):
    cloud.rows = [ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetItem")]
    with pytest.raises(ClientError):
        Client(cloud, OUTPUTS).follow(ID, lambda _record: None)
    assert clock == []


def test_a_run_that_never_starts(cloud, clock):
    with pytest.raises(PlatformError, match="did not start") as caught:
        Client(cloud, OUTPUTS).follow(ID, lambda _record: None)
    assert "log_group" in caught.value.hint
    assert sum(clock) >= module.START_SECONDS


def test_a_dead_letter_tells_why(cloud, clock):
    other = {"requestPayload": {"run_id": "another-run"}, "responsePayload": {"errorMessage": "not ours"}}
    ours = {"requestPayload": {"run_id": ID}, "responsePayload": {"errorMessage": "Unable to import module"}}
    cloud.letters = [other, ours]
    with pytest.raises(PlatformError, match=re.escape(f"{ID}: Unable to import module")):
        Client(cloud, OUTPUTS).follow(ID, lambda _record: None)
    assert sum(clock) < module.START_SECONDS


def test_a_stop_before_the_run_began_ends_the_wait(cloud, clock):
    cloud.stop = {**STOP_KEY, "at": {"S": "2026-11-21T10:00:00.000Z"}, "released": {"S": ""}}
    with pytest.raises(TfkitError, match=f"run {ID} will not begin") as caught:
        Client(cloud, OUTPUTS).follow(ID, lambda _record: None)
    assert caught.value.hint == "release it: tfkit up"
    assert sum(clock) < module.START_SECONDS


def test_a_stop_that_was_released_changes_nothing(cloud, clock):
    cloud.stop = {**STOP_KEY, "at": {"S": "2026-11-21T10:00:00Z"}, "released": {"S": "2026-11-21T10:01:00Z"}}
    with pytest.raises(PlatformError, match="did not start"):
        Client(cloud, OUTPUTS).follow(ID, lambda _record: None)


def test_letters_of_others_change_nothing(cloud, clock):
    cloud.letters = [{"requestPayload": {"run_id": "another-run"}}, {"other": "form"}]
    with pytest.raises(PlatformError, match="did not start"):
        Client(cloud, OUTPUTS).follow(ID, lambda _record: None)


def test_a_lease_that_ran_out_ends_the_wait(cloud, clock):
    until = str(int(time.time()) + 30)
    cloud.rows = [row(step="terraform validate", lease_until=until)]
    with pytest.raises(PlatformError, match="in the middle of: terraform validate"):
        Client(cloud, OUTPUTS).follow(ID, lambda _record: None)
    assert sum(clock) >= 29


def test_a_run_that_was_asked_for_a_moment_ago_is_queued(cloud):
    cloud.rows = [None]
    platform = Client(cloud, OUTPUTS)
    queued = platform.latest(new_run_id())
    assert queued is not None and queued.status == "queued"
    assert platform.latest(ID) is None

"""The index by itself: what is stored, what is refused, and what it survives."""

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.telemetry import names
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.testing import MemorySink
from toolkit.traces import query
from toolkit.traces.index import Damaged, Index, transaction
from toolkit.traces.ingest import Fetched, Ingested, ingest

RUN = "run-0001-abc"
GZIPPED = gzip.compress(b"{}" * 500, mtime=0)
TEXT = "some long text; " * 50


def lines_of(run_id: str, steps: int = 3) -> list[bytes]:
    sink = MemorySink()
    telemetry = RunTelemetry(run_id, "dev", sink)
    with telemetry.run_span() as root:
        for step in range(steps):
            telemetry.tracer.start_span(
                f"execute_tool t{step}", attributes={names.OPERATION: "execute_tool", "text": TEXT}
            ).end()
            telemetry.flush()
        root.set_attribute(names.STATUS, "ok")
    telemetry.close()
    return [line.data for line in sink.lines[run_id]]


def add(index: Index, *items: tuple[str, bytes], delivered: bool = True) -> Ingested:
    into = Ingested()
    with index.open() as connection:
        bucket = "audit" if delivered else "runs"
        ingest(connection, [Fetched(bucket, key, body, delivered) for key, body in items], into)
    return into


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "deep" / "traces.sqlite", "source")


def run_row(index: Index, run_id: str = RUN) -> tuple:
    with index.open() as connection:
        summary = query.run_summary(connection, run_id)
        assert summary is not None
        return (summary.status, summary.spans, summary.tool_calls, *query.run_flags(connection, run_id))


def test_plain_and_gzip_bodies_hold_the_same_records(tmp_path: Path):
    lines = b"".join(lines_of(RUN))
    packed = gzip.compress(lines[:700]) + gzip.compress(lines[700:])
    rows = []
    for name, body in (("plain", lines), ("packed", packed)):
        into = Index(tmp_path / f"{name}.sqlite", "source")
        assert add(into, ("one", body)).records == 4
        rows.append(run_row(into))
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    "body",
    [
        GZIPPED[:-12],
        GZIPPED[:12] + b"\xff\xff\xff" + GZIPPED[15:],
        GZIPPED[:-6] + b"\x00" + GZIPPED[-5:],
        GZIPPED[:2] + b"\x07" + GZIPPED[3:],
        b"\x1f\x8b",
        b"not json\n",
        b'{"v":1}\n',
        b"\xff\xfe\n",
        b'{"v":1,"run_id":"r","seq":"x"}\n',
        b'{"v":2,"run_id":"run-0001","seq":0}\n',
        b"[" * 100_000,
        b'{"v":1,"run_id":"r","seq":0,"x":' + b"[" * 100_000,
    ],
    ids=range(12),
)
def test_a_body_that_is_no_record_is_a_problem_and_no_crash(body: bytes, index: Index):
    good = lines_of(RUN)
    into = add(index, ("bad", body), *((str(n), line) for n, line in enumerate(good)))
    assert into.records == len(good)
    assert len(into.problems) == 1
    assert into.problems[0].startswith("s3://audit/bad: ")
    assert run_row(index) == ("ok", 4, 3, True, False)


def test_a_bad_line_does_not_hide_its_neighbours(index: Index):
    lines = lines_of(RUN)
    into = add(index, ("one", lines[0] + b"garbage\n" + b"".join(lines[1:])))
    assert (into.records, len(into.problems)) == (4, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"startTimeUnixNano": "9" * 40},
        {"startTimeUnixNano": "x"},
        {"endTimeUnixNano": -5},
        {"status": {"code": 10**30}},
        {"attributes": [{"key": names.OPERATION, "value": {"intValue": "9" * 40}}]},
        {"attributes": [{"key": names.INPUT_TOKENS, "value": {"doubleValue": "Infinity"}}]},
        {"attributes": [{"key": names.COST_USD, "value": {"doubleValue": "NaN"}}]},
        {"attributes": [{"key": "x", "value": {"intValue": "many"}}]},
        {"name": 5},
    ],
)
def test_numbers_that_nobody_measured_do_not_break_a_list(index: Index, change: dict):
    record = json.loads(lines_of(RUN, 0)[0])
    record["resourceSpans"][0]["scopeSpans"][0]["spans"][0] |= change
    add(index, ("odd", json.dumps(record).encode()))
    with index.open() as connection:
        assert query.run_summary(connection, RUN) is not None
        query.spans_of(connection, RUN)


def test_a_record_that_comes_twice_is_one_record(index: Index):
    lines = lines_of(RUN)
    add(index, *((f"a{n}", line) for n, line in enumerate(lines)))
    into = add(index, ("again", b"".join(lines)), ("and-again", lines[2]))
    assert (into.objects, into.records) == (2, 0)
    assert run_row(index) == ("ok", 4, 3, True, False)


def test_a_delivered_record_takes_the_place_of_its_copy(index: Index):
    lines = lines_of(RUN)
    forged = [line.replace(b"execute_tool t1", b"execute_tool xx") for line in lines]
    add(index, *((f"c{n}", line) for n, line in enumerate(forged)), delivered=False)
    assert run_row(index) == ("ok", 4, 3, True, True)
    add(index, ("d0", b"".join(lines[:2])))
    assert run_row(index) == ("ok", 4, 3, True, True)
    add(index, ("d1", b"".join(lines[2:])))
    assert run_row(index) == ("ok", 4, 3, True, False)
    add(index, *((f"late{n}", line) for n, line in enumerate(forged)), delivered=False)
    assert run_row(index) == ("ok", 4, 3, True, False)
    with index.open() as connection:
        assert "execute_tool xx" not in {span.name for span in query.spans_of(connection, RUN)}


def test_a_chain_is_complete_only_with_every_record(index: Index):
    lines = lines_of(RUN)
    add(index, ("a", lines[0] + lines[3]))
    assert run_row(index) == ("ok", 2, 1, False, False)
    add(index, ("b", lines[1]))
    assert run_row(index)[3] is False
    add(index, ("c", lines[2]))
    assert run_row(index)[3] is True


def test_texts_are_put_back_and_altered_ones_are_told(index: Index, tmp_path: Path):
    lines = lines_of(RUN)

    def texts_in(index: Index, body: bytes, texts: bool = True) -> list:
        add(index, ("a", body))
        with index.open() as connection:
            return [span.attributes.get("text") for span in query.spans_of(connection, RUN, texts)]

    assert texts_in(index, b"".join(lines)).count(TEXT) == 3
    raw = texts_in(index, b"", texts=False)
    assert sum(str(text).startswith('{"ref":"') for text in raw) == 3
    altered = texts_in(Index(tmp_path / "2", "source"), b"".join(lines).replace(b"some long", b"some song"))
    assert sum("was altered]" in str(text) for text in altered) == 3
    lost = [json.dumps(json.loads(line) | {"contents": {}}).encode() for line in lines]
    missing = texts_in(Index(tmp_path / "3", "source"), b"\n".join(lost))
    assert sum("is missing]" in str(text) for text in missing) == 3


def test_a_whole_span_is_put_back_from_its_object(index: Index):
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    wide = {f"key{n}": "x" * 500 for n in range(2000)}
    telemetry.tracer.start_span("n" * 300, attributes=wide).end()
    telemetry.close()
    add(index, *((str(line.seq), line.data) for line in sink.lines[RUN]))
    with index.open() as connection:
        (whole,) = query.spans_of(connection, RUN, fetch=sink.contents.get)
        assert (whole.name, whole.attributes) == ("n" * 300, wide)
        (stub,) = query.spans_of(connection, RUN)
        assert "is missing]" in stub.attributes[names.WHOLE_SPAN]


def test_a_batch_is_all_or_nothing(index: Index):
    lines = lines_of(RUN)
    with pytest.raises(RuntimeError, match="pulled"), index.open() as connection, transaction(connection):
        connection.execute("INSERT INTO object VALUES (1, 'audit', 'a', '', '')")
        raise RuntimeError("pulled")
    assert add(index, ("a", b"".join(lines))).records == 4


INDEXER = """
import sys, json
from pathlib import Path
from toolkit.traces.index import Index
from toolkit.traces.ingest import Fetched, Ingested, ingest
bodies = sorted(Path(sys.argv[2]).iterdir())
index, into = Index(Path(sys.argv[1]), "source"), Ingested()
print("ready", flush=True)
sys.stdin.readline()
with index.open() as connection:
    for body in bodies:
        ingest(connection, [Fetched("audit", body.name, body.read_bytes(), True)], into)
        print("stored", flush=True)
print(into.records, flush=True)
"""


def indexer(index: Index, bodies: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", INDEXER, str(index.path), str(bodies)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def bodies_in(folder: Path, runs: int) -> list[str]:
    folder.mkdir()
    run_ids = [f"run-{number:04d}-abc" for number in range(runs)]
    for run_id in run_ids:
        for number, line in enumerate(lines_of(run_id)):
            (folder / f"{run_id}-{number}").write_bytes(line)
    return run_ids


def test_two_processes_index_at_once_and_nothing_is_doubled_or_lost(index: Index, tmp_path: Path):
    run_ids = bodies_in(tmp_path / "bodies", 25)
    processes = [indexer(index, tmp_path / "bodies") for _ in range(3)]
    outputs = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        outputs.append(process.communicate(timeout=120)[0])
        assert process.returncode == 0
    assert sum(int(output.split()[-1]) for output in outputs) == 100
    for run_id in run_ids:
        assert run_row(index, run_id) == ("ok", 4, 3, True, False)


def kill_after(process: subprocess.Popen[str], stored: int) -> None:
    """Let it begin, and kill it where it is when it has said that often that something is stored."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    for _ in range(stored):
        assert process.stdout.readline() == "stored\n"
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    process.stdin.close()
    process.stdout.close()


def test_kills_at_any_moment_cost_nothing(index: Index, tmp_path: Path):
    """One after another, and two of them while another process indexes the same objects."""
    run_ids = bodies_in(tmp_path / "bodies", 25)
    survivor = indexer(index, tmp_path / "bodies")
    for stored in (0, 1, 4, 12, 30):
        kill_after(indexer(index, tmp_path / "bodies"), stored)
        if stored == 4:
            assert survivor.stdin is not None
            survivor.stdin.write("go\n")
            survivor.stdin.flush()
        with index.open() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            half = "SELECT count(*) FROM record LEFT JOIN object ON id = object WHERE id IS NULL"
            assert connection.execute(half).fetchone() == (0,)
    survivor.communicate(timeout=120)
    assert survivor.returncode == 0
    add(index, *((path.name, path.read_bytes()) for path in sorted((tmp_path / "bodies").iterdir())))
    for run_id in run_ids:
        assert run_row(index, run_id) == ("ok", 4, 3, True, False)


def damage_header(path: Path) -> None:
    path.write_bytes(b"this is no database" + path.read_bytes()[19:])


def damage_middle(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[4096:] = os.urandom(len(body) - 4096)
    path.write_bytes(bytes(body))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other_schema(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def lost_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE span")
    connection.close()


@pytest.mark.parametrize("damage", [damage_header, damage_middle, truncate, empty, other_schema, lost_table])
def test_a_damaged_index_is_noticed_discarded_and_filled_again(index: Index, damage):
    lines = b"".join(lines_of(RUN))
    add(index, ("a", lines))
    damage(index.path)
    with pytest.raises(Damaged) as caught:
        add(index, ("b", b"".join(lines_of("run-0002-abc"))))
    index.discard(caught.value.inode)
    assert add(index, ("a", lines)).records == 4
    assert run_row(index) == ("ok", 4, 3, True, False)


def test_an_index_of_other_buckets_is_not_believed(index: Index):
    add(index, ("a", b"".join(lines_of(RUN))))
    with pytest.raises(Damaged), Index(index.path, "another source").open():
        pass


def test_discarding_spares_what_another_process_has_rebuilt(index: Index):
    add(index, ("a", b"".join(lines_of(RUN))))
    index.discard(inode=1)
    assert run_row(index)[0] == "ok"


def test_a_lock_is_no_damage(index: Index, monkeypatch):
    add(index, ("a", b"".join(lines_of(RUN))))
    monkeypatch.setattr("toolkit.traces.index._WAIT_S", 0.05)
    with index.open() as holder, transaction(holder):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            add(index, ("b", b""))
        assert run_row(index)[0] == "ok", "and reading goes on"


def test_only_the_owner_may_read_it(index: Index):
    add(index)
    assert index.path.stat().st_mode & 0o077 == 0

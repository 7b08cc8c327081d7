"""`tfkit traces` and `tfkit stats` as they are typed, on an index that needs no bucket."""

import csv
import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from traces_runs import attempt, finding, index_of, lines_of

from toolkit.cli.csv_rows import cell
from toolkit.cli.errors import run
from toolkit.cli.root import cli
from toolkit.cloud import LOCAL_ACCOUNT, Cloud
from toolkit.contracts import TraceSummary
from toolkit.traces import Refreshed, Traces

GOOD, BAD = "run-0001-abc", "run-0002-abc"
FORMULA = '=cmd|"/c calc"!A1'


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class Offline(Traces):
    """Reads the index, and finds nothing new."""

    def refresh(self, since: datetime, until: datetime) -> Refreshed:
        return Refreshed(0, 0, [])


@pytest.fixture
def tfkit(monkeypatch, tmp_path: Path, capsys) -> Callable[..., Ended]:
    cloud = Cloud("local", "us-east-1", LOCAL_ACCOUNT, endpoint="http://127.0.0.1:9")
    index_of(
        tmp_path / "i",
        lines_of(GOOD, attempt(1, finding("CKV_1", file="a.tf", line=7)), attempt(2)),
        lines_of(BAD, attempt(1), model=FORMULA, status="error", cost=None),
        source=f"local {LOCAL_ACCOUNT}",
    )
    reader = Offline(cloud, "audit", "runs", tmp_path / "i")
    now = datetime.now(UTC)
    opened = (reader, now - timedelta(hours=1), now + timedelta(minutes=5))
    monkeypatch.setattr("toolkit.cli.commands.traces.open_traces", lambda *_: opened)

    def call(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run(cli, arguments)
        return Ended(code, *capsys.readouterr())

    return call


def test_rows_have_exactly_the_documented_keys(tfkit):
    done = tfkit("--json", "traces")
    rows = json.loads(done.out)
    assert [row["run_id"] for row in rows] == [BAD, GOOD]
    keys = "run_id trace_id start seconds status model input_tokens output_tokens cost_usd tool_calls spans"
    assert " ".join(rows[0]) == keys


def test_filters_reach_the_index(tfkit):
    for arguments in (["--errors"], ["--status", "error"], ["--model", FORMULA], ["--limit", "1"]):
        assert [row["run_id"] for row in json.loads(tfkit("--json", "traces", *arguments).out)] == [BAD]
    assert [row["run_id"] for row in json.loads(tfkit("--json", "traces", "--min-cost", "0.01").out)] == [
        GOOD
    ]


def test_the_plain_list_and_the_drawn_one_say_the_same(tfkit, monkeypatch):
    plain = tfkit("traces").out
    monkeypatch.setattr("toolkit.cli.figures.plain_list", lambda *_: None)
    drawn = tfkit("traces").out
    assert [line.split() for line in plain.splitlines()] == [line.split() for line in drawn.splitlines()]
    assert BAD in plain


def test_csv_is_a_table_in_which_nothing_is_computed(tfkit):
    head, *rows = csv.reader(io.StringIO(tfkit("traces", "--csv").out))
    assert tuple(head) == TraceSummary.__struct_fields__
    by_id = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert by_id[BAD]["model"] == "'" + FORMULA
    assert (by_id[BAD]["cost_usd"], by_id[GOOD]["cost_usd"]) == ("", "0.01")
    done = tfkit("traces", "--csv", "--sql", "SELECT model, -1 AS n FROM runs WHERE status = 'error'")
    assert list(csv.reader(io.StringIO(done.out))) == [["model", "n"], ["'" + FORMULA, "-1"]]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\uff1d1"])
def test_each_beginning_of_a_formula_is_made_text(text):
    assert cell(text) == "'" + text


@pytest.mark.parametrize("value", ["plain", "a=1", "", 5, -5, 1.5])
def test_what_is_no_formula_stays(value):
    assert cell(value) == value


def test_one_run_tells_its_attempts_findings_and_tools(tfkit):
    done = tfkit("traces", "--run", GOOD)
    assert done.code == 0
    assert "a.tf:7  high [checkov/CKV_1] CKV_1 is not met" in done.out
    assert "attempt 2" in done.out
    document = json.loads(tfkit("--json", "traces", "--run", GOOD).out)
    assert [one["n"] for one in document["attempts"]] == [1, 2]
    assert document["attempts"][0]["findings"][0]["rule"] == "CKV_1"
    assert {"complete", "pending", "span_list"} <= set(document)


def test_an_unknown_run_is_told(tfkit):
    done = tfkit("traces", "--run", "run-none-0000")
    assert done.code == 1
    assert "run-none-0000" in done.err


def test_sql_as_json_and_its_schema(tfkit):
    done = tfkit("--json", "traces", "--sql", "SELECT run_id, cost_usd FROM runs ORDER BY 1")
    assert json.loads(done.out) == [
        {"run_id": GOOD, "cost_usd": 0.01},
        {"run_id": BAD, "cost_usd": None},
    ]
    told = json.loads(tfkit("--json", "traces", "--sql", ".schema").out)
    assert {row["view"] for row in told} == {"runs", "spans", "attempts", "findings"}


def test_stats_as_json(tfkit):
    found = json.loads(tfkit("--json", "stats").out)
    assert (found["runs"], found["ok"], found["cost_usd"]) == (2, 1, 0.01)
    assert found["attempts"] == [{"n": 1, "runs": 2, "ok": 0}, {"n": 2, "runs": 1, "ok": 1}]
    assert "Success by attempt" in tfkit("stats").out


def test_export_says_what_it_wrote(tfkit, tmp_path: Path):
    done = json.loads(tfkit("--json", "traces", "export", str(tmp_path / "out")).out)
    assert (done["rows"]["runs"], len(done["days"])) == (2, 1)
    assert (tmp_path / "out" / "traces.duckdb").is_file()


def test_export_without_duckdb_asks_for_it_first(tfkit, tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    done = tfkit("traces", "export", str(tmp_path / "out"))
    assert done.code == 1
    assert "tfkit-platform[duckdb]" in done.err


def test_follow_prints_each_run_once_and_again_when_it_has_ended(tfkit, monkeypatch, tmp_path: Path):
    begun, ended = "run-0003-abc", lines_of("run-0003-abc", attempt(1))
    steps = iter([ended[:1], [], ended[1:]])

    def sleep(_seconds: float) -> None:
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        index = index_of(tmp_path / "i", source=f"local {LOCAL_ACCOUNT}")
        from toolkit.traces.ingest import Fetched, ingest
        from toolkit.traces.ingested import Ingested

        with index.open() as connection:
            bodies = [Fetched("audit", f"f{id(line)}", line, True) for line in step]
            ingest(connection, bodies, Ingested())

    monkeypatch.setattr("time.sleep", sleep)
    done = tfkit("traces", "--follow")
    assert done.code == 130
    lines = done.out.splitlines()
    assert [line.split()[2] for line in lines] == [GOOD, BAD, begun, begun]
    assert ["running" in lines[2], " ok " in lines[3]] == [True, True]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--follow", "--run", GOOD],
        ["--sql", "SELECT 1", "--run", GOOD],
        ["--json", "--csv"],
        ["--json", "--follow"],
        ["--follow", "--until", "1h"],
        ["--csv", "--run", GOOD],
        ["--html", "x.html", "--csv"],
        ["--html", "x.html", "--sql", "SELECT 1"],
        ["--status", "fine"],
        ["--limit", "0"],
        ["--min-cost", "-1"],
    ],
)
def test_what_does_not_go_together_is_wrong_usage(tfkit, arguments):
    done = tfkit("traces", *arguments)
    assert done.code == 2
    assert "error: " in done.err

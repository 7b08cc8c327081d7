"""Athena, as far as it can be tried here: what it is asked, and what is made of its answers.

The emulator's Athena runs DuckDB, which takes an array of rows apart otherwise than Trino does, so the views
themselves are not run here; botocore's Stubber holds the calls against the service's own model.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from botocore.stub import Stubber

from stacks.catalog import COLUMNS as TABLE_COLUMNS
from toolkit.cloud import Cloud
from toolkit.errors import TfkitError, UsageError
from toolkit.traces import TooLarge, Traces
from toolkit.traces.athena import Athena
from toolkit.traces.athena_views import days_of, with_views
from toolkit.traces.fetch import Listed
from toolkit.traces.query import Filters
from toolkit.traces.views import COLUMNS

SINCE, UNTIL = datetime(2026, 10, 30, 12, tzinfo=UTC), datetime(2026, 11, 21, 12, tzinfo=UTC)
IDENTITY = "00000000-0000-0000-0000-000000000001"


class Fake:
    """An Athena of which every call is expected, and a clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.client = boto3.client("athena", "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.stub = Stubber(self.client)
        self.now = 0.0
        self.asked: list[str] = []
        self.client.meta.events.register("before-parameter-build.athena.StartQueryExecution", self._keep)
        cloud = SimpleNamespace(client=lambda _: self.client)
        self.athena = Athena(cloud, "tfkit_dev", "records", "runs", sleep=self._sleep, clock=lambda: self.now)

    def _keep(self, params, **_) -> None:
        self.asked.append(params["QueryString"])
        assert params["QueryExecutionContext"] == {"Database": "tfkit_dev"}
        assert params["ResultConfiguration"] == {"OutputLocation": "s3://runs/runs/athena/"}

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def starts(self, *states: str, reason: str = "") -> None:
        self.stub.add_response("start_query_execution", {"QueryExecutionId": IDENTITY})
        for state in states:
            status = {"State": state, **({"StateChangeReason": reason} if reason else {})}
            self.stub.add_response(
                "get_query_execution", {"QueryExecution": {"Status": status}}, {"QueryExecutionId": IDENTITY}
            )

    def answers(self, types: dict[str, str], *rows: list, token: str = "") -> None:
        head = [{"VarCharValue": name} for name in types]
        data = [[{} if value is None else {"VarCharValue": value} for value in row] for row in rows]
        info = [{"Name": name, "Type": kind} for name, kind in types.items()]
        result = {
            "Rows": [{"Data": cells} for cells in [head, *data]],
            "ResultSetMetadata": {"ColumnInfo": info},
        }
        self.stub.add_response("get_query_results", {"ResultSet": result}, {"QueryExecutionId": IDENTITY})


@pytest.fixture
def fake():
    made = Fake()
    with made.stub:
        yield made
        made.stub.assert_no_pending_responses()


def test_the_answer_has_names_types_and_nulls(fake: Fake):
    fake.starts("QUEUED", "RUNNING", "SUCCEEDED")
    fake.answers(
        {"model": "varchar", "n": "bigint", "cost": "double"}, ["haiku", "3", "0.5"], [None, "1", None]
    )
    found = fake.athena.sql("SELECT 1", SINCE, UNTIL, 30)
    assert found == (["model", "n", "cost"], [["haiku", 3, 0.5], [None, 1, None]], False)
    assert fake.now == 0.75


def test_the_list_is_the_same_as_from_the_index(fake: Fake):
    fake.starts("SUCCEEDED")
    types = {"run_id": "varchar", "trace_id": "varchar", "start": "varchar", "seconds": "double"}
    types |= {"status": "varchar", "model": "varchar", "input_tokens": "bigint", "output_tokens": "bigint"}
    types |= {"cost_usd": "double", "tool_calls": "bigint", "spans": "bigint"}
    fake.answers(types, ["r", "t", "2026-11-01T00:00:00.000Z", "1.5", "ok", "m", "1", "2", None, "3", "4"])
    (row,) = fake.athena.list(SINCE, UNTIL, Filters(["m'x"], ["ok"], True, 0.5, 7))
    assert (row.run_id, row.seconds, row.input_tokens, row.cost_usd, row.spans) == ("r", 1.5, 1, None, 4)
    (query,) = fake.asked
    asked = query.rpartition("FROM runs WHERE")[2]
    assert "start >= '2026-10-30T12:00:00.000Z' AND start < '2026-11-21T12:00:00.000Z'" in asked
    assert "model IN ('m''x') AND status IN ('ok') AND cost_usd >= 0.5" in asked
    assert asked.endswith("LIMIT 7")


def test_a_query_that_fails_is_told_in_athenas_words(fake: Fake):
    fake.starts("FAILED", reason="COLUMN_NOT_FOUND: line 1:8")
    with pytest.raises(UsageError, match="COLUMN_NOT_FOUND"):
        fake.athena.sql("SELECT x FROM runs", SINCE, UNTIL, 30)


def test_a_query_that_takes_too_long_is_stopped(fake: Fake):
    fake.starts("RUNNING", "RUNNING", "RUNNING")
    fake.stub.add_response("stop_query_execution", {}, {"QueryExecutionId": IDENTITY})
    with pytest.raises(UsageError, match=r"longer than 0\.7 seconds"):
        fake.athena.sql("SELECT 1", SINCE, UNTIL, 0.7)


def test_a_refusal_says_what_is_needed(fake: Fake):
    fake.stub.add_client_error("start_query_execution", "AccessDeniedException", "no")
    with pytest.raises(TfkitError, match="Athena refused") as refused:
        fake.athena.sql("SELECT 1", SINCE, UNTIL, 30)
    assert "Glue" in refused.value.hint


def test_only_the_days_of_the_window_and_their_neighbours_are_read():
    assert days_of(SINCE, UNTIL) == (
        "((year = 2026 AND month = 10 AND day BETWEEN 29 AND 31)"
        " OR (year = 2026 AND month = 11 AND day BETWEEN 1 AND 22))"
    )
    over = days_of(datetime(2025, 12, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC))
    assert over.count("OR") == 3
    assert over.endswith("(year = 2026 AND month = 3 AND day BETWEEN 1 AND 1))")


def test_the_views_are_put_before_any_query_also_one_with_its_own():
    plain = with_views("SELECT 1", '"d"."t"', SINCE, UNTIL)
    assert plain.endswith(")\nSELECT 1")
    own = with_views("with mine AS (SELECT 2) SELECT * FROM mine", '"d"."t"', SINCE, UNTIL)
    assert own.endswith("),\nmine AS (SELECT 2) SELECT * FROM mine")
    assert own.upper().count("WITH ") == 1


def test_athena_has_the_same_columns_in_the_same_order():
    text = with_views("", '"d"."t"', SINCE, UNTIL)
    for view, columns in COLUMNS.items():
        body = re.split(rf"^\), {view} AS \(", text, flags=re.MULTILINE)[1]
        selected = re.split(r"^    FROM ", body.removeprefix("\n    SELECT "), flags=re.MULTILINE)[0]
        assert [_name(part) for part in _split(selected)] == list(columns), view


def _split(selected: str) -> list[str]:
    """The expressions of a SELECT, parted at the commas outside of brackets."""
    parts, depth = [""], 0
    for letter in selected:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _name(expression: str) -> str:
    return re.split(r"\s+AS\s+|\.", expression.strip())[-1].split()[-1]


def _fields(kind: str) -> dict[str, str]:
    """The fields of a struct of Hive's, or of an array of them, by name."""
    inside = kind.removeprefix("array<").removeprefix("struct<").rstrip(">")
    parts, depth = [""], 0
    for letter in inside:
        depth += (letter == "<") - (letter == ">")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return dict(part.split(":", 1) for part in parts)


def test_an_array_is_unnested_by_the_names_that_the_table_has():
    text = with_views("", '"d"."t"', SINCE, UNTIL)
    resource = _fields(TABLE_COLUMNS["resourcespans"])
    scope = _fields(resource["scopespans"])
    for name, struct in (("rs", resource), ("ss", scope), ("s", _fields(scope["spans"]))):
        unnested = re.search(rf"AS {name} \(([^)]+)\)", text)
        assert unnested
        assert re.split(r",\s*", unnested[1]) == list(struct)


def test_a_window_that_is_too_large_is_not_fetched(tmp_path: Path, monkeypatch):
    class Huge:
        name = "audit"

        def list_many(self, _prefixes):
            return [Listed(f"year=2026/{n}", 600_000) for n in range(3)]

        def get_batches(self, _items):
            raise AssertionError("nothing may be fetched")

    cloud = Cloud("aws", "eu-central-1", "111111111111", endpoint="http://127.0.0.1:9")
    traces = Traces(cloud, "audit", "runs", tmp_path / "i", lambda: UNTIL, limit_bytes=1_500_000)
    monkeypatch.setattr(Traces, "_audit", Huge())
    with pytest.raises(TooLarge) as large:
        traces.refresh(SINCE, UNTIL)
    assert "2 MB" in large.value.message
    assert "traces_local_mb" in large.value.hint

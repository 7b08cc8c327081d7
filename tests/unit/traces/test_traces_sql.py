"""Queries of the user's: what is answered, and that nothing else happens."""

import re
from pathlib import Path

import pytest
from traces_runs import attempt, finding, index_of, lines_of

from toolkit.errors import UsageError
from toolkit.traces import sql, views

DOCS = Path(__file__).parents[3] / "docs" / "traces.md"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sql") / "with 'quotes' and # %41.sqlite"
    good = lines_of("run-0001-abc", attempt(1, finding("CKV_1"), finding("CKV_2")), attempt(2))
    index_of(file, good, lines_of("run-0002-abc", attempt(1, finding("CKV_1")), status="error", cost=None))
    return file


def rows(path: Path, query: str) -> list:
    return [tuple(row) for row in sql.ask(path, query, 10).rows]


def test_the_views_have_the_documented_columns_in_their_order(path: Path):
    for view, columns in views.COLUMNS.items():
        assert list(sql.ask(path, f"SELECT * FROM {view}", 10).columns) == list(columns)


def test_the_page_tells_every_column_with_the_same_words():
    page = DOCS.read_text("utf-8")
    for view, columns in views.COLUMNS.items():
        part = page.split(f"### `{view}`")[1].split("\n#")[0]
        told = re.findall(r"^\| `(\w+)` \| (.+) \|$", part, re.MULTILINE)
        assert told == list(columns.items())


def test_the_views_tell_what_happened(path: Path):
    assert rows(
        path, "SELECT run_id, status, model, cost_usd, attempts, complete, pending FROM runs ORDER BY 1"
    ) == [
        ("run-0001-abc", "ok", "haiku", 0.01, 2, 1, 0),
        ("run-0002-abc", "error", "haiku", None, 1, 1, 0),
    ]
    assert rows(path, "SELECT run_id, n, findings, passed, input_tokens FROM attempts ORDER BY 1, 2") == [
        ("run-0001-abc", 1, 2, 0, 100),
        ("run-0001-abc", 2, 0, 1, 200),
        ("run-0002-abc", 1, 1, 0, 100),
    ]
    assert rows(path, "SELECT rule, count(*) FROM findings GROUP BY rule ORDER BY 2 DESC") == [
        ("CKV_1", 2),
        ("CKV_2", 1),
    ]
    assert rows(path, "SELECT tool, count(*) FROM spans WHERE operation = 'execute_tool' GROUP BY 1") == [
        ("write_file", 2)
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", rows(path, "SELECT start FROM runs")[0][0])


@pytest.mark.parametrize(
    "query",
    [
        "WITH ok AS (SELECT run_id AS id FROM runs) SELECT count(*) FROM ok JOIN spans ON id = run_id",
        "SELECT e.key FROM attempts a, json_each(a.validators) e",
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 3) SELECT sum(x) FROM n",
        "SELECT start, sum(seconds) OVER (ORDER BY start) FROM runs",
    ],
)
def test_what_a_query_may_be(path: Path, query: str):
    assert rows(path, query)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM run",
        "DROP VIEW runs",
        "INSERT INTO runs (run_id) VALUES ('x')",
        "UPDATE run SET status = 'ok'",
        "CREATE TEMP TABLE t (x)",
        "ATTACH '{other}' AS other",
        "VACUUM INTO '{other}'",
        "PRAGMA query_only = OFF",
        "SELECT load_extension('x')",
        "SELECT body FROM object",
        "SELECT * FROM run",
        "SELECT * FROM sqlite_master",
        "SELECT 1; DELETE FROM run",
        "SELECT randomblob(100000000)",
        "SELECT nothing FROM runs",
        "selec",
        "",
        "-- nothing",
        "BEGIN IMMEDIATE",
    ],
)
def test_whatever_else_is_refused_and_changes_nothing(path: Path, tmp_path: Path, query: str):
    before = path.read_bytes()
    other = tmp_path / "other"
    with pytest.raises(UsageError) as refused:
        sql.ask(path, query.replace("{other}", str(other)), 10)
    assert refused.value.hint
    assert not other.exists()
    assert path.read_bytes() == before
    assert len(rows(path, "SELECT * FROM runs")) == 2


def test_a_query_without_an_end_is_ended(path: Path):
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(UsageError, match=r"longer than 0\.05 seconds") as ended:
        sql.ask(path, endless, 0.05)
    assert "--timeout" in ended.value.hint


def test_more_rows_than_the_limit_are_told(path: Path):
    cut = sql.ask(path, "SELECT * FROM spans", 10, limit=2)
    assert (len(cut.rows), cut.cut) == (2, True)
    whole = sql.ask(path, "SELECT * FROM runs", 10, limit=2)
    assert (len(whole.rows), whole.cut) == (2, False)

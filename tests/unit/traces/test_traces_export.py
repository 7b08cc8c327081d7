"""Parquet by day, read again by DuckDB itself."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from traces_runs import attempt, finding, index_of, lines_of

from toolkit.errors import ToolMissing, UsageError
from toolkit.traces.export import Exported, export
from toolkit.traces.index import Index
from toolkit.traces.views import COLUMNS, kind

ODD = 'a\'b\n"c" \x00 é €'


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    first = lines_of("run-0001-abc", attempt(1, finding("CKV_1", message=ODD)), attempt(2), cost=None)
    second = lines_of("run-0002-abc", attempt(1), model=ODD)
    return index_of(tmp_path_factory.mktemp("export") / "i", first, second)


def export_to(index: Index, folder: Path) -> Exported:
    now = datetime.now(UTC)
    with index.open() as connection:
        return export(connection, folder, now - timedelta(days=1), now)


def everything(folder: Path) -> dict[str, list]:
    with duckdb.connect(str(folder / "traces.duckdb"), read_only=True) as engine:
        return {view: engine.execute(f"SELECT * FROM {view} ORDER BY ALL").fetchall() for view in COLUMNS}


def in_the_index(index: Index) -> dict[str, list]:
    with index.open() as connection:
        return {view: connection.execute(f"SELECT * FROM {view}").fetchall() for view in COLUMNS}


def as_set(rows: dict[str, list]) -> dict[str, set]:
    return {view: set(found) for view, found in rows.items()}


def test_duckdb_has_the_same_rows_names_and_types(index: Index, tmp_path: Path):
    folder = tmp_path / "it's here"
    done = export_to(index, folder)
    assert done.rows == {"runs": 2, "spans": 7, "attempts": 3, "findings": 1}
    assert as_set(everything(folder)) == as_set(in_the_index(index))
    with duckdb.connect(str(folder / "traces.duckdb"), read_only=True) as engine:
        for view, columns in COLUMNS.items():
            described = engine.execute(f"DESCRIBE {view}").fetchall()
            assert [(row[0], row[1]) for row in described] == [(name, kind(name)) for name in columns]


def test_a_file_a_view_and_day_in_hive_form(index: Index, tmp_path: Path):
    (day,) = export_to(index, tmp_path / "out").days
    year, month, number = day.split("-")
    found = {
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()
    }
    hive = f"year={year}/month={month}/day={number}"
    assert found == {f"{view}/{hive}/{view}.parquet" for view in COLUMNS} | {"traces.duckdb", "views.sql"}


def test_a_second_export_is_the_first(index: Index, tmp_path: Path):
    export_to(index, tmp_path / "out")
    before = everything(tmp_path / "out")
    export_to(index, tmp_path / "out")
    assert everything(tmp_path / "out") == before


def test_the_script_makes_the_views_wherever_the_folder_stands(index: Index, tmp_path: Path):
    export_to(index, tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "moved")
    script = "import duckdb, sys; c = duckdb.connect(); c.execute(open('views.sql').read());"
    script += "print(c.execute('SELECT count(*) FROM spans').fetchone()[0])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path / "moved", capture_output=True, text=True
    )
    assert done.stdout == "7\n", done.stderr


KILLED = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
import duckdb
from toolkit.traces import export as module
from toolkit.traces.index import Index

left = int(sys.argv[3])
replace = Path.replace

def dying(self, target):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)

Path.replace = dying
now = datetime.now(UTC)
with Index(Path(sys.argv[1]), "source").open() as connection:
    module.export(connection, Path(sys.argv[2]), now - timedelta(days=1), now)
"""


@pytest.mark.parametrize("moves", [0, 2, 5])
def test_a_kill_leaves_whole_files_and_the_next_export_mends_the_rest(
    index: Index, tmp_path: Path, moves: int
):
    folder = tmp_path / "out"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(index.path), str(folder), str(moves)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert killed.returncode == -signal.SIGKILL
    whole = list(folder.rglob("*.parquet"))
    assert len(whole) == min(moves, 4)
    for path in whole:
        duckdb.execute(f"SELECT count(*) FROM read_parquet('{path}')").fetchone()
    assert list(folder.rglob("*.unfinished"))
    export_to(index, folder)
    assert not list(folder.rglob("*.unfinished"))
    assert as_set(everything(folder)) == as_set(in_the_index(index))


def test_a_window_without_runs_writes_nothing(index: Index, tmp_path: Path):
    long_ago = datetime(2025, 1, 1, tzinfo=UTC)
    with index.open() as connection:
        done = export(connection, tmp_path / "out", long_ago, long_ago + timedelta(days=2))
    assert done.days == []
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_without_duckdb_the_command_that_installs_it_is_told(index: Index, tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ToolMissing) as missing:
        export_to(index, tmp_path / "out")
    assert 'pip install "tfkit-platform[duckdb]"' in missing.value.hint
    assert not (tmp_path / "out").exists()


def test_a_folder_that_duckdb_would_take_for_a_pattern_is_refused(index: Index, tmp_path: Path):
    with pytest.raises(UsageError, match="pattern"):
        export_to(index, tmp_path / "a[b]")

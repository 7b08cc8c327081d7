"""Parquet for whoever analyses at leisure: a file a view and day, and the same views in DuckDB's words.

    DIR/runs/year=2026/month=11/day=21/runs.parquet       and so for spans, attempts and findings
    DIR/traces.duckdb                                      the views, ready to be opened
    DIR/views.sql                                          the same views, for a DuckDB that stands in DIR

A run and all that is of it lies in the day (UTC) on which it began. Each file is written under another name
and moved into place, so a kill leaves whole files, and a second export of a day takes the first one's place.
"""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from toolkit.errors import TfkitError, ToolMissing, UsageError
from toolkit.telemetry import keys
from toolkit.traces.query import nanoseconds
from toolkit.traces.views import COLUMNS, kind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DATABASE = "traces.duckdb"
SCRIPT = "views.sql"

_UNFINISHED = ".unfinished"
_ROWS = 10_000

_OF_DAY = {
    "runs": "SELECT * FROM runs WHERE run_id IN ({day}) ORDER BY start, run_id",
    "spans": "SELECT * FROM spans WHERE run_id IN ({day}) ORDER BY run_id, start, span_id",
    "attempts": "SELECT * FROM attempts WHERE run_id IN ({day}) ORDER BY run_id, n, start",
    "findings": "SELECT * FROM findings WHERE run_id IN ({day}) ORDER BY run_id, attempt, validator, rule",
}
_DAY = "SELECT run_id FROM run WHERE start_ns >= ? AND start_ns < ?"


class Exported(NamedTuple):
    """What was written: the days (ISO dates), and how many rows of each view."""

    days: list[str]
    rows: dict[str, int]


def duckdb() -> ModuleType:
    """DuckDB. Raises ToolMissing, with the command that installs it, where it is not there."""
    try:
        import duckdb
    except ImportError as error:
        message = "the export is written by DuckDB, which is not installed"
        raise ToolMissing(message, 'install it: pip install "tfkit-platform[duckdb]"') from error
    return duckdb


def export(connection: sqlite3.Connection, folder: Path, since: datetime, until: datetime) -> Exported:
    """Write the runs that began on the window's days, each day whole, and the views over all that lies there.

    Raises UsageError for a folder that cannot be, ToolMissing without DuckDB, and TfkitError where it fails.
    """
    if any(letter in str(folder.absolute()) for letter in "*?["):
        raise UsageError(f"{folder} has one of * ? [ in it, which DuckDB takes for a pattern", "name another")
    engine = duckdb().connect(config={"threads": 2, "memory_limit": "512MB"})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(folder)
        rows = dict.fromkeys(COLUMNS, 0)
        days = list(_days(connection, since, until))
        for day in days:
            for view in COLUMNS:
                rows[view] += _write_day(connection, engine, folder, view, day)
        if days:
            _write_views(folder)
        return Exported([day.isoformat() for day in days], rows)
    except duckdb().Error as error:
        message = f"the export to {folder} failed: {str(error).strip()}"
        raise TfkitError(
            message, "is there room, and may you write there? what is in place is whole"
        ) from error
    finally:
        engine.close()


def _days(connection: sqlite3.Connection, since: datetime, until: datetime) -> Iterator[date]:
    """The days of the window on which a run began."""
    day, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    while day <= last:
        if connection.execute(_DAY + " LIMIT 1", _bounds(day)).fetchone():
            yield day
        day += timedelta(days=1)


def _bounds(day: date) -> tuple[int, int]:
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return nanoseconds(begins), nanoseconds(begins + timedelta(days=1))


def _write_day(
    connection: sqlite3.Connection, engine: "DuckDBPyConnection", folder: Path, view: str, day: date
) -> int:
    """Write one file; returns its rows. They go through a file of JSON lines, so memory does not grow."""
    place = folder / view / keys.partition(day)
    place.mkdir(parents=True, exist_ok=True)
    lines, parquet = place / f"lines{_UNFINISHED}", place / f"parquet{_UNFINISHED}"
    try:
        count = _write_lines(connection, lines, view, day)
        columns = ", ".join(f"{name}: '{kind(name)}'" for name in COLUMNS[view])
        engine.execute(
            f"COPY (SELECT * FROM read_json({_quoted(lines)}, format = 'newline_delimited',"  # noqa: S608
            f" columns = {{{columns}}}, maximum_object_size = 67108864))"
            f" TO {_quoted(parquet)} (FORMAT parquet, COMPRESSION zstd)"
        )
        parquet.replace(place / f"{view}.parquet")
    finally:
        lines.unlink(missing_ok=True)
        parquet.unlink(missing_ok=True)
    return count


def _write_lines(connection: sqlite3.Connection, lines: Path, view: str, day: date) -> int:
    """The rows of a view that are of runs begun on the day, as JSON lines; returns how many."""
    cursor = connection.execute(_OF_DAY[view].format(day=_DAY), _bounds(day))
    count = 0
    with lines.open("wb") as file:
        while rows := cursor.fetchmany(_ROWS):
            named = [dict(zip(COLUMNS[view], row, strict=True)) for row in rows]
            file.write(msgspec.json.Encoder().encode_lines(named))
            count += len(rows)
    return count


def _write_views(folder: Path) -> None:
    """The views over all that lies in the folder, as a script and as a database."""
    script, database = folder / f"{SCRIPT}{_UNFINISHED}", folder / f"{DATABASE}{_UNFINISHED}"
    script.write_text("".join(f"{_view(view, Path())};\n" for view in COLUMNS), "utf-8")
    script.replace(folder / SCRIPT)
    with duckdb().connect(str(database)) as engine:
        for view in COLUMNS:
            engine.execute(_view(view, folder.absolute()))
    database.replace(folder / DATABASE)


def _view(view: str, folder: Path) -> str:
    files = _quoted(folder / view / "*" / "*" / "*" / "*.parquet")
    return f"CREATE OR REPLACE VIEW {view} AS SELECT {', '.join(COLUMNS[view])} FROM read_parquet({files})"  # noqa: S608


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _remove_unfinished(folder: Path) -> None:
    """What an export that was killed has left."""
    for left in [*folder.glob(f"*{_UNFINISHED}*"), *folder.glob(f"*/*/*/*/*{_UNFINISHED}")]:
        left.unlink(missing_ok=True)

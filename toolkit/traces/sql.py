"""A query of the user's on the index: it reads the documented views, and does nothing else."""

import re
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from toolkit.errors import UsageError
from toolkit.traces.views import COLUMNS

MAX_ROWS = 100_000
"""What is read when no limit is named: more is no answer but an export."""

MAX_VALUE = 16 * 1024 * 1024
"""Bytes of one value; a query may ask for a text of any size."""

_STEPS = 10_000
"""SQLite's instructions between two looks at the clock: some 100 microseconds."""

_REFUSED = "the query cannot be answered"

# What is wrong with a query, and not with the file.
_THEIRS = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_READONLY)

HINT = "the views and their columns: tfkit traces --sql .schema"


class Table(NamedTuple):
    """The answer. `cut` says that there was more than the limit."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    cut: bool


def schema() -> Table:
    """The views as a table of their own: view, column, what it holds."""
    rows = [(view, name, words) for view, columns in COLUMNS.items() for name, words in columns.items()]
    return Table(("view", "column", "meaning"), rows, False)


# SQLite tells a table of the query's own by its name alone, as it does a view.
_SHADOWS = re.compile(
    rf"\b(?:{'|'.join(COLUMNS)})[\"\]`]?\s*(?:\([^)]*\)\s*)?AS\s*(?:(?:NOT\s+)?MATERIALIZED\s*)?\(",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def ask(path: Path, query: str, seconds: float, limit: int | None = None) -> Table:
    """Answer the query from the index file, in so many seconds at most.

    Raises UsageError for what is no query of the views or takes too long, and what SQLite does for the rest.
    """
    if _SHADOWS.search(_COMMENTS.sub(" ", query)):
        raise UsageError(f"{_REFUSED}: it gives a view's name to a query of its own", "choose another name")
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=seconds)
    deadline = time.monotonic() + seconds
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
        connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')")  # makes them known
        connection.set_authorizer(_authorize)
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        return _answer(connection, query, limit or MAX_ROWS)
    except (sqlite3.ProgrammingError, sqlite3.Warning) as error:
        raise UsageError(f"{_REFUSED}: {error}", "give one query, without a `;` inside") from error
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)  # Python's own errors have none
        if code == sqlite3.SQLITE_INTERRUPT:
            message = f"the query took longer than {seconds:g} seconds"
            raise UsageError(message, "narrow it down, or give it more with --timeout") from error
        if code in _THEIRS:
            raise UsageError(f"{_REFUSED}: {error}", f"it may read the views alone; {HINT}") from error
        raise
    finally:
        connection.close()


def _answer(connection: sqlite3.Connection, query: str, limit: int) -> Table:
    cursor = connection.execute(query)
    if cursor.description is None:
        raise UsageError("the query asks for nothing", HINT)
    rows = cursor.fetchmany(limit + 1)
    return Table([item[0] for item in cursor.description], rows[:limit], len(rows) > limit)


def _authorize(
    action: int, first: str | None, second: str | None, _database: str | None, inside: str | None
) -> int:
    """Reading is allowed through a view; so are functions, but for the one that loads code."""
    if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if second == "load_extension" else sqlite3.SQLITE_OK
    if action != sqlite3.SQLITE_READ:
        return sqlite3.SQLITE_DENY
    # Without a column rows are counted; so are those of a table of the query's own.
    ours = not second or inside in COLUMNS or first in COLUMNS or first in ("json_each", "json_tree")
    return sqlite3.SQLITE_OK if ours else sqlite3.SQLITE_DENY

"""Fetched objects into the index: one transaction a batch, each record once, and the row of each run anew."""

import gc
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from toolkit.telemetry import names
from toolkit.telemetry.restore import GZIP, UNREADABLE
from toolkit.traces.attempts import add_attempts
from toolkit.traces.derive import derive_runs
from toolkit.traces.heads import Head, SpanHead, read_head
from toolkit.traces.index import transaction
from toolkit.traces.ingested import Ingested
from toolkit.traces.records import money, number, text
from toolkit.traces.unpacking import Unpacked, unpacked

_LEVEL = 1


class Fetched(NamedTuple):
    """An object as it came. `delivered` is False for the copies beside a run's artifacts."""

    bucket: str
    key: str
    body: bytes
    delivered: bool


class _Placed(NamedTuple):
    """A record, where it stands in the plain text of its object; and its line, if it has attempts."""

    head: Head
    place: int
    length: int
    line: bytes


def ingest(connection: sqlite3.Connection, batch: Iterable[Fetched], into: Ingested) -> None:
    """Add what the objects hold, all or nothing; an object that another process has added is left alone."""
    with _no_collections(), transaction(connection):
        new = [item for item in batch if not _known(connection, item)]
        touched: set[int] = set()
        numbers: dict[str, int] = {}
        with unpacked([item.body for item in new]) as found:
            for item, records, problems in _parsed(new, found):
                identity = _keep(connection, item, problems)
                into.objects += 1
                into.problems += [f"s3://{item.bucket}/{item.key}: {problem}" for problem in problems]
                for record in records:
                    run = _run_number(connection, record.head.run_id, numbers)
                    into.records += _add(connection, run, identity, record, item.delivered)
                    touched.add(run)
        derive_runs(connection, touched)


@contextmanager
def _no_collections() -> Generator[None, None, None]:
    """Rows by the ten thousand and no cycles among them: looking for some would cost a tenth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _known(connection: sqlite3.Connection, item: Fetched) -> bool:
    sql = "SELECT 1 FROM object WHERE bucket = ? AND key = ?"
    return connection.execute(sql, (item.bucket, item.key)).fetchone() is not None


def _parsed(
    items: Sequence[Fetched], found: Iterator[Unpacked]
) -> Iterator[tuple[Fetched, list[_Placed], list[str]]]:
    """Each object with its records; one that is damaged has none, wherever the damage is."""
    records: list[_Placed] = []
    problems: list[str] = []
    place = line_number = 0
    for which, piece in found:
        if isinstance(piece, bytes):
            start = 0
            while start < len(piece):
                end = piece.find(b"\n", start)
                end = len(piece) if end < 0 else end
                line_number += 1
                _read(piece[start:end], place + start, line_number, records, problems)
                start = end + 1
            place += len(piece)
            continue
        yield items[which], [] if piece else records, [str(piece)] if piece else problems
        records = list[_Placed]()
        problems = list[str]()
        place = line_number = 0


def _read(line: bytes, place: int, line_number: int, records: list[_Placed], problems: list[str]) -> None:
    """Add the line's record; a line that is none becomes a problem and does not hide the others."""
    if not line or line.isspace():
        return
    try:
        head = read_head(line)
    except UNREADABLE as error:
        problems.append(f"line {line_number} is no record: {error}")
        return
    problems += head.problems
    tried = any(span.said is not None and span.parent_id for span in head.spans)
    records.append(_Placed(head, place, len(line), line if tried else b""))


def _keep(connection: sqlite3.Connection, item: Fetched, problems: Sequence[str]) -> int:
    """Keep the object as it came, but compressed; returns its number."""
    body = item.body
    if body and not body.startswith(GZIP):
        from isal import igzip

        body = igzip.compress(body, _LEVEL)
    values = (item.bucket, item.key, "; ".join(problems), body)
    added = connection.execute("INSERT INTO object (bucket, key, problem, body) VALUES (?, ?, ?, ?)", values)
    assert added.lastrowid is not None
    return added.lastrowid


def _run_number(connection: sqlite3.Connection, run_id: str, numbers: dict[str, int]) -> int:
    """The run's number in the index; a new one where it has none."""
    if run_id not in numbers:
        connection.execute("INSERT OR IGNORE INTO run (run_id) VALUES (?)", (run_id,))
        row = connection.execute("SELECT number FROM run WHERE run_id = ?", (run_id,)).fetchone()
        numbers[run_id] = row[0]
    return numbers[run_id]


def _add(connection: sqlite3.Connection, run: int, identity: int, record: _Placed, delivered: bool) -> bool:
    """Add a record unless it is there; a delivered one takes a copy's place. Says whether it was added."""
    head = record.head
    key = (run, head.seq)
    known = connection.execute("SELECT delivered FROM record WHERE run = ? AND seq = ?", key).fetchone()
    if known is not None:
        if known[0] or not delivered:
            return False
        _forget(connection, key)
    connection.execute(
        "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*key, head.last, delivered, identity, record.place, record.length),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO span VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(run, span.span_id, head.seq, *span[1:-1]) for span in head.spans],
    )
    said = [span for span in head.spans if span.said is not None]
    connection.executemany(
        "INSERT OR IGNORE INTO root VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_root_row(run, head.seq, span) for span in said if not span.parent_id],
    )
    add_attempts(connection, run, head.seq, [span for span in said if span.parent_id], record.line)
    return True


def _forget(connection: sqlite3.Connection, key: tuple[int, int]) -> None:
    """Take out what a copy said, before what was delivered takes its place."""
    connection.execute(
        "DELETE FROM finding WHERE run = ?1 AND span_id IN"
        " (SELECT span_id FROM attempt WHERE run = ?1 AND seq = ?2)",
        key,
    )
    for table in ("attempt", "root", "span"):
        connection.execute(f"DELETE FROM {table} WHERE run = ? AND seq = ?", key)  # noqa: S608 - our own names


def _root_row(run: int, seq: int, span: SpanHead) -> tuple[object, ...]:
    said = span.said or {}

    def count(key: str) -> int | None:
        return number(said[key]) if key in said else None

    return (
        run,
        span.span_id,
        seq,
        span.trace_id,
        span.start_ns,
        span.end_ns,
        text(said.get(names.STATUS)) or None,
        text(said.get(names.MODEL)) or None,
        count(names.INPUT_TOKENS),
        count(names.OUTPUT_TOKENS),
        money(said.get(names.COST_USD)),
        count(names.TOOL_CALLS),
        text(said.get(names.ERROR)) or span.message or None,
    )

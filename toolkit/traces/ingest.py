"""Fetched objects into the index: one transaction a batch, each record once, and the row of each run anew."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from toolkit.telemetry import names
from toolkit.traces.index import transaction
from toolkit.traces.records import UNREADABLE, OtlpSpan, Record, decode_span, money, number, parse, text

_INDEXED = frozenset((names.OPERATION, names.MODEL, names.INPUT_TOKENS, names.OUTPUT_TOKENS))


class Fetched(NamedTuple):
    """An object as it came. `delivered` is False for the copies beside a run's artifacts."""

    bucket: str
    key: str
    body: bytes
    delivered: bool


@dataclass
class Ingested:
    """How many objects and records were new, and what could not be read."""

    objects: int = 0
    records: int = 0
    problems: list[str] = field(default_factory=list)


def ingest(connection: sqlite3.Connection, batch: Iterable[Fetched], into: Ingested) -> None:
    """Add what the objects hold, all or nothing; an object that another process has added is left alone."""
    touched: set[str] = set()
    with transaction(connection):
        for item in batch:
            claimed = connection.execute(
                "INSERT OR IGNORE INTO objects (bucket, key) VALUES (?, ?)", (item.bucket, item.key)
            )
            if not claimed.rowcount:
                continue
            into.objects += 1
            records, problems = parse(item.body)
            for record in records:
                into.records += _add(connection, record, item.delivered, problems)
                touched.add(record.run_id)
            if problems:
                connection.execute(
                    "UPDATE objects SET problem = ? WHERE bucket = ? AND key = ?",
                    ("; ".join(problems), item.bucket, item.key),
                )
                into.problems += [f"s3://{item.bucket}/{item.key}: {problem}" for problem in problems]
        for run_id in touched:
            derive_run(connection, run_id)


def _add(connection: sqlite3.Connection, record: Record, delivered: bool, problems: list[str]) -> bool:
    """Add a record unless it is there; a delivered one takes a copy's place. Says whether it was added."""
    key = (record.run_id, number(record.seq))
    known = connection.execute("SELECT delivered FROM records WHERE run_id = ? AND seq = ?", key).fetchone()
    if known is not None:
        if known[0] or not delivered:
            return False
        connection.execute("DELETE FROM spans WHERE run_id = ? AND seq = ?", key)
    connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)", (*key, record.last, delivered))
    connection.executemany(
        f"INSERT OR {'REPLACE' if delivered else 'IGNORE'} INTO contents VALUES (?, ?, ?)",  # noqa: S608
        [(record.run_id, sha256, bytes(raw)) for sha256, raw in record.contents.items()],
    )
    rows: list[tuple[object, ...]] = []
    for raw in record.spans():
        try:
            rows.append((*key, *_span_row(decode_span(raw)), bytes(raw)))
        except UNREADABLE as error:
            problems.append(f"a span of record {record.seq} cannot be read: {error}")
    connection.executemany(
        "INSERT OR IGNORE INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
    )
    return True


def _span_row(span: OtlpSpan) -> tuple[object, ...]:
    """The columns of a span between its key and its body."""
    found = {item.key: item.value.plain() for item in span.attributes if item.key in _INDEXED}
    return (
        span.spanId,
        span.parentSpanId,
        span.traceId,
        span.name,
        text(found.get(names.OPERATION)),
        text(found.get(names.MODEL)),
        number(span.startTimeUnixNano),
        number(span.endTimeUnixNano),
        number(span.status.code),
        number(found.get(names.INPUT_TOKENS)),
        number(found.get(names.OUTPUT_TOKENS)),
    )


def derive_run(connection: sqlite3.Connection, run_id: str) -> None:
    """Write the run's row from its records and spans.

    The root span says how a run ended, but only the closed chain says that it did: without a `last`
    record the status is `running`. Before the root is there, tokens and tool calls are counted from below.
    """
    count, last, delivered = connection.execute(
        "SELECT count(*), max(CASE WHEN last THEN seq END), min(delivered) FROM records WHERE run_id = ?",
        (run_id,),
    ).fetchone()
    spans, start, end, tools, tokens_in, tokens_out = connection.execute(
        "SELECT count(*), coalesce(min(start_ns), 0), coalesce(max(end_ns), 0),"
        " coalesce(sum(operation = ?), 0),"
        " coalesce(sum(CASE WHEN operation = ? THEN min(input_tokens, 1000000000000) END), 0),"
        " coalesce(sum(CASE WHEN operation = ? THEN min(output_tokens, 1000000000000) END), 0)"
        " FROM spans WHERE run_id = ?",
        (names.OPERATION_TOOL, names.OPERATION_CHAT, names.OPERATION_CHAT, run_id),
    ).fetchone()
    root = _root(connection, run_id)
    found = root.plain_attributes() if root else {}
    trace_id, model = connection.execute(
        "SELECT coalesce(min(trace_id), ''), coalesce(max(model), '') FROM spans WHERE run_id = ?", (run_id,)
    ).fetchone()
    if root:
        start, end = number(root.startTimeUnixNano), number(root.endTimeUnixNano)
    connection.execute(
        "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run_id,
            root.traceId if root else trace_id,
            start,
            max(end - start, 0) / 1e9,
            _status(found, last is not None),
            text(found.get(names.MODEL)) or model,
            number(found.get(names.INPUT_TOKENS, tokens_in)),
            number(found.get(names.OUTPUT_TOKENS, tokens_out)),
            money(found.get(names.COST_USD)),
            number(found.get(names.TOOL_CALLS, tools)),
            spans,
            last is not None and count == last + 1,
            not delivered,
        ),
    )


def _status(root: dict[str, Any], closed: bool) -> str:
    """What the run says of its end; a closed run that says nothing did not end well."""
    if not closed:
        return "running"
    return text(root.get(names.STATUS)) or "error"


def _root(connection: sqlite3.Connection, run_id: str) -> OtlpSpan | None:
    row = connection.execute(
        "SELECT body FROM spans WHERE run_id = ? AND name = ? AND parent_id = '' ORDER BY start_ns LIMIT 1",
        (run_id, names.RUN_SPAN),
    ).fetchone()
    return decode_span(row[0]) if row else None

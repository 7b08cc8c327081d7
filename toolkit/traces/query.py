"""Questions to the index: the runs of a window, and the spans of one run with their texts put back."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from toolkit.contracts import TraceSummary
from toolkit.telemetry import names
from toolkit.telemetry.restore import UNREADABLE
from toolkit.traces.records import decode_span, number

if TYPE_CHECKING:
    from toolkit.telemetry.restore import Texts

FetchText = Callable[[str], bytes | None]
"""Given a SHA-256, returns the large text of the run that has it, or None."""

FINE = ("queued", "running", "ok")
"""How a run may be that is no error."""

_COLUMNS = (
    "run_id, trace_id, start_ns, seconds, status, model, input_tokens, output_tokens, cost_usd, tool_calls,"
    " spans"
)


class Filters(NamedTuple):
    """Which runs of a window are wanted; what is empty or None leaves none out.

    `errors` leaves out those that are fine or go on. `min_cost` is in US dollars, and leaves out runs of
    which no price is known. `limit` is how many at most, the newest.
    """

    models: Sequence[str] = ()
    statuses: Sequence[str] = ()
    errors: bool = False
    min_cost: float | None = None
    limit: int | None = None


EVERYTHING = Filters()


class GateAttempt(NamedTuple):
    """One time that the gate was asked. `start` is RFC 3339; `validators` says how each of them ended."""

    n: int
    tree: str
    start: str
    seconds: float
    validators: dict[str, str]
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    findings: list[dict[str, Any]]


class Span(NamedTuple):
    """A span as it was. Times are nanoseconds since 1970; `status` is 0 unset, 1 ok, 2 error."""

    span_id: str
    parent_id: str
    trace_id: str
    name: str
    start_ns: int
    end_ns: int
    status: int
    message: str
    attributes: dict[str, Any]


def nanoseconds(moment: datetime) -> int:
    """The moment as nanoseconds since 1970, kept within what SQLite can hold."""
    return max(min(int(moment.timestamp()) * 10**9 + moment.microsecond * 1000, 2**63 - 1), -(2**63))


def rfc3339(start_ns: int) -> str:
    """Nanoseconds since 1970 as RFC 3339 in UTC with milliseconds; empty for 0, which is no time."""
    if not start_ns:
        return ""
    seconds, rest = divmod(start_ns, 10**9)
    moment = datetime.fromtimestamp(min(seconds, 253402300799), UTC)
    return f"{moment.isoformat()[:19]}.{rest // 10**6:03d}Z"


def _summary(row: Sequence[Any]) -> TraceSummary:
    return TraceSummary(
        run_id=row[0],
        trace_id=row[1],
        start=rfc3339(row[2]),
        seconds=round(row[3], 3),
        status=row[4],
        model=row[5],
        input_tokens=row[6],
        output_tokens=row[7],
        cost_usd=row[8],
        tool_calls=row[9],
        spans=row[10],
    )


def list_runs(
    connection: sqlite3.Connection, since: datetime, until: datetime, filters: Filters = EVERYTHING
) -> list[TraceSummary]:
    """The runs that began in the window, newest first."""
    sql = f"SELECT {_COLUMNS} FROM run WHERE start_ns >= ? AND start_ns < ?"  # noqa: S608 - our own columns
    values: list[object] = [nanoseconds(since), nanoseconds(until)]
    if filters.errors:
        sql += " AND status NOT IN (?, ?, ?)"
        values += FINE
    for column, wanted in (("model", filters.models), ("status", filters.statuses)):
        if wanted:
            sql += f" AND {column} IN ({', '.join('?' * len(wanted))})"
            values += wanted
    if filters.min_cost is not None:
        sql += " AND cost_usd >= ?"
        values.append(filters.min_cost)
    sql += " ORDER BY start_ns DESC, run_id"
    if filters.limit is not None:
        sql += " LIMIT ?"
        values.append(filters.limit)
    return [_summary(row) for row in connection.execute(sql, values)]


def run_summary(connection: sqlite3.Connection, run_id: str) -> TraceSummary | None:
    """The run as a row, or None when the index does not know it."""
    sql = f"SELECT {_COLUMNS} FROM run WHERE run_id = ?"  # noqa: S608 - our own columns
    row = connection.execute(sql, (run_id,)).fetchone()
    return _summary(row) if row else None


def run_flags(connection: sqlite3.Connection, run_id: str) -> tuple[bool, bool]:
    """Whether the run's chain is complete, and whether some of it is still to be delivered."""
    row = connection.execute("SELECT complete, pending FROM run WHERE run_id = ?", (run_id,)).fetchone()
    return (bool(row[0]), bool(row[1])) if row else (False, False)


def pending_runs(connection: sqlite3.Connection) -> frozenset[str]:
    """The runs of which some record is known only from the copy beside the artifacts."""
    return frozenset(row[0] for row in connection.execute("SELECT run_id FROM run WHERE pending"))


def unfinished_runs(connection: sqlite3.Connection, since: datetime) -> frozenset[str]:
    """The runs begun since then whose chains are not complete."""
    rows = connection.execute(
        "SELECT run_id FROM run WHERE start_ns >= ? AND NOT complete", (nanoseconds(since),)
    )
    return frozenset(row[0] for row in rows)


def attempts_of(connection: sqlite3.Connection, run_id: str) -> list[GateAttempt]:
    """How often the gate was asked in a run, and what it found each time."""
    rows = connection.execute(
        "SELECT a.run, a.span_id, a.n, a.tree, a.start_ns, a.end_ns, a.validators, a.input_tokens,"
        " a.output_tokens, a.cost_usd"
        " FROM attempt a JOIN run r ON r.number = a.run WHERE r.run_id = ? ORDER BY a.n, a.start_ns",
        (run_id,),
    ).fetchall()
    return [
        GateAttempt(
            n,
            tree,
            rfc3339(start),
            round(max(end - start, 0) / 1e9, 3),
            _statuses(validators),
            tokens_in,
            tokens_out,
            cost,
            _findings(connection, run, span_id),
        )
        for run, span_id, n, tree, start, end, validators, tokens_in, tokens_out, cost in rows
    ]


def _statuses(validators: str) -> dict[str, str]:
    try:
        return msgspec.json.decode(validators, type=dict[str, str])
    except UNREADABLE:
        return {}


def _findings(connection: sqlite3.Connection, run: int, span_id: str) -> list[dict[str, Any]]:
    fields = ("validator", "rule", "severity", "message", "file", "line")
    rows = connection.execute(
        f"SELECT {', '.join(fields)} FROM finding WHERE run = ? AND span_id = ? ORDER BY place",  # noqa: S608
        (run, span_id),
    )
    return [dict(zip(fields, row, strict=True)) for row in rows]


def spans_of(
    connection: sqlite3.Connection, run_id: str, texts: bool = True, fetch: FetchText | None = None
) -> list[Span]:
    """The spans of a run by start. With `texts` each reference is replaced by the text that it stands for.

    `fetch` gets the texts that were too large for a record. A text that is missing, or does not have
    the hash it is known by, is replaced by a note in square brackets that says so.
    """
    from toolkit.telemetry.restore import Texts
    from toolkit.traces.texts import inline_of, records_of

    row = connection.execute("SELECT number FROM run WHERE run_id = ?", (run_id,)).fetchone()
    if row is None:
        return []
    known = Texts(inline_of(connection, row[0]), fetch or (lambda _: None)) if texts else None
    spans: dict[str, Span] = {}
    for record in records_of(connection, row[0]):
        for raw in record.spans():
            try:
                span = _span(raw, known)
            except UNREADABLE:
                continue
            spans.setdefault(span.span_id, span)
    return sorted(spans.values(), key=lambda span: (span.start_ns, -span.end_ns, span.span_id))


def _span(body: msgspec.Raw, texts: "Texts | None") -> Span:
    data = decode_span(body)
    found = data.plain_attributes()
    if texts is not None:
        if names.WHOLE_SPAN in found:
            try:
                data = decode_span(texts.resolve(found[names.WHOLE_SPAN]).encode())
                found = data.plain_attributes()
            except UNREADABLE:
                pass  # the stub stays, and its attribute says what is missing
        found = {key: texts.resolve(value) for key, value in found.items()}
    return Span(
        data.spanId,
        data.parentSpanId,
        data.traceId,
        data.name,
        number(data.startTimeUnixNano),
        number(data.endTimeUnixNano),
        data.status.code,
        data.status.message,
        found,
    )

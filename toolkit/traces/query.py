"""Questions to the index: the runs of a window, and the spans of one run with their texts put back."""

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from toolkit.contracts import TraceSummary
from toolkit.telemetry import names
from toolkit.traces.records import UNREADABLE, decode_span, number

FetchText = Callable[[str], bytes | None]
"""Given a SHA-256, returns the large text of the run that has it, or None."""

_FINE = ("queued", "running", "ok")

_COLUMNS = (
    "run_id, trace_id, start_ns, seconds, status, model, input_tokens, output_tokens, cost_usd, tool_calls,"
    " spans"
)


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


class _Ref(msgspec.Struct, forbid_unknown_fields=True):
    ref: str = ""
    object: str = ""


def nanoseconds(moment: datetime) -> int:
    """The moment as nanoseconds since 1970, kept within what SQLite can hold."""
    return max(min(int(moment.timestamp()) * 10**9 + moment.microsecond * 1000, 2**63 - 1), -(2**63))


def rfc3339(start_ns: int) -> str:
    """Nanoseconds since 1970 as RFC 3339 in UTC with milliseconds; empty for 0, which is no time."""
    if not start_ns:
        return ""
    seconds, rest = divmod(start_ns, 10**9)
    moment = datetime.fromtimestamp(min(seconds, 253402300799), UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // 10**6:03d}Z"


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
    connection: sqlite3.Connection, since: datetime, until: datetime, errors: bool = False
) -> list[TraceSummary]:
    """The runs that began in the window, newest first; `errors` leaves out those that are fine."""
    sql = f"SELECT {_COLUMNS} FROM runs WHERE start_ns >= ? AND start_ns < ?"  # noqa: S608 - our own columns
    values: list[object] = [nanoseconds(since), nanoseconds(until)]
    if errors:
        sql += " AND status NOT IN (?, ?, ?)"
        values += _FINE
    return [_summary(row) for row in connection.execute(sql + " ORDER BY start_ns DESC, run_id", values)]


def run_summary(connection: sqlite3.Connection, run_id: str) -> TraceSummary | None:
    """The run as a row, or None when the index does not know it."""
    sql = f"SELECT {_COLUMNS} FROM runs WHERE run_id = ?"  # noqa: S608 - our own columns
    row = connection.execute(sql, (run_id,)).fetchone()
    return _summary(row) if row else None


def run_flags(connection: sqlite3.Connection, run_id: str) -> tuple[bool, bool]:
    """Whether the run's chain is complete, and whether some of it is still to be delivered."""
    row = connection.execute("SELECT complete, pending FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    return (bool(row[0]), bool(row[1])) if row else (False, False)


def pending_runs(connection: sqlite3.Connection) -> frozenset[str]:
    """The runs of which some record is known only from the copy beside the artifacts."""
    return frozenset(row[0] for row in connection.execute("SELECT run_id FROM runs WHERE pending"))


def unfinished_runs(connection: sqlite3.Connection, since: datetime) -> frozenset[str]:
    """The runs begun since then whose chains are not complete."""
    rows = connection.execute(
        "SELECT run_id FROM runs WHERE start_ns >= ? AND NOT complete", (nanoseconds(since),)
    )
    return frozenset(row[0] for row in rows)


def spans_of(
    connection: sqlite3.Connection, run_id: str, texts: bool = True, fetch: FetchText | None = None
) -> list[Span]:
    """The spans of a run by start. With `texts` each reference is replaced by the text that it stands for.

    `fetch` gets the texts that were too large for a record. A text that is missing, or does not have
    the hash it is known by, is replaced by a note in square brackets that says so.
    """
    rows = connection.execute(
        "SELECT body FROM spans WHERE run_id = ? ORDER BY start_ns, end_ns DESC, span_id", (run_id,)
    ).fetchall()
    texts_of = _Texts(connection, run_id, fetch)
    return [_span(row[0], texts_of if texts else None) for row in rows]


def _span(body: bytes, texts: "_Texts | None") -> Span:
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


class _Texts:
    """The texts of one run by hash; each is read and checked once."""

    def __init__(self, connection: sqlite3.Connection, run_id: str, fetch: FetchText | None) -> None:
        self._connection = connection
        self._run_id = run_id
        self._fetch = fetch
        self._known: dict[str, str] = {}

    def resolve(self, value: Any) -> Any:
        """The value with every reference in it replaced."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if isinstance(value, dict):
            return {key: self.resolve(item) for key, item in value.items()}
        if not isinstance(value, str) or not value.startswith(('{"ref"', '{"object"')):
            return value
        try:
            reference = msgspec.json.decode(value, type=_Ref)
        except msgspec.DecodeError:
            return value
        sha256 = reference.ref or reference.object
        if sha256 not in self._known:
            raw = self._large(sha256) if reference.object else self._inline(sha256)
            self._known[sha256] = _checked(sha256, raw)
        return self._known[sha256]

    def _inline(self, sha256: str) -> bytes | None:
        row = self._connection.execute(
            "SELECT text FROM contents WHERE run_id = ? AND sha256 = ?", (self._run_id, sha256)
        ).fetchone()
        if row is None:
            return None
        try:
            return msgspec.json.decode(row[0], type=str).encode()
        except UNREADABLE:
            return b""

    def _large(self, sha256: str) -> bytes | None:
        return self._fetch(sha256) if self._fetch else None


def _checked(sha256: str, raw: bytes | None) -> str:
    if raw is None:
        return f"[text {sha256} is missing]"
    if hashlib.sha256(raw).hexdigest() != sha256:
        return f"[text {sha256} was altered]"
    return raw.decode(errors="replace")

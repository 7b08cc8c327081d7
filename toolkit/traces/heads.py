"""A line as the index wants it: the record's place in its chain and a row a span, the texts passed over.

Most bytes of a line are texts, and the writer puts them last; so what stands before them is decoded by
itself, and it is valid JSON only if the cut was right. Whatever does not fit is decoded as a whole, span by
span, so that one bad span hides no other.
"""

from typing import Any, NamedTuple

import msgspec

from toolkit.telemetry import attempts, names
from toolkit.telemetry.restore import UNREADABLE
from toolkit.traces.records import (
    VERSION,
    OtlpSpan,
    Record,
    Status,
    Value,
    decode_record,
    decode_span,
    number,
    text,
)

_CUT = b',"contents":{'
_STRING = b'{"stringValue":"'
_INT = b'{"intValue":"'
_LATEST = "9223372036854775807"

_ROOT = frozenset(
    (
        names.STATUS,
        names.MODEL,
        names.INPUT_TOKENS,
        names.OUTPUT_TOKENS,
        names.COST_USD,
        names.TOOL_CALLS,
        names.ERROR,
    )
)
_ATTEMPT = frozenset((attempts.NUMBER, attempts.TREE, attempts.VALIDATORS, attempts.FINDINGS, names.COST_USD))


class _Attribute(msgspec.Struct):
    key: str
    value: msgspec.Raw


class _Span(msgspec.Struct):
    spanId: str  # noqa: N815 - OTLP's names, as all below
    traceId: str  # noqa: N815
    name: str
    startTimeUnixNano: str | int  # noqa: N815
    endTimeUnixNano: str | int  # noqa: N815
    parentSpanId: str = ""  # noqa: N815
    attributes: list[_Attribute] = []
    status: Status = Status()


class _Scope(msgspec.Struct):
    spans: list[_Span] = []


class _Resource(msgspec.Struct):
    scopeSpans: list[_Scope] = []  # noqa: N815


class _Head(msgspec.Struct):
    v: int
    run_id: str
    seq: int
    last: bool = False
    resourceSpans: list[_Resource] = []  # noqa: N815


_heads = msgspec.json.Decoder(_Head)
_value = msgspec.json.Decoder(Value)


class SpanHead(NamedTuple):
    """What the index keeps of a span, and what roots and attempts say."""

    span_id: str
    parent_id: str
    trace_id: str
    name: str
    operation: str
    tool: str
    model: str
    start_ns: int
    end_ns: int
    status: int
    message: str
    input_tokens: int
    output_tokens: int
    said: dict[str, Any] | None


class Head(NamedTuple):
    """A record without its texts, and what could not be read of it."""

    run_id: str
    seq: int
    last: bool
    spans: list[SpanHead]
    problems: list[str]


def read_head(line: bytes) -> Head:
    """The record that the line holds. Raises one of `records.UNREADABLE` for what is none."""
    cut = line.find(_CUT)
    if cut >= 0 and line.endswith(b"}}"):
        try:
            found = _heads.decode(line[:cut] + b"}")
        except UNREADABLE:
            return _slowly(line)
    else:
        try:
            found = _heads.decode(line)
        except UNREADABLE:
            return _slowly(line)
    _refuse_other_versions(found.v)
    spans = [
        _head(span)
        for resource in found.resourceSpans
        for scope in resource.scopeSpans
        for span in scope.spans
    ]
    return Head(found.run_id, number(found.seq), found.last, spans, [])


def _slowly(line: bytes) -> Head:
    record: Record = decode_record(line)
    _refuse_other_versions(record.v)
    spans: list[SpanHead] = []
    problems: list[str] = []
    for raw in record.spans():
        try:
            spans.append(_head(decode_span(raw)))
        except UNREADABLE as error:
            problems.append(f"a span of record {record.seq} cannot be read: {error}")
    return Head(record.run_id, number(record.seq), record.last, spans, problems)


def _refuse_other_versions(version: int) -> None:
    if version != VERSION:
        raise ValueError(f"it has version {version}, this tfkit reads version {VERSION}")


def _plain(value: "msgspec.Raw | Value") -> Any:
    if isinstance(value, Value):
        return value.plain()
    try:
        return _value.decode(value).plain()
    except UNREADABLE:
        return None


def _text(value: "msgspec.Raw | Value") -> str:
    """The value if it is a text. Most are short and plain, and need no decoder."""
    if not isinstance(value, Value):
        raw = bytes(value)
        if raw.startswith(_STRING) and raw.endswith(b'"}') and b"\\" not in raw and raw.count(b'"') == 4:
            return raw[len(_STRING) : -2].decode()
    return text(_plain(value))


def _count(value: "msgspec.Raw | Value") -> int:
    """The value as a count, as `records.number` has it."""
    if not isinstance(value, Value):
        raw = bytes(value)
        if raw.startswith(_INT) and (digits := raw[len(_INT) : -2]).isdigit() and len(digits) < 19:
            return int(digits)
    return number(_plain(value))


def _time(value: str | int) -> int:
    if (
        isinstance(value, str)
        and len(value) == 19
        and value.isascii()
        and value.isdigit()
        and value < _LATEST
    ):
        return int(value)
    return number(value)


_OPERATION, _TOOL, _MODEL, _IN, _OUT = range(5)

_READ = {
    names.OPERATION: (_OPERATION, _text),
    names.TOOL_NAME: (_TOOL, _text),
    names.MODEL: (_MODEL, _text),
    names.INPUT_TOKENS: (_IN, _count),
    names.OUTPUT_TOKENS: (_OUT, _count),
}


def _head(span: "_Span | OtlpSpan") -> SpanHead:
    found: list[Any] = ["", "", "", 0, 0]
    for item in span.attributes:
        if item.key in _READ:
            place, read = _READ[item.key]
            found[place] = read(item.value)
    return SpanHead(
        span.spanId,
        span.parentSpanId,
        span.traceId,
        span.name,
        found[_OPERATION],
        found[_TOOL],
        found[_MODEL],
        _time(span.startTimeUnixNano),
        _time(span.endTimeUnixNano),
        number(span.status.code),
        span.status.message,
        found[_IN],
        found[_OUT],
        _said(span),
    )


def _said(span: "_Span | OtlpSpan") -> dict[str, Any] | None:
    """The attributes that only roots and attempts have; None for every other span."""
    if span.name == names.RUN_SPAN and not span.parentSpanId:
        return {item.key: _plain(item.value) for item in span.attributes if item.key in _ROOT}
    if span.name.startswith(attempts.SPAN + " "):
        found = {item.key: _plain(item.value) for item in span.attributes if item.key in _ATTEMPT}
        return found if attempts.NUMBER in found else None
    return None

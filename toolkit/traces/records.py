"""The body of an object as records: gzip or plain, one JSON document a line, contents left as bytes."""

from collections.abc import Iterator
from typing import Any

import msgspec

from toolkit.telemetry.restore import GZIP

VERSION = 1

_MAX_INT = 2**63 - 1


def number(value: object) -> int:
    """The value as a count that SQLite can hold; 0 for whatever is none, as records are not trusted."""
    try:
        whole = int(value) if isinstance(value, (str, int, float)) else 0
    except (ValueError, OverflowError):
        return 0
    return min(max(whole, 0), _MAX_INT)


def money(value: object) -> float | None:
    """The value as an amount, or None."""
    return float(value) if isinstance(value, (int, float)) and abs(value) < _MAX_INT else None


def text(value: object) -> str:
    """The value if it is a text, or nothing."""
    return value if isinstance(value, str) else ""


class Value(msgspec.Struct):
    """OTLP's AnyValue; one of the fields is set, or none for null."""

    stringValue: str | None = None  # noqa: N815 - OTLP's names, as all below
    intValue: str | int | None = None  # noqa: N815
    doubleValue: float | str | None = None  # noqa: N815
    boolValue: bool | None = None  # noqa: N815
    bytesValue: str | None = None  # noqa: N815
    arrayValue: "Values | None" = None  # noqa: N815
    kvlistValue: "Pairs | None" = None  # noqa: N815

    def plain(self) -> Any:
        """The value as Python has it; bytes stay base64, and a number that is none stays what it is."""
        if self.stringValue is not None:
            return self.stringValue
        try:
            if self.intValue is not None:
                return int(self.intValue)
            if self.doubleValue is not None:
                return float(self.doubleValue)
        except ValueError:
            return self.intValue if self.intValue is not None else self.doubleValue
        if self.arrayValue is not None:
            return [value.plain() for value in self.arrayValue.values]
        if self.kvlistValue is not None:
            return {pair.key: pair.value.plain() for pair in self.kvlistValue.values}
        return self.boolValue if self.boolValue is not None else self.bytesValue


class Attribute(msgspec.Struct):
    """A key and its value."""

    key: str
    value: Value


class Values(msgspec.Struct):
    """OTLP's list of values."""

    values: list[Value] = []


class Pairs(msgspec.Struct):
    """OTLP's list of keys and values."""

    values: list[Attribute] = []


class Status(msgspec.Struct, frozen=True):
    """How a span ended: 0 unset, 1 ok, 2 error."""

    code: int = 0
    message: str = ""


class OtlpSpan(msgspec.Struct):
    """What the index needs of a span. Times are nanoseconds since 1970 as decimal strings."""

    spanId: str  # noqa: N815
    traceId: str  # noqa: N815
    name: str
    startTimeUnixNano: str | int  # noqa: N815
    endTimeUnixNano: str | int  # noqa: N815
    parentSpanId: str = ""  # noqa: N815
    attributes: list[Attribute] = []
    status: Status = Status()

    def plain_attributes(self) -> dict[str, Any]:
        """The attributes as a dictionary; references stay references."""
        return {attribute.key: attribute.value.plain() for attribute in self.attributes}


class _Scope(msgspec.Struct):
    spans: list[msgspec.Raw] = []


class _Resource(msgspec.Struct):
    scopeSpans: list[_Scope] = []  # noqa: N815


class Record(msgspec.Struct):
    """One line. `contents` maps a text's SHA-256 to its JSON string, undecoded."""

    v: int
    run_id: str
    seq: int
    last: bool = False
    resourceSpans: list[_Resource] = []  # noqa: N815
    contents: dict[str, msgspec.Raw] = {}

    def spans(self) -> Iterator[msgspec.Raw]:
        """The spans, as the bytes they came in."""
        for resource in self.resourceSpans:
            for scope in resource.scopeSpans:
                yield from scope.spans


_records = msgspec.json.Decoder(Record)
_spans = msgspec.json.Decoder(OtlpSpan)


def decode_record(line: bytes) -> Record:
    """A record from its line; raises one of UNREADABLE."""
    return _records.decode(line)


def decode_span(data: bytes | msgspec.Raw) -> OtlpSpan:
    """A span from its JSON; raises msgspec.DecodeError."""
    return _spans.decode(data)


def unpack(body: bytes) -> bytes:
    """The body as plain text; gzip is told by its first bytes. Raises ValueError when damaged."""
    if not body.startswith(GZIP):
        return body
    from isal import igzip
    from isal.igzip_lib import IsalError

    try:
        return igzip.decompress(body)
    except (IsalError, OSError, EOFError) as error:  # pyrefly: ignore[not-a-type] - its stub says instance
        raise ValueError(f"not readable as gzip: {error}") from error

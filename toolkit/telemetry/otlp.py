"""A finished span as OTLP-JSON: hex ids, enums as integers, nanoseconds and integers as strings.

Written by hand because the protobuf encoder takes ten times as long and needs its ids put right afterwards.
Every function here is total: whatever a span holds becomes valid JSON, as telemetry must not fail a run.
"""

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import format_span_id, format_trace_id

from toolkit.telemetry.redact import redact

Place = Callable[[str, str], str]
"""Given an attribute's key and text, returns what stands in the record: the text, or a reference to it."""


def clean(text: str) -> str:
    """The text with lone surrogates replaced, so that it can be encoded; models do send them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def label(text: str) -> str:
    """A name or a status that leaves the process: models choose the names of tools, and errors quote them."""
    return redact(clean(text))


def _float(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def any_value(key: str, value: object, place: Place) -> dict[str, Any]:
    """An attribute's value as OTLP's AnyValue; texts go through `place`."""
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case str():
            return {"stringValue": place(key, clean(value))}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": _float(value)}
        case bytes():
            return {"bytesValue": base64.b64encode(value).decode()}
        case Mapping():
            return {"kvlistValue": {"values": attributes({str(k): v for k, v in value.items()}, place)}}
        case Sequence():
            return {"arrayValue": {"values": [any_value(key, item, place) for item in value]}}
        case _:
            return {"stringValue": place(key, clean(str(value)))}


def attributes(values: Mapping[str, object] | None, place: Place) -> list[dict[str, Any]]:
    """Attributes as OTLP's list of key and value."""
    return [
        {"key": label(key), "value": any_value(key, value, place)} for key, value in (values or {}).items()
    ]


def span_data(span: ReadableSpan, place: Place) -> dict[str, Any]:
    """The span as plain data in OTLP's shape."""
    context = span.get_span_context()
    assert context is not None, "a finished span has a context"
    data: dict[str, Any] = {
        "traceId": format_trace_id(context.trace_id),
        "spanId": format_span_id(context.span_id),
        "parentSpanId": format_span_id(span.parent.span_id) if span.parent else "",
        "name": label(span.name),
        "kind": span.kind.value + 1,  # OTLP counts from UNSPECIFIED, the SDK from INTERNAL
        "startTimeUnixNano": str(span.start_time or 0),
        "endTimeUnixNano": str(span.end_time or span.start_time or 0),
        "attributes": attributes(span.attributes, place),
        "status": {"code": span.status.status_code.value},
    }
    if span.status.description:
        data["status"]["message"] = label(span.status.description)
    if span.events:
        data["events"] = [
            {
                "timeUnixNano": str(event.timestamp),
                "name": label(event.name),
                "attributes": attributes(event.attributes, place),
            }
            for event in span.events
        ]
    if span.links:
        data["links"] = [
            {
                "traceId": format_trace_id(link.context.trace_id),
                "spanId": format_span_id(link.context.span_id),
                "attributes": attributes(link.attributes, place),
            }
            for link in span.links
        ]
    return data


def encode(data: object) -> bytes:
    """Plain data as compact JSON."""
    return msgspec.json.encode(data)

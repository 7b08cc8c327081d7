"""The hand-written OTLP-JSON against the official definition."""

import base64
import json
import math

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from toolkit.telemetry.otlp import any_value
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.testing import MemorySink

RUN = "run-0001-abc"


def keep(key: str, text: str) -> str:
    return text


def test_values_of_every_kind():
    assert any_value("k", True, keep) == {"boolValue": True}
    assert any_value("k", 2**40, keep) == {"intValue": str(2**40)}
    assert any_value("k", 0.5, keep) == {"doubleValue": 0.5}
    assert any_value("k", math.nan, keep) == {"doubleValue": "NaN"}
    assert any_value("k", -math.inf, keep) == {"doubleValue": "-Infinity"}
    assert any_value("k", "t", keep) == {"stringValue": "t"}
    assert any_value("k", b"\x00", keep) == {"bytesValue": "AA=="}
    assert any_value("k", None, keep) == {}
    assert any_value("k", ("a", 1), keep) == {
        "arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}
    }
    assert any_value("k", {"a": False}, keep) == {
        "kvlistValue": {"values": [{"key": "a", "value": {"boolValue": False}}]}
    }


def with_protobuf_ids(data: object) -> object:
    """OTLP-JSON has hex ids where protobuf's own JSON has base64; all else must parse as it is."""
    if isinstance(data, list):
        return [with_protobuf_ids(item) for item in data]
    if isinstance(data, dict):
        return {
            key: base64.b64encode(bytes.fromhex(value)).decode()
            if key in ("traceId", "spanId", "parentSpanId")
            else with_protobuf_ids(value)
            for key, value in data.items()
        }
    return data


def test_the_official_definition_parses_a_record():
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    with telemetry.run_span() as root:
        link = Link(root.get_span_context(), {"why": "retry"})
        with telemetry.tracer.start_as_current_span(
            "chat m", kind=SpanKind.CLIENT, links=[link], attributes={"n": 3, "f": 1.5, "l": ["a", "b"]}
        ) as span:
            span.add_event("cache", {"hit": True})
            span.set_status(Status(StatusCode.ERROR, "throttled"))
    telemetry.close()
    record = json.loads(sink.lines[RUN][0].body)
    parsed = ParseDict(with_protobuf_ids({"resourceSpans": record["resourceSpans"]}), TracesData())
    chat, run = parsed.resource_spans[0].scope_spans[0].spans
    context = root.get_span_context()
    assert chat.trace_id == run.trace_id == context.trace_id.to_bytes(16, "big")
    assert chat.parent_span_id == run.span_id == context.span_id.to_bytes(8, "big")
    assert (chat.kind, run.kind) == (3, 1)
    assert (chat.status.code, chat.status.message) == (2, "throttled")
    assert {item.key: item.value for item in chat.attributes}["n"].int_value == 3
    assert chat.events[0].attributes[0].value.bool_value is True
    assert chat.links[0].span_id == run.span_id
    assert chat.start_time_unix_nano <= chat.end_time_unix_nano <= run.end_time_unix_nano

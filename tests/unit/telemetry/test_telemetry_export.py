"""Spans by OTLP to a real receiver, and to ones that hang, refuse or are not there: no run waits for them."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SpanExportResult
from telemetry_reading import RUN

from toolkit.telemetry import export
from toolkit.telemetry.export import OtlpExport, otlp_http, parse_headers
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.testing import MemorySink, chain_problems

KEY = "AKIA" + "IOSFODNN7EXAMPLE"
LONG = 30.0


class Receiver:
    """An OTLP endpoint on loopback. `status` is what it answers; while `hold` is set it answers nothing."""

    def __init__(self) -> None:
        self.status = 200
        self.hold = threading.Event()
        self.reached = threading.Event()
        self.requests: list[tuple[str, dict[str, str], ExportTraceServiceRequest]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.reached.set()
                while receiver.hold.is_set() and receiver.alive:
                    threading.Event().wait(0.01)
                headers = {name.lower(): value for name, value in self.headers.items()}
                if headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.requests.append((self.path, headers, ExportTraceServiceRequest.FromString(body)))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self.alive = True
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def spans(self) -> list:
        return [
            span
            for _, _, request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def stop(self) -> None:
        self.alive = False
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


def to(endpoint: str, **headers: str) -> OtlpExport:
    return OtlpExport(lambda: otlp_http(endpoint, headers))


def a_run(also: OtlpExport, steps: int = 3) -> MemorySink:
    """A run that ends, whatever becomes of its export."""
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink, also=also)
    with telemetry.run_span():
        for number in range(steps):
            telemetry.tracer.start_span(
                f"step {number}", attributes={"n": number, "text": f"it is {KEY}"}
            ).end()
    telemetry.close()
    assert chain_problems([line.body for line in sink.lines[RUN]]) == []
    return sink


def test_a_receiver_gets_the_same_spans_decoded_from_protobuf(receiver: Receiver):
    also = to(receiver.endpoint, **{"x-api-key": "let me in"})
    a_run(also)
    assert also.drain(LONG)
    for path, headers, _ in receiver.requests:
        assert path == "/v1/traces"
        assert headers["content-type"] == "application/x-protobuf"
        assert headers["x-api-key"] == "let me in"
    assert [span.name for span in receiver.spans] == ["step 0", "step 1", "step 2", "run"]
    assert {span.parent_span_id for span in receiver.spans[:3]} == {receiver.spans[3].span_id}
    values = {item.key: item.value for item in receiver.spans[1].attributes}
    assert values["n"].int_value == 1
    assert values["text"].string_value == "it is [redacted:aws-access-key-id]"
    first = receiver.requests[0][2].resource_spans[0].resource
    resource = {item.key: item.value.string_value for item in first.attributes}
    assert resource["service.name"] == "tfkit-agent"
    assert resource["tfkit.run_id"] == RUN
    assert (also.sent, also.lost) == (4, 0)


def test_without_content_the_receiver_gets_none(receiver: Receiver):
    also = OtlpExport(lambda: otlp_http(receiver.endpoint, {}), include_content=False)
    a_run(also)
    assert also.drain(LONG)
    assert {item.key for span in receiver.spans for item in span.attributes} == {
        "n",
        "tfkit.run_id",
        "tfkit.stack",
    }


def test_a_receiver_that_hangs_costs_no_run_its_end(receiver: Receiver):
    receiver.hold.set()
    also = to(receiver.endpoint)
    a_run(also)
    assert receiver.reached.wait(LONG)
    assert len(a_run(also).lines[RUN]) == 1, "the next run of the warm function neither waits"
    assert also.drain(0.01) is False
    receiver.hold.clear()
    assert also.drain(LONG), "it goes on where the receiver does"
    assert len(receiver.spans) == 8


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_receiver_that_refuses_costs_its_spans_and_nothing_else(
    receiver: Receiver, status: int, monkeypatch
):
    monkeypatch.setattr(export, "REQUEST_SECONDS", 0.2)  # the exporter repeats what it may for so long
    receiver.status = status
    also = to(receiver.endpoint)
    a_run(also)
    assert becomes(also, sent=0, lost=4)
    assert also.drain(LONG) is False
    receiver.status = 200
    a_run(also)
    assert becomes(also, sent=4, lost=4)
    assert also.drain(0.0), "it is waited for again"


def becomes(also: OtlpExport, sent: int, lost: int) -> bool:
    with also._changed:
        return also._changed.wait_for(lambda: (also.sent, also.lost) == (sent, lost), LONG)


def test_an_endpoint_where_nobody_is(monkeypatch, caplog):
    monkeypatch.setattr(export, "REQUEST_SECONDS", 0.2)
    also = to("http://127.0.0.1:9", authorization="Bearer s3cr3ts3cr3ts3cr3t")
    a_run(also)
    assert becomes(also, sent=0, lost=4)
    assert "s3cr3t" not in caplog.text


def test_headers_that_cannot_be_had_are_said_without_what_was_read(caplog):
    def connect():
        return otlp_http("http://127.0.0.1:9", parse_headers("no equals sign s3cr3t"))

    also = OtlpExport(connect)
    a_run(also)
    assert becomes(also, sent=0, lost=4)
    assert "ValueError" in caplog.text
    assert "s3cr3t" not in caplog.text


class Counting:
    """An exporter that waits until it may go on."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.batches: list[int] = []

    def export(self, spans) -> SpanExportResult:
        self.free.wait(LONG)
        self.batches.append(len(spans))
        return SpanExportResult.SUCCESS


def test_the_queue_is_bounded_in_bytes_and_what_does_not_fit_is_counted(monkeypatch):
    monkeypatch.setattr(export, "QUEUE_BYTES", 1024 * 1024)
    monkeypatch.setattr(export, "BATCH_BYTES", 128 * 1024)
    exporter = Counting()
    also = OtlpExport(lambda: exporter)
    telemetry = RunTelemetry(RUN, "dev", MemorySink(), also=also)
    size = export.BATCH_BYTES // 4
    count = 2 * export.QUEUE_BYTES // size
    text = "x" * size
    for number in range(count):
        telemetry.tracer.start_span(f"{number}", attributes={"text": text}).end()
    assert also._bytes <= export.QUEUE_BYTES
    assert also.lost > 0
    exporter.free.set()
    assert also.drain(LONG)
    assert also.sent + also.lost == count
    assert max(exporter.batches) <= 4, "a request is bounded too"


def test_it_is_imported_only_where_it_is_wanted():
    import subprocess
    import sys

    program = (
        "import sys, toolkit.agent.reporting;"
        "print([name for name in ('requests', 'opentelemetry.exporter') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_headers_as_opentelemetry_writes_them():
    assert parse_headers("api-key=abc, Authorization=Basic%20dTpw ,x=a=b,") == {
        "api-key": "abc",
        "authorization": "Basic dTpw",
        "x": "a=b",
    }
    assert parse_headers("") == {}
    with pytest.raises(ValueError, match="name=value"):
        parse_headers("just a token")

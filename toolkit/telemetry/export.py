"""The same spans to a backend that speaks OTLP over HTTP, in a thread of its own, on which no run waits.

    span ends ──▶ queue (bounded in bytes) ──▶ thread: redacted, protobuf, gzip ──▶ endpoint/v1/traces
                     └─ full: the span is left out and counted

The record of a run is what lies in the audit bucket; this is a copy for whoever looks at traces elsewhere
(Logfire, Grafana, Honeycomb, Datadog, a collector). So it may lose spans, and never costs a run its end.
https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from urllib.parse import unquote

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExportResult
from typing_extensions import override

from toolkit.telemetry.leaving import redacted, without_content

QUEUE_BYTES = 32 * 1024 * 1024
"""Roughly how much waits to be sent; a span with a long conversation in it has half a megabyte."""

BATCH_BYTES = 4 * 1024 * 1024
"""Roughly how much goes into one request; backends and collectors refuse larger ones."""

REQUEST_SECONDS = 10.0
"""How long one batch is tried, the exporter's own repetitions included."""

GRACE_SECONDS = 2.0
"""How long the function waits after a run, when all else is stored, for what is still in the queue."""

log = logging.getLogger(__name__)


class Exporter(Protocol):
    """What sends: OpenTelemetry's own exporter, or a test's."""

    def export(self, spans: Sequence[ReadableSpan], /) -> SpanExportResult:
        """Send the spans; says whether they were taken."""
        ...


class OtlpExport(SpanProcessor):
    """A queue and its thread. One a process: a warm function goes on with it, run after run.

    `connect` makes the exporter, in the thread: what it imports and looks up delays no run either.
    """

    def __init__(self, connect: Callable[[], Exporter], include_content: bool = True) -> None:
        self._connect = connect
        self._exporter: Exporter | None = None
        self._include_content = include_content
        self._waiting: deque[tuple[int, ReadableSpan]] = deque()
        self._bytes = 0
        self._sending = False
        self._failing = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self.sent = 0
        self.lost = 0

    @override
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing is to do before it ends."""

    @override
    def on_end(self, span: ReadableSpan) -> None:
        """Queue the span, or leave it out where the queue is full. Never waits."""
        size = _size(span)
        with self._changed:
            if self._bytes + size > QUEUE_BYTES:
                self.lost += 1
                return
            self._waiting.append((size, span))
            self._bytes += size
            if self._thread is None:
                # Not before there is anything to send; a daemon, because no exit waits for it.
                self._thread = threading.Thread(target=self._work, name="otlp-export", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def drain(self, seconds: float | None = None) -> bool:
        """Wait until everything is sent, at most so long (`GRACE_SECONDS`); says whether it is.

        An endpoint that took nothing the last time is not waited for.
        """
        deadline = time.monotonic() + (GRACE_SECONDS if seconds is None else seconds)
        with self._changed:
            while self._waiting or self._sending:
                left = deadline - time.monotonic()
                if left <= 0 or self._failing:
                    return False
                self._changed.wait(left)
            return not self._failing

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                batch = self._take()
                self._sending = True
            taken = self._send(batch)
            with self._changed:
                self._sending = False
                self._failing = not taken
                self.sent += len(batch) if taken else 0
                self.lost += 0 if taken else len(batch)
                self._changed.notify_all()

    def _take(self) -> list[ReadableSpan]:
        """The next spans for one request: at least one."""
        batch: list[ReadableSpan] = []
        total = 0
        while self._waiting and (not batch or total + self._waiting[0][0] <= BATCH_BYTES):
            size, span = self._waiting.popleft()
            self._bytes -= size
            total += size
            batch.append(span)
        return batch

    def _send(self, batch: Sequence[ReadableSpan]) -> bool:
        try:
            if self._exporter is None:
                self._exporter = self._connect()
            leaving = [redacted(span if self._include_content else without_content(span)) for span in batch]
            return self._exporter.export(leaving) is SpanExportResult.SUCCESS
        except Exception as error:  # noqa: BLE001 - the thread must live, and the run knows nothing of it
            log.warning("spans could not be exported: %s", type(error).__name__)
            return False


def otlp_http(endpoint: str, headers: Mapping[str, str]) -> Exporter:
    """OpenTelemetry's own exporter, to a base URL as in OTEL_EXPORTER_OTLP_ENDPOINT.

    Imported here and not above, because requests and protobuf cost a fifth of a second at every cold start.
    """
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(
        endpoint=f"{endpoint.rstrip('/')}/v1/traces",
        headers=dict(headers),
        timeout=REQUEST_SECONDS,
        compression=Compression.Gzip,
    )


def parse_headers(text: str) -> dict[str, str]:
    """Headers as in OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`, values percent-encoded.

    Raises ValueError, without the text, where it has another form.
    https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables
    """
    headers: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise ValueError("the headers for OTLP are not of the form name=value,name=value")
        headers[name.strip().lower()] = unquote(value.strip())
    return headers


def _size(span: ReadableSpan) -> int:
    """Roughly the bytes that the span holds on to."""
    texts = sum(len(value) for value in (span.attributes or {}).values() if isinstance(value, str))
    events = sum(len(str(event.attributes)) for event in span.events)
    return 1024 + texts + events

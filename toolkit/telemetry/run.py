"""The telemetry of one run: spans in, chained records out.

telemetry = RunTelemetry(run_id, stack, sink)
with telemetry.run_span() as span:
    Agent(…, capabilities=[Instrumentation(InstrumentationSettings(
        tracer_provider=telemetry.provider, version=5))])
    …                                  # after each turn: telemetry.flush()
    span.set_attribute(names.STATUS, "ok")
receipt = telemetry.close()            # raises TelemetryFailed: such a run is not `ok`
"""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import Span, Tracer

from toolkit import __version__
from toolkit.contracts import Shape
from toolkit.errors import TelemetryFailed
from toolkit.telemetry import names, otlp
from toolkit.telemetry.contents import Kind
from toolkit.telemetry.counts import Counts
from toolkit.telemetry.record import NEW_CHAIN, Chain, ChainEnd, Draft, Line
from toolkit.telemetry.recorder import GivenFirst, Recorder, make_provider
from toolkit.telemetry.sink import Sink


class Carried(Shape, frozen=True):
    """What a process of a run leaves to the next: the end of the chain, the root span, which it does not end,
    the numbers so far, and which texts are stored. Ids are in hexadecimal, `started_ns` is since 1970."""

    seq: int
    prev: str
    trace_id: str
    span_id: str
    started_ns: int
    counts: dict[str, int]
    stored: dict[str, Kind]


class Receipt(Shape, frozen=True):
    """What was accepted: how many records, their bytes, and how many by which way (firehose, fallback)."""

    records: int
    bytes: int
    via: dict[str, int]


class RunTelemetry:
    """Records the spans of one run and ships them. Spans may end anywhere; `flush` waits for the network.

    `carried` continues what an earlier process of the same run has begun (`carry`). `also` gets the same
    spans (an `export.OtlpExport`). Without `include_content` nothing that a model or a tool said leaves the
    process. In the `background` a thread flushes after each answer of a model, so that little is held, and a
    run that is killed leaves what it did until then.
    """

    def __init__(
        self,
        run_id: str,
        stack: str,
        sink: Sink,
        carried: Carried | None = None,
        *,
        include_content: bool = True,
        also: SpanProcessor | None = None,
        background: bool = False,
    ) -> None:
        self.run_id = run_id
        self.stack = stack
        self._sink = sink
        self._recorder = Recorder(include_content, self._ship_soon if background else lambda: None)
        self._carried = carried
        self._root: Span | None = None
        if carried:
            self._recorder.counts = Counts(**carried.counts)
            self._recorder.contents.know(carried.stored)
        self._turn_ended = threading.Event()
        self._shipper: threading.Thread | None = None
        resource = {
            "service.name": names.SERVICE_NAME,
            "service.version": __version__,
            names.STACK: stack,
            names.RUN_ID: run_id,
        }
        ids = GivenFirst(int(carried.trace_id, 16), int(carried.span_id, 16)) if carried else None
        self.provider = make_provider(resource, self._recorder, ids)
        if also:
            self.provider.add_span_processor(also)
        self.tracer: Tracer = self.provider.get_tracer("tfkit", __version__)
        encoded = otlp.encode({"attributes": otlp.attributes(resource, lambda _key, text: text)})
        self._chain = Chain(run_id, encoded, ChainEnd(carried.seq, carried.prev) if carried else NEW_CHAIN)
        self._shipping = threading.Lock()
        self._outbox: list[Line] = []
        self._objects: dict[str, bytes] = {}
        self._closed = False
        self._records = 0
        self._bytes = 0
        self._via: dict[str, int] = {}

    @property
    def trace_id(self) -> str:
        """The trace of the run as 32 hex digits; empty before the first span."""
        return self._recorder.trace_id

    @property
    def counts(self) -> Counts:
        """What the run did so far, in numbers; of the spans that have ended."""
        return self._recorder.counts

    @contextmanager
    def run_span(self) -> Generator[Span, None, None]:
        """The root span, current inside the block. It has no parent, whatever the caller's context holds.

        One that was carried goes on: with its ids and its beginning. It is the first span of each process.
        """
        attributes: dict[str, Any] = {names.RUN_ID: self.run_id, names.STACK: self.stack}
        started = self._carried.started_ns if self._carried else time.time_ns()
        try:
            with self.tracer.start_as_current_span(
                names.RUN_SPAN, Context(), attributes=attributes, start_time=started, end_on_exit=False
            ) as self._root:
                yield self._root
        finally:
            if self._root and not self._closed:  # else it was left to the next process
                self._root.end()

    def carry(self) -> Carried:
        """Ship all that is finished, and tell what the next process of the run has to know.

        Inside `run_span`, when every other span has ended; this process may go on all the same, until it
        calls `leave`. Raises `TelemetryFailed` where a record is accepted nowhere.
        """
        if not self.flush():
            raise self._failed()
        assert isinstance(self._root, SdkSpan)
        context = self._root.get_span_context()
        return Carried(
            seq=self._chain.end.seq,
            prev=self._chain.end.prev,
            trace_id=trace.format_trace_id(context.trace_id),
            span_id=trace.format_span_id(context.span_id),
            started_ns=self._root.start_time or 0,
            counts=asdict(self.counts),
            stored=self._recorder.contents.stored,
        )

    def leave(self) -> None:
        """Leave the root span and the end of the chain to the next process. Nothing more is recorded here."""
        with self._shipping:
            self._closed = True
            self._turn_ended.set()

    def flush(self) -> bool:
        """Ship what has been finished, as the next records; says whether everything is accepted.

        Never raises: what was not accepted is kept, in its place in the chain, for the next time.
        """
        with self._shipping:
            if not self._closed:
                self._seal(last=False)
            self._ship()
            return not (self._outbox or self._objects)

    def close(self) -> Receipt:
        """End open spans as failed, ship the rest, and close the chain.

        End the run's own span before, or it counts as unfinished. Spans that end later are not recorded.
        After a failure it may be called again, and tries again. Raises TelemetryFailed if a record or an
        oversized text was accepted nowhere.
        """
        self._recorder.end_open_spans()
        with self._shipping:
            if not self._closed:
                self._seal(last=True)
                self._closed = True
                self._turn_ended.set()  # the thread sees that it is closed
            self._ship()
            if self._outbox or self._objects:
                raise self._failed()
            return Receipt(records=self._records, bytes=self._bytes, via=dict(self._via))

    def _failed(self) -> TelemetryFailed:
        return TelemetryFailed(
            f"{len(self._outbox)} records and {len(self._objects)} large texts of run {self.run_id} "
            "were accepted neither by Firehose nor by the bucket",
            "look at the function's log for the refusals, and at the role's rights on the delivery "
            "stream and the buckets",
        )

    def _ship_soon(self) -> None:
        if self._shipper is None:
            self._shipper = threading.Thread(target=self._ship_turns, name="telemetry", daemon=True)
            self._shipper.start()
        self._turn_ended.set()

    def _ship_turns(self) -> None:
        while not self._closed:
            self._turn_ended.wait()
            self._turn_ended.clear()
            if not self._closed:
                self.flush()

    def _seal(self, last: bool) -> None:
        drafts, objects = self._recorder.take(self._chain.overhead)
        self._objects |= objects
        if last and not drafts:
            drafts = [Draft()]
        for number, draft in enumerate(drafts, start=1):
            self._outbox.append(self._chain.seal(draft, last and number == len(drafts)))

    def _ship(self) -> None:
        """Large texts go first, so that a record never refers to what is not there."""
        for sha256, text in list(self._objects.items()):
            if not self._sink.put_content(self.run_id, sha256, text):
                break
            del self._objects[sha256]
        if not self._outbox:
            return
        accepted = self._sink.ship(self.run_id, self._outbox)
        for line in self._outbox:
            if way := accepted.get(line.seq):
                self._records += 1
                self._bytes += len(line.data)
                self._via[way] = self._via.get(way, 0) + 1
        self._outbox = [line for line in self._outbox if line.seq not in accepted]

"""Spans of one run as they start and end, and the provider that feeds them here."""

import threading
from collections.abc import Callable

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Status, StatusCode, format_trace_id
from typing_extensions import override

from toolkit.telemetry import names, otlp
from toolkit.telemetry.contents import INLINE_LIMIT, Content, Contents
from toolkit.telemetry.counts import Counts
from toolkit.telemetry.leaving import without_content
from toolkit.telemetry.record import Draft, EncodedSpan, Scope, pack


class Recorder(SpanProcessor):
    """Encodes each span as it ends, so that a span's texts are held once and not as often as they occur.

    `on_turn` is called after each answer of a model, in the thread in which its span ends.
    """

    def __init__(self, include_content: bool = True, on_turn: Callable[[], None] = lambda: None) -> None:
        self._include_content = include_content
        self._on_turn = on_turn
        self._lock = threading.Lock()
        self._open: dict[int, Span] = {}
        self._spans: list[EncodedSpan] = []
        self.contents = Contents()
        self.counts = Counts()
        self.trace_id = ""

    @override
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember the span as open."""
        context = span.get_span_context()
        if context is None:
            return
        with self._lock:
            self._open[context.span_id] = span
            self.trace_id = self.trace_id or format_trace_id(context.trace_id)

    @override
    def on_end(self, span: ReadableSpan) -> None:
        """Encode the span, and forget it."""
        context = span.get_span_context()
        with self._lock:
            if context is not None:
                self._open.pop(context.span_id, None)
            self.counts.add(span.attributes or {})
            self._spans.append(self._encode(span))
        if (span.attributes or {}).get(names.OPERATION) == names.OPERATION_CHAT:
            self._on_turn()

    def _encode(self, span: ReadableSpan) -> EncodedSpan:
        made_by = span.instrumentation_scope
        scope = Scope(made_by.name, made_by.version or "") if made_by else Scope("", "")
        shown = span if self._include_content else without_content(span)
        data = otlp.span_data(shown, self.contents.place)
        encoded = otlp.encode(data)
        if len(encoded) <= INLINE_LIMIT:
            return EncodedSpan(scope, encoded)
        # Thousands of short attributes, or one enormous name: the whole span becomes a content, and a
        # stub stands for it.
        whole = {"stringValue": self.contents.store(encoded.decode())}
        data |= {"name": data["name"][:128], "status": {"code": data["status"]["code"]}}
        data["attributes"] = [{"key": names.WHOLE_SPAN, "value": whole}]
        data.pop("events", None)
        data.pop("links", None)
        return EncodedSpan(scope, otlp.encode(data))

    def end_open_spans(self) -> None:
        """End what is still open, innermost first, as failed."""
        with self._lock:
            spans = list(self._open.values())
        for span in reversed(spans):
            span.set_status(Status(StatusCode.ERROR, names.UNFINISHED))
            span.end()

    def take(self, overhead: int) -> tuple[list[Draft], dict[str, bytes]]:
        """Hand over what has been finished: drafts of records, and texts that become objects."""
        with self._lock:
            units: list[Content | EncodedSpan] = [*self.contents.fresh, *self._spans]
            objects = dict(self.contents.objects)
            self._spans.clear()
            self.contents.fresh.clear()
            self.contents.objects.clear()
        return pack(units, overhead), objects


class GivenFirst(RandomIdGenerator):
    """The first trace and the first span have the given ids, which another process gave them; all others new
    ones."""

    def __init__(self, trace_id: int, span_id: int) -> None:
        self._given = [trace_id], [span_id]

    @override
    def generate_trace_id(self) -> int:
        """An id of 128 bits."""
        return self._given[0].pop() if self._given[0] else super().generate_trace_id()

    @override
    def generate_span_id(self) -> int:
        """An id of 64 bits."""
        return self._given[1].pop() if self._given[1] else super().generate_span_id()


def make_provider(
    resource: dict[str, str], recorder: SpanProcessor, ids: IdGenerator | None = None
) -> TracerProvider:
    """A provider that nothing in the environment can switch off, sample or shorten: it is the record."""
    unlimited = SpanLimits.UNSET
    limits = SpanLimits(
        max_attributes=unlimited,
        max_events=unlimited,
        max_links=unlimited,
        max_span_attributes=unlimited,
        max_event_attributes=unlimited,
        max_link_attributes=unlimited,
        max_attribute_length=unlimited,
        max_span_attribute_length=unlimited,
    )
    provider = TracerProvider(
        sampler=ALWAYS_ON,
        resource=Resource(resource),
        shutdown_on_exit=False,
        span_limits=limits,
        id_generator=ids,
    )
    provider._disabled = False  # OTEL_SDK_DISABLED has no other antidote
    provider.add_span_processor(recorder)
    return provider

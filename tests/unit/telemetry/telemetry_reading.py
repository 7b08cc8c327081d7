"""What a reader makes of shipped lines: spans with every text put back, by the definition of `restore`."""

import json
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from pydantic_ai import Agent, UsageLimits
from pydantic_ai.capabilities import Instrumentation
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.instrumented import InstrumentationSettings

from toolkit.telemetry import names
from toolkit.telemetry.restore import Texts
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.testing import MemorySink

RUN = "run-0001-abc"


class Originals(SpanProcessor):
    """Keeps the spans as the libraries made them."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None: ...

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def run_agent(
    answer: Callable[[list[ModelMessage], AgentInfo], ModelResponse],
    tool: Callable[..., str],
    *,
    include_content: bool = True,
    prompt: str = "do it",
    **options: Any,
) -> tuple[MemorySink, list[ReadableSpan]]:
    """An agent's whole run, flushed after each tool call; what was shipped, and what the spans were."""
    sink, originals = MemorySink(), Originals()
    telemetry = RunTelemetry(RUN, "dev", sink, include_content=include_content)
    telemetry.provider.add_span_processor(originals)
    settings = InstrumentationSettings(
        tracer_provider=telemetry.provider, version=5, include_content=include_content
    )
    agent = Agent(
        FunctionModel(answer), instructions="be kind", capabilities=[Instrumentation(settings)], **options
    )

    @agent.tool_plain(name="look" if tool.__name__ == "<lambda>" else tool.__name__)
    @wraps(tool)
    def flushing(*args: Any, **kwargs: Any) -> str:
        telemetry.flush()
        return tool(*args, **kwargs)

    with telemetry.run_span():
        agent.run_sync(prompt, usage_limits=UsageLimits(request_limit=None))
    telemetry.close()
    return sink, originals.spans


def contents(sink: MemorySink) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for line in sink.lines[RUN]:
        found |= {sha: json.dumps(value).encode() for sha, value in json.loads(line.body)["contents"].items()}
    return found


def raw_spans(sink: MemorySink) -> list[dict[str, Any]]:
    return [
        span
        for line in sink.lines[RUN]
        for resource in json.loads(line.body)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def texts_of(sink: MemorySink) -> Texts:
    return Texts(contents(sink).get, sink.contents.get)


def restored(sink: MemorySink) -> dict[str, dict[str, Any]]:
    """Span id → its attributes with every text put back."""
    texts = texts_of(sink)
    found = {}
    for span in raw_spans(sink):
        attributes = plain(span["attributes"])
        if names.WHOLE_SPAN in attributes:
            attributes = plain(json.loads(texts.resolve(attributes[names.WHOLE_SPAN]))["attributes"])
        found[span["spanId"]] = {key: texts.resolve(value) for key, value in attributes.items()}
    return found


def plain(attributes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {item["key"]: _value(item["value"]) for item in attributes}


def _value(value: dict[str, Any]) -> Any:
    ((kind, held),) = value.items()
    if kind == "intValue":
        return int(held)
    return tuple(map(_value, held["values"])) if kind == "arrayValue" else held

"""What of a span may leave the process: never a secret; what models and tools said where that is wanted.

Without content a text passes only under a key that is known to hold none: an allow-list, because whoever adds
an attribute tomorrow does not know of this. Numbers pass. Findings and texts of errors repeat what a model
wrote or was told, so they do not; the run's own record and result, which stay in the account, have the words.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Status

from toolkit.telemetry import attempts, names
from toolkit.telemetry.otlp import clean
from toolkit.telemetry.redact import redact

Attributes = Mapping[str, Any]

NO_CONTENT = frozenset(
    {
        names.CHECK_STATUS,
        names.CHECKER_FUNCTION,
        names.RUN_ID,
        names.STACK,
        names.STATUS,
        names.VALIDATOR,
        attempts.TREE,
        attempts.VALIDATORS,
        "agent_name",
        "error.type",
        "exception.type",
        "gen_ai.agent.call.id",
        "gen_ai.agent.name",
        "gen_ai.conversation.id",
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.system",
        "gen_ai.tool.call.id",
        "gen_ai.tool.name",
        "gen_ai.tool.type",
        "model_name",
        "pydantic_ai.output.retry.cause",
        "pydantic_ai.tool.retry.cause",
        "server.address",
    }
)
"""Attributes that hold names and ids."""


def without_content(span: ReadableSpan) -> ReadableSpan:
    """The span with its names, numbers and times, and nothing of what was said in it."""
    status = span.status
    if status.description != names.UNFINISHED:
        status = Status(status.status_code)
    events = [Event(e.name, _structure(e.attributes), e.timestamp) for e in span.events]
    return _copy(span, span.name, _structure(span.attributes), events, status)


def redacted(span: ReadableSpan) -> ReadableSpan:
    """The span without the secrets that it is seen to hold."""
    status = Status(span.status.status_code, _safe(span.status.description))
    events = [Event(_safe(e.name), _safe(dict(e.attributes or {})), e.timestamp) for e in span.events]
    return _copy(span, _safe(span.name), _safe(dict(span.attributes or {})), events, status)


def _structure(attributes: Attributes | None) -> dict[str, Any]:
    return {key: value for key, value in (attributes or {}).items() if _passes(key, value)}


def _passes(key: str, value: object) -> bool:
    if isinstance(value, bool | int | float):
        return True
    return key in NO_CONTENT


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return redact(clean(value))
    if isinstance(value, Mapping):
        return {key: _safe(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_safe(item) for item in value]
    return value


def _copy(
    span: ReadableSpan, name: str, attributes: Attributes, events: Sequence[Event], status: Status
) -> ReadableSpan:
    return ReadableSpan(
        name=name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        events=events,
        links=span.links,
        kind=span.kind,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )

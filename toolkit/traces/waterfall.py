"""The spans of a run as the rows of a waterfall: a tree flattened in the order in which things happened."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from toolkit.telemetry import names
from toolkit.traces.query import Span
from toolkit.traces.records import money, number, text

_ERROR = 2

# pydantic-ai's, instrumentation version 5.
_CHAT_COST = "operation.cost"
_ARGUMENTS = "gen_ai.tool.call.arguments"
_RESULT = "gen_ai.tool.call.result"


class Row(NamedTuple):
    """One span. `offset_s` counts from the first span's start; `status` is `ok` or `error`.

    Tokens are those of a model call, or of the whole run on its root, and 0 elsewhere. `note` is one
    thing worth knowing: the error, or what a check said. `cost_usd` is None where nobody knows it;
    `arguments` and `result` are those of a tool call, as the model gave and got them.
    """

    depth: int
    name: str
    offset_s: float
    seconds: float
    status: str
    input_tokens: int
    output_tokens: int
    note: str
    span_id: str = ""
    cost_usd: float | None = None
    arguments: str = ""
    result: str = ""


def waterfall(spans: Sequence[Span]) -> list[Row]:
    """The rows of a run; a span whose parent is not there (yet) stands at the top."""
    if not spans:
        return []
    ordered = sorted(spans, key=lambda span: (span.start_ns, -span.end_ns, span.span_id))
    known = {span.span_id for span in ordered}
    children: dict[str, list[Span]] = {}
    for span in ordered:
        parent = span.parent_id if span.parent_id in known else ""
        children.setdefault(parent, []).append(span)
    start = ordered[0].start_ns
    rows: list[Row] = []
    shown: set[str] = set()
    # Spans that are each other's parents hang under no root: a forged record must not hide them.
    for root in [*children.get("", []), *ordered]:
        _descend(root, children, start, rows, shown)
    return rows


def _descend(
    root: Span, children: Mapping[str, Sequence[Span]], start: int, rows: list[Row], shown: set[str]
) -> None:
    """Add the span and all below it, without recursion: depth is whatever the records say."""
    stack = [(root, 0)]
    while stack:
        span, depth = stack.pop()
        if span.span_id in shown:
            continue
        shown.add(span.span_id)
        rows.append(_row(span, depth, start))
        stack += [(child, depth + 1) for child in reversed(children.get(span.span_id, []))]


def _row(span: Span, depth: int, start: int) -> Row:
    found = span.attributes
    return Row(
        depth=depth,
        name=span.name,
        offset_s=(span.start_ns - start) / 1e9,
        seconds=max(span.end_ns - span.start_ns, 0) / 1e9,
        status="error" if span.status == _ERROR or _ended_badly(found) else "ok",
        input_tokens=number(found.get(names.INPUT_TOKENS)),
        output_tokens=number(found.get(names.OUTPUT_TOKENS)),
        note=_note(span),
        span_id=span.span_id,
        cost_usd=money(found.get(names.COST_USD, found.get(_CHAT_COST))),
        arguments=text(found.get(_ARGUMENTS)),
        result=text(found.get(_RESULT)),
    )


def _ended_badly(found: Mapping[str, object]) -> bool:
    return text(found.get(names.STATUS)) in ("error", "not_converged", "budget_exceeded")


def _note(span: Span) -> str:
    found = span.attributes
    if problem := span.message or text(found.get(names.ERROR)):
        return problem
    status = text(found.get(names.CHECK_STATUS)) or text(found.get(names.STATUS))
    findings = number(found.get(names.FINDINGS))
    return f"{status} ({findings})" if findings else status

"""A run as the page shows it: plain data in which every text is stored once and meant by its number."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from toolkit.contracts import RunResult
from toolkit.telemetry import names
from toolkit.traces.page.diffs import split
from toolkit.traces.page.messages import Messages, Texts, arguments, common, ranges
from toolkit.traces.query import Span
from toolkit.traces.reader import RunTrace
from toolkit.traces.waterfall import Row, waterfall

# What pydantic-ai's instrumentation (version 5) calls the messages and the rest that the page shows apart.
_INPUT = "gen_ai.input.messages"
_OUTPUT = "gen_ai.output.messages"
_ALL = "pydantic_ai.all_messages"
_SYSTEM = "gen_ai.system_instructions"
_ARGUMENTS = "gen_ai.tool.call.arguments"
_RESULT = "gen_ai.tool.call.result"
_AGENT_NAME = "gen_ai.agent.name"
_CALL_COST = "operation.cost"
_OPERATION_AGENT = "invoke_agent"

_PROMPT_SHOWN = 300

_CHECKS = (names.FINDINGS, names.CHECK_STATUS, "tfkit.validator")

_KINDS = {names.OPERATION_CHAT: "model", names.OPERATION_TOOL: "tool", _OPERATION_AGENT: "agent"}


class RunDetails(NamedTuple):
    """A run with its texts. `result` and `files` (path → content) are what the runs bucket has of it."""

    trace: RunTrace
    result: RunResult | None = None
    files: Mapping[str, bytes] = {}


def run_document(details: RunDetails) -> dict[str, Any]:
    """Everything the page shows of one run; `prompt` is the beginning of what was asked."""
    spans = _Spans(details.trace.spans)
    result = details.result
    texts = spans.texts
    return {
        "run_id": details.trace.summary.run_id,
        "complete": details.trace.complete,
        "pending": details.trace.pending,
        "prompt": (result.prompt if result else spans.prompt())[:_PROMPT_SHOWN],
        "spans": spans.rows,
        "conversation": spans.conversation(),
        "messages": spans.messages.all,
        "result": _result(result, texts) if result else None,
        "files": [
            {"path": path, "bytes": len(content), "text": texts.number(content.decode(errors="replace"))}
            for path, content in sorted(details.files.items())
        ],
        "texts": texts.all,
    }


def _result(result: RunResult, texts: Texts) -> dict[str, Any]:
    """The stored outcome, with each attempt's diff by file."""
    found = msgspec.to_builtins(result)
    for attempt in found["attempts"]:
        attempt["diff"] = [
            {**file._asdict(), "text": texts.number(file.text)} for file in split(attempt["diff"])
        ]
    shown = ("attempts", "checks", "skipped", "not_proven", "sandbox", "error")
    return {key: found[key] for key in shown} | {key: texts.of(found[key]) for key in ("prompt", "output")}


class _Spans:
    """The spans of a run as rows, and the conversation that their messages make."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.texts = Texts()
        self.messages = Messages(self.texts)
        known = {span.span_id: span for span in spans}
        rows = waterfall(spans)
        self.rows = [self._row(row, known[row.span_id]) for row in rows]
        told = [(self._moment(known[row.span_id]), number) for number, row in enumerate(rows)]
        self._calls = [(number, known[rows[number].span_id]) for at, number in sorted(told) if at >= 0]

    @staticmethod
    def _moment(span: Span) -> int:
        """When the span's messages are told: a call's as it starts, an agent's as it ends; -1 is never."""
        operation = span.attributes.get(names.OPERATION)
        if operation == names.OPERATION_CHAT:
            return span.start_ns
        return span.end_ns if operation == _OPERATION_AGENT else -1

    def _row(self, row: Row, span: Span) -> dict[str, Any]:
        found = dict(span.attributes)
        shown: dict[str, Any] = {
            "name": row.name,
            "kind": _kind(span),
            "depth": row.depth,
            "at": row.offset_s,
            "took": row.seconds,
            "failed": row.status == "error",
            "input": row.input_tokens,
            "output": row.output_tokens,
            "cost": _cost(found),
            "note": self.texts.number(row.note),
        }
        self._take_messages(found, shown)
        if _ARGUMENTS in found:
            shown["args"] = arguments(found.pop(_ARGUMENTS), self.texts)
        if _RESULT in found:
            shown["result"] = self.texts.of(found.pop(_RESULT))
        return {**shown, "attributes": [(key, self.texts.of(value)) for key, value in found.items()]}

    def _take_messages(self, found: dict[str, Any], shown: dict[str, Any]) -> None:
        """Move the messages from the attributes into the row; what cannot be read stays an attribute."""
        system = self.messages.numbers(found.get(_SYSTEM), "system")
        if system is not None:
            del found[_SYSTEM]
        for key, place in ((_INPUT, "history"), (_ALL, "history"), (_OUTPUT, "reply")):
            numbers = self.messages.numbers(found.get(key))
            if numbers is not None:
                del found[key]
                shown[place] = ranges([*(system or []), *numbers] if place == "history" else numbers)

    def conversation(self) -> list[dict[str, Any]]:
        """The messages in the order in which they came, each with the call that made it (a row's number).

        A call's history goes on from the one before. Where it does not (it was shortened, or rewritten),
        an entry `rewritten` says so, and only what was not shown before follows.
        """
        told: list[dict[str, Any]] = []
        heard: dict[str, list[int]] = {}
        shown: set[int] = set()
        for number, span in self._calls:
            row = self.rows[number]
            agent = str(span.attributes.get(_AGENT_NAME))
            before = heard.get(agent, [])
            history = _expand(row.get("history", []))
            same = common(before, history)
            is_call = row["kind"] == "model"
            if is_call and before and same < min(len(before), len(history)):
                told.append({"rewritten": len(before) - same, "call": number})
            fresh = [m for m in history[same:] if same == len(before) or m not in shown]
            reply = _expand(row.get("reply", []))
            told += [{"message": message} for message in fresh]
            told += [{"message": message, "call": number} for message in reply]
            shown.update(fresh, reply)
            if is_call:
                heard[agent] = history + reply
        return told

    def prompt(self) -> str:
        """The first text of a user, if contents were recorded."""
        asked = (m for m in self.messages.all if m["role"] == "user")
        parts = (part for message in asked for part in message["parts"] if part["kind"] == "text")
        first = next(parts, None)
        return self.texts.all[first["text"]] if first else ""


def _expand(found: Sequence[Sequence[int]]) -> list[int]:
    return [first + step for first, count in found for step in range(count)]


def _kind(span: Span) -> str:
    """What the bar's colour tells: model, tool, agent, check, or step for anything else."""
    operation = span.attributes.get(names.OPERATION)
    if isinstance(operation, str) and operation in _KINDS:
        return _KINDS[operation]
    return "check" if any(key in span.attributes for key in _CHECKS) else "step"


def _cost(found: Mapping[str, Any]) -> float | None:
    cost = found.get(_CALL_COST, found.get(names.COST_USD))
    return float(cost) if isinstance(cost, (int, float)) and abs(cost) < 1e9 else None

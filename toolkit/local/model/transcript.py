"""Reads the message history of a request: the prompt that counts, and what was done and answered since.

The last user message that is no message of the gate is the prompt. Results are matched to calls by their ids,
because the emulator may put a user's text before the results that came with it.
"""

from typing import NamedTuple

import msgspec

from toolkit.local.model.completion import Json

GATE = "The gate did not pass."


class Call(NamedTuple):
    """A tool call with its result; the result is None where none came."""

    tool: str
    arguments: dict[str, str]
    result: str | None


class Transcript(NamedTuple):
    """The prompt, the calls since, and the gate's messages, each with the number of calls before it.

    `earlier` are the prompts of the turns before, the oldest first.
    """

    prompt: str
    calls: tuple[Call, ...]
    gates: tuple[tuple[int, str], ...]
    turns: int
    tools: frozenset[str]
    length: int
    earlier: tuple[str, ...] = ()

    def last(self, *tools: str) -> Call | None:
        """The latest call of one of these tools."""
        return next((call for call in reversed(self.calls) if call.tool in tools), None)


def read_transcript(request: dict[str, Json]) -> Transcript:
    """The transcript of a chat-completions request. Parts that are not understood are passed over."""
    raw = request.get("messages")
    messages = [m for m in raw if isinstance(m, dict)] if isinstance(raw, list) else []
    results = {
        str(m.get("tool_call_id")): text_of(m.get("content")) for m in messages if m.get("role") == "tool"
    }
    starts = [i for i, m in enumerate(messages) if _is_prompt(m)]
    start = starts[-1] if starts else 0
    calls: list[Call] = []
    gates: list[tuple[int, str]] = []
    turns = 0
    for message in messages[start + 1 :]:
        if message.get("role") == "assistant":
            turns += 1
            calls += _calls(message.get("tool_calls"), results)
        elif message.get("role") == "user":
            gates.append((len(calls), text_of(message.get("content"))))
    prompt = text_of(messages[start].get("content")) if starts else ""
    earlier = tuple(text_of(messages[i].get("content")) for i in starts[:-1])
    tools = _tools(request.get("tools"))
    return Transcript(prompt, tuple(calls), tuple(gates), turns, tools, len(messages), earlier)


def text_of(content: Json) -> str:
    """The text of a message, given as a string or as a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))


def _is_prompt(message: dict[str, Json]) -> bool:
    """Whether this is what a user asks for, and no word of the gate."""
    return message.get("role") == "user" and not text_of(message.get("content")).lstrip().startswith(GATE)


def _calls(raw: Json, results: dict[str, str]) -> list[Call]:
    """The tool calls of one message of ours."""
    calls: list[Call] = []
    for call in raw if isinstance(raw, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(call, dict) or not isinstance(function, dict):
            continue
        calls.append(
            Call(
                str(function.get("name")),
                _arguments(function.get("arguments")),
                results.get(str(call.get("id"))),
            )
        )
    return calls


def _arguments(raw: Json) -> dict[str, str]:
    """The arguments that are texts."""
    try:
        value = msgspec.json.decode(raw) if isinstance(raw, str) else raw
    except msgspec.DecodeError:
        return {}
    return {k: v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}


def _tools(raw: Json) -> frozenset[str]:
    """The names of the tools on offer."""
    functions = (
        [tool.get("function") for tool in raw if isinstance(tool, dict)] if isinstance(raw, list) else []
    )
    return frozenset(str(function.get("name")) for function in functions if isinstance(function, dict))

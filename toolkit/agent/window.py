"""What of a conversation's earlier turns is shown to the model again: as much as fits, in whole pieces.

    turns ─▶ lean: no instructions, thoughts and images ─▶ old file contents shortened ─▶ a turn to its prompt
          and its answer ─▶ the oldest turns dropped          (each from the oldest on, only until it fits)

A turn is kept whole or comes down to its prompt and its answer, so nothing is ever cut between a tool call
and its result, and each turn begins with what the user said.

pydantic-ai's history processors do this before every request, to the run's own messages too; here it is done
once, before the run begins, because what a run reads itself must stay, and so that a prompt cache holds.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from pydantic_ai import ModelMessage
from pydantic_ai.messages import (
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    RetryFeedbackPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.usage import RequestUsage

from toolkit.agent.farewell import END

PART_OF_CONTEXT = 8
"""One part in so many of what a model takes in is for earlier turns: each request of a run repeats them."""

LONG_TEXT = 400
HEAD_OF_TEXT = 200
"""A longer text of a tool is shortened to its head, in characters."""

LEFT_OUT = "[left out: {}]"

Turn = list[ModelMessage]


class Window(NamedTuple):
    """The messages to show: about how many `tokens`, how many turns are `kept`, and `shortened` of these."""

    messages: list[ModelMessage]
    tokens: int = 0
    kept: int = 0
    shortened: int = 0


def window(turns: Sequence[Turn], budget: int) -> Window:
    """What of the turns (the oldest first) fits into so many tokens.

    The newest turn is always kept, at the least as the beginnings of its prompt and its answer.
    """
    whole = [turn for turn in map(lean, turns) if turn]
    kept = list(whole)
    for smaller in (shortened, gist):
        for index in range(len(kept)):
            if sum(map(tokens, kept)) <= budget:
                break
            kept[index] = smaller(kept[index])
    while len(kept) > 1 and sum(map(tokens, kept)) > budget:
        kept.pop(0)
    if kept and tokens(kept[0]) > budget:
        kept = [_cut(kept[0], budget)]
    changed = sum(turn is not before for turn, before in zip(reversed(kept), reversed(whole), strict=False))
    messages = [message for turn in kept for message in turn]
    return Window(messages, sum(map(tokens, kept)), len(kept), changed)


def tokens(turn: Turn) -> int:
    """About how many tokens a turn is: a quarter of its characters, and a few for each part."""
    return sum(4 + len(_text(part)) // 4 for message in turn for part in message.parts)


def lean(turn: Turn) -> Turn:
    """The turn as it is remembered: what was said on both sides, the tool calls and their results.

    Without the instructions (each run has its own), the model's thoughts, images and other files, and
    without what it cost: that was for all that was read then, not for what is shown now. One whose
    calls and results do not belong together comes down to its prompt and answer; one in which nobody asked
    anything is empty.
    """
    slim = [message for message in map(_lean, turn) if message.parts]
    if not slim or not any(isinstance(part, UserPromptPart) for part in slim[0].parts):
        return gist(slim)
    return slim if is_whole(slim) else gist(slim)


def is_whole(turn: Turn) -> bool:
    """Whether every tool call is answered right after the message that it is in, and nothing else is."""
    called: set[str] = set()
    for message in turn:
        if isinstance(message, ModelResponse):
            if called:
                return False
            called = {part.tool_call_id for part in message.parts if isinstance(part, ToolCallPart)}
        else:
            answered = {part.tool_call_id for part in message.parts if isinstance(part, ToolReturnPart)}
            if answered != called:
                return False
            called = set()
    return not called


def shortened(turn: Turn) -> Turn:
    """The turn with the heads of the long texts that went into tools and came out of them: files, mostly."""
    return [_shortened(message) for message in turn]


def gist(turn: Turn) -> Turn:
    """What the user asked for and what was answered last; empty where nobody asked."""
    asked = [p for m in turn if isinstance(m, ModelRequest) for p in m.parts if isinstance(p, UserPromptPart)]
    if not asked:
        return []
    answers = [message for message in turn if isinstance(message, ModelResponse)]
    said = [part.content for message in answers for part in message.parts if isinstance(part, TextPart)]
    return exchange(_text(asked[0]), said[-1] if said else LEFT_OUT.format("the answer"))


def exchange(asked: str, said: str) -> Turn:
    """A turn of a prompt and an answer."""
    return [ModelRequest(parts=[UserPromptPart(asked)]), ModelResponse(parts=[TextPart(said)])]


def _cut(turn: Turn, budget: int) -> Turn:
    """One exchange within the budget: of both texts the head."""
    characters = max(2 * (budget - 32), 40)
    return exchange(*(_head(_text(message.parts[0]), characters, characters) for message in turn))


def _lean(message: ModelMessage) -> ModelMessage:
    if isinstance(message, ModelResponse):
        said = [part for each in message.parts for part in _said(each)]
        return replace(message, parts=said, usage=RequestUsage())
    parts = [part for each in message.parts for part in _asked(each)]
    return ModelRequest(parts=parts, timestamp=message.timestamp, conversation_id=message.conversation_id)


def _said(part: ModelResponsePart) -> list[ModelResponsePart]:
    """A farewell becomes a text: the tool for it is not there in every run."""
    if isinstance(part, ToolCallPart):
        return [TextPart(_farewell(part))] if part.tool_name == END else [part]
    return [TextPart(part.content)] if isinstance(part, TextPart) and part.content.strip() else []


def _asked(part: ModelRequestPart) -> list[ModelRequestPart]:
    if isinstance(part, UserPromptPart):
        return [replace(part, content=_text(part))]
    if isinstance(part, ToolReturnPart):
        return [] if part.tool_name == END else [_result(part, _text(part))]
    return [UserPromptPart(_text(part))] if isinstance(part, RetryFeedbackPart) else []


def _farewell(call: ToolCallPart) -> str:
    said = call.args_as_dict(raise_if_invalid=False).get("farewell")
    return said if isinstance(said, str) and said.strip() else LEFT_OUT.format("the answer")


def _shortened(message: ModelMessage) -> ModelMessage:
    if isinstance(message, ModelResponse):
        calls = [_short_call(part) if isinstance(part, ToolCallPart) else part for part in message.parts]
        return replace(message, parts=calls)
    results = [
        _result(part, _head(_text(part))) if isinstance(part, ToolReturnPart) else part
        for part in message.parts
    ]
    return replace(message, parts=results)


def _result(part: ToolReturnPart, text: str) -> ToolReturnPart:
    return ToolReturnPart(
        part.tool_name, text, tool_call_id=part.tool_call_id, timestamp=part.timestamp, outcome=part.outcome
    )


def _short_call(call: ToolCallPart) -> ToolCallPart:
    arguments = call.args_as_dict(raise_if_invalid=False)
    heads = {name: _head(value) if isinstance(value, str) else value for name, value in arguments.items()}
    return replace(call, args=heads)


def _head(text: str, longest: int = LONG_TEXT, head: int = HEAD_OF_TEXT) -> str:
    if len(text) <= longest:
        return text
    return f"{text[:head]} {LEFT_OUT.format(f'{len(text) - head:,} characters')}"


def _text(part: object) -> str:
    """What a part says, as a text; what is no text is named."""
    if isinstance(part, ToolCallPart):
        return part.args_as_json_str()
    if isinstance(part, ToolReturnPart):
        return part.model_response_str(wrap_if_error=False)
    content = getattr(part, "content", "")
    if isinstance(content, str):
        return content
    if not isinstance(part, UserPromptPart):
        return str(content)
    named = [
        each if isinstance(each, str) else LEFT_OUT.format(getattr(each, "media_type", "a part"))
        for each in content
    ]
    return "\n".join(named)

"""The OpenAI chat-completion shape: building one, and estimating what it would cost in tokens."""

import uuid
from typing import TypeAlias

import msgspec

from toolkit.contracts import MODEL_ERROR_PREFIX

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


def completion(
    model: str, text: str | None, tool_calls: list[Json], prompt_tokens: int, completion_tokens: int
) -> dict[str, Json]:
    """A chat completion with one choice; it finishes for tool calls where there are any."""
    message: dict[str, Json] = {"role": "assistant", "content": text}
    if tool_calls:
        message["tool_calls"] = tool_calls
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {"index": 0, "message": message, "finish_reason": "tool_calls" if tool_calls else "stop"},
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def model_error(model: str, sentence: str) -> dict[str, Json]:
    """A completion that carries a failure in place of an answer; nothing was consumed."""
    return completion(model, MODEL_ERROR_PREFIX + sentence, [], 0, 0)


def estimate(value: Json) -> int:
    """About how many tokens a value is: a quarter of its characters as text or compact JSON."""
    if not value:
        return 0
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return -(-len(text) // 4)

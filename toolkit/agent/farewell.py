"""How a model ends a conversation: an output tool beside plain text, which goes on as before."""

from collections.abc import Sequence

from pydantic_ai import ModelMessage, ToolOutput
from pydantic_ai.messages import ModelResponse, ToolCallPart

END = "end_conversation"

_WHEN = (
    "End the conversation, where the user says goodbye or that nothing more is wanted. Never because a task "
    "is done: the user may want another."
)


def end_conversation(farewell: str) -> str:
    """Args:
    farewell: The last words to the user: one or two sentences, no questions.
    """
    return farewell


ENDING: ToolOutput[str] = ToolOutput(end_conversation, name=END, description=_WHEN)
"""The output type that ends it; the run's answer is then the farewell."""


def said_farewell(messages: Sequence[ModelMessage]) -> bool:
    """Whether the model's last answer ended the conversation."""
    last = next((message for message in reversed(messages) if isinstance(message, ModelResponse)), None)
    return last is not None and any(
        isinstance(part, ToolCallPart) and part.tool_name == END for part in last.parts
    )

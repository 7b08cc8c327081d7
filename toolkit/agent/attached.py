"""The prompt with what is attached to it, as the model gets it."""

from pydantic_ai import BinaryContent, UserContent

from toolkit.agent.gate import Prompt
from toolkit.attachments import kind_of, media_type, problem
from toolkit.contracts import ModelEntry, Tree
from toolkit.errors import UsageError


def with_attached(prompt: str, attached: Tree, entry: ModelEntry) -> Prompt:
    """The prompt, then each image and each text under its name.

    Raises `UsageError` for what the model does not take: left out in silence, nobody would know why the
    answer ignores it.
    """
    if not attached.files:
        return prompt
    parts: list[UserContent] = [prompt]
    for name, content in sorted(attached.files.items()):
        if why := problem(content, entry.takes):
            raise UsageError(f"{name} {why}", "leave it out, or choose another model: tfkit models")
        if kind_of(content) == "text":
            parts.append(f"Attached text {name}:\n{content.decode('utf-8')}")
        else:
            parts += [f"Attached image {name}:", BinaryContent(content, media_type=media_type(content))]
    return parts

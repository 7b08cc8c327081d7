"""The offline composer's door: a chat-completions request in, a completion out, and nothing remembered."""

import msgspec

from toolkit.local.model.closing import NAME
from toolkit.local.model.completion import Json, completion, estimate
from toolkit.local.model.transcript import read_transcript
from toolkit.local.model.turns import next_step


def complete(request: dict[str, Json]) -> dict[str, Json]:
    """The next answer for the whole message history in `request`; usage is estimated from its characters."""
    transcript = read_transcript(request)
    step = next_step(transcript)
    calls: list[Json] = [
        {
            "id": f"call_{transcript.length}_{number}",
            "type": "function",
            "function": {"name": tool, "arguments": msgspec.json.encode(arguments).decode()},
        }
        for number, (tool, arguments) in enumerate(step.calls)
    ]
    prompt_tokens = estimate(request.get("messages")) + estimate(request.get("tools"))
    return completion(NAME, step.text or None, calls, prompt_tokens, estimate(step.text) + estimate(calls))

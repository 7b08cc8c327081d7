"""The messages of model calls, each stored once however often the calls repeat it.

Every call carries the whole history, so that the messages of a run's calls grow with the square of their
number. They are told apart as bytes, without being decoded, and only a new one is looked into.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from toolkit.telemetry.restore import UNREADABLE

_list_of_raw = msgspec.json.Decoder(list[msgspec.Raw])

Part = dict[str, Any]


class Texts:
    """Texts by number, each kept once."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The text's place in `all`."""
        found = self._numbers.setdefault(text, len(self.all))
        if found == len(self.all):
            self.all.append(text)
        return found

    def of(self, value: object) -> int:
        """The number of any value's text: a text as it is, anything else as JSON."""
        return self.number(value if isinstance(value, str) else readable(value))


def readable(value: object) -> str:
    """Any plain value as JSON for a reader, indented where it has parts."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return "[nested too deeply to be shown]"


class Messages:
    """The messages of a run by number: `{"role", "parts": [{"kind", …}]}`, texts by number in `texts`."""

    def __init__(self, texts: Texts) -> None:
        self.all: list[dict[str, Any]] = []
        self._texts = texts
        self._numbers: dict[bytes, int] = {}

    def numbers(self, document: object, role: str = "") -> list[int] | None:
        """The messages of an attribute, which is JSON; None where it is no list of them.

        With a `role` the attribute is the list of the parts of one message.
        """
        if not isinstance(document, str):
            return None
        try:
            if role:
                return [self._number(document.encode(), role)] if _list_of_raw.decode(document) else []
            return [self._number(bytes(raw)) for raw in _list_of_raw.decode(document)]
        except UNREADABLE:
            return None

    def _number(self, raw: bytes, role: str = "") -> int:
        found = self._numbers.get(raw)
        if found is None:
            found = self._numbers[raw] = len(self.all)
            self.all.append(self._message(raw, role))
        return found

    def _message(self, raw: bytes, role: str) -> dict[str, Any]:
        try:
            value = msgspec.json.decode(raw)
        except UNREADABLE:
            value = raw.decode(errors="replace")
        parts = value.get("parts") if isinstance(value, dict) else value
        if isinstance(value, dict):
            role = str(value.get("role", ""))
        if not isinstance(parts, list):
            parts = [value]
        message: dict[str, Any] = {"role": role, "parts": [self._part(part) for part in parts]}
        reason = value.get("finish_reason") if isinstance(value, dict) else None
        return {**message, "reason": reason} if isinstance(reason, str) else message

    def _part(self, part: object) -> Part:
        """A part as the page shows it; the kinds are those of the GenAI semantic conventions."""
        found = part if isinstance(part, dict) else {}
        kind = found.get("type")
        if kind in ("text", "reasoning", "thinking") and isinstance(found.get("content"), str):
            return {
                "kind": "text" if kind == "text" else "thinking",
                "text": self._texts.of(found["content"]),
            }
        if kind == "tool_call":
            return self._tool("call", found) | {"args": arguments(found.get("arguments"), self._texts)}
        if kind == "tool_call_response":
            return self._tool("result", found) | {"text": self._texts.of(found.get("result", ""))}
        return {"kind": "other", "text": self._texts.of(part)}

    def _tool(self, kind: str, part: dict[str, Any]) -> Part:
        return {"kind": kind, "name": str(part.get("name", "")), "id": str(part.get("id", ""))}


def arguments(value: object, texts: Texts) -> list[tuple[str, int]]:
    """A tool's arguments by name, with the numbers of their texts: code keeps its own lines."""
    if isinstance(value, str):
        with suppress(*UNREADABLE):
            value = msgspec.json.decode(value)
    if isinstance(value, dict):
        return [(str(key), texts.of(item)) for key, item in value.items()]
    return [] if value is None else [("", texts.of(value))]


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers as `[first, how many]`: a history is the one before and a little more, so this is short."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][0] + found[-1][1]:
            found[-1][1] += 1
        else:
            found.append([number, 1])
    return found


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many numbers the two have in common at their beginnings."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))

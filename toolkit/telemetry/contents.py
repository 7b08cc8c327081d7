"""Long texts leave the spans: each is stored once a run, under its SHA-256, and referred to from then on.

A model call repeats the whole conversation, so a run would otherwise ship each text many times. What
stands in an attribute instead is a JSON string: `{"ref":"<sha256>"}` for a text in the run's records,
`{"object":"<sha256>"}` for one too large for a record, which is an object of its own (`keys.content`).
A short text that looks like such a reference is moved out too, so that nobody can forge one.
"""

import hashlib
from typing import Literal, NamedTuple

import msgspec

THRESHOLD = 512
"""Texts of more characters than this are moved out."""

INLINE_LIMIT = 768 * 1024
"""Bytes of JSON that a text or a span may have to travel inside a record."""

_FORGED = ('{"ref"', '{"object"')


class Content(NamedTuple):
    """A text that travels in a record. `encoded` is its JSON string."""

    sha256: str
    encoded: bytes


class Contents:
    """The texts of one run: which are stored already, and which still have to go.

    `fresh` and `objects` are emptied by who ships them. Not thread-safe; the recorder holds a lock.
    """

    def __init__(self) -> None:
        self._stored: dict[str, Literal["ref", "object"]] = {}
        self.fresh: list[Content] = []
        self.objects: dict[str, bytes] = {}

    def place(self, key: str, text: str) -> str:  # noqa: ARG002 - by key, messages will be told apart
        """What stands in the attribute `key` for this text: itself, or a reference."""
        if len(text) <= THRESHOLD and not text.startswith(_FORGED):
            return text
        return self.store(text)

    def store(self, text: str) -> str:
        """Keep the text to be shipped, unless the run has it already; returns the reference."""
        raw = text.encode()
        sha256 = hashlib.sha256(raw).hexdigest()
        kind = self._stored.get(sha256)
        if kind is None:
            kind = self._keep(sha256, raw, text)
            self._stored[sha256] = kind
        return f'{{"{kind}":"{sha256}"}}'

    def _keep(self, sha256: str, raw: bytes, text: str) -> Literal["ref", "object"]:
        encoded = msgspec.json.encode(text)
        if len(encoded) > INLINE_LIMIT:
            self.objects[sha256] = raw
            return "object"
        self.fresh.append(Content(sha256, encoded))
        return "ref"

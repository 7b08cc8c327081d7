"""Long texts leave the spans: each is stored once a run, under its SHA-256, and referred to from then on.

A model call repeats the whole conversation, so a run would otherwise ship each text as often as it has
turns. What stands in an attribute instead is a JSON string: `{"ref":"<sha256>"}` for a text in the run's
records, `{"object":"<sha256>"}` for one too large for a record, which is an object of its own
(`keys.content`). A short text that looks like such a reference is moved out too, so that nobody forges one.

In a record's `contents` a hash has one of two values; the hash is always that of the whole text (UTF-8):

    "the text"                     the text itself
    {"parts":["[{\\"role\\":…",      it is put together from these: a string stands for itself,
      {"ref":H,"as":"json"},       the text H as a JSON string, quotes included
      {"ref":H,"as":"head"}]}      the text H without its last byte; only as the first part

An object is always the text itself, and a part may say `object` for `ref`. So a list of messages that begins
as an earlier list did names that one (`head`) and brings what is new, and a long text inside a message is the
same content as the tool result that it repeats. `restore` puts both back, byte for byte.
"""

import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from toolkit.telemetry.redact import redact

THRESHOLD = 512
"""Texts of more characters than this are moved out."""

INLINE_LIMIT = 768 * 1024
"""Bytes of JSON that a text or a span may have to travel inside a record."""

LISTS_KNOWN = 8
"""Among how many of the latest lists the beginning of a new one is looked for."""

_FORGED = ('{"ref"', '{"object"')
_JSON = (b"[", b"{")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)

Kind = Literal["ref", "object"]
Redact = Callable[[str], str]


class Content(NamedTuple):
    """A text that travels in a record. `encoded` is its value in `contents`: a JSON string, or its parts."""

    sha256: str
    encoded: bytes


class _List(NamedTuple):
    """A list of messages that is stored, told by what it was before anything was redacted in it."""

    length: int
    digest: bytes
    head: Any  # the hash object over what was stored, without the last byte
    reference: "_Reference"


class _Reference(NamedTuple):
    kind: Kind
    sha256: str

    def part(self, as_: str) -> dict[str, str]:
        return {self.kind: self.sha256, "as": as_}


class Contents:
    """The texts of one run: which are stored already, and which still have to go.

    `fresh` and `objects` are emptied by who ships them; of what is shipped only hashes stay. Every text goes
    through `redact` first, so hashes are of what is left. Not thread-safe; the recorder holds a lock.
    """

    def __init__(self, redact: Redact = redact) -> None:
        self._redact = redact
        self._stored: dict[bytes, Kind] = {}
        self._lists: deque[_List] = deque(maxlen=LISTS_KNOWN)
        self.fresh: list[Content] = []
        self.objects: dict[str, bytes] = {}

    @property
    def stored(self) -> dict[str, Kind]:
        """What the run has stored by now: hash in hexadecimal → how it is referred to."""
        return {digest.hex(): kind for digest, kind in self._stored.items()}

    def know(self, stored: Mapping[str, Kind]) -> None:
        """Take for stored what an earlier process of the run has stored."""
        self._stored |= {bytes.fromhex(sha256): kind for sha256, kind in stored.items()}

    def place(self, key: str, text: str) -> str:  # noqa: ARG002 - the shape that `otlp` asks for
        """What stands in an attribute for this text: itself, or a reference."""
        if len(text) <= THRESHOLD and not text.startswith(_FORGED):
            return self._redact(text)
        return self.store(text)

    def store(self, text: str) -> str:
        """Keep the text to be shipped, unless the run has it already; returns the reference."""
        raw = text.encode()
        found = self._put_json(raw) if raw.startswith(_JSON) else self._put(self._redact(text).encode())
        return f'{{"{found.kind}":"{found.sha256}"}}'

    def _put(self, raw: bytes) -> _Reference:
        """Store a text that is redacted already."""
        hashed = hashlib.sha256(raw)
        if kind := self._stored.get(hashed.digest()):
            return _Reference(kind, hashed.hexdigest())
        return self._keep(hashed, msgspec.json.encode(raw.decode()), raw)

    def _put_json(self, raw: bytes) -> _Reference:
        """Store a text that looks like JSON: by the list that it goes on from, and its long strings."""
        is_list = raw.startswith(b"[") and raw.endswith(b"]")
        known = self._beginning(raw) if is_list else None
        parts: list[Any] = [known.reference.part("head")] if known else []
        hashed = known.head.copy() if known else hashlib.sha256()
        rest = raw[known.length - 1 if known else 0 : -1 if is_list else None]
        for piece, text in self._pieces(self._redact(rest.decode()).encode()):
            hashed.update(piece)
            parts.append(text.part("json") if text else piece.decode())
        head = hashed.copy()
        if is_list:
            hashed.update(b"]")
            parts.append("]")
        found = self._put_parts(hashed, raw, parts)
        if is_list and found.sha256 == hashed.hexdigest():
            self._lists.appendleft(_List(len(raw), hashlib.sha256(raw).digest(), head, found))
        return found

    def _put_parts(self, hashed: Any, raw: bytes, parts: list[Any]) -> _Reference:
        if kind := self._stored.get(hashed.digest()):
            return _Reference(kind, hashed.hexdigest())
        if all(isinstance(part, str) for part in parts):
            return self._put("".join(parts).encode())
        encoded = msgspec.json.encode({"parts": _joined(parts)})
        if len(encoded) <= INLINE_LIMIT:
            return self._keep(hashed, encoded, b"")
        # Too large a record of parts becomes an object, which is the text itself.
        whole = b"".join(piece for piece, _ in self._pieces(self._redact(raw.decode()).encode()))
        return self._keep(hashlib.sha256(whole), encoded, whole)

    def _keep(self, hashed: Any, encoded: bytes, whole: bytes) -> _Reference:
        """Put a new text where it is shipped from. `whole` is what becomes an object of what is too large."""
        if len(encoded) > INLINE_LIMIT:
            self.objects[hashed.hexdigest()] = whole
        else:
            self.fresh.append(Content(hashed.hexdigest(), encoded))
        kind: Kind = "object" if len(encoded) > INLINE_LIMIT else "ref"
        self._stored[hashed.digest()] = kind
        return _Reference(kind, hashed.hexdigest())

    def _beginning(self, raw: bytes) -> _List | None:
        """The longest of the lists known that this one goes on from."""
        for known in sorted(self._lists, key=lambda one: -one.length):
            if known.length < len(raw) and raw[known.length - 1 : known.length] == b",":
                digest = hashlib.sha256(memoryview(raw)[: known.length - 1])
                digest.update(b"]")
                if digest.digest() == known.digest:
                    return known
        return None

    def _pieces(self, raw: bytes) -> Iterator[tuple[bytes, _Reference | None]]:
        """The text in pieces that make it up: as it stands, or a JSON string that is stored.

        It is redacted already; but what a string says may show a secret that its escapes have hidden.
        """
        end = 0
        for found in _STRING.finditer(raw):
            if found.end() - found.start() <= THRESHOLD or (text := _exactly(found[0])) is None:
                continue
            yield raw[end : found.start()], None
            end = found.end()
            redacted = self._redact(text)
            yield msgspec.json.encode(redacted), self._put(redacted.encode())
        if end < len(raw):
            yield raw[end:], None


def _exactly(string: bytes) -> str | None:
    """The text of a JSON string, if encoding it again gives the very same bytes."""
    try:
        text = msgspec.json.decode(string, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return text if msgspec.json.encode(text) == string else None


def _joined(parts: list[Any]) -> list[Any]:
    """The parts with neighbouring texts as one."""
    joined: list[Any] = []
    for part in parts:
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return joined

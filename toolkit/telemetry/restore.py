"""Puts the texts of a run back where `contents` has taken them out: the definition is told there.

    texts = Texts(inline, large)          # how to get at the records' `contents`, and at the objects
    texts.resolve(attribute_value)        # every reference replaced by the text that it stands for

Records are not trusted: a text must have the hash that it is known by, and parts that go round in circles, or
grow beyond `LIMIT`, are no text. What cannot be put back is a note in square brackets that says why.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal

import msgspec

UNREADABLE = (msgspec.DecodeError, ValueError, OverflowError, RecursionError)
"""What decoding may raise on bytes that somebody has made up."""

GZIP = b"\x1f\x8b"
"""What a gzip file begins with; Firehose compresses, the emulator's does not."""

LIMIT = 64 * 1024 * 1024
"""Bytes of the longest text that is put together; a forged record could name one of any size."""

KEPT = 32 * 1024 * 1024
"""Bytes of texts that are kept for the spans that follow."""

DEPTH = 4
"""How deep texts lie in texts, heads of lists not counted; the writer makes no more than two."""

Get = Callable[[str], bytes | None]
"""Given a SHA-256 returns what is stored under it, or None."""


class Unrestorable(Exception):
    """A text that cannot be put back; says which, and why."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text within a text; `ref` or `object` is its hash."""

    ref: str = ""
    object: str = ""
    as_: Literal["text", "json", "head"] = msgspec.field(name="as", default="text")

    @property
    def sha256(self) -> str:
        """The hash of the text."""
        return self.ref or self.object


class Parts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text that is put together."""

    parts: list[str | Part]


_value = msgspec.json.Decoder(str | Parts)
_reference = msgspec.json.Decoder(Part)


class Texts:
    """The texts of one run. `inline` gets a content's JSON as it stands in a record, `large` an object."""

    def __init__(self, inline: Get, large: Get) -> None:
        self._inline = inline
        self._large = large
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    def resolve(self, value: Any) -> Any:
        """The value with every reference in it replaced; never raises."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if isinstance(value, dict):
            return {key: self.resolve(item) for key, item in value.items()}
        if not isinstance(value, str) or not value.startswith(('{"ref"', '{"object"')):
            return value
        try:
            reference = _reference.decode(value)
        except UNREADABLE:
            return value
        try:
            return self.text(reference).decode(errors="replace")
        except Unrestorable as why:
            return f"[{why}]"

    def text(self, part: Part, depth: int = 0) -> bytes:
        """The text that a reference stands for, checked against its hash. Raises `Unrestorable`."""
        sha256 = part.sha256
        if (known := self._known.get(sha256)) is not None:
            self._known.move_to_end(sha256)
            return known
        raw = self._object(sha256) if part.object else self._assembled(sha256, depth)
        if hashlib.sha256(raw).hexdigest() != sha256:
            raise Unrestorable(f"text {sha256} was altered")
        self._keep(sha256, raw)
        return raw

    def _object(self, sha256: str) -> bytes:
        raw = self._large(sha256)
        if raw is None:
            raise Unrestorable(f"text {sha256} is missing")
        return raw

    def _assembled(self, sha256: str, depth: int) -> bytes:
        """The text from its parts. The lists that it goes on from are followed one by one, to the first."""
        if depth > DEPTH:
            raise Unrestorable(f"text {sha256} lies too deep in others")
        tails: list[bytes] = []
        seen: set[str] = set()
        here = Part(ref=sha256)
        while not here.object and here.sha256 not in self._known and here.sha256 not in seen:
            seen.add(here.sha256)
            value = self._value(here.sha256)
            if isinstance(value, str):
                tails.append(value.encode())
                return self._put_together(sha256, b"", tails)
            head, rest = _headed(value.parts)
            tails.append(self._joined(sha256, rest, depth))
            if head is None:
                return self._put_together(sha256, b"", tails)
            here = head
        if here.sha256 in seen:
            raise Unrestorable(f"text {sha256} begins with itself")
        return self._put_together(sha256, self.text(here, depth + 1)[:-1], tails)

    def _put_together(self, sha256: str, base: bytes, tails: list[bytes]) -> bytes:
        whole = bytearray(base)
        for number, tail in enumerate(reversed(tails)):
            if number and whole:
                del whole[-1]
            whole += tail
            if len(whole) > LIMIT:
                raise Unrestorable(f"text {sha256} is longer than {LIMIT} bytes")
        return bytes(whole)

    def _joined(self, sha256: str, parts: list[str | Part], depth: int) -> bytes:
        joined = bytearray()
        for part in parts:
            if isinstance(part, str):
                joined += part.encode()
            elif part.as_ == "head":
                raise Unrestorable(f"text {sha256} is put together in a way that no writer uses")
            else:
                text = self.text(part, depth + 1)
                joined += msgspec.json.encode(text.decode()) if part.as_ == "json" else text
            if len(joined) > LIMIT:
                raise Unrestorable(f"text {sha256} is longer than {LIMIT} bytes")
        return bytes(joined)

    def _value(self, sha256: str) -> str | Parts:
        raw = self._inline(sha256)
        if raw is None:
            raise Unrestorable(f"text {sha256} is missing")
        try:
            return _value.decode(raw)
        except UNREADABLE as error:
            raise Unrestorable(f"text {sha256} was altered") from error

    def _keep(self, sha256: str, raw: bytes) -> None:
        self._known[sha256] = raw
        self._size += len(raw)
        while self._size > KEPT and len(self._known) > 1:
            self._size -= len(self._known.popitem(last=False)[1])


def _headed(parts: list[str | Part]) -> tuple[Part | None, list[str | Part]]:
    """The list that these parts go on from, where they do, and the other parts."""
    if parts and isinstance(parts[0], Part) and parts[0].as_ == "head":
        return parts[0], parts[1:]
    return None, parts

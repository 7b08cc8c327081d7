"""Spans and texts as chained lines, each small enough for Firehose.

A line is one JSON document without its newline. `prev` is the SHA-256 of the line before, so that a
changed, missing, inserted or reordered line shows; `last` closes the chain.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from toolkit.telemetry.contents import Content

VERSION = 1

RECORD_LIMIT = 900 * 1024
"""Bytes of a line, newline included. Firehose takes 1,000 KiB; the rest is room for what wraps it."""


class Scope(NamedTuple):
    """Who made a span: the instrumentation library's name and version."""

    name: str
    version: str


class EncodedSpan(NamedTuple):
    """A span that is ready to travel. `data` is its OTLP-JSON."""

    scope: Scope
    data: bytes


class Line(NamedTuple):
    """A sealed record: its place in the chain and its bytes, without the newline."""

    seq: int
    body: bytes

    @property
    def data(self) -> bytes:
        """The bytes that are shipped: the line and its newline."""
        return self.body + b"\n"

    @property
    def sha256(self) -> str:
        """What the next line carries as `prev`."""
        return hashlib.sha256(self.body).hexdigest()


class ChainEnd(NamedTuple):
    """Where a chain goes on: the next sequence number and the hash of the line before."""

    seq: int = 0
    prev: str = ""


NEW_CHAIN = ChainEnd()


@dataclass
class Draft:
    """What goes into one line. `size` counts its bytes and a little more."""

    scopes: dict[Scope, list[bytes]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    size: int = 0

    def cost(self, unit: EncodedSpan | Content) -> int:
        """How many bytes the unit would add, punctuation included."""
        if isinstance(unit, Content):
            return len(unit.encoded) + len(unit.sha256) + 4
        header = 0 if unit.scope in self.scopes else 64 + 6 * (len(unit.scope.name) + len(unit.scope.version))
        return len(unit.data) + 1 + header

    def add(self, unit: EncodedSpan | Content) -> None:
        """Put the unit in."""
        self.size += self.cost(unit)
        if isinstance(unit, Content):
            self.contents[unit.sha256] = unit.encoded
        else:
            self.scopes.setdefault(unit.scope, []).append(unit.data)


def pack(units: Iterable[EncodedSpan | Content], overhead: int) -> list[Draft]:
    """Fill drafts in order, a new one whenever a unit would pass the limit.

    `overhead` is what every line carries besides its units, in bytes.
    """
    drafts: list[Draft] = []
    for unit in units:
        if not drafts or drafts[-1].size + drafts[-1].cost(unit) > RECORD_LIMIT - overhead:
            drafts.append(Draft())
        drafts[-1].add(unit)
    return drafts


class Chain:
    """Seals drafts into the lines of one run. `resource` is the OTLP resource as JSON."""

    def __init__(self, run_id: str, resource: bytes, start: ChainEnd) -> None:
        self.run_id = run_id
        self.resource = resource
        self.end = start

    @property
    def overhead(self) -> int:
        """Bytes of a line with nothing in it, generously."""
        return len(self.resource) + len(self.run_id) + 512

    def seal(self, draft: Draft, last: bool) -> Line:
        """Make the draft the next line of the chain."""
        body = msgspec.json.encode(
            {
                "v": VERSION,
                "run_id": self.run_id,
                "seq": self.end.seq,
                "prev": self.end.prev,
                "last": last,
                "resourceSpans": self._resource_spans(draft),
                "contents": {sha256: msgspec.Raw(text) for sha256, text in draft.contents.items()},
            }
        )
        line = Line(self.end.seq, body)
        self.end = ChainEnd(line.seq + 1, line.sha256)
        return line

    def _resource_spans(self, draft: Draft) -> list[dict[str, object]]:
        if not draft.scopes:
            return []
        scope_spans = [
            {
                "scope": {"name": scope.name, "version": scope.version},
                "spans": [msgspec.Raw(span) for span in spans],
            }
            for scope, spans in draft.scopes.items()
        ]
        return [{"resource": msgspec.Raw(self.resource), "scopeSpans": scope_spans}]

"""The head of each line of an object, and whether the lines of a run are a whole chain."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from toolkit.contracts import Shape
from toolkit.telemetry.restore import GZIP, UNREADABLE


class Head(msgspec.Struct):
    """What a line says of its place in a chain; the rest of it is skipped."""

    run_id: str
    seq: int
    prev: str
    last: bool = False


class ChainHead(Shape, frozen=True):
    """A closed chain: how many records it has, and the SHA-256 of the last."""

    run_id: str
    records: int
    head: str


class LineSeen(Shape, frozen=True):
    """A line by what it says, and the SHA-256 of its bytes without the newline."""

    seq: int
    sha256: str
    prev: str
    last: bool = False


class Read(NamedTuple):
    """A line of an object, counted from 1. `head` is None where it is no record; `problem` says why."""

    number: int
    body: bytes
    sha256: str
    head: Head | None
    problem: str = ""


_heads = msgspec.json.Decoder(Head)


def unzip(body: bytes) -> bytes:
    """The body as plain text; gzip is told by its first bytes. Raises ValueError when damaged.

    With the standard library alone, because the function's image has nothing faster.
    """
    if not body.startswith(GZIP):
        return body
    parts: list[bytes] = []
    while body:  # Firehose may put one gzip stream after another into an object
        stream = zlib.decompressobj(wbits=31)
        try:
            parts.append(stream.decompress(body))
        except zlib.error as error:
            raise ValueError(f"not readable as gzip: {error}") from error
        if not stream.eof:
            raise ValueError("not readable as gzip: it ends in the middle")
        body = stream.unused_data
    return b"".join(parts)


def read_lines(text: bytes) -> Iterator[Read]:
    """The lines of an object's plain text; empty ones are left out."""
    for number, line in enumerate(text.split(b"\n"), start=1):
        if not line.strip():
            continue
        sha256 = hashlib.sha256(line).hexdigest()
        try:
            yield Read(number, line, sha256, _heads.decode(line))
        except UNREADABLE as error:
            yield Read(number, line, sha256, None, str(error))


def closed_chain(run_id: str, lines: Iterable[LineSeen]) -> ChainHead | None:
    """The chain that the lines make in whatever order they came; None where they make none, or not yet one.

    Two different lines of one number make none: which of them is true is for `audit verify` to ask.
    """
    by_seq: dict[int, LineSeen] = {}
    for line in lines:
        if by_seq.setdefault(line.seq, line).sha256 != line.sha256:
            return None
    return _followed(run_id, by_seq)


def _followed(run_id: str, by_seq: Mapping[int, LineSeen]) -> ChainHead | None:
    before = ""
    for seq in range(len(by_seq)):
        line = by_seq.get(seq)
        if line is None or line.prev != before or line.last != (seq == len(by_seq) - 1):
            return None
        before = line.sha256
    return ChainHead(run_id=run_id, records=len(by_seq), head=before) if by_seq else None

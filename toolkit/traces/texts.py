"""The bodies of spans and the texts of a run, read from the objects that the index keeps."""

import sqlite3
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from toolkit.telemetry.restore import UNREADABLE
from toolkit.traces.records import Record, decode_record
from toolkit.traces.unpacking import pieces


def records_of(connection: sqlite3.Connection, run: int) -> Iterator[Record]:
    """The records of a run (by its number), in the order of the chain; each object is unpacked once.

    What cannot be read is left out: it was told when the object was indexed.
    """
    places = connection.execute(
        "SELECT object, seq, place, length FROM record WHERE run = ? ORDER BY object, place", (run,)
    ).fetchall()
    wanted: dict[int, list[tuple[int, int, int]]] = {}
    for identity, seq, place, length in places:
        wanted.setdefault(identity, []).append((seq, place, length))
    lines: dict[int, bytes] = {}
    for identity, each in wanted.items():
        body = connection.execute("SELECT body FROM object WHERE id = ?", (identity,)).fetchone()
        if body:
            lines.update(_cut_out(body[0], each))
    for seq in sorted(lines):
        try:
            yield decode_record(lines[seq])
        except UNREADABLE:
            continue


def _cut_out(body: bytes, wanted: list[tuple[int, int, int]]) -> Iterator[tuple[int, bytes]]:
    """The lines at these places of a body, by sequence number; `wanted` is in the order of the places."""
    begins = 0
    left = list(reversed(wanted))
    try:
        for piece in pieces(body):
            while left and left[-1][1] < begins + len(piece):
                seq, place, length = left.pop()
                yield seq, piece[place - begins : place - begins + length]
            begins += len(piece)
            if not left:
                return
    except ValueError:
        return


def inline_of(connection: sqlite3.Connection, run: int) -> Callable[[str], bytes | None]:
    """How to get at the contents of a run's records, which are read when the first is asked for."""

    @cache
    def contents() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for record in records_of(connection, run):
            found.update(record.contents)
        return found

    def get(sha256: str) -> bytes | None:
        raw = contents().get(sha256)
        return None if raw is None else bytes(raw)

    return get

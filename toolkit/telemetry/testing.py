"""For tests: a sink that keeps what it is given and refuses on demand, and a look at a chain."""

from collections.abc import Sequence

import msgspec

from toolkit.telemetry.record import NEW_CHAIN, ChainEnd, Line


class MemorySink:
    """Holds the accepted lines by run and the large texts by hash. `refuse` makes it take nothing."""

    def __init__(self) -> None:
        self.lines: dict[str, list[Line]] = {}
        self.contents: dict[str, bytes] = {}
        self.refuse = False

    def ship(self, run_id: str, lines: Sequence[Line]) -> dict[int, str]:
        """Keep the lines, unless it refuses."""
        if self.refuse:
            return {}
        self.lines.setdefault(run_id, []).extend(lines)
        return {line.seq: "memory" for line in lines}

    def put_content(self, run_id: str, sha256: str, text: bytes) -> bool:  # noqa: ARG002
        """Keep the text, unless it refuses."""
        if not self.refuse:
            self.contents[sha256] = text
        return not self.refuse


class _Head(msgspec.Struct):
    seq: int
    prev: str
    last: bool


def chain_problems(lines: Sequence[bytes]) -> list[str]:
    """What is wrong with the lines of one run, given in order and without newlines; empty when whole.

    Tells an altered, missing, inserted or moved line by what the next one says of it. A change of the
    last line, or one that rehashes all that follow, needs a digest kept elsewhere.
    """
    problems: list[str] = []
    end = NEW_CHAIN
    closed = False
    for number, body in enumerate(lines):
        try:
            head = msgspec.json.decode(body, type=_Head)
        except msgspec.DecodeError as error:
            problems.append(f"line {number} is no record: {error}")
            return problems
        if closed:
            problems.append(f"line {number} follows the last one")
        if head.seq != end.seq:
            problems.append(f"line {number} says it is number {head.seq}, expected {end.seq}")
        if head.prev != end.prev:
            problems.append(f"line {number} does not fit the line before")
        end = ChainEnd(head.seq + 1, Line(head.seq, body).sha256)
        closed = head.last
    if not closed:
        problems.append("the chain is not closed")
    return problems

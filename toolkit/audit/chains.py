"""The lines of runs, put in order by their numbers, and what is wrong with a run's chain. Pure.

Firehose promises neither order nor that a line comes once: so lines are sorted, and equal ones count as one.
Two different lines of one number are a problem, whatever else fits.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from toolkit.audit.report import Problem
from toolkit.digest.lines import Head, Read
from toolkit.telemetry.restore import UNREADABLE

_OBJECT = re.compile(rb'(?:"stringValue":"\{\\"object\\":\\"|\{"object":")([0-9a-f]{64})')
"""A reference to a text that is an object of its own, as it stands in a line (see `telemetry.contents`).

A text that merely looks like it stands there with its quotes escaped once more."""

_WHOLE_SPAN = re.compile(rb'"tfkit\.whole_span","value":\{"stringValue":"\{\\"ref\\":\\"([0-9a-f]{64})\\"\}"')


class Line(NamedTuple):
    """A line of a run: what the next one says of it, and where it lies."""

    sha256: str
    prev: str
    last: bool
    object: str
    number: int
    modified: datetime

    @property
    def where(self) -> str:
        """Its place for people."""
        return f"{self.object} line {self.number}"


class Chains:
    """All lines that were seen, by run and number."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[int, Line]] = {}
        self.contents: dict[str, dict[str, Line]] = {}
        self.problems: list[Problem] = []
        self._torn: set[str] = set()

    def add(self, read: Read, key: str, modified: datetime) -> None:
        """Take a line of an object; one that is no record is a problem."""
        if read.head is None:
            self.problems.append(
                Problem(
                    kind="unreadable",
                    object=key,
                    line=read.number,
                    message=f"it is no record: {read.problem}",
                )
            )
            return
        head = read.head
        line = Line(read.sha256, head.prev, head.last, key, read.number, modified)
        known = self.runs.setdefault(head.run_id, {}).setdefault(head.seq, line)
        if known.sha256 != line.sha256:
            self._conflict(head, known, line)
        for sha256 in large_contents(read.body):
            self.contents.setdefault(head.run_id, {}).setdefault(sha256, line)

    def _conflict(self, head: Head, known: Line, line: Line) -> None:
        first, second = sorted((known, line), key=lambda one: one.modified)
        self.runs[head.run_id][head.seq] = first
        self._torn.add(head.run_id)
        self.problems.append(
            Problem(
                kind="conflict",
                run_id=head.run_id,
                object=second.object,
                line=second.number,
                message=f"record {head.seq} is there twice and differs; the older one is {first.where}",
            )
        )

    def problems_of(self, run_id: str) -> list[Problem]:
        """What is wrong with the chain of a run, but for its end: see `closed`."""
        return list(chain_problems(run_id, self.runs.get(run_id, {})))

    def torn(self, run_id: str) -> bool:
        """Whether the run has two different lines of one number."""
        return run_id in self._torn


def chain_problems(run_id: str, lines: Mapping[int, Line]) -> Iterator[Problem]:
    """Lines that are missing, that do not fit the one before, or that follow the last."""
    expected, before = 0, None
    for seq in sorted(lines):
        line = lines[seq]
        if seq < 0 or seq > expected:
            yield _missing(run_id, expected, seq)
        elif line.prev != (before.sha256 if before else ""):
            yield _misfit(run_id, seq, line, before)
        if before and before.last:
            yield Problem(
                kind="extra_record",
                run_id=run_id,
                object=line.object,
                line=line.number,
                message=f"record {seq} follows the one that closed the chain",
            )
        expected, before = seq + 1, line


def closed(lines: Mapping[int, Line]) -> bool:
    """Whether the last of the lines closes the chain."""
    return bool(lines) and lines[max(lines)].last


def _missing(run_id: str, expected: int, seq: int) -> Problem:
    if seq < 0:
        return Problem(kind="extra_record", run_id=run_id, message=f"a record has the number {seq}")
    names = f"record {expected}" if seq == expected + 1 else f"records {expected} to {seq - 1}"
    return Problem(kind="missing_record", run_id=run_id, message=f"{names} of the run: not in the bucket")


def _misfit(run_id: str, seq: int, line: Line, before: Line | None) -> Problem:
    if before is None:
        said = "the first record says that there was one before"
        return Problem(
            kind="altered_record", run_id=run_id, object=line.object, line=line.number, message=said
        )
    return Problem(
        kind="altered_record",
        run_id=run_id,
        object=before.object,
        line=before.number,
        message=f"record {seq - 1} is not the one that record {seq} ({line.where}) follows: one was altered",
    )


def large_contents(body: bytes) -> set[str]:
    """The hashes of the texts that a line refers to as objects, also from a span that was moved out."""
    found = {match.decode() for match in _OBJECT.findall(body)}
    for sha256 in _WHOLE_SPAN.findall(body):
        found |= {match.decode() for match in _OBJECT.findall(_content(body, sha256.decode()))}
    return found


class _Contents(msgspec.Struct):
    contents: dict[str, msgspec.Raw] = {}


def _content(body: bytes, sha256: str) -> bytes:
    """The literal text of a content of this line, without what it refers to in others."""
    try:
        found = msgspec.json.decode(body, type=_Contents).contents.get(sha256)
        value = msgspec.json.decode(found) if found else ""
        parts = [value] if isinstance(value, str) else value["parts"]
    except (*UNREADABLE, KeyError, TypeError):
        return b""
    return "".join(part for part in parts if isinstance(part, str)).encode()

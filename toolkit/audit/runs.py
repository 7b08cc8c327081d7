"""Each run of the table, and each run that has records, against its lines and what was signed of it."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from toolkit.audit.chains import Chains, Line, chain_problems, closed
from toolkit.audit.evidence import Evidence
from toolkit.audit.report import Problem
from toolkit.audit.scope import Scope
from toolkit.audit.signed import Signed
from toolkit.contracts import RunRecord
from toolkit.digest.lines import ChainHead, read_lines
from toolkit.tables import KEEP_DAYS

PENDING_FOR = timedelta(minutes=15)
"""How long after its end a run may wait for Firehose, whose buffer is a minute (`stacks.audit`)."""


class Looked(NamedTuple):
    """What is known of the evidence when runs are judged."""

    evidence: Evidence
    scope: Scope
    chains: Chains
    signed: Signed


class Runs:
    """The judgement of runs; what is public is its outcome.

    `older_than_the_table` are runs that no row can be expected of, because a `down` took the table and kept
    the bucket.
    """

    def __init__(self, looked: Looked) -> None:
        self._evidence, self._scope, self._chains, self._signed = looked
        self.problems: list[Problem] = []
        self.running: list[str] = []
        self.pending: list[str] = []
        self.heads: dict[str, ChainHead] = {}
        self.signed = 0
        self.older_than_the_table: list[str] = []
        self.table_made = self._evidence.table_made()

    def judge(self, row: RunRecord) -> None:
        """A run that the table knows."""
        lines = self._lines(row.run_id)
        wrong = self._chains.problems_of(row.run_id)
        if not row.ended and not row.lost(self._scope.now.timestamp()):
            self.running.append(row.run_id)
            # Firehose keeps no order: what is missing in the middle may be on its way.
            self.problems += [problem for problem in wrong if problem.kind != "missing_record"]
        elif row.status == "cancelled" and not row.request_sha256 and not lines:
            pass  # cancelled before anybody took it: there is nothing to record
        elif self._chains.torn(row.run_id):
            self.problems += wrong
        elif wrong or not closed(lines):
            self._judge_incomplete(row, lines, wrong)
        else:
            self._judge_whole(row.run_id, lines)

    def judge_strangers(self, known: Mapping[str, RunRecord]) -> None:
        """Runs that have records and no row in the window: older ones, or none that there ever was."""
        for run_id in sorted(self._chains.runs.keys() - known.keys()):
            lines = self._lines(run_id)
            first = min(line.modified for line in lines.values())
            if first < self._scope.since or self._scope.now - first > timedelta(days=KEEP_DAYS - 1):
                continue
            row = self._evidence.row(run_id)
            if row and row.started and datetime.fromisoformat(row.started) < self._scope.since:
                continue
            if row:
                self.judge(row)  # it began after the rows were read
                continue
            if first < self.table_made:
                self.older_than_the_table.append(run_id)
                self.problems += self._chains.problems_of(run_id)
                if not self._chains.torn(run_id) and closed(lines):
                    self._hold_against_digests(run_id, lines)
                continue
            at = lines[min(lines)]
            said = f"{len(lines)} records of a run that the table of runs does not know"
            self.problems.append(
                Problem(kind="no_row", run_id=run_id, object=at.object, line=at.number, message=said)
            )
            self.problems += self._chains.problems_of(run_id)

    def _lines(self, run_id: str) -> Mapping[int, Line]:
        return self._chains.runs.get(run_id, {})

    # -- a chain that is whole -------------------------------------------------------------------

    def _judge_whole(self, run_id: str, lines: Mapping[int, Line]) -> None:
        if self._hold_against_digests(run_id, lines):
            return
        until = self._signed.until
        if until and max(line.modified for line in lines.values()) < until:
            said = "its chain is in no signed digest, although it was closed before the newest"
            self.problems.append(Problem(kind="unsigned_run", run_id=run_id, message=said))
        else:
            self._hold_against_copy(run_id, max(lines), lines[max(lines)])

    def _hold_against_digests(self, run_id: str, lines: Mapping[int, Line]) -> bool:
        """Whether a digest knows the chain; a problem where it knows another."""
        found = ChainHead(run_id=run_id, records=len(lines), head=lines[max(lines)].sha256)
        self.heads[run_id] = found
        known = self._signed.heads.get(run_id, [])
        for head, number in known:
            if head != found:
                self.problems.append(_forged(found, head, number))
        self.signed += bool(known) and all(head == found for head, _ in known)
        return bool(known)

    def _hold_against_copy(self, run_id: str, seq: int, last: Line) -> None:
        """Nothing follows the last record, nothing is signed yet: its copy is all that can contradict it."""
        copy = self._evidence.copy(run_id, seq)
        if copy is None or hashlib.sha256(copy.removesuffix(b"\n")).hexdigest() == last.sha256:
            return
        self.problems.append(
            Problem(
                kind="differs_from_copy",
                run_id=run_id,
                object=last.object,
                line=last.number,
                message=f"the last record ({seq}) is not the one that lies beside the run's artifacts",
            )
        )

    # -- a chain that is not ---------------------------------------------------------------------

    def _judge_incomplete(self, row: RunRecord, lines: Mapping[int, Line], wrong: list[Problem]) -> None:
        altered = [problem for problem in wrong if problem.kind != "missing_record"]
        copies_whole = not altered and self._whole_with_copies(row.run_id, lines)
        if copies_whole and self._just_ended(row):
            self.pending.append(row.run_id)
            return
        self.problems += wrong
        if not lines:
            self.problems.append(
                Problem(kind="missing_run", run_id=row.run_id, message=_nothing(copies_whole))
            )
        elif not closed(lines):
            self.problems.append(_unclosed(row, lines))

    def _just_ended(self, row: RunRecord) -> bool:
        return self._scope.now - datetime.fromisoformat(row.updated) < PENDING_FOR

    def _whole_with_copies(self, run_id: str, lines: Mapping[int, Line]) -> bool:
        """Whether what was delivered and the copies beside the artifacts make a closed chain together."""
        together = dict(lines)
        for body in self._evidence.copies(run_id):
            for read in read_lines(body):
                if read.head and read.head.run_id == run_id:
                    head = read.head
                    copy = Line(read.sha256, head.prev, head.last, "", read.number, self._scope.now)
                    if together.setdefault(head.seq, copy).sha256 != copy.sha256:
                        return False
        return closed(together) and not any(chain_problems(run_id, together))


def _forged(found: ChainHead, head: ChainHead, number: int) -> Problem:
    more = "" if head.records == found.records else f" of {head.records} records"
    return Problem(
        kind="forged_chain",
        run_id=found.run_id,
        message=f"the chain is whole, but another one{more} was signed in digest {number}: it was rewritten",
    )


def _nothing(copies_whole: bool) -> str:
    said = "the table knows the run, and the bucket holds no record of it"
    if not copies_whole:
        return said
    return f"{said}; the copies beside its artifacts are whole: taken away, or Firehose has not delivered"


def _unclosed(row: RunRecord, lines: Mapping[int, Line]) -> Problem:
    died = "its worker died" if not row.ended else f"it ended as {row.status}"
    why = f": {row.error}" if row.error else ""
    said = f"{len(lines)} records, and none that closes the chain; {died}{why}"
    return Problem(kind="unclosed", run_id=row.run_id, message=said)

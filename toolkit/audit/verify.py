"""The whole check: digests, then objects day by day, then the runs, then what the digests name.

What a run's row promises, its chain must keep; what a signed digest or a kept file names, must be there as it
was. A run that has not ended, or that Firehose is still to deliver, is told apart from one that is missing.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import reduce

from toolkit.audit import signed as digests
from toolkit.audit.baseline import Baseline, differences, hash_of
from toolkit.audit.chains import Chains
from toolkit.audit.evidence import Evidence, Fetched, Version
from toolkit.audit.objects import Promise, lock_problem, version_problems
from toolkit.audit.report import Problem, Report, Window
from toolkit.audit.runs import Looked, Runs
from toolkit.audit.scope import Scope
from toolkit.digest import document
from toolkit.digest.lines import read_lines
from toolkit.digest.make import moment
from toolkit.tables import KEEP_DAYS
from toolkit.telemetry import keys
from toolkit.traces.records import unpack

STALE_AFTER = timedelta(hours=3)
"""The digests are hourly; two that failed are a problem."""

LOCAL_NOTE = (
    "local target: the emulator forgets locks when it restarts, and whoever owns it can do anything; "
    "locks and signatures here are a rehearsal and no evidence"
)


def verify(
    evidence: Evidence,
    since: datetime,
    now: datetime,
    *,
    kept: Baseline | None = None,
    contents_kept_days: int = KEEP_DAYS,
) -> tuple[Report, Baseline]:
    """Check the runs that began in the window, and what the bucket got in it (times have a zone).

    `kept` is a digest from elsewhere, and widens the window to its own. `contents_kept_days` is after how
    many days large texts expire. Returns the report, and the digest of what was found. Raises `TfkitError`
    where something cannot be read.
    """
    if kept:
        since = min(since, datetime.fromisoformat(kept.since))
    check = _Verification(evidence, Scope(since, now), timedelta(days=contents_kept_days))
    check.look()
    found = check.baseline()
    if kept:
        running = frozenset((*check.runs.running, *check.runs.pending))
        check.problems += differences(kept, found, check.signed.hashes, running)
    return check.report(), found


class _Verification:
    """One check, filled in step by step."""

    def __init__(self, evidence: Evidence, scope: Scope, contents_kept: timedelta) -> None:
        self._evidence = evidence
        self._outputs = evidence.outputs
        self._scope = scope
        self._contents_kept = contents_kept
        self._chains = Chains()
        self._objects: dict[tuple[str, str], str] = {}
        self._listed: set[str] = set()
        self._unlocked: list[Problem] = []
        self._public_key = b""
        self._promise = Promise(self._outputs.lock_mode, self._outputs.lock_days)
        self.signed = digests.Signed()
        self.problems: list[Problem] = []
        self.notes: list[str] = [LOCAL_NOTE] if evidence.local else []

    def look(self) -> None:
        """The steps, in order."""
        self._look_at_digests()
        for versions in self._by_day():
            self._look_at_objects(versions)
        self.problems += self._chains.problems
        self._judge_runs()
        self._hold_objects_against_digests()
        self._hold_rows_against_digests()
        self._ask_for_digests()
        self._look_at_contents()
        self._say_locks()

    # -- the signed digests ----------------------------------------------------------------------

    def _look_at_digests(self) -> None:
        if not self._outputs.digest_key_arn:
            self.notes.append("nothing is signed: this platform is of an older tfkit; bring it up: tfkit up")
            return
        versions = list(self._evidence.versions(document.PREFIX))
        check, self._public_key = digests.checker(self._evidence)
        fetched = list(self._evidence.fetch(digests.to_fetch(versions, self._scope.since)))
        key_arn, bucket = self._outputs.digest_key_arn, self._outputs.audit_bucket
        self.signed = digests.read_signed(fetched, self._evidence.stack, bucket, key_arn, check)
        self._promise = reduce(Promise.weaker, self.signed.promises, self._promise)
        for item in fetched:
            self._look_at_lock(item)
        self.problems += [*version_problems(versions), *digests.gaps(versions), *self.signed.problems]
        if self._evidence.local and self.signed.foreign:
            self.notes.append(
                "digests signed by a key that is gone, as the emulator loses its keys when it is killed; "
                f"they were not looked at: {len(self.signed.foreign)}"
            )
        else:
            self.problems += self.signed.foreign

    def _ask_for_digests(self) -> None:
        """Whether the schedule works; on the local target it does so only while the emulator runs."""
        if not self._outputs.digest_key_arn:
            return
        last = self.signed.last
        oldest = min(
            (line.modified for run in self._chains.runs.values() for line in run.values()), default=None
        )
        since = datetime.fromisoformat(last[0].at) if last else oldest
        if since is None or self._scope.now - since < STALE_AFTER:
            return
        if self._scope.now - self.runs.table_made < STALE_AFTER:
            return  # the platform was down, and its schedule has hardly begun again
        said = f"the newest signed digest is of {moment(since)}" if last else "there is no signed digest"
        if self._evidence.local:
            self.notes.append(f"{said}: the emulator makes one in each hour that it runs")
            return
        said = f"{said}: see the log of the function {self._outputs.digest_function}"
        self.problems.append(Problem(kind="digest_stale", message=said))

    # -- objects ---------------------------------------------------------------------------------

    def _by_day(self) -> Iterator[list[Version]]:
        """The versions to read: each day's, then those under `fallback/` that were put in the window."""
        for prefix in self._scope.prefixes:
            yield list(self._evidence.versions(prefix))
        fallback = list(self._evidence.versions(keys.FALLBACK_PREFIX))
        self._listed |= {version.key for version in fallback}
        recent = {v.key for v in fallback if v.modified.date() >= self._scope.first_day}
        yield [version for version in fallback if version.key in recent]

    def _look_at_objects(self, versions: Sequence[Version]) -> None:
        self.problems += version_problems(versions)
        self._listed |= {version.key for version in versions}
        for item in self._evidence.fetch(versions):
            key = item.version.key
            self._objects[key, item.version.id] = hashlib.sha256(item.body).hexdigest()
            self._look_at_lock(item)
            try:
                text = unpack(item.body)
            except ValueError as error:
                self.problems.append(Problem(kind="unreadable", object=key, message=str(error)))
                continue
            for line in read_lines(text):
                self._chains.add(line, key, item.version.modified)

    def _look_at_lock(self, item: Fetched) -> None:
        if problem := lock_problem(item, self._promise):
            self._unlocked.append(problem)

    def _say_locks(self) -> None:
        """A lock that is missing is a problem where locks are evidence, and said where they are not."""
        if not self._promise.days:
            self.notes.append("locks were not checked: the platform does not say what it promises; tfkit up")
        if not self._evidence.local:
            self.problems += self._unlocked
        elif self._unlocked:
            self.notes.append(
                f"objects without a lock, or with a weaker one than promised: {len(self._unlocked)}"
            )

    def _hold_objects_against_digests(self) -> None:
        for (key, version), named in self.signed.objects.items():
            if not self._scope.holds(key):
                continue
            found = self._objects.get((key, version or "null"))
            if found == named.said or (found is None and self._unread(key)):
                continue
            if key not in self._listed:
                kind, said = "object_missing", f"digest {named.number} names it, and it is gone"
            else:
                kind, said = "object_altered", f"it is not the version that digest {named.number} names"
            self.problems.append(Problem(kind=kind, object=key, message=said))

    def _unread(self, key: str) -> bool:
        """Whether the object is there and was left alone, because nothing of it is of the window."""
        return key in self._listed and not any(known == key for known, _ in self._objects)

    # -- runs ------------------------------------------------------------------------------------

    def _judge_runs(self) -> None:
        found = self._evidence.rows(self._scope.row_days)
        self._rows_of_day = dict.fromkeys(self._scope.row_days, 0)
        for row in found:
            self._rows_of_day[row.started[:10]] += 1
        self._rows = {r.run_id: r for r in found if datetime.fromisoformat(r.started) >= self._scope.since}
        self.runs = Runs(Looked(self._evidence, self._scope, self._chains, self.signed))
        for row in self._rows.values():
            self.runs.judge(row)
        self.runs.judge_strangers(self._rows)
        self.problems += self.runs.problems
        if older := len(self.runs.older_than_the_table):
            self.notes.append(
                f"runs with records that are older than the table of runs: {older}; it was made at "
                f"{moment(self.runs.table_made)}, and that no further run is missing cannot be said of before"
            )

    def _hold_rows_against_digests(self) -> None:
        """Rows go after their time, or with the table; else there are as many as were counted, or more."""
        expired = (self._scope.now - timedelta(days=KEEP_DAYS - 1)).date().isoformat()
        short: dict[str, tuple[int, int]] = {}
        for digest, day, count in self.signed.counts:
            now = self._rows_of_day.get(day, count)
            same_table = datetime.fromisoformat(digest.at) >= self.runs.table_made
            if now < count and day > expired and same_table:
                short[day] = max(short.get(day, (0, 0)), (count, digest.number))
        for day, (count, number) in sorted(short.items()):
            there = self._rows_of_day[day]
            said = f"{there} runs of {day} are in the table, and digest {number} counted {count}"
            self.problems.append(Problem(kind="rows_missing", message=said))

    def _look_at_contents(self) -> None:
        """The texts that were too large for a record: the chain holds their hashes."""
        for run_id, contents in self._chains.contents.items():
            if run_id not in self._rows:
                continue
            for sha256, line in contents.items():
                if self._scope.now - line.modified >= self._contents_kept:
                    continue
                text = self._evidence.content(run_id, sha256)
                if text is not None and hashlib.sha256(text).hexdigest() == sha256:
                    continue
                kind = "content_missing" if text is None else "content_altered"
                said = "is not there" if text is None else "is another one"
                self.problems.append(
                    Problem(
                        kind=kind,
                        run_id=run_id,
                        object=line.object,
                        line=line.number,
                        message=f"the large text {sha256[:12]}… that it refers to {said}",
                    )
                )

    # -- what came of it -------------------------------------------------------------------------

    def report(self) -> Report:
        records = sum(len(self._chains.runs.get(run_id, {})) for run_id in self._rows)
        return Report(
            ok=not self.problems,
            runs=len(self._rows),
            records=records,
            problems=self.problems,
            running=sorted(self.runs.running),
            pending=sorted(self.runs.pending),
            signed=self.runs.signed,
            objects=len(self._objects),
            digests=self.signed.seen,
            window=Window(since=moment(self._scope.since), until=moment(self._scope.now)),
            notes=self.notes,
        )

    def baseline(self) -> Baseline:
        objects = {f"{key}@{version}": sha256 for (key, version), sha256 in self._objects.items()}
        last = self.signed.last
        return Baseline(
            stack=self._evidence.stack,
            account=self._evidence.account,
            region=self._evidence.region,
            bucket=self._outputs.audit_bucket,
            at=moment(self._scope.now),
            since=moment(self._scope.since),
            runs=len(self._rows),
            records=sum(head.records for head in self.runs.heads.values()),
            chains=self.runs.heads,
            objects=objects,
            objects_sha256=hash_of(objects),
            public_key=hashlib.sha256(self._public_key).hexdigest() if self._public_key else "",
            last_digest=last[0].number if last else None,
            last_digest_sha256=last[1] if last else "",
        )

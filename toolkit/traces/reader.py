"""`Traces`: the runs of one platform, brought up to date from its buckets and read from the local index."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from toolkit.cloud import Cloud
from toolkit.contracts import RUN_ID, TraceSummary
from toolkit.errors import TfkitError, UsageError
from toolkit.telemetry import keys
from toolkit.traces import query
from toolkit.traces.fetch import Bucket, Listed
from toolkit.traces.index import Damaged, Index, transaction
from toolkit.traces.ingested import Ingested

if TYPE_CHECKING:
    from toolkit.traces.export import Exported
    from toolkit.traces.sql import Table
    from toolkit.traces.stats import Stats

T = TypeVar("T")

_DAY = timedelta(days=1)
_FIRST_DAY = date(2024, 1, 1)  # there was no tfkit before

_SEALED_AFTER = 3 * _DAY
"""Firehose keeps trying for a day: three days on nothing more comes into a day's partition."""

_PENDING_FOR = 2 * _DAY
"""How far back a run may have begun that Firehose has still not delivered."""

_MANY_DAYS = 62


class TooLarge(UsageError):
    """The window has more that was never read than may be fetched to this machine."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"the window has {size / 1e6:,.0f} MB of records to fetch, more than {limit / 1e6:,.0f}",
            "narrow it with --since and --until, or raise the setting traces_local_mb",
        )


class Refreshed(NamedTuple):
    """What a refresh found new, and the objects or lines that it could not read."""

    objects: int
    records: int
    problems: Sequence[str]


class RunTrace(NamedTuple):
    """One run. `complete`: its chain has every record to the last; `pending`: not all is delivered yet."""

    summary: TraceSummary
    spans: Sequence[query.Span]
    complete: bool
    pending: bool
    attempts: Sequence[query.GateAttempt] = ()


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Traces:
    """The traces of one platform. Methods raise TfkitError when the buckets cannot be read.

    `index_path` is a file of the stack's own; it is created, and rebuilt when damaged. Times have a zone.
    `limit_bytes` is how much one refresh may fetch of the audit bucket, as it lies there.
    """

    def __init__(
        self,
        cloud: Cloud,
        audit_bucket: str,
        runs_bucket: str,
        index_path: Path,
        now: Callable[[], datetime] = _utc_now,
        limit_bytes: int | None = None,
    ) -> None:
        self._cloud = cloud
        self._audit_name = audit_bucket
        self._runs_name = runs_bucket
        # Neither address nor buckets: a platform may come back at another port or in another region, and
        # its past with it.
        self._index = Index(index_path, f"{cloud.target} {cloud.account}")
        self._now = now
        self._limit_bytes = limit_bytes
        self._window: tuple[datetime, datetime] | None = None

    @cached_property
    def _audit(self) -> Bucket:
        return Bucket(self._cloud, self._audit_name)

    @cached_property
    def _runs(self) -> Bucket:
        return Bucket(self._cloud, self._runs_name)

    def refresh(self, since: datetime, until: datetime) -> Refreshed:
        """Bring the index up to date for runs that began in the window.

        Raises TooLarge where that is more than the limit; nothing was fetched then.
        """
        self._window = (since, until)
        return self._read(lambda connection: self._refresh(connection, since, until), again=False)

    def list(
        self, since: datetime, until: datetime, filters: query.Filters = query.EVERYTHING
    ) -> Sequence[TraceSummary]:
        """The runs of the window that the index knows and the filters let through, newest first."""
        return self._read(lambda connection: query.list_runs(connection, since, until, filters))

    def pending(self) -> frozenset[str]:
        """The ids of runs of which Firehose has not delivered everything yet."""
        return self._read(query.pending_runs)

    def run(self, run_id: str, texts: bool = True) -> RunTrace:
        """One run with its spans; `texts=False` leaves references to long texts as they are.

        A run that the index does not know, or not wholly, is looked for beside its artifacts. Raises
        TfkitError when there is no such run.
        """
        return self._read(lambda connection: self._run(connection, run_id, texts))

    def stats(self, since: datetime, until: datetime) -> "Stats":
        """What the runs that began in the window come to."""
        from toolkit.traces.stats import stats

        return self._read(lambda connection: stats(connection, since, until))

    def sql(self, query: str, seconds: float, limit: int | None = None) -> "Table":
        """The answer to a query over all that the index holds, in so many seconds; see `traces.sql`."""
        from toolkit.traces.sql import ask

        return self._read(lambda _: ask(self._index.path, query, seconds, limit))

    def export(self, folder: Path, since: datetime, until: datetime) -> "Exported":
        """Write Parquet for the days of the window; see `traces.export`."""
        from toolkit.traces.export import export

        return self._read(lambda connection: export(connection, folder, since, until))

    def _read(self, question: Callable[[sqlite3.Connection], T], again: bool = True) -> T:
        """Ask the index; when it turns out damaged, rebuild it, refresh the window, and ask once more."""
        try:
            try:
                with self._index.open() as connection:
                    return question(connection)
            except Damaged as damage:
                self._index.discard(damage.inode)
            with self._index.open() as connection:
                if again and self._window:
                    self._refresh(connection, *self._window)
                return question(connection)
        except (Damaged, sqlite3.Error, OSError) as error:
            raise TfkitError(
                f"the index of traces cannot be kept at {self._index.path}: {error}",
                "is there room, and may you write there? the file may be deleted at any time",
            ) from error

    def _refresh(self, connection: sqlite3.Connection, since: datetime, until: datetime) -> Refreshed:
        into = Ingested()
        today = self._now().astimezone(UTC).date()
        days = list(self._days_to_list(connection, since, until, today))
        prefixes = [keys.partition(day) for day in days] + [keys.FALLBACK_PREFIX]
        new = self._new(connection, self._audit, self._audit.list_many(prefixes))
        size = sum(item.size for item in new)
        if self._limit_bytes is not None and size > self._limit_bytes:
            raise TooLarge(size, self._limit_bytes)
        self._take(connection, self._audit, new, True, into)
        with transaction(connection):
            connection.executemany(
                "INSERT OR IGNORE INTO sealed_day VALUES (?, ?)",
                [(self._audit_name, day.isoformat()) for day in days if day <= today - _SEALED_AFTER],
            )
        self._take_copies(connection, self._unfinished(connection, since, until, today), into)
        return Refreshed(into.objects, into.records, into.problems)

    def _days_to_list(
        self, connection: sqlite3.Connection, since: datetime, until: datetime, today: date
    ) -> Iterator[date]:
        """The days of the window and one on each side, without those to which nothing can have been added."""
        first = max(since.astimezone(UTC).date(), _FIRST_DAY + _DAY) - _DAY
        last = min(until.astimezone(UTC).date(), today) + _DAY
        known = connection.execute("SELECT day FROM sealed_day WHERE bucket = ?", (self._audit_name,))
        sealed = {day for (day,) in known}
        days = [first + number * _DAY for number in range((last - first).days + 1)]
        days = [day for day in days if day.isoformat() not in sealed]
        if len(days) <= _MANY_DAYS:
            yield from days
            return
        # A year of empty days is not worth a request each: look first which months there are.
        months = {
            f"{year}/{month}"
            for year in self._audit.folders("")
            if year.startswith("year=")
            for month in self._audit.folders(f"{year}/")
        }
        yield from (day for day in days if keys.partition(day).rpartition("/day=")[0] in months)

    def _unfinished(
        self, connection: sqlite3.Connection, since: datetime, until: datetime, today: date
    ) -> Sequence[str]:
        """Runs of the last days in the window whose chains the audit bucket does not hold completely."""
        first = max(since.astimezone(UTC).date(), today - _PENDING_FOR + _DAY) - _DAY
        last = min(until.astimezone(UTC).date(), today) + _DAY
        days = [first + number * _DAY for number in range((last - first).days + 1)]
        marked = self._runs.list_many(keys.markers(day) for day in days)
        found = {item.key.rpartition("/")[2] for item in marked}
        found |= query.unfinished_runs(connection, self._now() - _PENDING_FOR)
        return sorted(run_id for run_id in found if not query.run_flags(connection, run_id)[0])

    def _take_copies(self, connection: sqlite3.Connection, run_ids: Sequence[str], into: Ingested) -> None:
        listed = self._runs.list_many(keys.copies(run_id) for run_id in run_ids if RUN_ID.match(run_id))
        self._take(connection, self._runs, self._new(connection, self._runs, listed), False, into)

    def _new(
        self, connection: sqlite3.Connection, bucket: Bucket, listed: Sequence[Listed]
    ) -> Sequence[Listed]:
        """Those of the listed objects that were never read."""
        known = "SELECT 1 FROM object WHERE bucket = ? AND key = ?"
        return [item for item in listed if not connection.execute(known, (bucket.name, item.key)).fetchone()]

    def _take(
        self,
        connection: sqlite3.Connection,
        bucket: Bucket,
        new: Sequence[Listed],
        delivered: bool,
        into: Ingested,
    ) -> None:
        """Fetch and index the objects."""
        if not new:
            return
        from toolkit.traces.ingest import Fetched, ingest  # a list with nothing new needs none of it

        for batch in bucket.get_batches(new):
            ingest(connection, [Fetched(bucket.name, key, body, delivered) for key, body in batch], into)

    def _run(self, connection: sqlite3.Connection, run_id: str, texts: bool) -> RunTrace:
        if not query.run_flags(connection, run_id)[0]:
            self._take_copies(connection, [run_id], Ingested())
        summary = query.run_summary(connection, run_id)
        if summary is None:
            raise TfkitError(
                f"there is no trace of a run {run_id!r}",
                "`tfkit traces --since 30d` lists what there is; a run that has just begun has none yet",
            )
        spans = query.spans_of(
            connection, run_id, texts, lambda sha256: self._runs.get(keys.content(run_id, sha256))
        )
        attempts = query.attempts_of(connection, run_id)
        return RunTrace(summary, spans, *query.run_flags(connection, run_id), attempts)

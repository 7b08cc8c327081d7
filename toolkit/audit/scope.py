"""The window of a check: which days are read, and which objects lie in them."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from toolkit.telemetry import keys

DAY = timedelta(days=1)

_FIRST = date(2024, 1, 2)  # there was no tfkit before
_PARTITION = re.compile(r"year=(\d{4})/month=(\d{2})/day=(\d{2})/")


class Scope:
    """From `since` to `now` (with a zone), and a day on each side, as a run may go over midnight."""

    def __init__(self, since: datetime, now: datetime) -> None:
        self.now = now.astimezone(UTC)
        self.since = min(since.astimezone(UTC), self.now)
        self.first_day = max(self.since.date(), _FIRST) - DAY

    @property
    def row_days(self) -> list[str]:
        """The days of the runs' table, `YYYY-MM-DD`."""
        return [day.isoformat() for day in _days(max(self.since.date(), _FIRST), self.now.date())]

    @property
    def prefixes(self) -> list[str]:
        """The partitions of the audit bucket."""
        return [keys.partition(day) for day in _days(self.first_day, self.now.date() + DAY)]

    def holds(self, key: str) -> bool:
        """Whether the object's partition is read; what is under `fallback/` lies in none, and is listed."""
        found = _PARTITION.match(key)
        if not found:
            return key.startswith(keys.FALLBACK_PREFIX)
        try:
            return date(*map(int, found.groups())) >= self.first_day
        except ValueError:
            return False


def _days(first: date, last: date) -> Iterator[date]:
    return (first + number * DAY for number in range((last - first).days + 1))

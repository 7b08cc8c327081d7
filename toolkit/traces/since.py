"""What people type as `--since` and `--until`: `90m`, `12h`, `1d`, `2w`, a date, or a date and time."""

import re
from datetime import UTC, datetime, timedelta

from toolkit.errors import UsageError

_AGO = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

VALID = "30m, 12h, 1d, 2w, 2026-11-30, 2026-11-30T14:00 or 2026-11-30T14:00:00+01:00"


def parse_time(text: str, now: datetime) -> datetime:
    """The moment meant by the text, in UTC; `30m` and its like count back from `now` (which has a zone).

    A date is its first moment, and what names no zone is UTC, as every time that tfkit prints. Raises
    UsageError naming the valid forms.
    """
    try:
        if ago := _AGO.fullmatch(text.strip()):
            return (now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).astimezone(UTC)
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no time that tfkit understands", f"valid are: {VALID}") from None

"""Where things lie in the two buckets; the one place that writer and reader agree on.

Firehose itself writes under `year=YYYY/month=MM/day=DD/` of the audit bucket (by UTC arrival).
"""

from datetime import date

FALLBACK_PREFIX = "fallback/"
"""Audit bucket: lines that Firehose did not take."""


def fallback(run_id: str, seq: int) -> str:
    """Audit bucket: the line of a run that went past Firehose."""
    return f"{FALLBACK_PREFIX}{run_id}/{seq:06d}.json"


def copies(run_id: str) -> str:
    """Runs bucket: the prefix of the copies of a run's lines."""
    return f"runs/{run_id}/records/"


def copy(run_id: str, seq: int) -> str:
    """Runs bucket: the copy of one line, readable before Firehose delivers."""
    return f"{copies(run_id)}{seq:06d}.json"


def content(run_id: str, sha256: str) -> str:
    """Runs bucket: a text too large for a record, as plain UTF-8."""
    return f"runs/{run_id}/contents/{sha256}"


def markers(day: date) -> str:
    """Runs bucket: the prefix of the empty objects that name the runs begun on a day (UTC).

    They let the reader find runs that Firehose has not delivered yet without listing every run there is.
    `by-day` is too short for a run id, so it is nobody's folder.
    """
    return f"runs/by-day/{day.isoformat()}/"


def marker(day: date, run_id: str) -> str:
    """Runs bucket: the empty object that says a run began on this day."""
    return markers(day) + run_id


def partition(day: date) -> str:
    """Audit bucket: the hive prefix that Firehose delivers a day's records to."""
    return f"year={day:%Y}/month={day:%m}/day={day:%d}/"

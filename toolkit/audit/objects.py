"""What is wrong with objects as such: versions, delete markers, locks. Pure functions."""

from collections.abc import Iterable, Iterator
from datetime import UTC, timedelta
from itertools import groupby
from typing import NamedTuple

from toolkit.audit.evidence import Fetched, Version
from toolkit.audit.report import Problem

TOLERANCE = timedelta(hours=1)
"""By how much a retention may fall short of the promise: S3 counts from its own moment of the upload."""


class Promise(NamedTuple):
    """The retention that a platform promises for what is put into its audit bucket; 0 days promise none."""

    mode: str
    days: int

    def weaker(self, other: "Promise") -> "Promise":
        """The less of two, for a window in which the setting was changed."""
        strict = self.mode == other.mode == "COMPLIANCE"
        return Promise("COMPLIANCE" if strict else "GOVERNANCE", min(self.days, other.days))


def version_problems(versions: Iterable[Version]) -> Iterator[Problem]:
    """Every key has one version and no marker, because nothing that writes there writes twice."""
    for key, group in groupby(sorted(versions), key=lambda version: version.key):
        found = list(group)
        bodies = sum(not version.marker for version in found)
        if bodies > 1:
            yield Problem(
                kind="overwritten", object=key, message=f"it has {bodies} versions: somebody wrote over it"
            )
        if bodies < len(found):
            when = max(version.modified for version in found if version.marker).astimezone(UTC)
            yield Problem(
                kind="deleted",
                object=key,
                message=f"a delete marker hides it since {when:%Y-%m-%d %H:%M} UTC",
            )


def lock_problem(fetched: Fetched, promise: Promise) -> Problem | None:
    """Whether the version is kept at least as long and as strictly as promised."""
    if not promise.days:
        return None
    key = fetched.version.key
    if fetched.until is None:
        return Problem(kind="unlocked", object=key, message="it is under no Object Lock")
    if promise.mode == "COMPLIANCE" != fetched.mode:
        return Problem(
            kind="unlocked", object=key, message=f"its lock is {fetched.mode}, promised was COMPLIANCE"
        )
    if fetched.until < fetched.version.modified + timedelta(days=promise.days) - TOLERANCE:
        until = fetched.until.astimezone(UTC)
        return Problem(
            kind="unlocked",
            object=key,
            message=f"its lock ends at {until:%Y-%m-%d %H:%M} UTC, before the {promise.days} days promised",
        )
    return None

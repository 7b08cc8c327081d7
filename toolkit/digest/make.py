"""One digest after another: what came into the bucket since the last, and which chains it closed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from toolkit.digest import document
from toolkit.digest.document import Digest, ObjectSeen, OpenRun
from toolkit.digest.lines import ChainHead, LineSeen, closed_chain, read_lines, unzip
from toolkit.tables import BY_DAY, day_key
from toolkit.telemetry import keys
from toolkit.telemetry.restore import UNREADABLE

MARGIN = timedelta(minutes=5)
"""An object shows its time before it can be listed, so the last minutes are promised by the next digest."""

LATE = timedelta(days=2)
"""How far back new objects are looked for. Firehose tries for a day, into the partition of the arrival:
https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html"""

FORGET_OPEN = timedelta(days=7)

MOST_OBJECTS = 2_000
"""How many objects a digest reads at most; what is left is for the next one."""


class Stored(NamedTuple):
    """An object that was listed."""

    key: str
    modified: datetime


class Place(NamedTuple):
    """What the digests are of: names of the platform's parts, and the lock that it promises."""

    stack: str
    bucket: str
    table: str
    lock_mode: str
    lock_days: int


class Maker:
    """Reads the bucket and the table with boto3's clients, and changes nothing. Raises what boto3 raises."""

    def __init__(self, s3: Any, dynamodb: Any, place: Place, now: datetime) -> None:
        self._s3 = s3
        self._dynamodb = dynamodb
        self._place = place
        self._now = now

    def make(self) -> Digest:
        """The next digest, not signed yet."""
        known = self._digests()
        before = known[-1] if known else None
        new, until = self._new_objects(before.digest if before else None, known)
        objects, lines = self._read(new)
        chains, still_open = _close(lines, before.digest.open if before else [], self._now)
        return Digest(
            stack=self._place.stack,
            bucket=self._place.bucket,
            number=before.digest.number + 1 if before else 0,
            previous=before.sha256 if before else "",
            at=moment(self._now),
            until=moment(until),
            objects=objects,
            chains=chains,
            open=still_open,
            runs=self._runs(),
            lock_mode=self._place.lock_mode,
            lock_days=self._place.lock_days,
        )

    def _digests(self) -> "list[_Known]":
        """The digests that may name an object which is looked at now, the newest last."""
        listed = [item for item in self._list(document.PREFIX) if document.number_of(item.key) is not None]
        found: list[_Known] = []
        for item in reversed(listed):
            body = self._s3.get_object(Bucket=self._place.bucket, Key=item.key)["Body"].read()
            known = _Known(document.read(body)[1], sha256(body).hexdigest())
            found.append(known)
            if item.modified < _parse(found[0].digest.until) - LATE - MARGIN:
                break
        return found[::-1]

    def _new_objects(self, before: Digest | None, known: "Sequence[_Known]") -> tuple[list[Stored], datetime]:
        """What no digest has named, oldest first, and up to when that is all there is."""
        named = {item.key for one in known for item in one.digest.objects}
        first = _parse(before.until) - LATE if before else datetime.min.replace(tzinfo=UTC)
        # Partitions sort as days do, so one listing begins where nothing new can be any more.
        start = keys.partition(first.date()) if before else ""
        listed = [*self._list("year=", start), *self._list(keys.FALLBACK_PREFIX)]
        new = [item for item in listed if item.key not in named and item.modified >= first]
        new.sort(key=lambda item: (item.modified, item.key))
        until = self._now - MARGIN
        if len(new) > MOST_OBJECTS:
            return new[:MOST_OBJECTS], min(until, new[MOST_OBJECTS].modified)
        return new, until

    def _read(self, new: Iterable[Stored]) -> tuple[list[ObjectSeen], dict[str, list[LineSeen]]]:
        objects: list[ObjectSeen] = []
        lines: dict[str, list[LineSeen]] = {}
        for item in new:
            answer = self._s3.get_object(Bucket=self._place.bucket, Key=item.key)
            body = answer["Body"].read()
            version = answer.get("VersionId", "")
            digest = sha256(body).hexdigest()
            objects.append(ObjectSeen(key=item.key, version=version, sha256=digest, bytes=len(body)))
            for run_id, line in _lines_of(body):
                lines.setdefault(run_id, []).append(line)
        return objects, lines

    def _runs(self) -> dict[str, int]:
        """How many runs began yesterday and today, as far as the index knows by now."""
        days = [(self._now - timedelta(days=back)).date().isoformat() for back in (1, 0)]
        return {day: self._count(day) for day in days}

    def _count(self, day: str) -> int:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._place.table,
            IndexName=BY_DAY,
            KeyConditionExpression="gsi1pk = :day",
            ExpressionAttributeValues={":day": {"S": day_key(day)}},
            Select="COUNT",
        )
        return sum(int(page["Count"]) for page in pages)

    def _list(self, prefix: str, after: str = "") -> list[Stored]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._place.bucket, Prefix=prefix, StartAfter=after
        )
        return [
            Stored(item["Key"], item["LastModified"]) for page in pages for item in page.get("Contents", [])
        ]


class _Known(NamedTuple):
    """A digest that is there, and the hash of its envelope."""

    digest: Digest
    sha256: str


def moment(when: datetime) -> str:
    """A time as it stands in a digest."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encode(digest: Digest) -> bytes:
    """The payload that is signed."""
    return msgspec.json.encode(digest)


def _parse(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _lines_of(body: bytes) -> Iterator[tuple[str, LineSeen]]:
    """The records of an object; what is none is in the object's own hash, and no chain's."""
    try:
        text = unzip(body)
    except UNREADABLE:
        return
    for line in read_lines(text):
        if line.head:
            head = line.head
            yield head.run_id, LineSeen(seq=head.seq, sha256=line.sha256, prev=head.prev, last=head.last)


def _close(
    new: Mapping[str, Sequence[LineSeen]], was_open: Iterable[OpenRun], now: datetime
) -> tuple[list[ChainHead], list[OpenRun]]:
    """The chains that are whole now, and the runs that are not."""
    begun = {run.run_id: run for run in was_open if _parse(run.since) > now - FORGET_OPEN}
    chains: list[ChainHead] = []
    still_open: list[OpenRun] = []
    for run_id in sorted(begun.keys() | new.keys()):
        before = begun.get(run_id)
        lines = list(dict.fromkeys([*(before.lines if before else []), *new.get(run_id, [])]))
        if chain := closed_chain(run_id, lines):
            chains.append(chain)
        else:
            since = before.since if before else moment(now)
            still_open.append(OpenRun(run_id=run_id, since=since, lines=lines))
    return chains, still_open

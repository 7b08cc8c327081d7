"""What a `down` leaves in place, and why: records that are under lock, data that is to be kept.

What stays keeps what it cannot do without: a bucket its settings, and the key that its objects are
encrypted with, and the key's alias. It stays in the engine's state as well, so the next `up` goes on with
it, and a `down` after the lock has run out takes it away.
"""

from collections.abc import Callable, Iterable

from toolkit.cloud import Cloud
from toolkit.deploy.buckets import locked_until, remove_versions, versions
from toolkit.deploy.receipt import Kept
from toolkit.deploy.state import Resource

BUCKET = "aws:s3/bucket:Bucket"
KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"

ASKED_FOR = "it was to be kept (--keep-data)"


def what_stays(cloud: Cloud, resources: list[Resource], *, keep_data: bool) -> list[Kept]:
    """The resources that a `down` keeps, with the reason and, for a lock, the date (RFC 3339)."""
    stays: dict[str, Kept] = {}
    for bucket in _buckets(resources):
        reason, until = _reason(cloud, bucket, keep_data=keep_data)
        if reason:
            for part in [bucket, *_settings(bucket, resources)]:
                stays[part.urn] = Kept(urn=part.urn, reason=reason, until=until)
    if stays:
        until = max(kept.until for kept in stays.values())
        for part in resources:
            if part.type in (KEY, ALIAS):
                stays[part.urn] = Kept(urn=part.urn, reason="what stays is encrypted with it", until=until)
    return list(stays.values())


def empty_buckets(
    cloud: Cloud, resources: list[Resource], staying: Iterable[str], note: Callable[[str], None]
) -> list[Kept]:
    """Empty the buckets that go. One that S3 does not let go of stays after all, and is returned.

    Only `down` does this: the buckets themselves are made so that no engine deletes them with data in them.
    """
    stays = set(staying)
    kept: list[Kept] = []
    for bucket in _buckets(resources):
        if bucket.urn in stays or bucket.inputs.get("forceDestroy"):
            continue
        note(f"emptying the bucket {bucket.id}")
        refused = remove_versions(cloud.client("s3"), bucket.id, cloud.account)
        if refused:
            reason = f"{len(refused)} objects in it could not be deleted ({refused[0]})"
            parts = [bucket, *_settings(bucket, resources), *(r for r in resources if r.type in (KEY, ALIAS))]
            kept += [Kept(urn=part.urn, reason=reason) for part in parts]
    return kept


def filled_buckets(cloud: Cloud, resources: list[Resource]) -> list[str]:
    """The names of the buckets that no engine would delete, because something is in them."""
    s3 = cloud.client("s3")
    return [
        bucket.id
        for bucket in _buckets(resources)
        if not bucket.inputs.get("forceDestroy") and any(versions(s3, bucket.id, cloud.account))
    ]


def _buckets(resources: list[Resource]) -> list[Resource]:
    return [r for r in resources if r.type == BUCKET and not r.delete]


def _reason(cloud: Cloud, bucket: Resource, *, keep_data: bool) -> tuple[str, str]:
    if keep_data:
        return ASKED_FOR, ""
    # A platform whose buckets may be destroyed with what is in them is one of the local target, where
    # the emulator forgets a lock when it stops, so that none is evidence.
    if bucket.inputs.get("forceDestroy") or not bucket.inputs.get("objectLockEnabled"):
        return "", ""
    until = locked_until(cloud.client("s3"), bucket.id, cloud.account)
    if until is None:
        return "", ""
    return "it holds records under Object Lock", until.isoformat(timespec="seconds")


def _settings(bucket: Resource, resources: list[Resource]) -> list[Resource]:
    """What only says how the bucket is: its encryption, its lock, its lifecycle, and so on."""
    return [
        r
        for r in resources
        if r.custom
        and r.type.startswith("aws:s3/bucket")
        and r.inputs.get("bucket") == bucket.id
        and r != bucket
    ]

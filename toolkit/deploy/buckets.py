"""What is in a bucket: is it locked, and until when; and how to empty it of every version."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

BATCH = 1000
"""https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""


class Version(NamedTuple):
    """One version of an object, or a delete marker."""

    key: str
    id: str
    modified: datetime
    marker: bool


def versions(s3: Any, bucket: str, account: str) -> Iterator[Version]:
    """Every version in the bucket; none where the bucket is gone."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, ExpectedBucketOwner=account)
    try:
        for page in pages:
            for kind in ("Versions", "DeleteMarkers"):
                for entry in page.get(kind, []):
                    yield Version(
                        entry["Key"], entry["VersionId"], entry["LastModified"], kind == "DeleteMarkers"
                    )
    except s3.exceptions.NoSuchBucket:
        return


def locked_until(s3: Any, bucket: str, account: str) -> datetime | None:
    """Until when something in the bucket is under Object Lock; None where nothing is.

    Asked of the newest version: every record has the bucket's default retention, so the newest is the
    last to come free. One whose retention was made longer by hand is found when it is to be deleted.
    """
    newest = max(
        (version for version in versions(s3, bucket, account) if not version.marker),
        key=lambda version: version.modified,
        default=None,
    )
    if newest is None:
        return None
    try:
        answer = s3.get_object_retention(Bucket=bucket, Key=newest.key, VersionId=newest.id)
    except ClientError as error:
        if error.response["Error"]["Code"] in (
            "NoSuchObjectLockConfiguration",
            "ObjectLockConfigurationNotFoundError",
        ):
            return None
        raise
    until: datetime = answer["Retention"]["RetainUntilDate"]
    return until if until > datetime.now(UTC) else None


def remove_versions(s3: Any, bucket: str, account: str) -> list[str]:
    """Delete every version of every object. Returns the keys that S3 refused to delete, with its reason."""
    refused: list[str] = []
    batch: list[Version] = []
    # Listed before it is deleted from: a listing that changes under way may skip.
    for version in list(versions(s3, bucket, account)):
        batch.append(version)
        if len(batch) == BATCH:
            refused += _remove(s3, bucket, account, batch)
            batch = []
    return refused + (_remove(s3, bucket, account, batch) if batch else [])


def _remove(s3: Any, bucket: str, account: str, batch: list[Version]) -> list[str]:
    objects = [{"Key": version.key, "VersionId": version.id} for version in batch]
    answer = s3.delete_objects(
        Bucket=bucket, ExpectedBucketOwner=account, Delete={"Objects": objects, "Quiet": True}
    )
    return [f"{error['Key']}: {error['Message']}" for error in answer.get("Errors", [])]

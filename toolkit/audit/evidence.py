"""What there is to look at: the one place where `audit` speaks to the cloud, and it only reads.

An object comes by boto3 and not by obstore, because only there its lock comes with its bytes, in one request
and for that very version; a request more for each object would cost more than obstore saves.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from toolkit.cloud import Cloud
from toolkit.contracts import RUN_ID, RunRecord, StackOutputs
from toolkit.errors import TfkitError
from toolkit.tables import BY_DAY, day_key, from_item, run_key
from toolkit.telemetry import keys
from toolkit.traces.fetch import Bucket

T = TypeVar("T")

THREADS = 10
"""As many as the connections that a client of boto3's keeps."""

BATCH_BYTES = 16 * 1024 * 1024
"""How much is fetched, as it lies in the bucket, before it is looked at."""

GONE = ("NoSuchKey", "NoSuchVersion", "404")


class Version(NamedTuple):
    """One version of an object, or a delete marker."""

    key: str
    id: str
    modified: datetime
    size: int
    marker: bool


class Fetched(NamedTuple):
    """A version with its bytes, and its retention: mode and date, empty and None where it has none."""

    version: Version
    body: bytes
    mode: str
    until: datetime | None


class Evidence:
    """The platform's buckets, table and key. Methods raise `TfkitError` where they may not be read."""

    def __init__(self, cloud: Cloud, outputs: StackOutputs, stack: str) -> None:
        self._cloud = cloud
        self.outputs = outputs
        self.stack, self.account, self.region = stack, cloud.account, cloud.region
        self.local = cloud.target == "local"

    @cached_property
    def _runs(self) -> Bucket:
        return Bucket(self._cloud, self.outputs.runs_bucket)

    def rows(self, days: Sequence[str]) -> list[RunRecord]:
        """The runs that began on the days (`YYYY-MM-DD`, UTC), as the table has them.

        Not by `toolkit.client`, which closes the runs whose workers died: an audit changes nothing.
        """
        pages = self._cloud.client("dynamodb").get_paginator("query")

        def ask(day: str) -> list[RunRecord]:
            found = pages.paginate(
                TableName=self.outputs.runs_table,
                IndexName=BY_DAY,
                KeyConditionExpression="gsi1pk = :day",
                ExpressionAttributeValues={":day": {"S": day_key(day)}},
            )
            return [from_item(item) for page in found for item in page["Items"]]

        return [row for day in days for row in self._asked(partial(ask, day), "the table of runs")]

    def table_made(self) -> datetime:
        """When the table of runs was made: what is older was recorded under a table that is gone."""
        dynamodb: Any = self._cloud.client("dynamodb")
        table = self._asked(
            lambda: dynamodb.describe_table(TableName=self.outputs.runs_table)["Table"], "the table of runs"
        )
        made: datetime = table["CreationDateTime"]
        return made

    def row(self, run_id: str) -> RunRecord | None:
        """One run of the table, None for one that it does not know."""
        dynamodb: Any = self._cloud.client("dynamodb")
        answer = self._asked(
            lambda: dynamodb.get_item(
                TableName=self.outputs.runs_table, Key=run_key(run_id), ConsistentRead=True
            ),
            "the table of runs",
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    def versions(self, prefix: str) -> Iterator[Version]:
        """Every version and delete marker below the prefix, by key."""
        pages = (
            self._cloud.client("s3")
            .get_paginator("list_object_versions")
            .paginate(Bucket=self.outputs.audit_bucket, Prefix=prefix)
        )
        found = iter(pages)
        while page := self._asked(lambda: next(found, None), "the audit bucket"):
            for kind in ("Versions", "DeleteMarkers"):
                for item in page.get(kind, []):
                    yield Version(
                        item["Key"],
                        item["VersionId"],
                        item["LastModified"],
                        item.get("Size", 0),
                        kind == "DeleteMarkers",
                    )

    def fetch(self, versions: Sequence[Version]) -> Iterator[Fetched]:
        """The versions with their bytes, a batch side by side; without delete markers and what is gone."""
        with ThreadPoolExecutor(THREADS) as pool:
            for batch in _batches([version for version in versions if not version.marker]):
                for fetched in pool.map(self._get, batch):
                    if fetched:
                        yield fetched

    def _get(self, version: Version) -> Fetched | None:
        s3: Any = self._cloud.client("s3")
        where = {"Bucket": self.outputs.audit_bucket, "Key": version.key, "VersionId": version.id}

        def get() -> Fetched | None:
            try:
                answer = s3.get_object(**where)
            except ClientError as error:
                if error.response["Error"]["Code"] in GONE:
                    return None
                raise
            return Fetched(
                version,
                answer["Body"].read(),
                answer.get("ObjectLockMode", ""),
                answer.get("ObjectLockRetainUntilDate"),
            )

        return self._asked(get, f"s3://{self.outputs.audit_bucket}/{version.key}")

    def copies(self, run_id: str) -> list[bytes]:
        """The copies of a run's lines beside its artifacts. They make `traces` quick, and are no evidence."""
        listed = self._runs.list(keys.copies(run_id)) if RUN_ID.match(run_id) else []
        found = (self._runs.get(item.key) for item in listed)
        return [body for body in found if body is not None]

    def copy(self, run_id: str, seq: int) -> bytes | None:
        """The copy of one line, None where there is none."""
        return self._runs.get(keys.copy(run_id, seq)) if RUN_ID.match(run_id) else None

    def content(self, run_id: str, sha256: str) -> bytes | None:
        """A text that was too large for a record, None where it is gone."""
        return self._runs.get(keys.content(run_id, sha256)) if RUN_ID.match(run_id) else None

    def public_key(self) -> bytes | None:
        """The key that checks the digests, as DER; None where only KMS itself may check them."""

        def get() -> bytes | None:
            try:
                answer = self._cloud.client("kms").get_public_key(KeyId=self.outputs.digest_key_arn)
            except ClientError as error:
                if error.response["Error"]["Code"] == "AccessDeniedException":
                    return None
                raise
            der: bytes = answer["PublicKey"]
            return der

        return self._asked(get, f"the key {self.outputs.digest_key_arn}")

    def kms_says(self, digest: bytes, signature: bytes, algorithm: str) -> bool:
        """Ask KMS itself whether the signature is of that SHA-256."""
        kms: Any = self._cloud.client("kms")

        def ask() -> bool:
            try:
                answer = kms.verify(
                    KeyId=self.outputs.digest_key_arn,
                    Message=digest,
                    MessageType="DIGEST",
                    Signature=signature,
                    SigningAlgorithm=algorithm,
                )
            except kms.exceptions.KMSInvalidSignatureException:
                return False
            return bool(answer["SignatureValid"])

        return self._asked(ask, f"the key {self.outputs.digest_key_arn}")

    def _asked(self, ask: Callable[[], T], what: str) -> T:
        try:
            return ask()
        except (ClientError, BotoCoreError) as error:
            raise TfkitError(
                f"{what} cannot be read: {error}",
                "is the platform up (tfkit status), and do you have the auditor's policy?",
            ) from error


def _batches(versions: Sequence[Version]) -> Iterator[Sequence[Version]]:
    start = size = 0
    for number, version in enumerate(versions, start=1):
        size += version.size
        if size >= BATCH_BYTES or number == len(versions):
            yield versions[start:number]
            start, size = number, 0

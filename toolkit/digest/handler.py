"""Lambda's entry, called each hour: make the next digest, have KMS sign it, and put it under the lock."""

import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from toolkit.digest import document
from toolkit.digest.make import Maker, Place, encode
from toolkit.errors import PlatformError

logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
log = logging.getLogger("toolkit.digest")
log.setLevel(logging.INFO)

ENVIRONMENT = (
    *("TFKIT_STACK", "TFKIT_AUDIT_BUCKET", "TFKIT_RUNS_TABLE", "TFKIT_DIGEST_KEY"),
    *("TFKIT_LOCK_MODE", "TFKIT_LOCK_DAYS"),
)
"""What `stacks.digests` sets on the function."""


class Clients(NamedTuple):
    """The boto3 clients of the function."""

    s3: Any
    dynamodb: Any
    kms: Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's form
    """Make one digest. Returns its number and what it covers; `skipped` where another call was quicker."""
    answer = write_digest(make_clients(), os.environ, datetime.now(UTC))
    log.info(json.dumps(answer))
    return answer


def make_clients() -> Clients:
    """Clients from the function's own environment and role."""
    patient = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=5, read_timeout=60)
    path_style = Config(s3={"addressing_style": "path"}) if os.environ.get("AWS_ENDPOINT_URL") else Config()
    return Clients(
        s3=boto3.client("s3", config=patient.merge(path_style)),
        dynamodb=boto3.client("dynamodb", config=patient),
        kms=boto3.client("kms", config=patient),
    )


def write_digest(clients: Clients, environment: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """Make, sign and store the digest of this moment (`now` has a zone).

    Raises `PlatformError` naming a variable that is missing, and what boto3 raises.
    """
    if missing := [name for name in ENVIRONMENT if not environment.get(name)]:
        raise PlatformError(f"the digest's function lacks {', '.join(missing)}", "run `tfkit up`")
    place = Place(
        stack=environment["TFKIT_STACK"],
        bucket=environment["TFKIT_AUDIT_BUCKET"],
        table=environment["TFKIT_RUNS_TABLE"],
        lock_mode=environment["TFKIT_LOCK_MODE"],
        lock_days=int(environment["TFKIT_LOCK_DAYS"]),
    )
    digest = Maker(clients.s3, clients.dynamodb, place, now).make()
    body = document.sign(clients.kms, environment["TFKIT_DIGEST_KEY"], encode(digest))
    said = {"number": digest.number, "objects": len(digest.objects), "chains": len(digest.chains)}
    return said if _put(clients.s3, place.bucket, digest.number, body) else {"skipped": digest.number}


def _put(s3: Any, bucket: str, number: int, body: bytes) -> bool:
    """Store it unless there is one of that number: two calls at once must not make two.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    try:
        s3.put_object(
            Bucket=bucket,
            Key=document.key_of(number),
            Body=body,
            ContentType="application/json",
            IfNoneMatch="*",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
            return False
        raise
    return True

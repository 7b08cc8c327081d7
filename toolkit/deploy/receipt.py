"""What `down` leaves behind, found by listing again and not by believing the engine."""

from typing import Any

from toolkit.cloud import Cloud
from toolkit.contracts import Shape
from toolkit.deploy.state import Resource

KMS_KEY = "aws:kms/key:Key"
UNEXPECTED = "it is still there after its deletion"
STRANGER = "it carries this stack's tag, and this stack did not make it"


class Kept(Shape, frozen=True):
    """A resource that is still there: its URN (or ARN where only that is known), why, and until when."""

    urn: str
    reason: str
    until: str = ""


class Scheduled(Shape, frozen=True):
    """A resource that AWS deletes later; the date is RFC 3339."""

    urn: str
    date: str


class Receipt(Shape, frozen=True):
    """What is gone, what stayed and why, and what goes later."""

    deleted: list[str] = []
    kept: list[Kept] = []
    scheduled: list[Scheduled] = []


def write_receipt(
    cloud: Cloud, stack: str, before: list[Resource], left: list[Resource], stays: list[Kept]
) -> Receipt:
    """Say of everything that was deployed what became of it.

    `stays` is what was to stay, with the reasons; `left` is what the provider still finds. A listing by tag
    looks for anything that the state did not know; it sees only the services that the tagging API covers,
    which is why both are asked.
    """
    reasons = {one.urn: one for one in stays}
    known = {str(resource.outputs.get("arn", "")) for resource in before}
    strangers = [arn for arn in tagged(cloud, stack) if arn not in known]
    keys = {r.urn: r.id for r in before if r.type == KMS_KEY} | {
        arn: arn for arn in strangers if _is_key(arn)
    }
    scheduled = [
        Scheduled(urn=urn, date=date) for urn, key in keys.items() if (date := _deletion_date(cloud, key))
    ]
    later = {entry.urn for entry in scheduled}
    kept = [resource for resource in left if resource.urn not in later]
    stayed = {*later, *(resource.urn for resource in kept)}
    return Receipt(
        deleted=[r.urn for r in before if r.custom and not r.is_provider and r.urn not in stayed],
        kept=[reasons.get(resource.urn, Kept(urn=resource.urn, reason=UNEXPECTED)) for resource in kept]
        + [Kept(urn=arn, reason=STRANGER) for arn in strangers if arn not in later],
        scheduled=scheduled,
    )


def tagged(cloud: Cloud, stack: str) -> list[str]:
    """ARNs of everything that carries the stack's tag (Resource Groups Tagging API)."""
    pages = (
        cloud.client("resourcegroupstaggingapi")
        .get_paginator("get_resources")
        .paginate(TagFilters=[{"Key": "tfkit:stack", "Values": [stack]}])
    )
    return [entry["ResourceARN"] for page in pages for entry in page["ResourceTagMappingList"]]


def _is_key(arn: str) -> bool:
    return arn.split(":")[2] == "kms" and ":key/" in arn


def _deletion_date(cloud: Cloud, key: str) -> str:
    client: Any = cloud.client("kms")
    try:
        metadata = client.describe_key(KeyId=key)["KeyMetadata"]
    except client.exceptions.NotFoundException:
        return ""
    date = metadata.get("DeletionDate")
    return date.isoformat() if date else ""

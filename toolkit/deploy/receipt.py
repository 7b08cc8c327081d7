"""What `down` leaves behind, found by listing again and not by believing the engine."""

from typing import Any

from toolkit.cloud import Cloud
from toolkit.contracts import Shape
from toolkit.deploy.state import Resource


class Kept(Shape):
    """A resource that is still there: its URN (or ARN where only that is known), why, and until when."""

    urn: str
    reason: str
    until: str = ""


class Scheduled(Shape):
    """A resource that AWS deletes later; the date is RFC 3339."""

    urn: str
    date: str


class Receipt(Shape):
    """What is gone, what stayed and why, and what goes later."""

    deleted: list[str] = []
    kept: list[Kept] = []
    scheduled: list[Scheduled] = []


def write_receipt(cloud: Cloud, stack: str, before: list[Resource], deleted: list[str]) -> Receipt:
    """Compare what was deployed with what a listing by tag finds now."""
    keys = {resource.id: resource.urn for resource in before if resource.type == "aws:kms/key:Key"}
    scheduled = [
        Scheduled(urn=urn, date=date) for key, urn in keys.items() if (date := _deletion_date(cloud, key))
    ]
    going = {entry.urn for entry in scheduled}
    leftovers = [arn for arn in tagged(cloud, stack) if not _is_going(arn, keys, going)]
    return Receipt(
        deleted=[urn for urn in deleted if urn not in going],
        kept=[Kept(urn=arn, reason="it is still there and carries this stack's tag") for arn in leftovers],
        scheduled=scheduled,
    )


def tagged(cloud: Cloud, stack: str) -> list[str]:
    """ARNs of everything that carries the stack's tag (Resource Groups Tagging API)."""
    pages = cloud.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(
        TagFilters=[{"Key": "tfkit:stack", "Values": [stack]}]
    )
    return [entry["ResourceARN"] for page in pages for entry in page["ResourceTagMappingList"]]


def _is_going(arn: str, keys: dict[str, str], going: set[str]) -> bool:
    return any(arn.endswith(f"key/{key}") and urn in going for key, urn in keys.items())


def _deletion_date(cloud: Cloud, key: str) -> str:
    client: Any = cloud.client("kms")
    try:
        metadata = client.describe_key(KeyId=key)["KeyMetadata"]
    except client.exceptions.NotFoundException:
        return ""
    date = metadata.get("DeletionDate")
    return date.isoformat() if date else ""

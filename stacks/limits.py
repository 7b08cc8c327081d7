"""What AWS would refuse, or make useless, only after half of the platform is there."""

from collections.abc import Iterator

from stacks import names
from stacks.audit import BUFFER_SECONDS
from toolkit.contracts import PlatformConfig

TAG_LIMIT = 50
"""https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html#tag-conventions"""

LEAST_FRESHNESS_S = 2 * BUFFER_SECONDS
"""Firehose holds a record back for the buffer's time and then delivers it; what is younger is not late.
https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html (DataFreshness)"""


def check_limits(config: PlatformConfig) -> None:
    """Raises a ValueError that names the setting, its value and what is allowed."""
    for problem in (*_tags(config), *_freshness(config), *_reserve(config), *_places(config)):
        raise ValueError(problem)


def _tags(config: PlatformConfig) -> Iterator[str]:
    count = len(names.named_tags(config, "any"))
    if count > TAG_LIMIT:
        yield (
            f"{len(config.tags)} tags are {count} with tfkit's own, and AWS allows {TAG_LIMIT} on a "
            f"resource: leave {count - TAG_LIMIT} of tags out"
        )


def _freshness(config: PlatformConfig) -> Iterator[str]:
    if config.alarm_freshness_s < LEAST_FRESHNESS_S:
        yield (
            f"alarm_freshness_s is {config.alarm_freshness_s}, and Firehose holds every record back for "
            f"{BUFFER_SECONDS} seconds, so the alarm would come for nothing: use {LEAST_FRESHNESS_S} or more"
        )


def _reserve(config: PlatformConfig) -> Iterator[str]:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""
    if config.reserved_concurrency == 0:
        yield "reserved_concurrency is 0, with which nothing would ever run: use -1 for none, or 1 and more"


def _places(config: PlatformConfig) -> Iterator[str]:
    """Where a key and a boundary have to lie. The emulator (`agent_zip`) does not ask, so that the settings
    of a real account can be tried on it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html (same Region)
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html (PermissionsBoundary)
    """
    if config.agent_zip:
        return
    if config.kms_key_arn and (region := _part(config.kms_key_arn, 3)) != config.region:
        yield (
            f"kms_key_arn {config.kms_key_arn!r} is of {region or 'no region'}, and the platform in "
            f"{config.region}: use a key of that region"
        )
    owner = _part(config.permissions_boundary, 4)
    if config.permissions_boundary and owner not in ("aws", config.account):
        yield (
            f"permissions_boundary {config.permissions_boundary!r} is a policy of {owner or 'no account'}, "
            f"and the platform is in {config.account}: use a policy of that account, or one of AWS's own"
        )


def _part(arn: str, number: int) -> str:
    """A field of an ARN, counted from 0; empty where there is none."""
    parts = arn.split(":", 5)
    return parts[number] if len(parts) == 6 else ""  # arn:partition:service:region:account:resource

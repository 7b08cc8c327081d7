"""The checks of an account, with the rights that everyone has: `sts:GetCallerIdentity` needs none.

An opted-out region answers valid credentials with "the security token is invalid", so every question about
the credentials goes to a region that cannot be switched off:
https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
"""

import dataclasses

from toolkit.cloud import Cloud
from toolkit.deploy.checks.check import Check
from toolkit.deploy.checks.refusals import AWS_ERRORS, explain
from toolkit.settings import FILE, Settings

ALWAYS_ON = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""A region of each partition that cannot be switched off."""


def credentials(cloud: Cloud) -> Check:
    """Whether AWS knows the caller."""
    try:
        who = always_on(cloud).client("sts").get_caller_identity()
    except AWS_ERRORS as error:
        refusal = explain(error, cloud)
        return Check("credentials", False, refusal.detail, refusal.fix)
    if who["Arn"].endswith(":root"):
        return Check(
            "credentials",
            True,
            f"{who['Arn']}: the root user, who may assume no role",
            "log in as a user or a role: aws configure sso",
        )
    return Check("credentials", True, who["Arn"])


def account(cloud: Cloud, settings: Settings) -> Check:
    """Whether it is the account that the settings pin."""
    pinned = settings.pin_account
    if pinned and pinned != cloud.account:
        return Check(
            "account",
            False,
            f"{cloud.account} differs from the pinned one, {pinned}",
            f"use a profile of that account (aws configure list-profiles), or change pin_account in {FILE}",
        )
    return Check("account", True, f"{cloud.account}, " + ("as pinned" if pinned else "none is pinned"))


def region(cloud: Cloud, settings: Settings) -> Check:
    """Whether it is the pinned region, AWS knows it, and the account has it switched on."""
    pinned = settings.pin_region
    if pinned and pinned != cloud.region:
        return Check(
            "region",
            False,
            f"{cloud.region} differs from the pinned one, {pinned}",
            f"tfkit doctor --target aws --region {pinned}, or change pin_region in {FILE}",
        )
    try:
        cloud.client("sts").get_caller_identity()
    except AWS_ERRORS as error:
        return _refused_region(cloud, error)
    return Check(
        "region", True, f"{cloud.region} is switched on, " + ("as pinned" if pinned else "none is pinned")
    )


def _refused_region(cloud: Cloud, error: Exception) -> Check:
    refusal = explain(error, cloud)
    if refusal.kind == "wrong" and credentials(cloud).ok:
        return Check(
            "region",
            False,
            f"{cloud.region} is not switched on for this account",
            f"aws account enable-region --region-name {cloud.region}, or choose another with --region",
        )
    if refusal.kind == "unreachable" and cloud.region not in known_regions(cloud, "ec2"):
        return Check(
            "region",
            False,
            f"AWS has no region {cloud.region}",
            "tfkit doctor --target aws --region us-east-1",
        )
    return Check("region", False, refusal.detail, refusal.fix)


def bedrock_region(cloud: Cloud) -> Check:
    """Whether Bedrock is in the region, by the list that comes with boto3."""
    regions = known_regions(cloud, "bedrock")
    if cloud.region in regions:
        return Check("bedrock", True, f"Bedrock is in {cloud.region}")
    area = cloud.region.partition("-")[0]
    near = next((name for name in regions if name.startswith(f"{area}-")), ALWAYS_ON.get(cloud.partition, ""))
    return Check(
        "bedrock",
        False,
        f"this version of boto3 knows no Bedrock in {cloud.region}",
        f"tfkit doctor --target aws --region {near}",
    )


def known_regions(cloud: Cloud, service: str) -> list[str]:
    """The regions of a service in the cloud's partition, as boto3's data has them; asks nobody."""
    import boto3

    return boto3.Session(region_name=cloud.region).get_available_regions(service, cloud.partition)


def always_on(cloud: Cloud) -> Cloud:
    """The same cloud in a region that no account can switch off."""
    return dataclasses.replace(cloud, region=ALWAYS_ON.get(cloud.partition, cloud.region))

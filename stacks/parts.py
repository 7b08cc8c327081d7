"""What several components have one of each: a role of ours, and a log group of ours."""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

import pulumi
import pulumi_aws as aws

from stacks import names
from toolkit.contracts import PlatformConfig


def role(
    config: PlatformConfig, kind: str, description: str, trust: str, opts: pulumi.ResourceOptions
) -> aws.iam.Role:
    """A role of one of `names.IAM_KINDS`, under the user's path and boundary; `trust` is who may take it."""
    return aws.iam.Role(
        f"{kind}-role",
        name=names.iam_name(config, kind),
        path=config.role_path or None,
        description=description,
        assume_role_policy=trust,
        permissions_boundary=config.permissions_boundary or None,
        tags=config.all_tags,
        opts=opts,
    )


def log_group(
    config: PlatformConfig,
    what: str,
    name: str,
    kms_key_arn: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> aws.cloudwatch.LogGroup:
    """The log group of `what`, encrypted, and kept as long as the settings say."""
    return aws.cloudwatch.LogGroup(
        f"{what}-log",
        name=name,
        retention_in_days=config.log_retention_days,
        kms_key_id=kms_key_arn,
        tags=config.all_tags,
        opts=opts,
    )

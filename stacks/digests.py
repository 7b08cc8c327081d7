"""The hourly digest of the audit bucket: a signing key, a function with a role of its own, and its schedule.

The agent writes the records, so it could write them anew; it has no right to this key, this function or the
prefix of the digests. The key's own policy lets nobody else sign, whatever a role of the account may do.
"""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names, parts
from stacks.code import Code
from stacks.policies import Statement, document, trust
from stacks.signing import DIGESTS, signing_key
from toolkit.contracts import PlatformConfig

HANDLER = "toolkit.digest.handler.handler"
SCHEDULE = "rate(1 hour)"
PREFIX = "digests/"
"""As `toolkit.digest.document` has it."""

TIMEOUT_SECONDS = 600
MEMORY_MB = 1024


@dataclass(frozen=True)
class DigestArgs:
    """What the digest is made from; `parent` is the component that it belongs to."""

    config: PlatformConfig
    kms_key_arn: pulumi.Output[str]
    audit_bucket: pulumi.Output[str]
    runs_table: pulumi.Output[str]
    code: Code
    parent: pulumi.Resource


@dataclass(frozen=True)
class DigestOutputs:
    """What checks a digest, and the function that makes one."""

    function_name: pulumi.Output[str]
    key_arn: pulumi.Output[str]


def hourly_digest(args: DigestArgs) -> DigestOutputs:
    """The function, ready to be called, with its key and the rule that calls it each hour."""
    config, opts = args.config, pulumi.ResourceOptions(parent=args.parent)
    key = signing_key(config, DIGESTS, opts)
    log_group = parts.log_group(config, "digest", names.digest_log_group(config), args.kms_key_arn, opts)
    description = "Lets tfkit read the audit records and sign what they are, and nothing else"
    trusted = document(trust("LambdaRunsTheDigest", {"Service": "lambda.amazonaws.com"}))
    role = parts.role(config, names.DIGEST_ROLE, description, trusted, opts)
    policy = aws.iam.RolePolicy(
        "digest-policy",
        name="digest",
        role=role.name,
        policy=pulumi.Output.all(args.kms_key_arn, key.arn).apply(lambda arns: digest_policy(config, *arns)),
        opts=opts,
    )
    function = _function(args, role, key, [log_group, policy])
    _each_hour(config, function, opts)
    return DigestOutputs(function_name=function.name, key_arn=key.arn)


def _function(
    args: DigestArgs, role: aws.iam.Role, key: aws.kms.Key, ready: list[pulumi.Resource]
) -> aws.lambda_.Function:
    config, code = args.config, args.code
    return aws.lambda_.Function(
        "digest-function",
        name=names.digest_name(config),
        description=f"tfkit {config.version}: signs what the audit bucket holds",
        role=role.arn,
        package_type=code.package_type,
        code=code.archive,
        handler=code.handler,
        runtime=code.runtime,
        image_uri=code.image_uri,
        image_config=code.image_config,
        architectures=code.architectures,
        memory_size=MEMORY_MB,
        timeout=TIMEOUT_SECONDS,
        environment=aws.lambda_.FunctionEnvironmentArgs(
            variables={
                "TFKIT_STACK": config.stack,
                "TFKIT_AUDIT_BUCKET": args.audit_bucket,
                "TFKIT_RUNS_TABLE": args.runs_table,
                "TFKIT_DIGEST_KEY": key.arn,
                "TFKIT_LOCK_MODE": config.lock_mode,
                "TFKIT_LOCK_DAYS": str(config.lock_days),
            }
        ),
        tags=config.all_tags,
        opts=pulumi.ResourceOptions(parent=args.parent, depends_on=ready),
    )


def _each_hour(config: PlatformConfig, function: aws.lambda_.Function, opts: pulumi.ResourceOptions) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html"""
    rule = aws.cloudwatch.EventRule(
        "digest-schedule",
        name=names.digest_name(config),
        description="Has tfkit sign what the audit bucket holds",
        schedule_expression=SCHEDULE,
        state="ENABLED",  # said, so that one that was switched off shows, and `up` switches it on
        tags=config.all_tags,
        opts=opts,
    )
    aws.lambda_.Permission(
        "digest-permission",
        statement_id="the-schedule",
        function=function.name,
        action="lambda:InvokeFunction",
        principal="events.amazonaws.com",
        source_arn=rule.arn,
        opts=opts,
    )
    aws.cloudwatch.EventTarget(
        "digest-target", rule=rule.name, target_id="digest", arn=function.arn, opts=opts
    )


def digest_policy(config: PlatformConfig, key_arn: str, signing_key_arn: str) -> str:
    """Read the records and count the runs, sign, and put the digest: nothing of it can be changed after."""
    bucket, table = names.bucket_arn(config, names.AUDIT), names.runs_table_arn(config)
    services = [f"{service}.{config.region}.amazonaws.com" for service in ("dynamodb", "s3")]
    return document(
        Statement(
            sid="WriteItsOwnLog",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[names.arn(config, "logs", f"log-group:{names.digest_log_group(config)}:*")],
        ),
        Statement(sid="ReadTheAuditRecords", actions=["s3:GetObject"], resources=[f"{bucket}/*"]),
        Statement(sid="ListTheAuditRecords", actions=["s3:ListBucket"], resources=[bucket]),
        Statement(sid="PutDigests", actions=["s3:PutObject"], resources=[f"{bucket}/{PREFIX}*"]),
        Statement(sid="CountTheRunsOfADay", actions=["dynamodb:Query"], resources=[f"{table}/index/gsi1"]),
        Statement(
            sid="UseTheKeyOfTheDataThroughItsServices",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[key_arn],
            condition={"StringEquals": {"kms:ViaService": services}},
        ),
        Statement(sid="SignDigests", actions=["kms:Sign"], resources=[signing_key_arn]),
    )

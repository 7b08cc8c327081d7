"""Ready policies for people: who uses the platform, who audits it, who runs it (`access_operator`).

They are handed out by the account's administrator; nothing of the platform has them attached.
"""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names
from stacks.access_operator import operator_policy
from stacks.catalog import TABLE
from stacks.policies import Statement, document
from toolkit.contracts import PlatformConfig

POLICIES = {
    names.USER: "Ask the tfkit agent, and read what its runs made",
    names.AUDITOR: "Read the audit records, the traces and the records of runs of tfkit",
    names.OPERATOR: "Bring the tfkit platform up and down, and stop it",
    names.STATE: "Keep the Pulumi state of the stacks of tfkit, which an operator does",
}


POLICY_LIMIT = 6_144
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, without white space"""

KEY_ID_LENGTH = 36


@dataclass(frozen=True)
class AccessArgs:
    """What the policies are made from; `parent` is the component that they belong to."""

    config: PlatformConfig
    kms_key_arn: pulumi.Output[str]
    digest_key_arn: pulumi.Output[str]
    statement_key_arn: pulumi.Output[str]
    parent: pulumi.Resource


def access_policies(args: AccessArgs) -> dict[str, pulumi.Output[str]]:
    """The policies' ARNs, by whom they are for."""
    config = args.config
    keys = pulumi.Output.all(args.kms_key_arn, args.digest_key_arn, args.statement_key_arn)
    return {
        kind: aws.iam.Policy(
            f"{kind}-policy",
            name=names.iam_name(config, kind),
            path=config.role_path or None,
            description=POLICIES[kind],
            policy=keys.apply(lambda arns, make=make: make(config, *arns)),
            tags=config.all_tags,
            opts=pulumi.ResourceOptions(parent=args.parent),
        ).arn
        for kind, make in DOCUMENTS.items()
    }


def check_access(config: PlatformConfig) -> None:
    """Raises a ValueError where names make one of the policies longer than IAM allows."""
    any_key = names.arn(config, "kms", "key/" + "k" * KEY_ID_LENGTH)
    keys = (config.kms_key_arn or any_key, any_key, any_key)
    for kind, make in DOCUMENTS.items():
        if (length := len(make(config, *keys))) > POLICY_LIMIT:
            raise ValueError(
                f"the policy for the {kind} has {length} characters and IAM allows {POLICY_LIMIT}: "
                f"shorten the prefix {config.prefix!r}"
            )


def user_policy(config: PlatformConfig, key_arn: str, _digest_key_arn: str, statement_key_arn: str) -> str:
    """Invoke the function, follow a run, fetch its files, check what was signed of them.

    A run's record and files lie under its id, which says nothing of who asked; so the policy tells this
    platform's runs from others', and not one user's from another's.
    """
    return document(
        Statement(
            sid="AskTheAgent",
            actions=["lambda:InvokeFunction"],
            resources=[names.function_arn(config, names.function_name(config))],
        ),
        *_read_runs(config),
        _check_statements(statement_key_arn),
        # A run trusts what it is given by the hash in its request alone; so whoever may ask may write it.
        Statement(
            sid="GiveRunsTheirFiles",
            actions=["s3:PutObject"],
            resources=[
                f"{names.bucket_arn(config, names.RUNS)}/runs/*/{given}"
                for given in ("start.tree", "attached.tree", "request.json")
            ],
        ),
        Statement(
            sid="FindThePlatformAndChooseAmongItsModels",
            actions=["ssm:GetParameter"],
            resources=[names.directory_arn(config), names.registry_arn(config)],
        ),
        Statement(
            sid="LearnWhyARequestWasNotTaken",
            actions=["sqs:ReceiveMessage"],
            resources=[names.arn(config, "sqs", names.dead_letters(config))],
        ),
        _decrypt(config, key_arn, writes=True),
    )


def auditor_policy(config: PlatformConfig, key_arn: str, digest_key_arn: str, statement_key_arn: str) -> str:
    """Read everything that was recorded, with its locks; change nothing."""
    bucket = names.bucket_arn(config, names.AUDIT)
    database = names.database_name(config)
    return document(
        Statement(
            sid="FindThePlatform", actions=["ssm:GetParameter"], resources=[names.directory_arn(config)]
        ),
        Statement(
            sid="ReadTheAuditRecordsAndTheirLocks",
            actions=["s3:GetObject", "s3:GetObjectRetention", "s3:GetObjectVersion"],
            resources=[f"{bucket}/*"],
        ),
        Statement(
            sid="ListTheAuditRecordsAndSeeTheLock",
            actions=[
                "s3:GetBucketLocation",
                "s3:GetBucketObjectLockConfiguration",
                "s3:GetBucketVersioning",
                "s3:ListBucket",
                "s3:ListBucketVersions",
            ],
            resources=[bucket],
        ),
        Statement(
            sid="CheckTheSignaturesOfDigests",
            actions=["kms:GetPublicKey", "kms:Verify"],
            resources=[digest_key_arn],
        ),
        Statement(
            sid="SeeHowOldTheTableOfRunsIs",
            actions=["dynamodb:DescribeTable"],
            resources=[names.runs_table_arn(config)],
        ),
        *_read_runs(config),
        _check_statements(statement_key_arn),
        # https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
        Statement(
            sid="KnowTheTableOfTheRecords",
            actions=["glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable"],
            resources=[
                names.arn(config, "glue", "catalog"),
                names.arn(config, "glue", f"database/{database}"),
                names.arn(config, "glue", f"table/{database}/{TABLE}"),
            ],
        ),
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
        Statement(
            sid="ReadTracesXRayHasNoResources",
            actions=["xray:BatchGetTraces", "xray:GetTraceSummaries"],
            resources=["*"],
        ),
        _decrypt(config, key_arn),
    )


def state_policy(config: PlatformConfig, _key_arn: str, _digest_key_arn: str, _statement_key_arn: str) -> str:
    """Where Pulumi keeps the state of all stacks of the account (see `toolkit.deploy.aws_state`).

    Apart from the operator's policy, which is as long as IAM allows. The key is named by its alias, because
    its ARN is not known here: https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    """
    bucket = f"arn:{config.partition}:s3:::tfkit-state-{config.account}"
    return document(
        Statement(
            sid="ReadAndWriteTheStates",
            actions=["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            resources=[f"{bucket}/*"],
        ),
        Statement(
            sid="FindTheStates",
            actions=["s3:GetBucketLocation", "s3:GetBucketTagging", "s3:ListBucket"],
            resources=[bucket],
        ),
        Statement(
            sid="EncryptTheStatesAndTheirSecrets",
            actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
            resources=[f"arn:{config.partition}:kms:*:{config.account}:key/*"],
            condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/tfkit-state"}},
        ),
    )


def _read_runs(config: PlatformConfig) -> list[Statement]:
    table, bucket = names.runs_table_arn(config), names.bucket_arn(config, names.RUNS)
    return [
        Statement(
            sid="ReadTheRecordsOfRuns",
            actions=["dynamodb:GetItem", "dynamodb:Query"],
            resources=[table, f"{table}/index/gsi1"],
        ),
        Statement(
            sid="ReadTheFilesAndStatementsOfRuns",
            actions=["s3:GetObject"],
            resources=[f"{bucket}/runs/*", f"{bucket}/statements/*"],
        ),
        # Without it, a missing object is AccessDenied and not NoSuchKey.
        Statement(
            sid="ListTheFilesOfRuns",
            actions=["s3:ListBucket"],
            resources=[bucket],
            condition={"StringLike": {"s3:prefix": ["runs/*", "statements/*"]}},
        ),
    ]


def _check_statements(statement_key_arn: str) -> Statement:
    return Statement(
        sid="CheckTheSignaturesOfStatements", actions=["kms:GetPublicKey"], resources=[statement_key_arn]
    )


def _decrypt(config: PlatformConfig, key_arn: str, *, writes: bool = False) -> Statement:
    services = [f"{service}.{config.region}.amazonaws.com" for service in ("dynamodb", "s3")]
    return Statement(
        sid="DecryptWhatIsReadThroughItsService",
        actions=["kms:Decrypt", "kms:GenerateDataKey"] if writes else ["kms:Decrypt"],
        resources=[key_arn],
        condition={"StringEquals": {"kms:ViaService": services}},
    )


DOCUMENTS = {
    names.USER: user_policy,
    names.AUDITOR: auditor_policy,
    names.OPERATOR: operator_policy,
    names.STATE: state_policy,
}

"""The operator's policy: `up`, `down`, `stop` and `status` of this platform, by its names and its tag.

It may write the roles' policies, so whoever has it can give the platform's roles more than they have: set
`permissions_boundary`, and it can do so only within that. It may never write the ready policies, its own
among them; a version of tfkit that changes these is brought up by an administrator. AWS limits a policy
to 6,144 characters, hence actions by what their names have in common, and services side by side where no
action of one means anything for the resources of another.
"""

from stacks import names
from stacks.policies import Condition, Statement, document
from toolkit.contracts import PlatformConfig


def operator_policy(config: PlatformConfig, key_arn: str, digest_key_arn: str, statement_key_arn: str) -> str:
    """The document, statement by statement in the order of the components."""
    return document(
        *_keys(config, key_arn, [digest_key_arn, statement_key_arn]),
        *_storage(config),
        *_models(config),
        *_roles(config),
        *_running(config),
        *_lists(),
    )


def _keys(config: PlatformConfig, key_arn: str, signing: list[str]) -> list[Statement]:
    """The key of the data and those that sign; it manages the latter, whose own policy lets it not sign."""
    use = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
    manage = ["kms:*Alias", "kms:*Key*", "kms:*Resource*"]
    brought = Statement(sid="UseTheKeyThatWasBrought", actions=use, resources=[key_arn])
    made = [*signing]
    if not config.kms_key_arn:
        made += [key_arn, names.arn(config, "kms", f"alias/{config.prefix}")]
    return [
        *([brought] if config.kms_key_arn else []),
        Statement(
            sid="MakeAKeyThatHasNoArnYet",
            actions=["kms:CreateKey"],
            resources=["*"],
            condition={"StringEquals": {"aws:RequestTag/tfkit:stack": config.stack}},
        ),
        Statement(
            sid="UseAndKeepTheKeysAndTheirAlias",
            actions=["kms:CreateGrant", "kms:Decrypt", *manage],
            resources=made,
        ),
    ]


def _storage(config: PlatformConfig) -> list[Statement]:
    """Buckets without what is in them, but for the source of the image; the table with the runs to stop."""
    buckets = [names.bucket_arn(config, kind) for kind in (names.AUDIT, names.RUNS)]
    table = names.runs_table_arn(config)
    database = names.database_name(config)
    return [
        Statement(
            sid="KeepTheBucketsNotTheirObjects",
            actions=["s3:*Bucket*", "s3:Get*Configuration", "s3:Put*Configuration"],
            resources=buckets,
        ),
        Statement(
            sid="UploadTheSourceOfTheImage",
            actions=["s3:PutObject"],
            resources=[f"{buckets[1]}/{names.BUILD_PREFIX}*"],
        ),
        Statement(
            sid="KeepTablesAndParametersAndStopRuns",
            actions=[
                *("dynamodb:*Table", "dynamodb:Describe*", "dynamodb:GetItem", "dynamodb:Query"),
                *("dynamodb:*ag*Resource", "dynamodb:Update*"),
                *("glue:*Database", "glue:*Table", "glue:*ag*"),
                *("ssm:DeleteParameter", "ssm:GetParameter*", "ssm:PutParameter", "ssm:*ags*Resource"),
            ],
            resources=[
                *(table, f"{table}/index/gsi1"),
                names.arn(config, "glue", "catalog"),
                names.arn(config, "glue", f"database/{database}"),
                names.arn(config, "glue", f"table/{database}/*"),
                names.arn(config, "ssm", f"parameter/{config.prefix}/*"),
            ],
        ),
    ]


def _models(config: PlatformConfig) -> list[Statement]:
    profiles = names.arn(config, "bedrock", "application-inference-profile/*")
    sources = [
        f"arn:{config.partition}:bedrock:*::foundation-model/*",
        names.arn(config, "bedrock", "inference-profile/*"),
    ]
    return [
        Statement(
            sid="MakeProfilesOfAnyModel",
            actions=["bedrock:CreateInferenceProfile"],
            resources=[profiles, *sources],
        ),
        Statement(
            sid="KeepTheProfilesOfThisStack",
            actions=[
                *("bedrock:DeleteInferenceProfile", "bedrock:GetInferenceProfile", "bedrock:*ag*Resource"),
            ],
            resources=[profiles],
            condition=_tagged(config),
        ),
    ]


def _roles(config: PlatformConfig) -> list[Statement]:
    roles = names.role_arn(config, "*")
    invoke = names.policy_arn(config, names.INVOKE_POLICY)
    boundary: Condition | None = None
    if config.permissions_boundary:
        boundary = {"StringEquals": {"iam:PermissionsBoundary": config.permissions_boundary}}
    services = [f"{name}.amazonaws.com" for name in ("codebuild", "firehose", "lambda")]
    return [
        Statement(
            sid="GiveTheRolesTheirPolicies",
            actions=[
                *("iam:*tachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePolicy"),
            ],
            resources=[roles],
            condition=boundary,
        ),
        Statement(
            sid="KeepRolesAndRemovePolicies",
            actions=[
                *("iam:DeletePolicy*", "iam:DeleteRole", "iam:Get*", "iam:List*"),
                *("iam:*agPolicy", "iam:*agRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole"),
            ],
            resources=[roles, names.policy_arn(config, "*")],
        ),
        Statement(
            sid="HandTheRolesToTheirServices",
            actions=["iam:PassRole"],
            resources=[roles],
            condition={"StringEquals": {"iam:PassedToService": services}},
        ),
        Statement(
            sid="WriteTheInvokePolicyOnly",
            actions=["iam:CreatePolicy*", "iam:SetDefaultPolicyVersion"],
            resources=[invoke],
        ),
    ]


def _running(config: PlatformConfig) -> list[Statement]:
    def ours(service: str, kind: str) -> str:
        return names.arn(config, service, f"{kind}{config.prefix}-*")

    dashboards = f"arn:{config.partition}:cloudwatch::{config.account}:dashboard/{config.prefix}-*"
    return [
        Statement(
            sid="KeepAndStopFunctionsAndReadTheirLogs",
            actions=[
                *("lambda:*teFunction", "lambda:*FunctionConcurrency"),
                *("lambda:*FunctionEventInvokeConfig", "lambda:GetFunction*", "lambda:List*"),
                *("lambda:*agResource", "lambda:UpdateFunctionCo*", "lambda:*Permission", "lambda:GetPolicy"),
                *("logs:AssociateKmsKey", "logs:*teLog*", "logs:DescribeLogStreams"),
                *("logs:FilterLogEvents", "logs:GetLogEvents", "logs:*ag*", "logs:PutRetentionPolicy"),
            ],
            resources=[ours("lambda", "function:"), ours("logs", "log-group:/aws/*/")],
        ),
        Statement(
            sid="KeepWhatCarriesRecordsAndNotices",
            actions=[
                *("firehose:*DeliveryStream*", "firehose:UpdateDestination", "sns:*Topic*", "sns:*ubscri*"),
                *("sns:*ag*Resource", "sqs:*Queue*"),
                *("cloudwatch:*Alarms", "cloudwatch:*Dashboard*", "cloudwatch:PutMetricAlarm"),
                *("cloudwatch:*ag*Resource", "events:*Rule", "events:*Target*", "events:*ag*Resource"),
            ],
            resources=[
                *(ours("firehose", "deliverystream/"), ours("sns", ""), ours("sqs", "")),
                *(ours("cloudwatch", "alarm:"), dashboards, ours("events", "rule/")),
            ],
        ),
        Statement(
            sid="KeepAndBuildTheImage",
            actions=[
                *("codebuild:BatchGet*", "codebuild:*Build", "codebuild:*Project"),
                *("ecr:Batch*", "ecr:*Image*", "ecr:*Layer*", "ecr:*LifecyclePolicy", "ecr:*Repositor*"),
                "ecr:*ag*Resource",
            ],
            resources=[ours("codebuild", "project/"), ours("ecr", "repository/")],
        ),
    ]


def _lists() -> list[Statement]:
    """What AWS only allows on everything; see "Resource types" of each service in the
    https://docs.aws.amazon.com/service-authorization/latest/reference/
    """
    return [
        Statement(
            sid="ListAndLogInWhichHaveNoResources",
            actions=[
                *("bedrock:ListInferenceProfiles", "ecr:GetAuthorizationToken", "kms:ListAliases"),
                *("logs:DescribeLogGroups", "ssm:DescribeParameters", "tag:GetResources"),
            ],
            resources=["*"],
        )
    ]


def _tagged(config: PlatformConfig) -> Condition:
    return {"StringEquals": {"aws:ResourceTag/tfkit:stack": config.stack}}

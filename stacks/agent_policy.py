"""What the agent may do besides invoking models: its own logs, rows, objects, records, and nothing else."""

from stacks import names
from stacks.policies import Statement, document
from toolkit.contracts import PlatformConfig


def agent_policy(config: PlatformConfig, key_arn: str) -> str:
    """The inline policy of the agent's role; each Sid says what for."""
    return document(
        *_logs_and_traces(config),
        *_runs(config),
        *_audit(config),
        *_key(config, key_arn),
    )


def _logs_and_traces(config: PlatformConfig) -> list[Statement]:
    group = names.arn(config, "logs", f"log-group:{names.function_log_group(config)}")
    return [
        Statement(
            sid="WriteItsOwnLog",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[f"{group}:*"],
        ),
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
        Statement(
            sid="SendTracesXRayHasNoResources",
            actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            resources=["*"],
        ),
    ]


def _runs(config: PlatformConfig) -> list[Statement]:
    table = names.arn(config, "dynamodb", f"table/{names.name(config, 'runs')}")
    bucket = names.bucket_arn(config, names.RUNS)
    return [
        Statement(
            sid="KeepTheRecordOfRuns",
            actions=["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"],
            resources=[table, f"{table}/index/gsi1"],
        ),
        Statement(
            sid="KeepTheFilesOfRuns",
            actions=["s3:GetObject", "s3:PutObject"],
            resources=[f"{bucket}/runs/*"],
        ),
        # Without it, a missing object is AccessDenied and not NoSuchKey.
        Statement(
            sid="ListTheFilesOfRuns",
            actions=["s3:ListBucket"],
            resources=[bucket],
            condition={"StringLike": {"s3:prefix": "runs/*"}},
        ),
        Statement(
            sid="KnowTheModels",
            actions=["ssm:GetParameter"],
            resources=[names.arn(config, "ssm", f"parameter{names.registry_parameter(config)}")],
        ),
        # An on-failure destination is written to by the function's role:
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
        Statement(
            sid="LeaveFailedRequestsAsDeadLetters",
            actions=["sqs:SendMessage"],
            resources=[names.arn(config, "sqs", names.name(config, "dead-letters"))],
        ),
    ]


def _audit(config: PlatformConfig) -> list[Statement]:
    """Adds to the record; there is no way to read, delete or unlock it in here."""
    return [
        Statement(
            sid="SendRecordsToTheAuditStream",
            actions=["firehose:PutRecord", "firehose:PutRecordBatch"],
            resources=[names.arn(config, "firehose", f"deliverystream/{names.stream_name(config)}")],
        ),
        Statement(
            sid="PutRecordsWhereTheStreamIsAway",
            actions=["s3:PutObject"],
            resources=[f"{names.bucket_arn(config, names.AUDIT)}/fallback/*"],
        ),
    ]


def _key(config: PlatformConfig, key_arn: str) -> list[Statement]:
    """The key only by way of the bucket and the table, never directly.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    services = [f"{service}.{config.region}.amazonaws.com" for service in ("dynamodb", "s3")]
    return [
        Statement(
            sid="EncryptRowsAndObjectsThroughTheirServices",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[key_arn],
            condition={"StringEquals": {"kms:ViaService": services}},
        )
    ]

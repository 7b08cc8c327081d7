"""What the agent may do besides invoking models: its own logs, rows, objects, records, and nothing else."""

from collections.abc import Sequence

from stacks import names
from stacks.policies import Statement, document
from toolkit.contracts import PlatformConfig, metrics_namespace


def agent_policy(
    config: PlatformConfig, key_arn: str, statement_key_arn: str, secrets: Sequence[str] = ()
) -> str:
    """The inline policy of the agent's role; each Sid says what for. `secrets` are names of providers."""
    return document(
        *_logs_and_traces(config),
        *_runs(config),
        *_audit(config),
        *_key(config, key_arn),
        *_statements(config, statement_key_arn),
        *_insights(config),
        *_itself(config),
        *_checker(config),
        *_secrets(config, key_arn, secrets),
        *_metrics(config),
        *_otlp_headers(config),
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
    table = names.runs_table_arn(config)
    bucket = names.bucket_arn(config, names.RUNS)
    return [
        Statement(
            sid="ReadTheRecordOfRunsAndTheBrake",
            actions=["dynamodb:GetItem", "dynamodb:Query"],
            resources=[table, f"{table}/index/gsi1"],
        ),
        # The brake is a row of the same table, which a run must not be able to release. The emulator does not
        # know the condition's key, and then it holds.
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
        Statement(
            sid="WriteTheRecordOfRunsOnly",
            actions=["dynamodb:PutItem", "dynamodb:UpdateItem"],
            resources=[table],
            condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["RUN#*", "CHAT#*"]}},
        ),
        Statement(
            sid="CountTheDollarsOfADay",
            actions=["dynamodb:UpdateItem"],
            resources=[table],
            condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["BUDGET#*"]}},
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
            resources=[names.registry_arn(config)],
        ),
        # An on-failure destination is written to by the function's role:
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
        Statement(
            sid="LeaveFailedRequestsAsDeadLetters",
            actions=["sqs:SendMessage"],
            resources=[names.arn(config, "sqs", names.dead_letters(config))],
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


def _statements(config: PlatformConfig, statement_key_arn: str) -> list[Statement]:
    """Sign what a run claims, inside the function only: who takes the role elsewhere cannot.

    The key's policy cannot say so, because AWS takes this condition in policies of identities alone. The
    emulator does not fill it, so there whoever may take the role may sign.
    https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
    """
    return [
        Statement(
            sid="SignWhatARunClaims",
            actions=["kms:Sign", "kms:Verify"],
            resources=[statement_key_arn],
            condition=_inside(config),
        ),
        Statement(
            sid="LetStatementsBeFoundByTheirTree",
            actions=["s3:PutObject"],
            resources=[f"{names.bucket_arn(config, names.RUNS)}/statements/*"],
        ),
    ]


def _inside(config: PlatformConfig) -> dict[str, dict[str, str]] | None:
    """Holds for the function's own calls; the emulator does not fill the key, and would refuse them all."""
    if config.agent_zip:
        return None
    function = names.function_arn(config, names.function_name(config))
    return {"ArnEquals": {"lambda:SourceFunctionArn": function}}


def _insights(config: PlatformConfig) -> list[Statement]:
    """The extension is on the image only; its log group is the account's, made by whoever comes first.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Lambda-Insights-Getting-Started-docker.html
    """
    if config.agent_zip:
        return []
    group = names.arn(config, "logs", "log-group:/aws/lambda-insights")
    return [
        Statement(
            sid="LetTheInsightsExtensionReport",
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[group, f"{group}:*"],
        )
    ]


def _itself(config: PlatformConfig) -> list[Statement]:
    """A run that takes longer than the function may goes on in its next invocation; what is handed over is
    signed, see `_statements`."""
    function = names.function_arn(config, names.function_name(config))
    return [
        Statement(
            sid="HandLongRunsOver",
            actions=["lambda:InvokeFunction"],
            resources=[function],
            condition=_inside(config),
        )
    ]


def _checker(config: PlatformConfig) -> list[Statement]:
    if not config.checker_handler:
        return []
    return [
        Statement(
            sid="HaveWhatTheModelWroteChecked",
            actions=["lambda:InvokeFunction"],
            resources=[names.function_arn(config, names.checker_name(config))],
        )
    ]


def _secrets(config: PlatformConfig, key_arn: str, secrets: Sequence[str]) -> list[Statement]:
    """The providers' keys, which the parameter store decrypts for whoever may read the parameter.

    https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
    """
    if not secrets:
        return []
    parameters = [names.secret_arn(config, secret) for secret in sorted(secrets)]
    return [
        Statement(sid="ReadTheKeysOfModelProviders", actions=["ssm:GetParameter"], resources=parameters),
        Statement(
            sid="DecryptTheseKeysThroughTheirParameters",
            actions=["kms:Decrypt"],
            resources=[key_arn],
            condition={
                "StringEquals": {
                    "kms:ViaService": f"ssm.{config.region}.amazonaws.com",
                    "kms:EncryptionContext:PARAMETER_ARN": parameters,
                }
            },
        ),
    ]


def _metrics(config: PlatformConfig) -> list[Statement]:
    """Only on the emulator: AWS makes metrics of the log, and needs no right of the agent's for it.

    There are no resources in the service; the emulator does not fill the condition's key, AWS always does.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
    """
    if not config.agent_zip:
        return []
    namespace = {"cloudwatch:namespace": metrics_namespace(config.prefix)}
    return [
        Statement(
            sid="PutTheMetricsOfRuns",
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            condition={"StringEqualsIfExists": namespace},
        )
    ]


def _otlp_headers(config: PlatformConfig) -> list[Statement]:
    """One parameter or one secret of the user's, and whichever key of the account it is encrypted with."""
    place = config.otlp_headers_parameter
    if not place:
        return []
    secret = place.startswith("arn:") and place.split(":")[2] == "secretsmanager"
    arn = place if place.startswith("arn:") else names.arn(config, "ssm", f"parameter/{place.lstrip('/')}")
    service = "secretsmanager" if secret else "ssm"
    context = "SecretARN" if secret else "PARAMETER_ARN"
    return [
        Statement(
            sid="ReadTheHeadersForOtlp",
            actions=["secretsmanager:GetSecretValue" if secret else "ssm:GetParameter"],
            resources=[arn],
        ),
        # https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
        Statement(
            sid="DecryptTheseHeadersThroughTheirService",
            actions=["kms:Decrypt"],
            resources=[names.arn(config, "kms", "key/*")],
            condition={
                "StringEquals": {
                    "kms:ViaService": f"{service}.{config.region}.amazonaws.com",
                    f"kms:EncryptionContext:{context}": arn,
                }
            },
        ),
    ]

"""The record that cannot be altered: Firehose carries what the agent sends into the locked bucket."""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names, parts
from stacks.catalog import CatalogArgs, records_table
from stacks.foundation import FoundationOutputs
from stacks.policies import Statement, document, trust
from toolkit.contracts import PlatformConfig

BUFFER_SECONDS = 60
BUFFER_MIB = 64
DAY_PREFIX = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/"
ERROR_PREFIX = "errors/!{firehose:error-output-type}/" + DAY_PREFIX


@dataclass(frozen=True)
class AuditArgs:
    """What the audit pipeline is made from."""

    config: PlatformConfig
    foundation: FoundationOutputs


@dataclass(frozen=True)
class AuditOutputs:
    """What the other components use of it."""

    delivery_stream: pulumi.Output[str]
    glue_database: pulumi.Output[str]
    glue_table: pulumi.Output[str]


class Audit(pulumi.ComponentResource):
    """The delivery stream with its role and the log of its errors; the records as a table."""

    outputs: AuditOutputs

    def __init__(self, args: AuditArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfkit:platform:Audit", "audit", None, opts)
        self._config = args.config
        self._foundation = args.foundation
        self._child = pulumi.ResourceOptions(parent=self)

        log_stream = self._error_log()
        role = self._role()
        policy = self._may_deliver(role)
        stream = self._stream(role, policy, log_stream)
        table = records_table(CatalogArgs(args.config, args.foundation.audit_bucket, self))
        self.outputs = AuditOutputs(
            delivery_stream=stream.name, glue_database=table.database_name, glue_table=table.name
        )
        self.register_outputs(vars(self.outputs))

    def _error_log(self) -> aws.cloudwatch.LogStream:
        name = names.stream_log_group(self._config)
        group = parts.log_group(self._config, "delivery", name, self._foundation.kms_key_arn, self._child)
        return aws.cloudwatch.LogStream(
            "delivery-log-stream", name="delivery", log_group_name=group.name, opts=self._child
        )

    def _role(self) -> aws.iam.Role:
        description = "Lets Firehose put audit records into the locked bucket"
        return parts.role(
            self._config, names.DELIVERY_ROLE, description, delivery_trust(self._config), self._child
        )

    def _may_deliver(self, role: aws.iam.Role) -> aws.iam.RolePolicy:
        return aws.iam.RolePolicy(
            "delivery-policy",
            name="deliver",
            role=role.name,
            policy=self._foundation.kms_key_arn.apply(lambda key: delivery_policy(self._config, key)),
            opts=self._child,
        )

    def _stream(
        self, role: aws.iam.Role, policy: aws.iam.RolePolicy, log_stream: aws.cloudwatch.LogStream
    ) -> aws.kinesis.FirehoseDeliveryStream:
        logging = aws.kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationCloudwatchLoggingOptionsArgs(
            enabled=True, log_group_name=log_stream.log_group_name, log_stream_name=log_stream.name
        )
        return aws.kinesis.FirehoseDeliveryStream(
            "delivery-stream",
            name=names.stream_name(self._config),
            destination="extended_s3",
            extended_s3_configuration=aws.kinesis.FirehoseDeliveryStreamExtendedS3ConfigurationArgs(
                bucket_arn=self._foundation.audit_bucket_arn,
                role_arn=role.arn,
                prefix=DAY_PREFIX,
                error_output_prefix=ERROR_PREFIX,
                buffering_interval=BUFFER_SECONDS,
                buffering_size=BUFFER_MIB,
                compression_format="GZIP",
                kms_key_arn=self._foundation.kms_key_arn,
                cloudwatch_logging_options=logging,
            ),
            server_side_encryption=aws.kinesis.FirehoseDeliveryStreamServerSideEncryptionArgs(
                enabled=True, key_type="CUSTOMER_MANAGED_CMK", key_arn=self._foundation.kms_key_arn
            ),
            tags=self._config.all_tags,
            # Firehose takes the role on trust at creation and fails later where the policy is not there yet.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )


def delivery_trust(config: PlatformConfig) -> str:
    """Firehose, and only on behalf of this account, which it says by the external id.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CreateFirehoseStream.html (step 1.2)
    """
    condition = {"StringEquals": {"sts:ExternalId": config.account}}
    return document(trust("FirehoseDeliversForThisAccount", {"Service": "firehose.amazonaws.com"}, condition))


def delivery_policy(config: PlatformConfig, key_arn: str) -> str:
    """Put into the audit bucket under the two prefixes, with our key, and say what failed.

    The actions that AWS lists for an S3 destination, but for s3:GetObject: this role only ever adds.
    https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3
    """
    bucket = names.bucket_arn(config, names.AUDIT)
    return document(
        Statement(
            sid="PutRecordsAndErrors",
            actions=["s3:PutObject", "s3:AbortMultipartUpload"],
            resources=[f"{bucket}/year=*", f"{bucket}/errors/*"],
        ),
        Statement(
            sid="FindTheBucketAndItsUploads",
            actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            resources=[bucket],
        ),
        Statement(
            sid="EncryptWhatIsPutThroughS3",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[key_arn],
            condition={
                "StringEquals": {"kms:ViaService": f"s3.{config.region}.amazonaws.com"},
                # A bucket key's context is the bucket, an object's own is the object.
                "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/*"]},
            },
        ),
        Statement(
            sid="LogWhatCouldNotBeDelivered",
            actions=["logs:PutLogEvents"],
            resources=[names.arn(config, "logs", f"log-group:{names.stream_log_group(config)}:log-stream:*")],
        ),
    )

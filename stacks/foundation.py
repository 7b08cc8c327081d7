"""What everything else stands on: key, image repository, two buckets, table, dead-letter queue, topic."""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names
from stacks.buckets import BucketArgs, audit_bucket, runs_bucket
from stacks.policies import Statement, document
from toolkit.contracts import PlatformConfig

KEY_DELETION_DAYS = 30
UNTAGGED_IMAGE_DAYS = 14
DEAD_LETTER_SECONDS = 14 * 24 * 3600
LOG_GROUPS = ("/aws/lambda", "/aws/kinesisfirehose", "/aws/codebuild")


@dataclass(frozen=True)
class FoundationArgs:
    """What the foundation is made from."""

    config: PlatformConfig


@dataclass(frozen=True)
class FoundationOutputs:
    """What the other components use of it."""

    kms_key_arn: pulumi.Output[str]
    repository_url: pulumi.Output[str]
    runs_bucket: pulumi.Output[str]
    audit_bucket: pulumi.Output[str]
    audit_bucket_arn: pulumi.Output[str]
    runs_table: pulumi.Output[str]
    dead_letter_queue_url: pulumi.Output[str]
    dead_letter_queue_arn: pulumi.Output[str]
    topic_arn: pulumi.Output[str]


class Foundation(pulumi.ComponentResource):
    """Key, repository, buckets, table, dead-letter queue and topic, all encrypted and tagged."""

    outputs: FoundationOutputs

    def __init__(self, args: FoundationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfkit:platform:Foundation", "foundation", None, opts)
        self._config = args.config
        self._child = pulumi.ResourceOptions(parent=self)

        brought = args.config.kms_key_arn
        key_arn = pulumi.Output.from_input(brought) if brought else self._key()
        buckets = BucketArgs(args.config, key_arn, self)
        audit = audit_bucket(buckets)
        queue = self._dead_letter_queue()
        self.outputs = FoundationOutputs(
            kms_key_arn=key_arn,
            repository_url=self._repository().repository_url,
            runs_bucket=runs_bucket(buckets).bucket,
            audit_bucket=audit.bucket,
            audit_bucket_arn=audit.arn,
            runs_table=self._table(key_arn).name,
            dead_letter_queue_url=queue.url,
            dead_letter_queue_arn=queue.arn,
            topic_arn=self._topic(key_arn).arn,
        )
        self.register_outputs(vars(self.outputs))

    def _key(self) -> pulumi.Output[str]:
        key = aws.kms.Key(
            "key",
            description=f"tfkit platform {self._config.stack}",
            enable_key_rotation=True,
            deletion_window_in_days=KEY_DELETION_DAYS,
            policy=key_policy(self._config),
            tags=names.named_tags(self._config, "key"),
            opts=self._child,
        )
        aws.kms.Alias(
            "key-alias", name=f"alias/{self._config.prefix}", target_key_id=key.key_id, opts=self._child
        )
        return key.arn

    def _repository(self) -> aws.ecr.Repository:
        repository = aws.ecr.Repository(
            "repository",
            name=names.name(self._config, "agent"),
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[
                aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="AES256")
            ],
            # Images are built from the sources: nothing is lost, and a destroy does not stop at the first.
            force_delete=True,
            tags=self._config.all_tags,
            opts=self._child,
        )
        aws.ecr.LifecyclePolicy(
            "repository-lifecycle", repository=repository.name, policy=image_lifecycle(), opts=self._child
        )
        return repository

    def _table(self, key_arn: pulumi.Output[str]) -> aws.dynamodb.Table:
        keys = [
            aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name="gsi1pk", key_type="HASH"),
            aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name="gsi1sk", key_type="RANGE"),
        ]
        return aws.dynamodb.Table(
            "runs-table",
            name=names.name(self._config, "runs"),
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attributes=[{"name": each, "type": "S"} for each in ("pk", "sk", "gsi1pk", "gsi1sk")],
            # One overloaded index: the runs of a day, later the conversations of a user.
            global_secondary_indexes=[
                aws.dynamodb.TableGlobalSecondaryIndexArgs(
                    name="gsi1", key_schemas=keys, projection_type="ALL"
                )
            ],
            ttl=aws.dynamodb.TableTtlArgs(attribute_name="expires", enabled=True),
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(
                enabled=True, kms_key_arn=key_arn
            ),
            tags=self._config.all_tags,
            opts=self._child,
        )

    def _dead_letter_queue(self) -> aws.sqs.Queue:
        return aws.sqs.Queue(
            "dead-letters",
            name=names.dead_letters(self._config),
            message_retention_seconds=DEAD_LETTER_SECONDS,
            sqs_managed_sse_enabled=True,
            tags=self._config.all_tags,
            opts=self._child,
        )

    def _topic(self, key_arn: pulumi.Output[str]) -> aws.sns.Topic:
        topic = aws.sns.Topic(
            "alarms-topic",
            name=names.alarms_topic(self._config),
            kms_master_key_id=key_arn,
            tags=self._config.all_tags,
            opts=self._child,
        )
        aws.sns.TopicPolicy(
            "alarms-topic-policy",
            arn=topic.arn,
            policy=document(_alarms_notify(self._config)),
            opts=self._child,
        )
        if self._config.email:
            aws.sns.TopicSubscription(
                "alarms-email",
                topic=topic.arn,
                protocol="email",
                endpoint=self._config.email,
                opts=self._child,
            )
        return topic


def key_policy(config: PlatformConfig) -> str:
    """Who may use the key: the account by IAM, CloudWatch Logs for our log groups, alarms for our topic.

    A key that the user brings (`config.kms_key_arn`) keeps its own policy, which must say the same.

    Firehose, S3 and DynamoDB use it through the roles of ours that call them, which IAM allows.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    groups = [f"log-group:{start}/{config.prefix}-*" for start in LOG_GROUPS]
    account = Statement(
        sid="TheAccountDecidesByIam",
        principals={"AWS": names.account_root(config)},
        actions=["kms:*"],
        resources=["*"],
    )
    logs = Statement(
        sid="LogsEncryptsOurLogGroups",
        principals={"Service": f"logs.{config.region}.amazonaws.com"},
        actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        resources=["*"],
        condition={
            "ArnLike": {"kms:EncryptionContext:aws:logs:arn": [names.arn(config, "logs", g) for g in groups]}
        },
    )
    alarms = Statement(
        sid="AlarmsPublishToOurEncryptedTopic",
        principals={"Service": "cloudwatch.amazonaws.com"},
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        resources=["*"],
        condition=_from_our_alarms(config),
    )
    return document(account, logs, alarms)


def image_lifecycle() -> str:
    """Expires only images without a tag: a deployed image has one, so it is never expired."""
    untagged = {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": UNTAGGED_IMAGE_DAYS,
    }
    rule = {
        "rulePriority": 1,
        "description": "untagged images",
        "selection": untagged,
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]}, sort_keys=True)


def _alarms_notify(config: PlatformConfig) -> Statement:
    return Statement(
        sid="AlarmsOfThePlatformNotify",
        principals={"Service": "cloudwatch.amazonaws.com"},
        actions=["sns:Publish"],
        resources=[names.arn(config, "sns", names.alarms_topic(config))],
        condition=_from_our_alarms(config),
    )


def _from_our_alarms(config: PlatformConfig) -> dict[str, dict[str, str]]:
    return {
        "StringEquals": {"aws:SourceAccount": config.account},
        "ArnLike": {"aws:SourceArn": names.arn(config, "cloudwatch", f"alarm:{config.prefix}-*")},
    }

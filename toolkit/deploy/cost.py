"""What a platform costs while nobody asks it anything, by resource and month, from what a preview reports.

    config, events of a preview ──▶ idle_costs: a rule for each type ──▶ costs, the dearest first ──▶ total

List prices of us-east-1 in US dollars, before any free tier; other regions differ by some per cent. Read in
November 2026 from stored copies: of AWS's own pages, named at the rules, where they show the figure, and of
guides of March to June 2026 that cite them. What is used is paid for on top: models, requests, stored bytes.
"""

from collections.abc import Callable, Iterable

from toolkit.contracts import PlatformConfig, ResourceEvent, Shape

# https://aws.amazon.com/kms/pricing/: each key, and one more for each of its first two rotations.
KEY_USD = 1.00
# https://aws.amazon.com/cloudwatch/pricing/: a dashboard, and each metric of an alarm of standard resolution.
DASHBOARD_USD = 3.00
ALARM_METRIC_USD = 0.10
# https://aws.amazon.com/ecr/pricing/: a GB of compressed layers in a private repository.
IMAGE_GB_USD = 0.10

IMAGE_GB = 0.6
"""What the image takes in the repository, estimated.

The AWS provider is 148 MB of it and terraform 27 MB (measured: gzip of 707 and 91 MB); AWS's base image for
Python, tflint with its ruleset, the Insights extension and the wheels are taken for the rest."""

# The logical names that `stacks.signing` gives them.
SIGNING_KEYS = {"digest-key": "one an hour", "statement-key": "one for each run that is ok"}
TOKEN_ALARM = "token-alarm"  # noqa: S105 - the logical name that `stacks.alarms` gives it
EXISTING = ("create", "update", "replace", "same")
UNKNOWN = "this version of tfkit knows no price for it"


class Cost(Shape, frozen=True):
    """What one resource costs idle: `usd` are dollars a month, `why` says what is counted, or is not."""

    name: str
    type: str
    usd: float
    why: str


Rule = Callable[[PlatformConfig, ResourceEvent], tuple[float, str]]
"""Dollars a month, and the reason, of a resource of one type."""


def idle_costs(config: PlatformConfig, events: Iterable[ResourceEvent]) -> list[Cost]:
    """The cost of every resource that is there after `up`, the dearest first, then by type and name.

    `events` are those of a whole preview (or of an `up`): what stays the same counts as what is made. A type
    without a rule costs 0 and says so.
    """
    there = {event.urn: event for event in events if event.operation in EXISTING and event.state == "done"}
    costs = []
    for event in there.values():
        usd, why = RULES.get(event.type, _unknown)(config, event)
        costs.append(Cost(name=event.name, type=event.type, usd=usd, why=why))
    return sorted(costs, key=lambda cost: (-cost.usd, cost.type, cost.name))


def total(costs: Iterable[Cost]) -> float:
    """Dollars a month of all of them, to the cent."""
    return round(sum(cost.usd for cost in costs), 2)


def _key(_config: PlatformConfig, event: ResourceEvent) -> tuple[float, str]:
    """A key that signs is never rotated: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html"""
    if requests := SIGNING_KEYS.get(event.name):
        return KEY_USD, f"one key; then by request, {requests}"
    return KEY_USD, (
        f"one key; ${KEY_USD:.2f} more after each of its first two yearly rotations; then by request"
    )


def _alarm(config: PlatformConfig, event: ResourceEvent) -> tuple[float, str]:
    """An alarm on metric maths is billed by each metric that it reads, any other has one."""
    metrics = _token_metrics(config) if event.name == TOKEN_ALARM else 1
    counted = "1 metric" if metrics == 1 else f"{metrics} metrics"
    return round(metrics * ALARM_METRIC_USD, 2), f"{counted}; the first 10 of an account are free"


def _token_metrics(config: PlatformConfig) -> int:
    # Here and not above: it imports pulumi_aws, which takes a third of a second.
    from stacks.alarms import TOKEN_METRICS
    from stacks.models import bedrock_models

    return len(bedrock_models(config)) * len(TOKEN_METRICS)


def _repository(config: PlatformConfig, _event: ResourceEvent) -> tuple[float, str]:
    if config.agent_zip:
        return 0.0, "by GB stored, and it stays empty: the functions are no container images"
    return round(IMAGE_GB * IMAGE_GB_USD, 2), (
        f"one image of about {IMAGE_GB} GB; each further version adds the layers that are new in it"
    )


def _unknown(_config: PlatformConfig, _event: ResourceEvent) -> tuple[float, str]:
    return 0.0, UNKNOWN


def _always(usd: float, why: str) -> Rule:
    return lambda _config, _event: (usd, why)


FREE = "no charge"
REQUESTS = "by request"
STORED = "by GB stored and by request"
SETTING = "a setting of the bucket: no charge"

RULES: dict[str, Rule] = {
    "aws:kms/key:Key": _key,
    "aws:kms/alias:Alias": _always(0.0, FREE),
    # https://aws.amazon.com/eventbridge/pricing/: rules that call on a schedule, and calls within AWS.
    "aws:cloudwatch/eventRule:EventRule": _always(0.0, FREE),
    "aws:cloudwatch/eventTarget:EventTarget": _always(0.0, FREE),
    "aws:cloudwatch/dashboard:Dashboard": _always(
        DASHBOARD_USD, "one dashboard; the first 3 of an account, of up to 50 metrics each, are free"
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    # Ingestion and storage, on the same page.
    "aws:cloudwatch/logGroup:LogGroup": _always(0.0, "by GB of logs, as they come and as they are kept"),
    "aws:cloudwatch/logStream:LogStream": _always(0.0, "by GB of logs: see its group"),
    "aws:ecr/repository:Repository": _repository,
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _always(0.0, FREE),
    # https://aws.amazon.com/codebuild/pricing/
    "aws:codebuild/project:Project": _always(
        0.0, "by minute of a build; none runs while the agent is the same"
    ),
    # https://aws.amazon.com/dynamodb/pricing/on-demand/
    "aws:dynamodb/table:Table": _always(
        0.0, "on demand: by request, by GB stored and by GB that can be restored"
    ),
    # https://aws.amazon.com/s3/pricing/
    "aws:s3/bucket:Bucket": _always(0.0, STORED),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _always(0.0, SETTING),
    "aws:s3/bucketLogging:BucketLogging": _always(0.0, "by GB of access logs, in the bucket that takes them"),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _always(0.0, SETTING),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _always(0.0, SETTING),
    "aws:s3/bucketPolicy:BucketPolicy": _always(0.0, SETTING),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _always(0.0, SETTING),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _always(
        0.0, SETTING
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _always(0.0, SETTING),
    # https://aws.amazon.com/firehose/pricing/
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": _always(0.0, "by GB delivered"),
    # https://aws.amazon.com/glue/pricing/
    "aws:glue/catalogDatabase:CatalogDatabase": _always(
        0.0, "the first million objects of a catalogue are free"
    ),
    "aws:glue/catalogTable:CatalogTable": _always(0.0, "the first million objects of a catalogue are free"),
    # https://aws.amazon.com/iam/
    "aws:iam/policy:Policy": _always(0.0, FREE),
    "aws:iam/role:Role": _always(0.0, FREE),
    "aws:iam/rolePolicy:RolePolicy": _always(0.0, FREE),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _always(0.0, FREE),
    # https://aws.amazon.com/lambda/pricing/
    "aws:lambda/function:Function": _always(0.0, "by request and by GB-second of a run"),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _always(0.0, FREE),
    "aws:lambda/permission:Permission": _always(0.0, FREE),
    # https://aws.amazon.com/bedrock/pricing/
    "aws:bedrock/inferenceProfile:InferenceProfile": _always(0.0, "by token of the model behind it"),
    # https://aws.amazon.com/sns/pricing/
    "aws:sns/topic:Topic": _always(0.0, REQUESTS),
    "aws:sns/topicPolicy:TopicPolicy": _always(0.0, FREE),
    "aws:sns/topicSubscription:TopicSubscription": _always(0.0, "by e-mail sent"),
    # https://aws.amazon.com/sqs/pricing/
    "aws:sqs/queue:Queue": _always(0.0, REQUESTS),
    # https://aws.amazon.com/systems-manager/pricing/
    "aws:ssm/parameter:Parameter": _always(0.0, "a parameter of the standard tier: no charge"),
}

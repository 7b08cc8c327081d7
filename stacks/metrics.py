"""The metrics that something emits for the platform, with the page that says so; only these are shown.

Our own come of the agent, which says all of `contracts.RUN_METRICS` at the end of each run. They count what
AWS cannot: runs that ended as errors while the function itself was fine, retries, dollars by the registry's
prices. On the emulator they are the only ones there are.
"""

from toolkit.contracts import METRIC_DIMENSION, RUN_METRICS, PlatformConfig, metrics_namespace

BEDROCK, LAMBDA, INSIGHTS = "AWS/Bedrock", "AWS/Lambda", "LambdaInsights"
QUEUE, DELIVERY = "AWS/SQS", "AWS/Firehose"

EMITTED: dict[str, frozenset[str]] = {
    # https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-runtime-metrics.html and, for the cache,
    # https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html
    BEDROCK: frozenset(
        {
            "CacheReadInputTokenCount",
            "CacheWriteInputTokenCount",
            "InputTokenCount",
            "InvocationLatency",
            "Invocations",
            "OutputTokenCount",
        }
    ),
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    LAMBDA: frozenset({"ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"}),
    # By the extension, which is on the container image:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Lambda-Insights-metrics.html
    INSIGHTS: frozenset(
        {
            "cpu_total_time",
            "init_duration",
            "memory_utilization",
            "tmp_used",
            "total_memory",
            "total_network",
            "used_memory_max",
        }
    ),
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    QUEUE: frozenset({"ApproximateNumberOfMessagesVisible"}),
    # https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html
    DELIVERY: frozenset({"DeliveryToS3.DataFreshness"}),
}

DIMENSIONS = {
    BEDROCK: "ModelId",
    LAMBDA: "FunctionName",
    INSIGHTS: "function_name",
    QUEUE: "QueueName",
    DELIVERY: "DeliveryStreamName",
}
"""The one dimension by which each namespace tells the platform's things apart."""


OURS = frozenset(RUN_METRICS)
"""In the namespace of `contracts.metrics_namespace`, which is the platform's own, by `METRIC_DIMENSION`."""


def emitted(config: PlatformConfig) -> dict[str, frozenset[str]]:
    """What is emitted for this platform, by namespace."""
    return {**EMITTED, metrics_namespace(config.prefix): OURS}


def dimension(namespace: str) -> str:
    """By which dimension a namespace tells the platform's things apart."""
    return DIMENSIONS.get(namespace, METRIC_DIMENSION)

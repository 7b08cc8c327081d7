"""What wakes a person: a day's tokens, a function that fails or waits, what is lost, unsigned or late."""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names
from stacks.metrics import BEDROCK, DELIVERY, DIMENSIONS, LAMBDA, QUEUE, dimension
from toolkit.contracts import OUTCOME_METRICS, PlatformConfig, metrics_namespace

DAY_SECONDS = 86_400
PERIOD_SECONDS = 300
TOKEN_METRICS = ("InputTokenCount", "OutputTokenCount")

ALARM_METRIC_LIMIT = 10
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html#metric-math-alarm-limits"""

TOKENS = "daily-tokens"


@dataclass(frozen=True)
class AlarmArgs:
    """What is watched, and whom to tell; `parent` is the component that the alarms belong to."""

    config: PlatformConfig
    topic_arn: pulumi.Output[str]
    metric_ids: Mapping[str, pulumi.Output[str]]
    function: pulumi.Output[str]
    digest_function: pulumi.Output[str]
    delivery_stream: pulumi.Output[str]
    parent: pulumi.Resource


@dataclass(frozen=True)
class Watch:
    """An alarm on one metric of one thing; it is one from the threshold on, or only beyond it.

    Without a thing the metric is one that has no dimension.
    """

    what: str
    namespace: str
    metric: str
    thing: pulumi.Input[str] | None
    stat: str
    threshold: int
    meaning: str
    beyond: bool = False


def alarms(args: AlarmArgs) -> dict[str, pulumi.Output[str]]:
    """The alarms' names, by what they are about."""
    made = {TOKENS: _token_alarm(args)} | {watch.what: _alarm(args, watch) for watch in watches(args)}
    return {what: alarm.name for what, alarm in made.items()}


def watches(args: AlarmArgs) -> Sequence[Watch]:
    """The alarms beside the one on tokens.

    Firehose delivers after its buffer at the latest, so records that are older than that, with room for
    retries, are stuck: AWS advises an alarm at the most that a buffer may be, which is 15 minutes.
    https://docs.aws.amazon.com/firehose/latest/dev/firehose-cloudwatch-metrics-best-practices.html
    """
    config = args.config
    return (
        Watch(
            *("errors", LAMBDA, "Errors", args.function, "Sum", config.alarm_errors),
            meaning="runs that ended in an error of the function",
        ),
        # A run that fails tells so and ends well as far as Lambda can see. These numbers are the agent's own,
        # so a function that is killed is the alarm above, and both are needed.
        Watch(
            *("failed-runs", metrics_namespace(config.prefix), OUTCOME_METRICS["error"], None),
            *("Sum", config.alarm_errors),
            meaning="runs that ended as an error: of a model, of a tool, of the platform",
        ),
        Watch(
            *("throttles", LAMBDA, "Throttles", args.function, "Sum", config.alarm_throttles),
            meaning="runs that were put off, for there is no room for more at a time",
        ),
        Watch(
            *("dead-letters", QUEUE, "ApproximateNumberOfMessagesVisible", names.dead_letters(config)),
            *("Maximum", config.alarm_dead_letters),
            meaning="requests that the function could not take",
        ),
        # A digest that was not made is made up for by the next; one an hour is missed by nobody for long.
        Watch(
            *("digests", LAMBDA, "Errors", args.digest_function, "Sum", 1),
            meaning="digests of the audit records that could not be made or signed",
        ),
        Watch(
            *("freshness", DELIVERY, "DeliveryToS3.DataFreshness", args.delivery_stream),
            *("Maximum", config.alarm_freshness_s),
            meaning="seconds that the oldest audit record waits to be delivered",
            beyond=True,
        ),
    )


def check_token_metrics(models: int) -> None:
    """Raises a ValueError where the token alarm could not sum so many models."""
    wanted = models * len(TOKEN_METRICS)
    if wanted > ALARM_METRIC_LIMIT:
        raise ValueError(
            f"the daily token alarm would sum {wanted} metrics and CloudWatch allows {ALARM_METRIC_LIMIT}: "
            f"keep at most {ALARM_METRIC_LIMIT // len(TOKEN_METRICS)} Bedrock models in the registry"
        )


def _alarm(args: AlarmArgs, watch: Watch) -> aws.cloudwatch.MetricAlarm:
    config = args.config
    return aws.cloudwatch.MetricAlarm(
        f"{watch.what}-alarm",
        name=names.name(config, watch.what),
        alarm_description=f"tfkit {config.stack}: {watch.meaning}",
        namespace=watch.namespace,
        metric_name=watch.metric,
        dimensions={dimension(watch.namespace): watch.thing} if watch.thing is not None else None,
        statistic=watch.stat,
        period=PERIOD_SECONDS,
        evaluation_periods=1,
        comparison_operator=("GreaterThanThreshold" if watch.beyond else "GreaterThanOrEqualToThreshold"),
        threshold=watch.threshold,
        treat_missing_data="notBreaching",
        alarm_actions=[args.topic_arn],
        tags=config.all_tags,
        opts=pulumi.ResourceOptions(parent=args.parent),
    )


def _token_alarm(args: AlarmArgs) -> aws.cloudwatch.MetricAlarm:
    config = args.config
    return aws.cloudwatch.MetricAlarm(
        "token-alarm",
        name=names.name(config, TOKENS),
        alarm_description=f"tfkit {config.stack}: input and output tokens of all models in a day",
        comparison_operator="GreaterThanThreshold",
        threshold=config.daily_token_limit,
        evaluation_periods=1,
        treat_missing_data="notBreaching",
        metric_queries=_token_queries(args.metric_ids),
        alarm_actions=[args.topic_arn],
        tags=config.all_tags,
        opts=pulumi.ResourceOptions(parent=args.parent),
    )


def _token_queries(
    metric_ids: Mapping[str, pulumi.Output[str]],
) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    """The metrics of every profile and their sum.

    FILL, because the sum of a metric and one without data that day would be without data.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    total = aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id="total", expression="SUM(FILL(METRICS(), 0))", label="Tokens of the day", return_data=True
    )
    return [
        total,
        *(
            _token_query(f"m{number}_{metric.lower()}", metric, metric_id)
            for number, metric_id in enumerate(metric_ids.values())
            for metric in TOKEN_METRICS
        ),
    ]


def _token_query(
    query_id: str, metric: str, model_id: pulumi.Output[str]
) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=query_id,
        return_data=False,
        metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=BEDROCK,
            metric_name=metric,
            dimensions={DIMENSIONS[BEDROCK]: model_id},
            period=DAY_SECONDS,
            stat="Sum",
        ),
    )

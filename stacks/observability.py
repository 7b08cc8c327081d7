"""What a person sees, and what wakes them: the dashboard by model, and the daily token alarm."""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names
from stacks.foundation import FoundationOutputs
from stacks.models import ModelsOutputs
from toolkit.contracts import PlatformConfig

DAY_SECONDS = 86_400
TOKEN_METRICS = ("InputTokenCount", "OutputTokenCount")

ALARM_METRIC_LIMIT = 10
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html#metric-math-alarm-limits"""

# Title, statistic, and metrics of https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-runtime-metrics.html
# and, for the cache, https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html
WIDGETS = (
    ("Tokens by model", "Sum", TOKEN_METRICS),
    ("Cache tokens by model", "Sum", ("CacheReadInputTokenCount", "CacheWriteInputTokenCount")),
    ("Invocations by model", "Sum", ("Invocations",)),
    ("Latency by model", "Average", ("InvocationLatency",)),
)


@dataclass(frozen=True)
class ObservabilityArgs:
    """What is observed, and whom to tell."""

    config: PlatformConfig
    foundation: FoundationOutputs
    models: ModelsOutputs


@dataclass(frozen=True)
class ObservabilityOutputs:
    """What the program exports of it."""

    dashboard: pulumi.Output[str]
    token_alarm: pulumi.Output[str]


class Observability(pulumi.ComponentResource):
    """The dashboard and the alarm on the tokens of a day, over all models."""

    outputs: ObservabilityOutputs

    def __init__(self, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfkit:platform:Observability", "observability", None, opts)
        self._config = args.config
        self._topic_arn = args.foundation.topic_arn
        self._metric_ids = {name: profile.apply(metric_id) for name, profile in args.models.profiles.items()}
        self._child = pulumi.ResourceOptions(parent=self)

        self.outputs = ObservabilityOutputs(
            dashboard=self._dashboard().dashboard_name, token_alarm=self._token_alarm().name
        )
        self.register_outputs(vars(self.outputs))

    def _dashboard(self) -> aws.cloudwatch.Dashboard:
        return aws.cloudwatch.Dashboard(
            "models-dashboard",
            dashboard_name=names.name(self._config, "models"),
            dashboard_body=pulumi.Output.all(**self._metric_ids).apply(
                lambda ids: dashboard_body(self._config.region, ids)
            ),
            opts=self._child,
        )

    def _token_alarm(self) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            "token-alarm",
            name=names.name(self._config, "daily-tokens"),
            alarm_description=f"tfkit {self._config.stack}: input and output tokens of all models in a day",
            comparison_operator="GreaterThanThreshold",
            threshold=self._config.daily_token_limit,
            evaluation_periods=1,
            treat_missing_data="notBreaching",
            metric_queries=self._token_queries(),
            alarm_actions=[self._topic_arn],
            tags=self._config.all_tags,
            opts=self._child,
        )

    def _token_queries(self) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
        """The metrics of every profile and their sum.

        FILL, because the sum of a metric and one without data that day would be without data.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
        """
        total = aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id="total", expression="SUM(FILL(METRICS(), 0))", label="Tokens of the day", return_data=True
        )
        ids = self._metric_ids.values()
        return [
            total,
            *(
                _token_query(f"m{number}_{metric.lower()}", metric, metric_id)
                for number, metric_id in enumerate(ids)
                for metric in TOKEN_METRICS
            ),
        ]


def check_token_metrics(models: int) -> None:
    """Raises a ValueError where the token alarm could not sum so many models."""
    wanted = models * len(TOKEN_METRICS)
    if wanted > ALARM_METRIC_LIMIT:
        raise ValueError(
            f"the daily token alarm would sum {wanted} metrics and CloudWatch allows {ALARM_METRIC_LIMIT}: "
            f"keep at most {ALARM_METRIC_LIMIT // len(TOKEN_METRICS)} Bedrock models in the registry"
        )


def metric_id(profile_arn: str) -> str:
    """What Bedrock reports as ModelId for calls through an application inference profile: the id in its ARN.

    AWS's page on the metrics does not say which; its sample on cost allocation by profile does ("Use AIP ID,
    not full ARN, as CloudWatch ModelId dimension"):
    https://github.com/aws-samples/sample-bedrock-cost-allocation (labs/lab_helpers/cloudwatch.py)
    """
    return profile_arn.rpartition("/")[2]


def dashboard_body(region: str, metric_ids: Mapping[str, str]) -> str:
    """Two by two widgets, each with a line for every model."""
    widgets = [
        {
            "type": "metric",
            "x": 12 * (place % 2),
            "y": 6 * (place // 2),
            "width": 12,
            "height": 6,
            "properties": {
                "title": title,
                "region": region,
                "stat": stat,
                "period": 300,
                "view": "timeSeries",
                "metrics": [
                    ["AWS/Bedrock", metric, "ModelId", value, {"label": f"{model} {metric}"}]
                    for model, value in sorted(metric_ids.items())
                    for metric in metrics
                ],
            },
        }
        for place, (title, stat, metrics) in enumerate(WIDGETS)
    ]
    return json.dumps({"widgets": widgets}, sort_keys=True)


def _token_query(
    query_id: str, metric: str, model_id: pulumi.Output[str]
) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=query_id,
        return_data=False,
        metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace="AWS/Bedrock",
            metric_name=metric,
            dimensions={"ModelId": model_id},
            period=DAY_SECONDS,
            stat="Sum",
        ),
    )

"""The bodies of the dashboards: models, function, the extension's insights, and cost.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
from collections.abc import Iterable, Mapping, Sequence

from stacks.metrics import BEDROCK, DIMENSIONS, INSIGHTS, LAMBDA, dimension
from toolkit.contracts import OUTCOME_METRICS, ModelEntry

WIDTH, HEIGHT = 12, 6
MINUTES_5, HOUR, DAY = 300, 3600, 86_400
TOKENS = ("InputTokenCount", "OutputTokenCount")

Widget = dict[str, object]

MODELS = (
    ("Tokens by model", "Sum", TOKENS),
    ("Cache tokens by model", "Sum", ("CacheReadInputTokenCount", "CacheWriteInputTokenCount")),
    ("Invocations by model", "Sum", ("Invocations",)),
    ("Latency by model", "Average", ("InvocationLatency",)),
)
RUNS = (
    ("Runs by outcome", "Sum", tuple(OUTCOME_METRICS.values())),
    ("Seconds of a run", "Average", ("Duration",)),
    ("Dollars of runs", "Sum", ("CostUsd",)),
    ("Tokens of runs", "Sum", ("InputTokens", "OutputTokens", "CacheReadTokens", "CacheWriteTokens")),
    ("Turns, tool calls and retries of a run", "Average", ("Turns", "ToolCalls", "Retries")),
    ("Attempts of a run", "Average", ("Attempts",)),
)
FUNCTIONS = (
    ("Invocations", ("Sum",), ("Invocations",)),
    ("Errors and throttles", ("Sum",), ("Errors", "Throttles")),
    ("Duration", ("p50", "p99"), ("Duration",)),
    ("Concurrent executions", ("Maximum",), ("ConcurrentExecutions",)),
)
INSIGHT = (
    ("Memory in per cent", ("Maximum",), ("memory_utilization",)),
    ("Memory in megabytes", ("Maximum",), ("used_memory_max", "total_memory")),
    ("CPU time", ("Average", "Maximum"), ("cpu_total_time",)),
    ("Start-up", ("Average", "Maximum"), ("init_duration",)),
    ("Network", ("Sum",), ("total_network",)),
    ("Temporary storage", ("Maximum",), ("tmp_used",)),
)


def models_body(region: str, metric_ids: Mapping[str, str], namespace: str, models: Iterable[str]) -> str:
    """Two by two widgets, each with a line for every model: what Bedrock counts, then what runs say.

    `metric_ids` are Bedrock's names of the models that it has; `models` are all of the registry, which is by
    which name the metrics in `namespace` know them.
    """
    ours = {model: model for model in models}
    bedrock = _by_model(region, 0, BEDROCK, MODELS, metric_ids)
    return _body(bedrock + _by_model(region, len(bedrock), namespace, RUNS, ours))


def lambda_body(region: str, functions: Sequence[str]) -> str:
    """The functions by Lambda's own metrics."""
    return _body(_by_function(region, LAMBDA, FUNCTIONS, functions))


def insights_body(region: str, functions: Sequence[str], with_extension: bool) -> str:
    """The functions from inside; without the extension it says why there is nothing to see."""
    charts = _by_function(region, INSIGHTS, INSIGHT, functions)
    if with_extension:
        return _body(charts)
    why = "These metrics are reported by the Lambda Insights extension, which is on the container image only."
    return _body([*charts, _text(len(charts), why)])


def cost_body(region: str, metric_ids: Mapping[str, str], models: Mapping[str, ModelEntry]) -> str:
    """Dollars of a day and of an hour by the registry's prices; models without one are named."""
    priced = [name for name in sorted(metric_ids) if models[name].price]
    unpriced = [name for name in sorted(metric_ids) if not models[name].price]
    charts = [
        _chart(place, region, title, _cost_lines(metric_ids, models, priced, period), period)
        for place, (title, period) in enumerate((("Dollars a day", DAY), ("Dollars an hour", HOUR)))
        if priced
    ]
    tokens = [
        [
            BEDROCK,
            metric,
            DIMENSIONS[BEDROCK],
            metric_ids[model],
            {"label": f"{model} {metric}", "stat": "Sum"},
        ]
        for model in sorted(metric_ids)
        for metric in TOKENS
    ]
    charts.append(_chart(len(charts), region, "Tokens a day", tokens, DAY))
    notes = ["Dollars are tokens times the registry's prices, without what a cache reads or writes."]
    if unpriced:
        notes.append(f"No price is known to the registry for: {', '.join(unpriced)}.")
    return _body([*charts, _text(len(charts), " ".join(notes))])


def _cost_lines(
    metric_ids: Mapping[str, str], models: Mapping[str, ModelEntry], priced: Sequence[str], period: int
) -> list[object]:
    """Metric maths: prices are per million tokens; a day without a metric counts as nothing of it."""
    lines: list[object] = []
    for number, model in enumerate(priced):
        price = models[model].price
        assert price is not None
        terms = []
        for metric, dollars in zip(TOKENS, (price.input, price.output), strict=True):
            id_ = f"m{number}_{metric.lower()}"
            hidden = {"id": id_, "visible": False, "stat": "Sum", "period": period}
            lines.append([BEDROCK, metric, DIMENSIONS[BEDROCK], metric_ids[model], hidden])
            terms.append(f"FILL({id_}, 0) * {dollars} / 1000000")
        lines.append([{"expression": " + ".join(terms), "label": model, "id": f"cost{number}"}])
    return lines


def _by_model(
    region: str,
    first: int,
    namespace: str,
    rows: Sequence[tuple[str, str, Sequence[str]]],
    values: Mapping[str, str],
) -> list[Widget]:
    """A widget for each row, from the place `first` on; `values` are the dimension's, by model."""
    return [
        _chart(
            place,
            region,
            title,
            [
                [namespace, metric, dimension(namespace), value, {"label": f"{model} {metric}", "stat": stat}]
                for model, value in sorted(values.items())
                for metric in metrics
            ],
        )
        for place, (title, stat, metrics) in enumerate(rows, first)
    ]


def _by_function(
    region: str,
    namespace: str,
    rows: Sequence[tuple[str, Sequence[str], Sequence[str]]],
    functions: Sequence[str],
) -> list[Widget]:
    return [
        _chart(
            place,
            region,
            title,
            [
                [
                    *(namespace, metric, DIMENSIONS[namespace], function),
                    {"label": f"{function} {metric} {stat}", "stat": stat},
                ]
                for function in functions
                for metric in metrics
                for stat in stats
            ],
        )
        for place, (title, stats, metrics) in enumerate(rows)
    ]


def _chart(place: int, region: str, title: str, metrics: Sequence[object], period: int = MINUTES_5) -> Widget:
    return {
        "type": "metric",
        **_at(place),
        "height": HEIGHT,
        "properties": {
            "title": title,
            "region": region,
            "period": period,
            "view": "timeSeries",
            "metrics": metrics,
        },
    }


def _text(place: int, text: str) -> Widget:
    return {"type": "text", **_at(place), "height": 3, "properties": {"markdown": text}}


def _at(place: int) -> dict[str, int]:
    return {"x": WIDTH * (place % 2), "y": HEIGHT * (place // 2), "width": WIDTH}


def _body(widgets: Iterable[Widget]) -> str:
    return json.dumps({"widgets": list(widgets)}, sort_keys=True)

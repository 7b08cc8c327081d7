"""The numbers of a run for CloudWatch: a line of embedded metric format, of which AWS makes metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

Nothing turns such lines into metrics on the emulator, so there the same numbers go by PutMetricData as well.
On AWS that right is not given to the agent. Names and units are in `toolkit.contracts`.
"""

import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from toolkit.contracts import (
    METRIC_DIMENSION,
    OUTCOME_METRICS,
    RUN_METRICS,
    WITHOUT_DIMENSION,
    RunStatus,
)
from toolkit.telemetry.counts import Counts
from toolkit.telemetry.redact import redact

log = logging.getLogger(__name__)

NO_MODEL = "none"
"""The dimension's value for a run that ended before a model of the registry was chosen.

What the caller asked for is not taken: every new value would make metrics that cost money."""


def numbers(
    counts: Counts, status: RunStatus, *, seconds: float, attempts: int, cost_usd: float | None
) -> dict[str, float]:
    """A run as metrics. A cost that is not known is left out, which is not the same as 0."""
    values: dict[str, float] = {
        "InputTokens": counts.input_tokens,
        "OutputTokens": counts.output_tokens,
        "CacheReadTokens": counts.cache_read_tokens,
        "CacheWriteTokens": counts.cache_write_tokens,
        "Turns": counts.turns,
        "ToolCalls": counts.tool_calls,
        "Retries": counts.retries,
        "Attempts": attempts,
        "Duration": seconds,
    }
    if cost_usd is not None:
        values["CostUsd"] = cost_usd
    # Each outcome has a value in every run, so that an alarm sees a 0 and not a gap.
    return values | {name: float(outcome == status) for outcome, name in OUTCOME_METRICS.items()}


def emf_line(namespace: str, model: str, values: Mapping[str, float], run_id: str, moment_ms: int) -> bytes:
    """The line, without a line feed. `run_id` is a property: it can be searched for, and is no dimension."""
    return msgspec.json.encode(
        {
            "_aws": {
                "Timestamp": moment_ms,
                "CloudWatchMetrics": [
                    _directive(namespace, [METRIC_DIMENSION], list(values)),
                    _directive(namespace, [], [name for name in WITHOUT_DIMENSION if name in values]),
                ],
            },
            METRIC_DIMENSION: model,
            "run_id": run_id,
            **values,
        }
    )


def _directive(namespace: str, dimensions: list[str], metrics: list[str]) -> dict[str, Any]:
    named = [{"Name": name, "Unit": RUN_METRICS[name]} for name in metrics]
    return {"Namespace": namespace, "Dimensions": [dimensions], "Metrics": named}


def metric_data(model: str, values: Mapping[str, float]) -> list[dict[str, Any]]:
    """The same numbers as PutMetricData takes them, at most 1,000 in a call; these are two dozen.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
    """
    by_model, none = [{"Name": METRIC_DIMENSION, "Value": model}], list[dict[str, str]]()
    return [
        {"MetricName": name, "Unit": RUN_METRICS[name], "Value": value, "Dimensions": dimensions}
        for name, value in values.items()
        for dimensions in (by_model, none)
        if dimensions or name in WITHOUT_DIMENSION
    ]


class Meter:
    """Tells CloudWatch of a run. `cloudwatch` is a client where PutMetricData is wanted as well."""

    def __init__(
        self,
        namespace: str,
        cloudwatch: Any = None,
        *,
        write: Callable[[str], object] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._namespace = namespace
        self._cloudwatch = cloudwatch
        self._write = write or _to_stdout
        self._now = now

    def emit(self, run_id: str, model: str, values: Mapping[str, float]) -> None:
        """Tell the run's numbers, once, at its end. Never raises: a run is not its metrics."""
        line = emf_line(self._namespace, model, values, run_id, int(self._now() * 1000))
        self._write(redact(line.decode()) + "\n")
        if self._cloudwatch is None:
            return
        try:
            self._cloudwatch.put_metric_data(Namespace=self._namespace, MetricData=metric_data(model, values))
        except Exception as error:  # noqa: BLE001 - whatever it is
            log.warning("the metrics of run %s were not taken: %s", run_id, error)


def _to_stdout(line: str) -> None:
    """One write, so that no other thread's line gets into it; a line of its own is what AWS looks for."""
    sys.stdout.write(line)
    sys.stdout.flush()

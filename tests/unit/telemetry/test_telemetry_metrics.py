"""The numbers of a run: counted from its spans, told in the format that AWS documents."""

import json
from typing import Any

import pytest
from pydantic_ai import ModelRetry
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo
from pydantic_ai.usage import RequestUsage
from telemetry_reading import run_agent

from toolkit.contracts import ENDED, OUTCOME_METRICS, RUN_METRICS, metrics_namespace
from toolkit.telemetry import names
from toolkit.telemetry.counts import Counts
from toolkit.telemetry.metrics import Meter, emf_line, metric_data, numbers

RUN = "run-0001-abc"
SOME = Counts(turns=3, tool_calls=2, retries=1, input_tokens=100, output_tokens=20, cache_read_tokens=7)


def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    done = sum(isinstance(message, ModelResponse) for message in messages)
    usage = RequestUsage(input_tokens=100, output_tokens=10, cache_read_tokens=40, cache_write_tokens=5)
    part = TextPart("done") if done == 3 else ToolCallPart("look", {"step": done})
    return ModelResponse(parts=[part], usage=usage)


def look(step: int) -> str:
    if step == 1:
        raise ModelRetry("once more")
    return "seen"


def test_a_run_is_counted_from_its_spans():
    _, spans = run_agent(answer, look)
    counts = Counts()
    for span in spans:
        counts.add(span.attributes)
    counts.add({names.MODEL_RETRIES: 2})
    assert counts == Counts(
        turns=4,
        tool_calls=3,
        retries=3,
        input_tokens=400,
        output_tokens=40,
        cache_read_tokens=160,
        cache_write_tokens=20,
    )


@pytest.mark.parametrize("status", sorted(ENDED))
def test_every_metric_has_a_value_in_every_run(status):
    values = numbers(SOME, status, seconds=2.5, attempts=2, cost_usd=0.01)
    assert set(values) == set(RUN_METRICS)
    assert {name for name in OUTCOME_METRICS.values() if values[name]} == {OUTCOME_METRICS[status]}
    assert (values["Turns"], values["Duration"], values["CostUsd"], values["CacheReadTokens"]) == (
        3,
        2.5,
        0.01,
        7,
    )


def test_every_way_in_which_a_run_ends_has_its_metric():
    assert set(OUTCOME_METRICS) == ENDED


def test_a_cost_that_is_not_known_is_no_zero():
    assert "CostUsd" not in numbers(SOME, "ok", seconds=1, attempts=1, cost_usd=None)


def check_emf(document: dict[str, Any]) -> set[tuple[str, str, tuple[str, ...]]]:
    """The rules of the specification; returns namespace, metric, dimensions of what AWS makes of it."""
    metadata = document["_aws"]
    assert set(metadata) == {"Timestamp", "CloudWatchMetrics"}
    assert isinstance(metadata["Timestamp"], int)
    made = set()
    for directive in metadata["CloudWatchMetrics"]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        assert 0 < len(directive["Metrics"]) <= 100
        for dimensions in directive["Dimensions"]:
            assert len(dimensions) <= 30
            assert all(isinstance(document[name], str) and document[name] for name in dimensions)
            for metric in directive["Metrics"]:
                assert set(metric) == {"Name", "Unit"}
                assert isinstance(document[metric["Name"]], int | float)
                made.add((directive["Namespace"], metric["Name"], tuple(dimensions)))
    return made


def test_the_line_is_as_the_specification_wants_it():
    values = numbers(SOME, "error", seconds=2.5, attempts=2, cost_usd=0.01)
    document = json.loads(emf_line("tfkit/dev", "haiku", values, RUN, 1_795_290_125_238))
    made = check_emf(document)
    assert made == {("tfkit/dev", name, ("Model",)) for name in RUN_METRICS} | {
        ("tfkit/dev", "RunsError", ())
    }
    assert document["Model"] == "haiku"
    assert document["run_id"] == RUN


def test_the_emulator_is_told_the_same():
    values = numbers(SOME, "error", seconds=2.5, attempts=2, cost_usd=0.01)
    data = metric_data("haiku", values)
    document = json.loads(emf_line("tfkit/dev", "haiku", values, RUN, 0))
    told = {(item["MetricName"], tuple(one["Name"] for one in item["Dimensions"])): item for item in data}
    assert len(told) == len(data)
    assert set(told) == {(name, dimensions) for _, name, dimensions in check_emf(document)}
    assert all(item["Value"] == values[item["MetricName"]] for item in data)
    assert all(item["Unit"] == RUN_METRICS[item["MetricName"]] for item in data)


class CloudWatch:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls: list[dict[str, Any]] = []

    def put_metric_data(self, **call: Any) -> None:
        self.calls.append(call)
        if self.error:
            raise self.error


def test_a_line_of_its_own_on_standard_output(capsys):
    values = {"Turns": 1.0, "RunsError": 0.0}
    Meter(metrics_namespace("tfkit-dev")).emit(RUN, "haiku", values)
    (line,) = capsys.readouterr().out.splitlines()
    assert {(name, by) for _, name, by in check_emf(json.loads(line))} == {
        ("Turns", ("Model",)),
        ("RunsError", ("Model",)),
        ("RunsError", ()),
    }


def test_where_metrics_are_refused_the_run_is_none_the_worse(capsys, caplog):
    cloudwatch = CloudWatch(ConnectionError("no route"))
    Meter("tfkit/dev", cloudwatch).emit(RUN, "haiku", {"Turns": 1.0})
    assert len(cloudwatch.calls) == 1
    assert "no route" in caplog.text
    assert capsys.readouterr().out

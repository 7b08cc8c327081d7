"""A run's telemetry, from a real agent's spans to chained lines."""

import json
import threading

import pytest
from opentelemetry.trace import Status, StatusCode
from pydantic_ai import Agent
from pydantic_ai.capabilities import Instrumentation
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.instrumented import InstrumentationSettings

from toolkit.errors import TelemetryFailed
from toolkit.telemetry import names
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.testing import MemorySink, chain_problems

RUN = "run-0001-abc"
LONG = "resource of a bucket; " * 100


def records(sink: MemorySink) -> list[dict]:
    return [json.loads(line.body) for line in sink.lines[RUN]]


def spans(sink: MemorySink) -> dict[str, dict]:
    found = {}
    for record in records(sink):
        for resource in record["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                found |= {span["name"]: span for span in scope["spans"]}
    return found


def attribute(span: dict, key: str) -> dict:
    return next(item["value"] for item in span["attributes"] if item["key"] == key)


def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    if len(messages) == 1:
        return ModelResponse(parts=[ToolCallPart("write_file", {"path": "main.tf", "content": LONG})])
    return ModelResponse(parts=[TextPart("done")])


def make_agent(telemetry: RunTelemetry) -> Agent:
    settings = InstrumentationSettings(tracer_provider=telemetry.provider, version=5)
    agent = Agent(FunctionModel(answer), name="terraform", capabilities=[Instrumentation(settings)])

    @agent.tool_plain
    def write_file(path: str, content: str) -> str:
        telemetry.flush()
        return f"wrote {path}: {content}"

    return agent


def test_an_agents_spans_become_a_closed_chain_with_each_text_once():
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    with telemetry.run_span() as span:
        make_agent(telemetry).run_sync("a bucket " + LONG)
        span.set_attribute(names.STATUS, "ok")
    receipt = telemetry.close()

    lines = sink.lines[RUN]
    assert chain_problems([line.body for line in lines]) == []
    assert len(lines) >= 2, "the flush in the tool made a record of its own"
    assert [record["last"] for record in records(sink)] == [False] * (len(lines) - 1) + [True]
    assert receipt.records == len(lines)
    assert receipt.bytes == sum(len(line.data) for line in lines)
    assert receipt.via == {"memory": len(lines)}

    found = spans(sink)
    assert {"run", "invoke_agent terraform", "execute_tool write_file"} <= set(found)
    assert found["run"]["parentSpanId"] == ""
    assert found["invoke_agent terraform"]["parentSpanId"] == found["run"]["spanId"]
    assert found["run"]["traceId"] == telemetry.trace_id
    assert found["run"]["kind"] == 1
    assert attribute(found["run"], names.STATUS) == {"stringValue": "ok"}

    reference = json.loads(
        attribute(found["execute_tool write_file"], "gen_ai.tool.call.result")["stringValue"]
    )
    texts = [record["contents"] for record in records(sink)]
    assert sum(reference["ref"] in part for part in texts) == 1
    assert {**texts[0], **texts[-1]}[reference["ref"]] == f"wrote main.tf: {LONG}"
    hashes = [sha256 for part in texts for sha256 in part]
    assert len(hashes) == len(set(hashes)), "a text was shipped twice"


def test_the_resource_names_the_run():
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    telemetry.tracer.start_span("step").end()
    telemetry.close()
    resource = records(sink)[0]["resourceSpans"][0]["resource"]
    assert attribute(resource, "service.name") == {"stringValue": "tfkit-agent"}
    assert attribute(resource, "tfkit.stack") == {"stringValue": "dev"}
    assert attribute(resource, "tfkit.run_id") == {"stringValue": RUN}


def test_spans_that_are_still_open_end_as_errors():
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    with telemetry.run_span():
        telemetry.tracer.start_span("terraform init")
        telemetry.close()
    found = spans(sink)
    assert found["run"]["status"] == {"code": 2, "message": names.UNFINISHED}
    assert found["terraform init"]["status"]["code"] == 2
    assert int(found["terraform init"]["endTimeUnixNano"]) <= int(found["run"]["endTimeUnixNano"])


def test_nothing_in_the_environment_switches_the_record_off(monkeypatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3")
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "tfkit.run_id=forged")
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    with telemetry.run_span() as span:
        span.set_attributes({"a": "abcdef", "b": "ghijkl"})
    telemetry.close()
    run = spans(sink)["run"]
    assert attribute(run, "a") == {"stringValue": "abcdef"}
    assert attribute(run, "b") == {"stringValue": "ghijkl"}
    resource = records(sink)[0]["resourceSpans"][0]["resource"]
    assert attribute(resource, "tfkit.run_id") == {"stringValue": RUN}


def test_what_was_refused_is_kept_in_its_place_and_close_says_so():
    sink = MemorySink()
    sink.refuse = True
    telemetry = RunTelemetry(RUN, "dev", sink)
    telemetry.tracer.start_span("first").end()
    assert telemetry.flush() is False
    telemetry.tracer.start_span("second").end()
    with pytest.raises(TelemetryFailed, match="2 records"):
        telemetry.close()
    assert sink.lines == {}

    sink.refuse = False
    assert telemetry.close().records == 2
    assert chain_problems([line.body for line in sink.lines[RUN]]) == []
    assert set(spans(sink)) == {"first", "second"}


def test_closing_twice_adds_nothing():
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    assert telemetry.close() == telemetry.close()
    assert telemetry.flush() is True
    assert len(sink.lines[RUN]) == 1
    assert records(sink)[0]["last"] is True


def test_another_process_goes_on_with_the_chain_the_root_the_texts_and_the_numbers():
    sink, text = MemorySink(), "a long text " * 100
    first = RunTelemetry(RUN, "dev", sink)
    with first.run_span():
        with first.tracer.start_as_current_span("part 1", attributes={"text": text}):
            pass
        first.counts.turns = 3
        carried = first.carry()
        first.leave()
    second = RunTelemetry(RUN, "dev", sink, carried)
    with second.run_span(), second.tracer.start_as_current_span("part 2", attributes={"text": text}):
        pass
    second.close()
    assert chain_problems([line.body for line in sink.lines[RUN]]) == []
    found = spans(sink)
    assert found.keys() == {"run", "part 1", "part 2"}
    assert {span["traceId"] for span in found.values()} == {second.trace_id}
    assert found["part 1"]["parentSpanId"] == found["part 2"]["parentSpanId"] == found["run"]["spanId"]
    assert found["run"]["startTimeUnixNano"] <= found["part 1"]["startTimeUnixNano"]
    assert sum(len(record["contents"]) for record in records(sink)) == 1
    assert second.counts.turns == 3


def test_a_process_that_could_not_hand_over_closes_the_chain_itself():
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    with telemetry.run_span():
        telemetry.carry()
    telemetry.close()
    assert chain_problems([line.body for line in sink.lines[RUN]]) == []
    assert spans(sink).keys() == {"run"}


def test_spans_from_many_threads_are_all_recorded():
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)

    def work(number: int) -> None:
        for step in range(20):
            telemetry.tracer.start_span(f"{number}-{step}", attributes={"text": f"{step}" * 600}).end()
            if step % 7 == 0:
                telemetry.flush()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    telemetry.close()
    assert set(spans(sink)) == {f"{number}-{step}" for number in range(6) for step in range(20)}
    assert chain_problems([line.body for line in sink.lines[RUN]]) == []


def test_an_exception_in_the_run_is_recorded_with_its_trace():
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    with pytest.raises(ValueError, match="no luck"), telemetry.run_span():
        raise ValueError("no luck")
    telemetry.close()
    run = spans(sink)["run"]
    assert run["status"]["code"] == 2
    assert attribute(run["events"][0], "exception.message") == {"stringValue": "no luck"}


def test_text_that_no_encoding_takes_does_not_stop_the_run():
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    span = telemetry.tracer.start_span("odd \udc80", attributes={"x": "a\ud800b"})
    span.set_status(Status(StatusCode.ERROR, "bad \udfff"))
    span.end()
    telemetry.close()
    (found,) = spans(sink).values()
    assert found["name"] == "odd \ufffd"
    assert attribute(found, "x") == {"stringValue": "a\ufffdb"}

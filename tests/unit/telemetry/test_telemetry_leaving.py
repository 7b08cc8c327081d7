"""What leaves the process: no secret ever, and nothing that was said where that is switched off."""

import json

import pytest
from opentelemetry.trace import Status, StatusCode
from pydantic_ai import ModelRetry
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo
from telemetry_reading import RUN, Originals, plain, raw_spans, restored, run_agent

from toolkit.contracts import Attempt, Finding
from toolkit.telemetry import attempts, leaving, names
from toolkit.telemetry.attempts import record_attempt
from toolkit.telemetry.contents import Contents
from toolkit.telemetry.restore import Texts
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.testing import MemorySink

KEY = "AKIA" + "IOSFODNN7EXAMPLE"
PRIVATE = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 30
SAID = (
    "word-of-the-prompt",
    "word-of-the-model",
    "word-of-an-argument",
    "word-of-a-result",
    "word-of-a-retry",
)


def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    done = sum(isinstance(message, ModelResponse) for message in messages)
    if done < 3:
        return ModelResponse(
            parts=[
                TextPart("word-of-the-model"),
                ToolCallPart("look", {"what": f"word-of-an-argument {done}"}),
            ]
        )
    return ModelResponse(parts=[TextPart("word-of-the-model at last")])


def look(what: str) -> str:
    if what.endswith("1"):
        raise ModelRetry("word-of-a-retry")
    return "word-of-a-result " + "r" * 600


def everything(sink: MemorySink) -> str:
    lines = b"".join(line.body for line in sink.lines.get(RUN, []))
    return (lines + b"".join(sink.contents.values())).decode()


def test_with_content_every_word_is_there():
    sink, _ = run_agent(answer, look, prompt="word-of-the-prompt")
    assert [word for word in SAID if word not in everything(sink)] == []


@pytest.mark.parametrize("library_too", [True, False])
def test_without_content_no_word_leaves_whatever_the_library_does(library_too: bool, monkeypatch):
    """Also if the library should forget one day to leave something out: then its spans hold it all."""
    if not library_too:
        import telemetry_reading

        kept = telemetry_reading.InstrumentationSettings
        monkeypatch.setattr(
            telemetry_reading,
            "InstrumentationSettings",
            lambda include_content, **given: kept(include_content=True, **given),
        )
    sink, originals = run_agent(answer, look, prompt="word-of-the-prompt", include_content=False)
    assert [word for word in SAID if word in everything(sink)] == []
    shown = raw_spans(sink)
    assert [span["name"] for span in shown] == [span.name for span in originals]
    chat = next(span for span in shown if span["name"].startswith("chat"))
    kept = plain(chat["attributes"])
    assert kept[names.OPERATION] == "chat"
    assert kept[names.INPUT_TOKENS] > 0


def run_of_ours(include_content: bool) -> MemorySink:
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink, include_content=include_content)
    finding = Finding(validator="fmt", rule="r", severity="low", message="word-of-a-result", file="main.tf")
    attempt = Attempt(n=1, tree="abc", validators={"fmt": "findings"}, findings=[finding])
    with pytest.raises(ValueError), telemetry.run_span() as span:
        record_attempt(telemetry.tracer, attempt)
        span.set_attributes({names.STATUS: "error", names.ERROR: "it said word-of-the-model"})
        span.set_status(Status(StatusCode.ERROR, "it said word-of-the-model"))
        raise ValueError("word-of-an-argument")
    telemetry.close()
    return sink


def test_without_content_neither_findings_nor_errors_have_words():
    sink = run_of_ours(include_content=False)
    assert "word-of" not in everything(sink)
    attempt, run = raw_spans(sink)
    shown = plain(attempt["attributes"])
    assert (shown[attempts.NUMBER], shown[attempts.TREE]) == (1, "abc")
    assert shown[attempts.VALIDATORS] == '{"fmt":"findings"}'
    assert attempts.FINDINGS not in shown
    assert plain(run["attributes"])[names.STATUS] == "error"
    assert run["status"] == {"code": 2}
    assert plain(run["events"][0]["attributes"]) == {"exception.type": "ValueError"}
    assert "word-of-a-result" in everything(run_of_ours(include_content=True))


def test_what_is_known_to_be_unfinished_says_so_without_content_too():
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink, include_content=False)
    with telemetry.run_span():
        telemetry.tracer.start_span("terraform init")
        telemetry.close()
    assert {span["status"]["message"] for span in raw_spans(sink)} == {names.UNFINISHED}


def test_a_secret_is_in_no_record_no_object_and_no_name():
    def leaks(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if len(messages) == 1:
            return ModelResponse(parts=[TextPart(f"I use {KEY}"), ToolCallPart("look", {"what": PRIVATE})])
        return ModelResponse(parts=[TextPart("done")])

    def look(what: str) -> str:
        return f"key: {KEY}\n{what}\n" + "t" * 900_000

    sink, _ = run_agent(leaks, look, prompt=f"my key is {KEY}, {PRIVATE}")
    assert sink.contents, "the large text is an object"
    assert KEY not in everything(sink)
    assert "MIIEvQIBADANBgkqhkiG" not in everything(sink)
    found = restored(sink)
    assert any("[redacted:private-key]" in json.dumps(attributes) for attributes in found.values())
    assert not [text for one in found.values() for text in one.values() if "was altered" in str(text)]


def test_a_secret_in_a_name_a_status_or_an_exception_goes_too():
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    with pytest.raises(ValueError), telemetry.run_span() as span:
        span.set_attribute(f"key {KEY}", {"a": 1}.get(KEY, 0))
        with telemetry.tracer.start_as_current_span(f"execute_tool {KEY}") as step:
            step.set_status(Status(StatusCode.ERROR, f"refused {KEY}"))
        raise ValueError(f"bad {KEY}")
    telemetry.close()
    assert KEY not in everything(sink)
    assert everything(sink).count("[redacted:aws-access-key-id]") >= 5


def test_a_long_value_is_known_by_its_name_though_it_becomes_a_content_of_its_own():
    token = "Zz09/+" * 150
    store = Contents()
    placed = store.place("k", json.dumps([{"role": "tool", "result": {"SessionToken": token}}]))
    text = Texts({c.sha256: c.encoded for c in store.fresh}.get, store.objects.get).resolve(placed)
    assert json.loads(text)[0]["result"] == {"SessionToken": "[redacted:aws-session-token]"}
    assert token not in b"".join(content.encoded for content in store.fresh).decode()


def test_redacted_copies_of_spans_are_otherwise_the_same():
    sink, originals = MemorySink(), Originals()
    telemetry = RunTelemetry(RUN, "dev", sink)
    telemetry.provider.add_span_processor(originals)
    with telemetry.tracer.start_as_current_span("step", attributes={"a": f"{KEY}!", "n": 3, "l": ["x", KEY]}):
        pass
    (span,) = originals.spans
    copy = leaving.redacted(span)
    assert dict(copy.attributes) == {
        "a": "[redacted:aws-access-key-id]!",
        "n": 3,
        "l": ["x", "[redacted:aws-access-key-id]"],
    }
    for part in (
        "name",
        "context",
        "parent",
        "kind",
        "start_time",
        "end_time",
        "resource",
        "instrumentation_scope",
    ):
        assert getattr(copy, part) == getattr(span, part), part

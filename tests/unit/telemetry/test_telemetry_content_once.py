"""Each content is shipped once, and every attribute of every span comes back exactly."""

import hashlib
import json
import random

import msgspec
import pytest
from opentelemetry.trace import format_span_id
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo
from telemetry_reading import RUN, contents, restored, run_agent, texts_of

from toolkit.telemetry import otlp
from toolkit.telemetry.contents import INLINE_LIMIT, Contents
from toolkit.telemetry.record import RECORD_LIMIT
from toolkit.telemetry.restore import LIMIT, Texts
from toolkit.telemetry.testing import MemorySink, chain_problems

AWKWARD = 'resource "aws_s3_bucket" "é" {\n\ttags = { "\\path" = "\u2028\U0001f600\x01\x7f</script>" }\n}\n'


def steps(count: int, text: str = "looking"):
    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        done = sum(isinstance(message, ModelResponse) for message in messages)
        if done < count:
            return ModelResponse(parts=[TextPart(f"{text} {done}"), ToolCallPart("look", {"step": done})])
        return ModelResponse(parts=[TextPart("done")])

    return answer


def shipped(sink: MemorySink) -> int:
    return sum(len(line.data) for line in sink.lines[RUN]) + sum(map(len, sink.contents.values()))


def encoded_plainly(spans) -> int:
    return sum(len(otlp.encode(otlp.span_data(span, lambda _key, text: text))) for span in spans)


def check_exact(sink: MemorySink, spans) -> None:
    found = restored(sink)
    assert len(found) == len(spans)
    for span in spans:
        assert found[format_span_id(span.context.span_id)] == dict(span.attributes), span.name
    assert chain_problems([line.body for line in sink.lines[RUN]]) == []
    assert all(len(line.data) <= RECORD_LIMIT for line in sink.lines[RUN])


def test_25_steps_with_results_of_20_kb():
    def look(step: int) -> str:
        return (f"result {step}: " + AWKWARD * 300)[:20_000]

    sink, spans = run_agent(steps(25), look)
    check_exact(sink, spans)
    plainly = encoded_plainly(spans)
    assert plainly > 7_600_000
    assert shipped(sink) <= plainly / 5
    # And no more than what is new in each step: twice its result, in JSON.
    assert shipped(sink) < 25 * 2 * 25_000


def test_what_many_short_turns_ship_grows_with_their_number_and_not_with_its_square():
    few, many = (
        run_agent(steps(count, "a short remark that is no text by hash"), lambda step: f"seen {step}")
        for count in (25, 100)
    )
    check_exact(*many)
    assert shipped(many[0]) < 4.5 * shipped(few[0])
    assert encoded_plainly(many[1]) > 8 * encoded_plainly(few[1])


def test_a_text_that_was_a_tools_argument_is_not_shipped_again_in_the_messages():
    code = AWKWARD * 100

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if len(messages) == 1:
            return ModelResponse(parts=[ToolCallPart("write", {"path": "main.tf", "content": code})])
        return ModelResponse(parts=[TextPart("done")])

    def write(path: str, content: str) -> str:
        return "written"

    sink, spans = run_agent(answer, write)
    check_exact(sink, spans)
    assert sum(json.loads(raw) == code for raw in contents(sink).values()) == 1
    assert shipped(sink) < 2 * len(json.dumps(code, ensure_ascii=False).encode()) + 20_000


def test_a_message_too_large_for_a_record_is_an_object_and_comes_back():
    big = AWKWARD * (1_000_000 // len(AWKWARD))
    sink, spans = run_agent(steps(2), lambda step: big)
    check_exact(sink, spans)
    assert hashlib.sha256(big.encode()).hexdigest() in sink.contents
    assert shipped(sink) < 1.1 * len(big.encode()) + 100_000


def random_text(source: random.Random) -> str:
    pieces = ['"', "\\", "{", "]", ",", "\n", "é", "\U0001f600", "\x00", "word " * 60, '{"ref":"', AWKWARD]
    return "".join(source.choice(pieces) for _ in range(source.randrange(1, 60)))


def edited(source: random.Random, messages: list[dict]) -> list[dict]:
    """The next turn's messages: mostly more of them, sometimes a history that was cut or rewritten."""
    messages = list(messages)
    match source.randrange(8):
        case 0 if messages:
            messages[source.randrange(len(messages))] = {"role": "user", "parts": [random_text(source)]}
        case 1:
            messages = messages[source.randrange(len(messages) + 1) :]
        case _:
            messages.append({"role": "x", "parts": [{"content": random_text(source)}], "n": len(messages)})
    return messages


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_histories_are_they_come_back(seed: int):
    source = random.Random(seed)
    store, placed, messages = Contents(redact=lambda text: text), [], []
    for _ in range(40):
        messages = edited(source, messages)
        as_json = source.choice([json.dumps(messages), msgspec.json.encode(messages).decode()])
        text = source.choice([as_json, as_json, as_json, as_json[:-1], "[" + random_text(source) + "]"])
        placed.append((text, store.place("gen_ai.input.messages", text)))
    inline = {content.sha256: content.encoded for content in store.fresh}
    assert len(inline) == len(store.fresh), "a content was stored twice"
    forwards, backwards = Texts(inline.get, store.objects.get), Texts(inline.get, store.objects.get)
    for text, value in placed:
        assert forwards.resolve(value) == text
    for text, value in reversed(placed):
        assert backwards.resolve(value) == text


def test_what_a_reader_gets_alone_is_whole_too():
    """One span of many, from nothing: its history is followed back to the first."""
    sink, spans = run_agent(steps(120), lambda step: "r" * 700)
    last = max(spans, key=lambda span: len(span.attributes.get("gen_ai.input.messages", "")))
    key = "gen_ai.input.messages"
    sha = hashlib.sha256(last.attributes[key].encode()).hexdigest()
    assert texts_of(sink).resolve(f'{{"ref":"{sha}"}}') == last.attributes[key]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def resolve(inline: dict[str, str], wanted: str) -> str:
    texts = Texts(lambda key: inline[key].encode() if key in inline else None, lambda key: None)
    return texts.resolve(f'{{"ref":"{wanted}"}}')


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("not JSON", "altered"),
        ('"another text"', "altered"),
        ('{"parts":["another text"]}', "altered"),
        ('{"parts":[7]}', "altered"),
        ('{"parts":[{"ref":"SELF","as":"head"},"]"]}', "begins with itself"),
        ('{"parts":[{"ref":"SELF","as":"json"}]}', "lies too deep"),
        ('{"parts":["x",{"ref":"SELF","as":"head"}]}', "no writer uses"),
        ('{"parts":[{"ref":"0000"}]}', "0000 is missing"),
        ('{"parts":[{"object":"0000"}]}', "0000 is missing"),
    ],
)
def test_what_is_forged_is_a_note_and_no_text(stored: str, said: str):
    wanted = sha("the text")
    note = resolve({wanted: stored.replace("SELF", wanted)}, wanted)
    assert said in note
    assert note.startswith("[text ")


def test_parts_that_would_grow_without_end_are_given_up():
    inline, before = {}, sha("x" * 1_000_000)
    inline[before] = json.dumps("x" * 1_000_000)
    for _ in range(3):
        part = {"ref": before}
        before = sha(f"level above {before}")
        inline[before] = json.dumps({"parts": [part] * 100})
    assert f"longer than {LIMIT} bytes" in resolve(inline, before)


def test_a_text_that_looks_like_parts_is_a_text():
    store = Contents()
    forged = json.dumps({"parts": [{"ref": "0" * 64, "as": "head"}]}) + " " * 600
    placed = store.place("k", forged)
    assert Texts({c.sha256: c.encoded for c in store.fresh}.get, lambda _: None).resolve(placed) == forged


def test_a_list_without_long_strings_that_is_too_large_becomes_an_object():
    text = json.dumps(["short"] * (INLINE_LIMIT // 8))
    more = json.dumps([*["short"] * (INLINE_LIMIT // 8), "one more"])
    store = Contents()
    first, second = store.place("k", text), store.place("k", more)
    assert list(store.objects.values()) == [text.encode()]
    texts = Texts({c.sha256: c.encoded for c in store.fresh}.get, store.objects.get)
    assert (texts.resolve(first), texts.resolve(second)) == (text, more)

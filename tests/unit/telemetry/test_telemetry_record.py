"""Lines: their size, what is moved out of them, and what their chain gives away."""

import hashlib
import json

import pytest

from toolkit.telemetry import names
from toolkit.telemetry.contents import INLINE_LIMIT, THRESHOLD, Contents
from toolkit.telemetry.record import RECORD_LIMIT
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.testing import MemorySink, chain_problems

RUN = "run-0001-abc"


def run_with(attributes: list[dict]) -> MemorySink:
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    for number, values in enumerate(attributes):
        telemetry.tracer.start_span(f"step {number}", attributes=values).end()
    telemetry.close()
    return sink


def all_spans(sink: MemorySink) -> list[dict]:
    return [
        span
        for line in sink.lines[RUN]
        for resource in json.loads(line.body)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def all_contents(sink: MemorySink) -> dict[str, str]:
    found = {}
    for line in sink.lines[RUN]:
        found |= json.loads(line.body)["contents"]
    return found


@pytest.mark.parametrize("size", [400, 30_000, 200_000, 500_000, 700_000])
@pytest.mark.parametrize("char", ["a", "\u00e9", "\x01", '"'])
def test_many_texts_are_split_into_records_below_the_limit_and_none_is_lost(size: int, char: str):
    texts = [f"{number} " + char * size for number in range(6)]
    sink = run_with([{"text": text} for text in texts])
    assert all(len(line.data) <= RECORD_LIMIT for line in sink.lines[RUN])
    assert chain_problems([line.body for line in sink.lines[RUN]]) == []
    assert len(all_spans(sink)) == 6
    stored = set(all_contents(sink).values()) | {text.decode() for text in sink.contents.values()}
    inline = {span["attributes"][0]["value"]["stringValue"] for span in all_spans(sink)}
    assert set(texts) <= stored | inline


def test_thousands_of_spans_fill_records_to_the_limit_and_no_further():
    sink = run_with([{f"key{n}": "x" * 500 for n in range(4)} for _ in range(1500)])
    sizes = [len(line.data) for line in sink.lines[RUN]]
    assert max(sizes) <= RECORD_LIMIT
    assert all(size > RECORD_LIMIT - 8192 for size in sizes[:-1]), "records are filled"
    assert len(all_spans(sink)) == 1500


def test_a_text_too_large_for_a_record_becomes_an_object():
    text = "y" * (INLINE_LIMIT + 1)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    sink = run_with([{"text": text}, {"text": text}])
    assert sink.contents == {sha256: text.encode()}
    values = {span["attributes"][0]["value"]["stringValue"] for span in all_spans(sink)}
    assert values == {json.dumps({"object": sha256}, separators=(",", ":"))}


def test_a_span_too_large_for_a_record_is_kept_whole_beside_a_stub():
    sink = run_with([{f"key{n}": "x" * 500 for n in range(2000)}])
    (stub,) = all_spans(sink)
    (attribute,) = stub["attributes"]
    assert attribute["key"] == names.WHOLE_SPAN
    whole = json.loads(sink.contents[json.loads(attribute["value"]["stringValue"])["object"]])
    assert whole["spanId"] == stub["spanId"]
    assert len(whole["attributes"]) == 2000


def test_short_texts_stay_and_long_ones_go_once():
    contents = Contents()
    short = "s" * THRESHOLD
    assert contents.place("k", short) == short
    first = contents.place("k", short + "s")
    assert first == contents.place("other", short + "s")
    assert json.loads(first) == {"ref": hashlib.sha256((short + "s").encode()).hexdigest()}
    assert len(contents.fresh) == 1


@pytest.mark.parametrize("forged", ['{"ref":"' + "0" * 64 + '"}', '{"object":"x"}', '{"ref": 1'])
def test_a_text_that_looks_like_a_reference_is_moved_out(forged: str):
    contents = Contents()
    placed = contents.place("k", forged)
    assert placed != forged
    assert json.loads(contents.fresh[0].encoded) == forged


def lines_of_a_run() -> list[bytes]:
    sink = MemorySink()
    telemetry = RunTelemetry(RUN, "dev", sink)
    for number in range(4):
        telemetry.tracer.start_span(f"step {number}").end()
        telemetry.flush()
    telemetry.close()
    return [line.body for line in sink.lines[RUN]]


def test_prev_is_the_hash_of_the_line_before():
    lines = lines_of_a_run()
    heads = [json.loads(line) for line in lines]
    assert [head["seq"] for head in heads] == [0, 1, 2, 3, 4]
    assert heads[0]["prev"] == ""
    for before, head in zip(lines, heads[1:], strict=False):
        assert head["prev"] == hashlib.sha256(before).hexdigest()


def test_every_altered_byte_shows():
    lines = lines_of_a_run()
    assert chain_problems(lines) == []
    middle = lines[1]
    for at in range(0, len(middle), 7):
        altered = bytearray(middle)
        altered[at] ^= 1
        assert chain_problems([lines[0], bytes(altered), *lines[2:]]), f"byte {at}"


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: lines[1:],
        lambda lines: lines[:-1],
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        lambda lines: [lines[0], lines[1], lines[1], *lines[2:]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [],
    ],
    ids=["missing", "first missing", "last missing", "swapped", "doubled", "added", "all gone"],
)
def test_every_broken_chain_shows(change):
    assert chain_problems(change(lines_of_a_run()))

"""What of earlier turns is shown again: within the budget, and never half of a tool call."""

import random

import pytest
from pydantic_ai import BinaryContent, ModelMessage, ModelMessagesTypeAdapter
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.usage import RequestUsage

from toolkit.agent.farewell import END
from toolkit.agent.window import Turn, is_whole, lean, shortened, tokens, window


def content(message: ModelMessage) -> str:
    """What the first part says."""
    part = message.parts[0]
    assert isinstance(part, TextPart | UserPromptPart)
    return str(part.content)


def asks(text: str) -> ModelRequest:
    return ModelRequest(parts=[UserPromptPart(text)], instructions="how to work" * 100)


def says(text: str) -> ModelResponse:
    return ModelResponse(parts=[TextPart(text)])


def random_turn(chance: random.Random, number: int) -> Turn:
    """A run: a prompt, rounds of tool calls and results, a word of the gate now and then, an answer."""
    turn: Turn = [asks(f"prompt {number} " + "p" * chance.randrange(300))]
    for step in range(chance.randrange(6)):
        ids = [f"{number}-{step}-{i}" for i in range(chance.randrange(1, 4))]
        size = chance.choice((10, 500, 20_000))
        calls = [ToolCallPart("write_file", {"path": "a.tf", "content": "c" * size}, call) for call in ids]
        turn.append(ModelResponse(parts=[ThinkingPart("hm" * 50), *calls]))
        outcome = chance.choice(("success", "retried"))
        turn.append(
            ModelRequest(
                parts=[ToolReturnPart("write_file", "r" * size, call, outcome=outcome) for call in ids]
            )
        )
        if chance.random() < 0.2:
            turn += [says("done"), asks("The gate did not pass.")]
    return [*turn, says(f"answer {number} " + "a" * chance.randrange(500))]


@pytest.mark.parametrize("seed", range(150))
def test_any_history_fits_is_whole_and_begins_with_a_prompt(seed: int) -> None:
    chance = random.Random(seed)
    turns = [random_turn(chance, n) for n in range(chance.randrange(1, 8))]
    before = ModelMessagesTypeAdapter.dump_json([m for turn in turns for m in turn])
    budget = chance.choice((100, 400, 2_000, 20_000, 1_000_000))
    shown = window(turns, budget)
    assert shown.tokens == tokens(shown.messages) <= budget
    assert is_whole(shown.messages)
    first = shown.messages[0]
    assert isinstance(first, ModelRequest) and isinstance(first.parts[0], UserPromptPart)
    assert isinstance(shown.messages[-1], ModelResponse)
    assert f"answer {len(turns) - 1} "[:5] in content(shown.messages[-1])  # the newest is never lost
    assert 1 <= shown.kept <= len(turns) and 0 <= shown.shortened <= shown.kept
    assert ModelMessagesTypeAdapter.dump_json([m for turn in turns for m in turn]) == before, (
        "changed in place"
    )
    again = ModelMessagesTypeAdapter.validate_json(ModelMessagesTypeAdapter.dump_json(shown.messages))
    assert tokens(again) == shown.tokens


def test_the_oldest_file_contents_go_first_then_the_oldest_turns() -> None:
    def turn(number: int) -> list[ModelMessage]:
        call = ToolCallPart("read_file", {"path": "a.tf"}, f"c{number}")
        result = ToolReturnPart("read_file", "x" * 4000, f"c{number}")
        return [
            asks(f"p{number}"),
            ModelResponse(parts=[call]),
            ModelRequest(parts=[result]),
            says(f"a{number}"),
        ]

    turns = [turn(number) for number in range(3)]
    all_of_it = window(turns, 100_000)
    assert (all_of_it.kept, all_of_it.shortened) == (3, 0)
    one_shorter = window(turns, all_of_it.tokens - 1)
    assert (one_shorter.kept, one_shorter.shortened) == (3, 1)
    assert "x" * 4000 not in str(one_shorter.messages[2]) and "x" * 4000 in str(one_shorter.messages[6])
    assert "[left out: 3,800 characters]" in str(one_shorter.messages[2])
    last = window(turns, 12)
    assert last.kept == 1 and content(last.messages[0]) == "p2"


def test_what_is_remembered_has_no_instructions_thoughts_images_or_cost() -> None:
    image = BinaryContent(b"\x89PNG" * 1000, media_type="image/png")
    cost = RequestUsage(input_tokens=10, output_tokens=1)
    turn: Turn = [
        ModelRequest(parts=[UserPromptPart(["like this", image])], instructions="how"),
        ModelResponse(parts=[ThinkingPart("hm"), TextPart("made it")], usage=cost),
    ]
    request, response = lean(turn)
    assert isinstance(request, ModelRequest) and request.instructions is None
    assert content(request) == "like this\n[left out: image/png]"
    assert isinstance(response, ModelResponse) and response.usage == RequestUsage()
    assert response.parts == [TextPart("made it")]


def test_a_farewell_becomes_a_text_because_its_tool_is_not_always_there() -> None:
    turn: Turn = [
        asks("bye"),
        ModelResponse(parts=[ToolCallPart(END, {"farewell": "So long."}, "c1")]),
        ModelRequest(parts=[ToolReturnPart(END, "Final result processed.", "c1")]),
    ]
    kept = lean(turn)
    assert [type(message) for message in kept] == [ModelRequest, ModelResponse]
    assert kept[1].parts == [TextPart("So long.")]


@pytest.mark.parametrize(
    "broken",
    [
        [asks("p"), ModelResponse(parts=[ToolCallPart("t", {}, "c1")])],
        [asks("p"), ModelResponse(parts=[ToolCallPart("t", {}, "c1")]), asks("q"), says("a")],
        [asks("p"), ModelRequest(parts=[ToolReturnPart("t", "r", "c1")]), says("a")],
    ],
)
def test_halves_of_tool_calls_are_never_shown(broken: Turn) -> None:
    assert not is_whole(broken)
    request, response = lean(broken)
    assert content(request) == "p" and isinstance(response.parts[0], TextPart)


def test_a_turn_in_which_nobody_asked_is_nothing() -> None:
    assert lean([says("hello")]) == []
    assert window([[says("hello")]], 100).messages == []


def test_arguments_that_are_no_json_stay_a_call_when_they_are_shortened() -> None:
    call = ToolCallPart("t", "{" + "x" * 1000, "c1")
    turn: Turn = [
        asks("p"),
        ModelResponse(parts=[call]),
        ModelRequest(parts=[ToolReturnPart("t", "bad", "c1")]),
    ]
    assert is_whole(shortened(turn)) and tokens(shortened(turn)) < tokens(turn) - 150

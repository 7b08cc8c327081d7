"""Budgets of one run: each holds over all its attempts, names itself, and leaves what was made."""

import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from agent_platform import Platform, check_left_behind
from agent_scripts import (
    NAME,
    Script,
    ScriptedChecker,
    answer,
    call,
    hold,
    make_talk,
    needs,
    say,
    sleeps,
    used,
    write,
)
from pydantic_ai.messages import ToolCallPart

from toolkit.agent import handler as entry
from toolkit.agent.deadline import Deadline
from toolkit.agent.ledger import Ledger
from toolkit.contracts import AskRequest, ModelEntry, Price
from toolkit.errors import BudgetExceeded

PRICED = ModelEntry(provider="bedrock", id="x", price=Price(input=1, output=10))


def priced(**budgets: Any) -> Ledger:
    """The account of a scripted model that has a price."""
    return Ledger(entries={NAME: PRICED}, **budgets)


def calls(count: int) -> Any:
    """The model asks for so many tool calls at once."""
    return answer(*[ToolCallPart("write_file", {"path": f"{n}.tf", "content": ""}) for n in range(count)])


def test_the_budget_of_turns_spans_the_follow_ups():
    talk = make_talk(write("x.tf"), say("."), write("y.tf"), say("."), ledger=Ledger(max_turns=3))
    with pytest.raises(BudgetExceeded, match="turns is used up: 3 of 3 requests to the model") as caught:
        hold(talk)
    assert caught.value.hint == "give a run more by budget_turns in tfkit.toml"
    assert (len(talk.script.seen), len(talk.attempts)) == (3, 1)
    assert [path for path, _ in talk.workspace.paths()] == ["x.tf", "y.tf"]


def test_turns_that_are_used_to_the_last_still_end_at_the_gate():
    talk = make_talk(write("main.tf"), say("done"), ledger=Ledger(max_turns=2))
    assert hold(talk).converged


def test_a_model_that_calls_the_same_tool_for_ever_meets_the_budget_of_turns():
    talk = make_talk(call("list_files"))
    with pytest.raises(BudgetExceeded, match="60 of 60 requests to the model"):
        hold(talk)


def test_the_budget_of_tool_calls_spans_the_follow_ups_and_the_calls_that_cross_it_are_not_done():
    talk = make_talk(calls(2), say("."), calls(9), ledger=Ledger(max_tool_calls=10))
    with pytest.raises(BudgetExceeded, match="tool calls is used up: 11 asked for, 10 allowed") as caught:
        hold(talk)
    assert caught.value.hint == "give a run more by budget_tool_calls in tfkit.toml"
    assert [path for path, _ in talk.workspace.paths()] == ["0.tf", "1.tf"]
    assert len(talk.attempts) == 1


def test_the_budget_of_tokens_counts_input_and_output_over_the_follow_ups():
    ledger = Ledger(max_tokens=1_000)
    steps = [used(write("x.tf"), 400, 100), used(say("."), 400, 100), used(write("y.tf"), 1, 0)]
    talk = make_talk(*steps, ledger=ledger)
    with pytest.raises(BudgetExceeded, match=r"tokens is used up: 1,001 of input and output, 1,000 allowed"):
        hold(talk)
    assert (len(talk.script.seen), len(talk.attempts)) == (3, 1)
    assert [path for path, _ in talk.workspace.paths()] == ["x.tf"], "the call that crossed was not done"


def test_the_budget_in_dollars_ends_the_run_when_it_is_crossed():
    ledger = priced(max_cost_usd=0.02)
    spend = used(write("main.tf"), 1_000, 1_000)
    talk = make_talk(spend, spend, spend, say("done"), ledger=ledger)
    with pytest.raises(BudgetExceeded, match=r"\$0.0220 spent, \$0.0200 allowed") as caught:
        hold(talk)
    assert caught.value.hint == "give a run more with --max-cost, or by budget_usd in tfkit.toml"
    assert ledger.cost_usd == pytest.approx(0.022)
    assert len(talk.script.seen) == 2


def test_budgets_that_are_met_exactly_are_kept():
    ledger = priced(max_cost_usd=0.022, max_tokens=4_000, max_turns=2, max_tool_calls=1)
    talk = make_talk(used(write("main.tf"), 1_000, 1_000), used(say("done"), 1_000, 1_000), ledger=ledger)
    assert hold(talk).converged


def test_the_budget_in_dollars_spans_the_follow_ups():
    talk = make_talk(used(say("."), 1_000, 1_000), ledger=priced(max_cost_usd=0.02))
    with pytest.raises(BudgetExceeded):
        hold(talk)
    assert len(talk.attempts) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"max_turns": 3}, "the budget of turns is used up"),
        ({"max_tool_calls": 1}, "the budget of tool calls is used up"),
        ({"max_tokens": 350}, "the budget of tokens is used up"),
        ({"max_cost_usd": 0.0011}, "the budget in dollars is used up"),
    ],
    ids=["turns", "tool-calls", "tokens", "dollars"],
)
def test_a_request_brings_its_budgets_and_whatever_runs_out_leaves_everything_stored(
    platform: Platform, fields: Any, said: str
):
    platform.checker = ScriptedChecker(needs("y.tf"))
    steps = [write("x.tf"), say("."), write("x2.tf"), write("y.tf"), say("done")]
    platform.script = Script(*[used(step, 100, 30) for step in steps])
    result = platform.run(**fields)
    check_left_behind(platform, result, "budget_exceeded")
    assert (result.error or "").startswith(said)
    assert "tfkit.toml" in (result.error or "")
    assert "x.tf" in platform.files and "y.tf" not in platform.files
    (attempt,) = result.attempts
    assert (attempt.usage.requests, attempt.usage.input_tokens) == (2, 200)
    assert result.usage.requests == len(platform.script.seen) == 3
    assert result.usage.cost_usd == pytest.approx(3 * (100 + 300) / 1e6)


def test_an_older_client_asks_with_the_usual_budgets():
    old = b'{"run_id": "run-00000001", "prompt": "a bucket"}'
    request = msgspec.json.decode(old, type=AskRequest)
    assert (request.max_turns, request.max_tool_calls, request.max_tokens) == (60, 200, 1_000_000)


@pytest.mark.timeout(60)
def test_before_lambda_ends_the_function_the_run_ends_itself(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
):
    """22 of the function's seconds are left, 20 of them are kept back to store what there is."""
    monkeypatch.setattr(entry, "_warm", {})
    platform.script = Script(write("main.tf"), sleeps)
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 22_000)
    event = json.loads(msgspec.json.encode(platform.request()))
    assert entry.handler(event, context) == {"run_id": platform.run_id, "status": "budget_exceeded"}
    check_left_behind(platform, platform.result, "budget_exceeded")
    assert "2.0 s of it were left for this run" in (platform.result.error or "")
    assert list(platform.files) == ["main.tf"]


def test_the_earlier_deadline_counts_and_says_which_it_is():
    own = Deadline.earliest(100.0, 30.0, 200.0)
    assert (own.at, own.allowed_s, own.of_function) == (130.0, 30.0, False)
    functions = Deadline.earliest(100.0, 600.0, 200.0)
    assert (functions.at, functions.allowed_s, functions.of_function) == (200.0, 100.0, True)
    assert "--timeout" in own.passed.hint
    assert "Lambda" in functions.passed.hint

"""A day's dollars: reserved before each request to the model, settled after it, kept by all runs together."""

import asyncio
import logging
import random
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from agent_platform import TABLE, Platform, Refusing, check_left_behind, everything
from agent_scripts import Script, call, say, used, write
from pydantic_ai.exceptions import ModelHTTPError, ModelTimeoutError
from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.usage import RequestUsage

from toolkit.agent.config import AgentConfig
from toolkit.agent.day_budget import Account, DayBudget, accounts
from toolkit.agent.metered import ABOUT_TOOLS, MeteredModel, most_input_tokens
from toolkit.agent.patience import ANSWERED
from toolkit.agent.window import window
from toolkit.contracts import ModelEntry, Price
from toolkit.errors import BudgetExceeded, PlatformError
from toolkit.tables import budget_key

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ENTRY = ModelEntry(provider="bedrock", id="x", price=Price(input=1, output=10), max_tokens=1_000)


def account(limit: str) -> Account:
    """An account that no other test draws on."""
    return Account(f"CALLER#{uuid.uuid4()}", Decimal(limit), "the caller me", "caller_daily_budget_usd")


def day_of(platform: Platform, *drawn_on: Account, dynamodb: Any = None) -> DayBudget:
    return DayBudget(
        dynamodb or platform.clients.dynamodb, TABLE, platform.run_id, drawn_on, today=lambda: NOON
    )


def row(platform: Platform, of: Account, day: str = "2026-11-21") -> dict[str, Any]:
    found = platform._real("dynamodb").get_item(
        TableName=TABLE, Key=budget_key(day, of.key), ConsistentRead=True
    )
    return found.get("Item", {})


def told(platform: Platform, of: Account, day: str = "2026-11-21") -> tuple[float, float, int]:
    """Committed and spent dollars, and how many reservations are open."""
    found = row(platform, of, day)
    committed, spent = (float(found.get(name, {}).get("N", 0)) for name in ("committed", "spent"))
    return round(committed, 9), round(spent, 9), sum(name.startswith("open ") for name in found)


def test_a_reservation_is_settled_to_what_it_cost(platform: Platform):
    mine = account("1")
    day = day_of(platform, mine)
    reserved = day.reserve(Decimal("0.75"))
    assert told(platform, mine) == (0.75, 0, 1)
    day.settle(reserved, Decimal("0.1234567891"))
    assert told(platform, mine) == (0.12345679, 0.12345679, 0), "rounded up"
    day.release(day.reserve(Decimal("0.8")))
    assert told(platform, mine) == (0.12345679, 0.12345679, 0)


def test_a_row_is_of_one_day_and_goes_after_the_rows_of_its_runs(platform: Platform):
    mine = account("1")
    times = iter([NOON, NOON, datetime(2026, 11, 22, 0, 0, 1, tzinfo=UTC), NOON])
    day = DayBudget(platform.clients.dynamodb, TABLE, platform.run_id, [mine], today=lambda: next(times))
    day.reserve(Decimal(1))
    day.reserve(Decimal(1))
    assert told(platform, mine)[0] == told(platform, mine, "2026-11-22")[0] == 1
    assert int(row(platform, mine)["expires"]["N"]) == int(NOON.timestamp()) + 90 * 86_400


def test_a_limit_that_is_met_exactly_is_kept_and_no_more_fits(platform: Platform):
    mine = account("0.3")
    day = day_of(platform, mine)
    for _ in range(3):
        day.reserve(Decimal("0.1"))
    with pytest.raises(BudgetExceeded) as caught:
        day.reserve(Decimal("0.0001"))
    assert caught.value.message == (
        "the budget of 2026-11-21 (UTC) of the caller me is used up: $0.3000 allowed, $0.0000 spent, "
        "$0.3000 reserved, and the next request to the model may cost up to $0.0001"
    )
    assert "raise caller_daily_budget_usd in tfkit.toml and run: tfkit up" in caught.value.hint


def test_a_request_that_never_fits_is_refused_and_leaves_no_row(platform: Platform):
    mine = account("0.3")
    with pytest.raises(BudgetExceeded, match=r"may cost up to \$0.4000"):
        day_of(platform, mine).reserve(Decimal("0.4"))
    assert row(platform, mine) == {}


def test_what_one_account_has_no_room_for_no_account_is_charged_with(platform: Platform):
    wide, narrow = account("1"), account("0.1")
    with pytest.raises(BudgetExceeded):
        day_of(platform, wide, narrow).reserve(Decimal("0.5"))
    assert told(platform, wide) == (0, 0, 0)


def test_twenty_runs_at_once_cannot_pass_the_limit_together(platform: Platform):
    """Each reserves a tenth of the limit, and keeps it."""
    mine, gate = account("1"), threading.Barrier(20)

    def reserve(_: int) -> bool:
        day = day_of(platform, mine)
        gate.wait()
        try:
            day.reserve(Decimal("0.1"))
        except BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(reserve, range(20)))
    assert sum(done) == 10
    assert told(platform, mine) == (1, 0, 10)


def test_twenty_runs_at_once_that_settle_and_fail_leave_the_true_sum(platform: Platform):
    mine, spent, most = account("0.4"), [], []

    def run(number: int) -> None:
        day, dice = day_of(platform, mine), random.Random(number)
        for _ in range(4):
            try:
                reserved = day.reserve(Decimal("0.1"))
            except BudgetExceeded:
                continue
            most.append(told(platform, mine)[0])
            cost = Decimal(dice.randrange(1, 20)) / 1000
            if dice.random() < 0.3:
                day.release(reserved)
            else:
                day.settle(reserved, cost)
                spent.append(cost)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(run, range(20)))
    assert len(spent) > 5
    assert max(most) <= 0.4
    assert told(platform, mine) == (float(sum(spent)), float(sum(spent)), 0)


def test_a_run_that_dies_keeps_its_worst_case_counted_and_the_day_goes_on(platform: Platform):
    mine = account("1")
    day_of(platform, mine).reserve(Decimal("0.4"))  # and nobody ever settles it
    others = day_of(platform, mine)
    others.settle(others.reserve(Decimal("0.6")), Decimal("0.1"))
    others.settle(others.reserve(Decimal("0.5")), Decimal("0.1"))
    assert told(platform, mine) == (0.6, 0.2, 1)


def lost_answers(platform: Platform) -> Any:
    """DynamoDB as it is when every first answer is lost and boto3 sends the write again."""
    real = platform.clients.dynamodb

    class Twice:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            def called(**arguments: Any) -> Any:
                getattr(real, name)(**arguments)
                return getattr(real, name)(**arguments)

            return called

    return Twice()


def test_a_write_that_is_sent_twice_counts_once(platform: Platform):
    mine = account("1")
    day = day_of(platform, mine, dynamodb=lost_answers(platform))
    reserved = day.reserve(Decimal("0.9"))
    assert told(platform, mine) == (0.9, 0, 1)
    day.settle(reserved, Decimal("0.2"))
    assert told(platform, mine) == (0.2, 0.2, 0)


def test_a_table_that_refuses_the_reservation_lets_no_request_through(platform: Platform):
    dynamodb = Refusing(platform.clients.dynamodb, everything)
    with pytest.raises(PlatformError, match="the day's budget cannot be reserved"):
        day_of(platform, account("1"), dynamodb=dynamodb).reserve(Decimal("0.1"))


def test_a_table_that_refuses_the_settlement_leaves_the_worst_case_and_says_so(
    platform: Platform, caplog: pytest.LogCaptureFixture
):
    mine = account("1")
    reserved = day_of(platform, mine).reserve(Decimal("0.5"))
    away = day_of(platform, mine, dynamodb=Refusing(platform.clients.dynamodb, everything))
    with caplog.at_level(logging.WARNING):
        away.settle(reserved, Decimal("0.1"))
    assert "stays reserved for the caller me" in caplog.text
    assert told(platform, mine) == (0.5, 0, 1)


def test_callers_have_accounts_of_their_own_and_unknown_ones_share_one():
    both = accounts(5.0, 1.0, "arn:aws:iam::1:user/a")
    assert [(each.key, each.limit) for each in both] == [
        ("CALLER#arn:aws:iam::1:user/a", Decimal(1)),
        ("PLATFORM", Decimal(5)),
    ]
    assert [each.key for each in accounts(None, 1.0, "")] == ["CALLER#unknown"]
    assert accounts(None, None, "anybody") == []


# -- the model under it ----------------------------------------------------------------------------


def ask(platform: Platform, mine: Account, *steps: Any) -> ModelResponse:
    script = Script(*steps)
    metered = MeteredModel(script.model, ("x", ENTRY), day_of(platform, mine))
    messages = [ModelRequest(parts=[UserPromptPart("a bucket")])]
    return asyncio.run(metered.request(messages, None, ModelRequestParameters()))


def test_a_request_reserves_its_worst_case_while_it_is_under_way(platform: Platform):
    mine = account("1")
    seen: list[tuple[float, float, int]] = []

    def answered() -> ModelResponse:
        seen.append(told(platform, mine))
        return ModelResponse(parts=[TextPart("x")], usage=RequestUsage(input_tokens=100, output_tokens=20))

    ask(platform, mine, answered)
    ((committed, spent, opened),) = seen
    assert committed > (ABOUT_TOOLS + 10 * ENTRY.max_tokens) / 1e6
    assert (spent, opened) == (0, 1)
    assert told(platform, mine) == (0.0003, 0.0003, 0)


@pytest.mark.parametrize(
    ("error", "opened"),
    [
        (ModelHTTPError(429, "m"), 0),
        (ModelHTTPError(503, "m"), 0),
        (ModelHTTPError(429, "m", in_stream=True), 1),
        (ModelTimeoutError("m", "no answer in 60 s"), 1),
        (asyncio.CancelledError(), 1),
    ],
    ids=["refused", "unavailable", "in mid-stream", "no answer", "cut off"],
)
def test_what_was_refused_is_given_back_and_what_may_have_cost_is_not(
    platform: Platform, error: Any, opened: int
):
    mine = account("1")

    def fails() -> ModelResponse:
        raise error

    with pytest.raises(type(error)):
        ask(platform, mine, fails)
    assert told(platform, mine)[2] == opened
    assert (told(platform, mine)[0] > 0) == bool(opened)


def test_what_the_model_will_read_is_never_counted_too_low():
    tool = ToolDefinition(name="write_file", description="Write.", parameters_json_schema={"type": "object"})
    parameters = ModelRequestParameters(function_tools=[tool])
    prompt = ModelRequest(parts=[UserPromptPart("ü" * 1_000)], instructions="be careful")
    first = most_input_tokens([prompt], parameters, "x", 200_000)
    assert first > 2_000 + ABOUT_TOOLS + len("be careful") + len("write_file" + "Write.")
    answer = answered("y" * 50_000, "x", RequestUsage(input_tokens=700, output_tokens=90))
    later = ModelRequest(parts=[UserPromptPart("z" * 100)])
    assert 790 + 100 <= most_input_tokens([prompt, answer, later], parameters, "x", 200_000) < 790 + 600
    unknown = answered("y" * 50_000, "x", RequestUsage())
    assert most_input_tokens([prompt, unknown, later], parameters, "x", 200_000) > 52_000
    assert most_input_tokens([prompt, unknown, later], parameters, "x", 8_000) == 8_000


def answered(text: str, name: str, usage: RequestUsage) -> ModelResponse:
    return ModelResponse(parts=[TextPart(text)], usage=usage, metadata={ANSWERED: name})


def test_what_another_model_counted_says_nothing_of_what_this_one_will_read():
    """As after a model that gave out: it counts the same text by a tokenizer of its own."""
    prompt = ModelRequest(parts=[UserPromptPart("a" * 9_000)])
    mine = answered("b" * 100, "x", RequestUsage(input_tokens=5_000, output_tokens=40))
    theirs = answered("c" * 2_000, "y", RequestUsage(input_tokens=10, output_tokens=10))
    none = ModelRequestParameters()
    assert most_input_tokens([prompt, theirs], none, "x", 200_000) > 11_000
    after = most_input_tokens([prompt, mine, prompt, theirs], none, "x", 200_000)
    assert 5_040 + 11_000 < after < 5_040 + 12_000, "from its own answer on"


def test_what_an_earlier_run_was_to_says_nothing_of_what_is_shown_of_it_now():
    """A model with a small window was shown little; one with a large window is shown all of it."""
    spent = RequestUsage(input_tokens=600, output_tokens=10)
    prompt = ModelRequest(parts=[UserPromptPart("p" * 10_000)])
    shown = window([[prompt, answered("done", "x", spent)]] * 3, 25_000)
    assert shown.kept == 3
    assert most_input_tokens(shown.messages, ModelRequestParameters(), "x", 200_000) > 30_000


# -- whole runs ------------------------------------------------------------------------------------


def limited(platform: Platform, **limits: float) -> None:
    platform.config = msgspec.structs.replace(platform.config, **limits)


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def test_a_run_draws_on_the_day_and_says_when_that_is_used_up(platform: Platform):
    caller = f"arn:aws:iam::1:user/{uuid.uuid4().hex}"
    (mine,) = accounts(None, 0.1, caller)
    limited(platform, caller_daily_budget_usd=0.1)
    platform.script = Script(used(write("main.tf"), 2_000, 400), used(write("b.tf"), 2_000, 1_000))
    result = platform.run(caller=caller)  # 8,192 tokens of output may cost $0.08192
    check_left_behind(platform, result, "budget_exceeded")
    assert (result.error or "").startswith(f"the budget of {today()} (UTC) of the caller {caller} is used up")
    assert "caller_daily_budget_usd" in (result.error or "")
    assert result.usage.cost_usd == pytest.approx(0.018)
    assert told(platform, mine, today()) == (0.018, 0.018, 0)
    assert sorted(platform.files) == ["b.tf", "main.tf"]


def test_runs_at_once_of_one_caller_do_not_pass_its_day_together(platform: Platform):
    caller = f"arn:aws:iam::1:user/{uuid.uuid4().hex}"
    (mine,) = accounts(None, 0.2, caller)
    gate = threading.Barrier(2)

    def together() -> ModelResponse:
        gate.wait(30)  # both requests are under way at once
        return ModelResponse(
            parts=[TextPart("x")],
            usage=RequestUsage(input_tokens=0, output_tokens=8_192),
            finish_reason="stop",
        )

    day = [day_of(platform, mine) for _ in range(3)]
    entry = msgspec.structs.replace(ENTRY, max_tokens=8_192)
    outcomes: list[Any] = []

    def run(number: int) -> None:
        metered = MeteredModel(Script(together).model, ("x", entry), day[number])
        messages = [ModelRequest(parts=[UserPromptPart("a bucket")])]
        try:
            outcomes.append(asyncio.run(metered.request(messages, None, ModelRequestParameters())))
        except BudgetExceeded as refused:
            outcomes.append(refused)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, range(3)))
    assert sum(isinstance(outcome, BudgetExceeded) for outcome in outcomes) == 1
    assert told(platform, mine)[1] == pytest.approx(2 * 0.08192)


@pytest.mark.parametrize("limit", ["daily_budget_usd", "caller_daily_budget_usd"])
def test_a_model_without_a_price_is_refused_under_a_daily_budget(platform: Platform, limit: str):
    limited(platform, **{limit: 5.0})
    result = platform.run(model="unpriced")
    check_left_behind(platform, result, "error")
    assert "the price of unpriced is not known, so the platform's daily budget cannot be kept" in (
        result.error or ""
    )
    assert limit in (result.error or "")
    assert platform.script.seen == []


def test_without_a_daily_budget_no_row_is_written(platform: Platform):
    platform.refuse("dynamodb", lambda _, arguments: "BUDGET#" in str(arguments.get("Key")))
    platform.script = Script(write("main.tf"), call("list_files"), say("done"))
    check_left_behind(platform, platform.run(), "ok")


def test_a_day_that_cannot_be_read_ends_the_run_as_error_and_asks_no_model(platform: Platform):
    limited(platform, daily_budget_usd=1_000.0)
    platform.refuse("dynamodb", lambda _, arguments: "BUDGET#" in str(arguments.get("Key")))
    result = platform.run()
    check_left_behind(platform, result, "error")
    assert "the day's budget cannot be reserved" in (result.error or "")
    assert platform.script.seen == []


def test_the_limits_come_from_the_environment(agent_environment: dict[str, str]):
    config = AgentConfig.from_environment(agent_environment)
    assert (config.daily_budget_usd, config.caller_daily_budget_usd) == (None, None)
    given = {"TFKIT_DAILY_BUDGET_USD": "20", "TFKIT_CALLER_DAILY_BUDGET_USD": "2.5"}
    config = AgentConfig.from_environment({**agent_environment, **given})
    assert (config.daily_budget_usd, config.caller_daily_budget_usd) == (20.0, 2.5)

"""Budgets as a user meets them: by settings, in exit code 5 and in words, of a run and of a day."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from driver import Tfkit

from toolkit.tables import budget_key

PROMPT = "an SQS queue named orders"


@pytest.fixture(scope="module")
def tfkit(home: Path) -> Tfkit:
    """A platform with daily budgets, and beside the composer a model of which nobody knows the price."""
    limits = {"TFKIT_DAILY_BUDGET_USD": "1", "TFKIT_CALLER_DAILY_BUDGET_USD": "0.5"}
    command = Tfkit(home, **limits)
    command.json("up", "--llm", "http://127.0.0.1:9/v1", "--llm-model", "unpriced")
    return command


@pytest.mark.parametrize(
    ("setting", "limit", "said"),
    [
        ("budget_turns", "1", "the budget of turns is used up: 1 of 1 requests to the model"),
        ("budget_tool_calls", "1", "the budget of tool calls is used up"),
        ("budget_tokens", "50", "the budget of tokens is used up"),
    ],
)
def test_a_budget_of_a_run_ends_it_with_exit_code_5_and_says_how_to_raise_it(
    tfkit: Tfkit, home: Path, setting: str, limit: str, said: str
) -> None:
    tight = Tfkit(home, **{f"TFKIT_{setting.upper()}": limit})
    run: dict[str, Any] = tight.json("ask", PROMPT, "-m", "offline-composer", "-o", setting, code=5)
    assert run["status"] == "budget_exceeded"
    assert run["error"].startswith(said)
    assert f"by {setting} in tfkit.toml" in run["error"]
    assert run["usage"]["requests"] == (2 if setting == "budget_tool_calls" else 1)
    assert tfkit.json("runs", "show", run["run_id"]) == run


def test_a_run_within_its_budgets_is_counted_in_the_day_by_the_role_of_the_agent(tfkit: Tfkit) -> None:
    run = tfkit.json("ask", PROMPT, "-m", "offline-composer", "-o", "within")
    assert run["status"] == "ok"
    day, dynamodb = datetime.now(UTC).date().isoformat(), tfkit.client("dynamodb")
    (table,) = dynamodb.list_tables()["TableNames"]
    for account in ("PLATFORM", "CALLER#arn:aws:iam::000000000000:root"):
        found = dynamodb.get_item(TableName=table, Key=budget_key(day, account))
        assert float(found["Item"]["spent"]["N"]) == float(found["Item"]["committed"]["N"]) == 0
        assert not [name for name in found["Item"] if name.startswith("open ")]


def test_a_model_without_a_price_is_refused_and_asked_nothing(tfkit: Tfkit) -> None:
    run = tfkit.json("ask", PROMPT, "-m", "unpriced", code=1)
    assert "the price of unpriced is not known, so the platform's daily budget cannot be kept" in run["error"]
    assert run["usage"]["requests"] == 0

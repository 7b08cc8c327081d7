"""The settings of budgets: what they are without a word, and what cannot be one."""

import pytest

from toolkit.errors import UsageError
from toolkit.settings import load


def test_a_run_has_budgets_and_a_day_has_none_unless_it_is_said(tmp_path):
    settings = load({}, {}, tmp_path)
    run = (settings.budget_turns, settings.budget_tool_calls, settings.budget_tokens, settings.budget_seconds)
    assert run == (60, 200, 1_000_000, 600.0)
    assert (settings.budget_usd, settings.daily_budget_usd, settings.caller_daily_budget_usd) == (None,) * 3


def test_they_come_from_the_file_and_from_the_environment(tmp_path):
    (tmp_path / "tfkit.toml").write_text("daily_budget_usd = 20\nbudget_seconds = 90.5\n")
    settings = load({}, {"TFKIT_CALLER_DAILY_BUDGET_USD": "2.5", "TFKIT_BUDGET_TURNS": "7"}, tmp_path)
    assert (settings.daily_budget_usd, settings.caller_daily_budget_usd) == (20.0, 2.5)
    assert (settings.budget_seconds, settings.budget_turns) == (90.5, 7)


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "much", "1000001"])
@pytest.mark.parametrize("name", ["DAILY_BUDGET_USD", "CALLER_DAILY_BUDGET_USD", "BUDGET_USD"])
def test_what_is_no_sum_of_money_is_refused(tmp_path, name, value):
    with pytest.raises(UsageError) as caught:
        load({}, {f"TFKIT_{name}": value}, tmp_path)
    assert f"TFKIT_{name} in the environment cannot be" in caught.value.message
    assert "US dollars: over 0, at most 1,000,000; leave it out for no limit" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [("BUDGET_TURNS", "0"), ("BUDGET_TOKENS", "1.5"), ("BUDGET_SECONDS", "0.5"), ("BUDGET_TOOL_CALLS", "x")],
)
def test_what_is_no_budget_of_a_run_is_refused(tmp_path, name, value):
    with pytest.raises(UsageError, match=f"TFKIT_{name} in the environment cannot be"):
        load({}, {f"TFKIT_{name}": value}, tmp_path)

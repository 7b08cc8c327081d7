"""The budgets of a day, on their way into the agent's function."""

from typing import Any

from toolkit.cloud import Cloud
from toolkit.deploy.plan import platform_config
from toolkit.settings import Settings


def environment(**fields: Any) -> dict[str, str]:
    made = Settings(target="aws", region="us-east-1", prefix="tfkit-dev", home="home", **fields)
    cloud = Cloud(target="aws", region="us-east-1", account="000000000000")
    return platform_config(made, cloud).agent_environment


def test_no_budget_is_no_variable():
    assert not any("BUDGET" in name for name in environment())


def test_budgets_of_the_day_are_deployed_and_those_of_a_run_are_not():
    found = environment(daily_budget_usd=20.0, caller_daily_budget_usd=2.5, budget_usd=1.0, budget_turns=3)
    sent = {name: value for name, value in found.items() if "BUDGET" in name}
    assert sent == {"TFKIT_DAILY_BUDGET_USD": "20.0", "TFKIT_CALLER_DAILY_BUDGET_USD": "2.5"}

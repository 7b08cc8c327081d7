"""What the agent may do with the rows of the runs table: its runs, the day's dollars, and never the brake."""

import json
from fnmatch import fnmatch

from stacks_world import make_config

from stacks.agent_policy import agent_policy
from toolkit.tables import STOP_KEY, budget_key, chat_key, run_key


def may(action: str, key: dict) -> bool:
    """As IAM decides it: whether a statement allows the action on a row of this partition.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """
    document = json.loads(agent_policy(make_config(), "arn:aws:kms:key", "arn:aws:kms:signing"))
    found = [each for each in document["Statement"] if f"dynamodb:{action}" in each["Action"]]
    assert found or action.startswith("Delete")
    return any(
        fnmatch(key["pk"]["S"], pattern)
        for each in found
        for pattern in each["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    )


def test_rows_by_what_may_be_done_to_them():
    budget = budget_key("2026-11-21", "CALLER#arn")
    assert (may("PutItem", run_key("a")), may("UpdateItem", run_key("a"))) == (True, True)
    for chat in (chat_key("a"), chat_key("a", 3)):
        assert (may("PutItem", chat), may("UpdateItem", chat)) == (True, True)
    assert (may("PutItem", budget), may("UpdateItem", budget)) == (False, True)
    assert (may("PutItem", STOP_KEY), may("UpdateItem", STOP_KEY)) == (False, False)
    assert not any(may("DeleteItem", key) for key in (run_key("a"), budget, STOP_KEY))

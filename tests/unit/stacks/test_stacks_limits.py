"""What AWS would refuse halfway is refused before anything is made, with the setting and what is allowed."""

from typing import Any

import pytest
from stacks_world import ACCOUNT, IMAGE, REGION, make_config

from stacks.limits import LEAST_FRESHNESS_S, TAG_LIMIT
from stacks.names import named_tags
from stacks.program import check
from toolkit import setting_forms

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/theirs"


def tags(count: int) -> dict[str, str]:
    return {f"key-{number}": "" for number in range(count)}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tags": tags(48)}, r"48 tags are 51 .* AWS allows 50 .* leave 1 of tags out"),
        ({"alarm_freshness_s": 7}, r"alarm_freshness_s is 7, .* 60 seconds, .* use 120 or more"),
        ({"reserved_concurrency": 0}, r"reserved_concurrency is 0"),
        ({"kms_key_arn": KEY.replace(REGION, "us-east-1")}, rf"kms_key_arn .* us-east-1, .* in {REGION}"),
        ({"kms_key_arn": "foo"}, r"kms_key_arn 'foo' is of no region"),
        (
            {"permissions_boundary": "arn:aws:iam::999999999999:policy/b"},
            rf"permissions_boundary .* 999999999999, .* in {ACCOUNT}",
        ),
        ({"permissions_boundary": "foo"}, r"permissions_boundary 'foo' is a policy of no account"),
    ],
)
def test_a_limit_is_said_with_the_setting_and_what_is_allowed(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check(make_config(agent_zip={}, **changes), IMAGE["build_image"])


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": tags(47)},
        {"alarm_freshness_s": LEAST_FRESHNESS_S},
        {"reserved_concurrency": 1},
        {"kms_key_arn": KEY},
        {"permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess"},
    ],
)
def test_what_is_just_allowed_is_taken(changes: dict[str, Any]) -> None:
    check(make_config(agent_zip={}, **changes), IMAGE["build_image"])


def test_the_settings_know_the_same_limits() -> None:
    assert TAG_LIMIT - len(named_tags(make_config(tags={}), "any")) == setting_forms.TAG_COUNT
    assert LEAST_FRESHNESS_S == setting_forms.FRESHNESS_S


def test_the_settings_of_a_real_account_can_be_tried_on_the_emulator() -> None:
    there = {"kms_key_arn": KEY.replace(REGION, "us-east-1"), "account": "000000000000"}
    check(make_config(**there), None)

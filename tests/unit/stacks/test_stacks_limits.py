"""What AWS would refuse halfway is refused before anything is made, with the setting and what is allowed."""

from typing import Any

import pytest
from stacks_world import ACCOUNT, IMAGE, REGION, make_config

from stacks.alarms import ALARM_METRIC_LIMIT, TOKEN_METRICS
from stacks.limits import LEAST_FRESHNESS_S, TAG_LIMIT
from stacks.models import ROOM, registry_json
from stacks.names import named_tags
from stacks.program import check
from toolkit import registry_change, setting_forms
from toolkit.contracts import ModelEntry, Registry, to_json

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


def many_models(mistral: int) -> Registry:
    bedrock = {
        f"team-{n}": ModelEntry(provider="bedrock", id=f"us.anthropic.claude-{n}-v1:0") for n in range(5)
    }
    others = {f"other-{n}": ModelEntry(provider="mistral", id=f"a-model-{n}") for n in range(mistral)}
    return Registry(default="team-0", models={**bedrock, **others})


def test_a_registry_is_measured_with_the_profiles_that_are_still_to_be_made() -> None:
    largest = next(n for n in range(100, 0, -1) if len(to_json(many_models(n))) <= ROOM)
    with pytest.raises(ValueError, match=r"the registry of models has 4,\d+ characters .* room for 4,096"):
        check(make_config(registry=many_models(largest)), None)
    check(make_config(registry=many_models(largest - 10)), None)


def test_who_adds_a_model_is_told_before_the_deployment_would_be() -> None:
    """The commands do not know the ARNs, and count the longest."""
    assert registry_change.ROOM == ROOM
    assert ALARM_METRIC_LIMIT // len(TOKEN_METRICS) == registry_change.MOST_OF_BEDROCK
    registry = many_models(9)
    arn = f"arn:aws:bedrock:ap-southeast-1:{ACCOUNT}:application-inference-profile/abcdefghijkl"
    profiles = {name: arn for name, entry in registry.models.items() if entry.provider == "bedrock"}
    deployed = registry_json(registry, profiles)
    assert len(to_json(registry)) < len(deployed) <= registry_change.characters(registry)


def test_the_settings_know_the_same_limits() -> None:
    assert TAG_LIMIT - len(named_tags(make_config(tags={}), "any")) == setting_forms.TAG_COUNT
    assert LEAST_FRESHNESS_S == setting_forms.FRESHNESS_S


def test_the_settings_of_a_real_account_can_be_tried_on_the_emulator() -> None:
    there = {"kms_key_arn": KEY.replace(REGION, "us-east-1"), "account": "000000000000"}
    check(make_config(**there), None)

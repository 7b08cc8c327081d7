"""The extra policy that lets a role reach Bedrock in the emulator: there exactly when the role may invoke."""

import json
from typing import Any

import pytest
from provider_world import World, allow

from toolkit.local.provider.services.iam_bedrock import POLICY, granted

INLINE = "aws:iam/rolePolicy:RolePolicy"
MANAGED = "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
PROFILE = "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/x"
BOTH = ["bedrock:Converse", "bedrock:ConverseStream"]


def extra(clients: Any, role: str) -> list[str]:
    """The actions of the role's extra policy; nothing where it has none."""
    iam = clients.of("iam")
    if POLICY not in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        return []
    statement = iam.get_role_policy(RoleName=role, PolicyName=POLICY)["PolicyDocument"]["Statement"][0]
    assert statement["Resource"] == "*"
    actions: list[str] = statement["Action"]
    return actions


def test_an_inline_policy_brings_it_changes_it_and_takes_it_away(world: World, clients: Any) -> None:
    role = world.role()["name"]
    inputs = {"name": "invoke", "role": role, "policy": allow(["bedrock:InvokeModel*"], PROFILE)}
    id_, state = world.engine.create(INLINE, inputs)
    assert extra(clients, role) == BOTH
    assert world.engine.read(INLINE, id_, state, inputs)[2] == inputs
    live = clients.of("iam").get_role_policy(RoleName=role, PolicyName="invoke")["PolicyDocument"]
    assert live == json.loads(inputs["policy"])

    news = {**inputs, "policy": allow(["bedrock:InvokeModel"], PROFILE)}
    world.engine.update(INLINE, id_, state, inputs, news)
    assert extra(clients, role) == ["bedrock:Converse"]

    world.engine.update(INLINE, id_, state, news, {**inputs, "policy": allow(["s3:GetObject"])})
    assert extra(clients, role) == []

    world.engine.update(INLINE, id_, state, inputs, inputs)
    world.engine.delete(INLINE, id_, state)
    assert extra(clients, role) == []


def test_a_managed_policy_brings_it_when_it_is_attached(world: World, clients: Any) -> None:
    role = world.role()
    inputs = {"name": world.name("p"), "policy": allow(["bedrock:InvokeModel"], PROFILE)}
    arn, state = world.engine.create(MANAGED, inputs)
    assert extra(clients, role["name"]) == []
    attachment = {"role": role["name"], "policyArn": arn}
    id_, attached = world.engine.create(ATTACHMENT, attachment)
    assert extra(clients, role["name"]) == ["bedrock:Converse"]
    assert world.engine.read("aws:iam/role:Role", role["name"], role, {})[1] == role

    news = {**inputs, "policy": allow(["bedrock:InvokeModelWithResponseStream"], PROFILE)}
    world.engine.update(MANAGED, arn, state, inputs, news)
    assert extra(clients, role["name"]) == ["bedrock:ConverseStream"]

    world.engine.delete(ATTACHMENT, id_, attached)
    assert extra(clients, role["name"]) == []


def test_one_of_two_policies_that_goes_leaves_it(world: World, clients: Any) -> None:
    role = world.role()["name"]
    for name in ("one", "two"):
        inputs = {"name": name, "role": role, "policy": allow(["bedrock:InvokeModel"], PROFILE)}
        world.engine.create(INLINE, inputs)
    world.engine.delete(INLINE, f"{role}:one", {})
    assert extra(clients, role) == ["bedrock:Converse"]


def test_a_role_goes_with_an_extra_policy_that_was_left_on_it(world: World, clients: Any) -> None:
    role = world.role()
    clients.of("iam").put_role_policy(
        RoleName=role["name"], PolicyName=POLICY, PolicyDocument=allow(["bedrock:Converse"])
    )
    world.engine.delete("aws:iam/role:Role", role["name"], role)
    assert world.engine.read("aws:iam/role:Role", role["name"], role, {})[0] == ""


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Effect": "Allow", "Action": "bedrock:InvokeModel"}, ["bedrock:Converse"]),
        ({"Effect": "Allow", "Action": ["bedrock:*"]}, BOTH),
        ({"Effect": "Allow", "Action": "BEDROCK:invokemodel*"}, BOTH),
        ({"Effect": "Deny", "Action": "bedrock:InvokeModel"}, []),
        ({"Effect": "Allow", "NotAction": "s3:*"}, []),
        ({"Effect": "Allow", "Action": "bedrock:GetInferenceProfile"}, []),
    ],
)
def test_only_what_may_invoke_counts(statement: dict[str, Any], expected: list[str]) -> None:
    assert granted(iter([{"Statement": statement}])) == expected

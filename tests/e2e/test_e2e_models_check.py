"""`models check` on the local target: each model is really asked, under the agent's role."""

import json
from pathlib import Path

import pytest
from driver import Tfkit

from toolkit.contracts import StackOutputs
from toolkit.emulator import free_port


def test_nothing_deployed_has_no_models(home: Path) -> None:
    assert Tfkit(home)("models", "check", "--stack", "other").returncode == 4


def test_the_composer_answers_under_the_agents_role(tfkit: Tfkit, outputs: StackOutputs) -> None:
    checked = {model["name"]: model for model in tfkit.json("models", "check")["models"]}
    assert not checked["mistral-large"]["ok"], "there is no key, and it is not the default"
    model = checked["offline-composer"]
    assert (model["name"], model["ok"], model["fix"]) == ("offline-composer", True, "")
    assert "answers the agent's role" in model["detail"]


@pytest.mark.thorough
def test_a_dead_model_is_told_and_the_other_still_answers(tfkit: Tfkit, outputs: StackOutputs) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    tfkit.json("up", "--llm", dead, "--llm-model", "my-model")
    checked = {model["name"]: model for model in tfkit.json("models", "check", code=1)["models"]}
    assert not checked["my-model"]["ok"]
    assert "refused the connection" in checked["my-model"]["detail"]
    assert "tfkit up --llm" in checked["my-model"]["fix"]
    assert checked["offline-composer"]["ok"]
    assert tfkit.json("models", "check", "offline-composer")["models"][0]["ok"]


def test_a_role_that_may_not_invoke_is_told(tfkit: Tfkit, outputs: StackOutputs) -> None:
    deny = {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}
    iam, role = tfkit.client("iam"), outputs.agent_role_arn.rpartition("/")[2]
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=role, PolicyName="no-models", PolicyDocument=document)
    try:
        (model,) = tfkit.json("models", "check", "offline-composer", code=1)["models"]
        assert "not authorized" in model["detail"]
        assert model["fix"]
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="no-models")

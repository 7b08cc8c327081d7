"""The registry between two `up`s: what is planned of it, what stands behind it here, what is drift."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from checks_aws import Aws, Refused, attached, cloud

from toolkit.contracts import MISTRAL_MODELS, Registry, default_registry, to_json
from toolkit.deploy.engine import Drift
from toolkit.deploy.models import deployed_registry, without_own
from toolkit.deploy.plan import COMPOSER, COMPOSER_ID, local_registry, platform_config, routes
from toolkit.deploy.remembered import keep, keep_registry, last_config
from toolkit.deploy.wire import SECRET, SIGNATURE
from toolkit.errors import TfkitError
from toolkit.registry_edit import Wanted, adding, choosing
from toolkit.settings import Settings

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
ON_AWS = Settings(target="aws", region="us-east-1", prefix="tfkit-dev", home="home")
HERE = Settings(prefix="tfkit-dev", home="home")
MADE = default_registry("us-east-1")
MINE = choosing("mine")(adding("mine", Wanted("bedrock", HAIKU))(MADE))
OUTPUTS: Any = SimpleNamespace(registry_parameter="/tfkit-dev/models")
URN = "urn:pulumi:dev::tfkit::tfkit:platform:Models$aws:ssm/parameter:Parameter::registry"
CHANGED = Drift(urn=URN, type="aws:ssm/parameter:Parameter", name="registry", changed=["value"])


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    return attached(monkeypatch)


def parameter(value: str) -> dict[str, Any]:
    return {"Parameter": {"Name": "/tfkit-dev/models", "Value": value, "Version": 1}}


def test_a_plan_has_our_models_and_those_of_the_deployed_that_are_the_users():
    assert platform_config(ON_AWS, cloud()).registry == MADE
    assert platform_config(ON_AWS, cloud(), MINE).registry == MINE


def test_a_local_platform_has_the_composer_mistrals_models_and_the_users_own():
    assert set(local_registry(HERE).models) == {COMPOSER, *MISTRAL_MODELS}
    llm = Settings(llm="http://127.0.0.1:11434", llm_model="qwen2.5:7b", home="home")
    registry = local_registry(llm)
    assert (registry.default, registry.models["qwen2.5:7b"].id) == ("qwen2.5:7b", "tfkit.qwen2-5-7b")
    assert set(registry.made) == set(registry.models) == {COMPOSER, "qwen2.5:7b", *MISTRAL_MODELS}


def test_an_alias_has_the_same_model_behind_it_and_an_unknown_id_has_none():
    llm = Settings(llm="http://127.0.0.1:11434", llm_model="qwen", home="home")
    registry = local_registry(llm)
    for name, model_id in (("mine", COMPOSER_ID), ("other", "tfkit.qwen"), ("unknown", "x.y")):
        registry = adding(name, Wanted("bedrock", model_id))(registry)
    profiles = {name: f"arn:{name}" for name in (COMPOSER, "qwen", "mine", "other", "unknown", "gone")}
    behind = {"kind": "openai", "url": "http://127.0.0.1:11434", "model": "qwen"}
    composer = {"kind": "composer"}
    assert routes(llm, registry, profiles) == {
        f"arn:{COMPOSER}": composer, "arn:mine": composer, "arn:qwen": behind, "arn:other": behind,
    }  # fmt: skip


def test_a_changed_registry_is_what_a_dead_emulator_is_filled_with(tmp_path: Path):
    keep_registry(tmp_path, MINE)
    assert last_config(tmp_path) is None, "without an up there is nothing to remember it in"
    keep(tmp_path, ON_AWS, platform_config(ON_AWS, cloud()))
    keep_registry(tmp_path, MINE)
    kept = last_config(tmp_path)
    assert kept is not None
    assert kept == platform_config(ON_AWS, cloud(), MINE)


def test_the_deployed_registry_is_read_and_none_is_no_error(aws: Aws):
    aws.answers["GetParameter"] = parameter(to_json(MINE).decode())
    assert deployed_registry(cloud(), OUTPUTS) == MINE
    for nothing in (Refused("ParameterNotFound"), parameter("{"), parameter('{"default": 1}')):
        aws.answers["GetParameter"] = nothing
        assert deployed_registry(cloud(), OUTPUTS) is None


def test_a_registry_that_may_not_be_read_is_not_taken_for_none(aws: Aws):
    """Else an `up` would take the user's own models out of it."""
    aws.answers["GetParameter"] = Refused("AccessDeniedException")
    with pytest.raises(TfkitError, match=r"/tfkit-dev/models\) cannot be read") as caught:
        deployed_registry(cloud(), OUTPUTS)
    assert "ssm:GetParameter" in caught.value.hint


@pytest.mark.parametrize("secret", [False, True], ids=["plain", "as Pulumi's state has a secret"])
def test_only_what_is_ours_of_the_registry_is_drift(aws: Aws, secret: bool):
    text = to_json(MADE).decode()
    value: Any = {SIGNATURE: SECRET, "plaintext": to_json(text).decode()} if secret else text
    resource = SimpleNamespace(urn=URN, inputs={"name": "/tfkit-dev/models", "value": value})
    engine: Any = SimpleNamespace(resources=lambda: [resource])
    other = Drift(urn="urn:x", type="aws:s3/bucket:Bucket", name="runs", changed=["tags"])

    def left(live: Registry, drift: Drift = CHANGED) -> list[Drift]:
        aws.answers["GetParameter"] = parameter(to_json(live).decode())
        return without_own([other, drift], engine, cloud())

    assert left(MINE) == [other]
    without = Registry(default="mine", models={"mine": MINE.models["mine"]}, made=MADE.made)
    assert left(without) == [other, CHANGED]
    gone = Drift(urn=URN, type=CHANGED.type, name="registry", gone=True)
    assert left(MINE, gone) == [other, gone]
    tagged = Drift(urn=URN, type=CHANGED.type, name="registry", changed=["tags", "value"])
    assert left(MINE, tagged) == [other, tagged]
    aws.answers["GetParameter"] = parameter("{")
    assert without_own([CHANGED], engine, cloud()) == [CHANGED]

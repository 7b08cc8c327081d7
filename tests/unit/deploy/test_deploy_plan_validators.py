"""What was said of the validators, on its way into the agent's function and from one `up` to the next."""

from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from toolkit.checker.selection import MAX_TEXT_BYTES, ValidatorSettings, from_text
from toolkit.cloud import Cloud
from toolkit.deploy.plan import platform_config
from toolkit.deploy.remembered import complete, keep
from toolkit.errors import UsageError
from toolkit.settings import Settings

POLICY = '[tags]\nrequired = ["team"]\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(target: Literal["local", "aws"] = "aws", **fields: Any) -> Settings:
    return Settings(target=target, region="us-east-1", prefix="tfkit-dev", home="home", **fields)


def environment(made: Settings) -> dict[str, str]:
    cloud = Cloud(target=made.target, region="us-east-1", account="000000000000")
    return platform_config(made, cloud).agent_environment


def test_nothing_said_is_nothing_sent():
    assert environment(settings()).keys() == {"TFKIT_MODEL_TIMEOUT_S"}


def test_names_settings_and_the_policy_of_the_folder_are_sent(folder: Path):
    (folder / "tfkit-policy.toml").write_text(POLICY)
    sections = {"fmt": ValidatorSettings(enabled=False)}
    sent = from_text(
        environment(settings(validators=sections, validator_names=["fmt", "policy"]))["TFKIT_VALIDATORS"]
    )
    assert sent.named == ("fmt", "policy")
    assert sent.settings["fmt"] == ValidatorSettings(enabled=False)
    assert sent.settings["policy"].options == {"rules": {"tags": {"required": ["team"]}}}


def test_a_policy_that_cannot_be_read_or_is_too_long_is_refused(folder: Path):
    (folder / "tfkit-policy.toml").write_text("[tags")
    with pytest.raises(UsageError, match="not valid TOML"):
        environment(settings())
    (folder / "tfkit-policy.toml").write_text(f'[tags]\nrequired = ["{"x" * MAX_TEXT_BYTES}"]\n')
    with pytest.raises(UsageError, match=f"has room for {MAX_TEXT_BYTES}"):
        environment(settings())


def test_an_unknown_validator_is_refused_here_and_left_to_the_image_there():
    with pytest.raises(UsageError, match="unknown validator nope"):
        environment(settings("local", validator_names=["fmt", "nope"]))
    with pytest.raises(UsageError, match="unknown validator nope"):
        environment(settings("local", validators={"nope": ValidatorSettings()}))
    environment(settings("local", validators={"nope": ValidatorSettings(enabled=False)}))
    assert '"nope"' in environment(settings(validator_names=["nope"]))["TFKIT_VALIDATORS"]


def test_the_function_on_this_machine_has_this_machines_tools(monkeypatch: pytest.MonkeyPatch, folder: Path):
    assert environment(settings("local"))["TFKIT_TOOLS"] == str(folder / "home" / "tools")
    monkeypatch.setenv("TFKIT_TOOLS", "/elsewhere")
    assert environment(settings("local"))["TFKIT_TOOLS"] == "/elsewhere"
    assert "TFKIT_TOOLS" not in environment(settings())


def test_unsandboxed_is_sent_only_where_it_is_said():
    assert environment(settings(unsandboxed=True))["TFKIT_UNSANDBOXED"] == "1"
    assert "TFKIT_UNSANDBOXED" not in environment(settings())


def test_names_are_remembered_until_they_are_taken_away(folder: Path):
    def again(**fields: Any) -> list[str]:
        made = complete(settings(**fields), folder, "embedded", "us-east-1", moving=True)
        cloud = Cloud(target="aws", region="us-east-1", account="000000000000")
        keep(folder, made, platform_config(made, cloud))
        return made.validator_names

    assert again() == []
    assert again(validator_names=["fmt", "validate"]) == ["fmt", "validate"]
    assert again() == ["fmt", "validate"]
    assert again(validator_names=["fmt"]) == ["fmt"]
    assert again(validator_names=["none"]) == []
    assert again() == []


def test_unsandboxed_is_not_remembered(folder: Path):
    bold = settings(unsandboxed=True, engine="embedded")
    keep(folder, bold, platform_config(bold, Cloud(target="aws", region="us-east-1", account="0" * 12)))
    later = complete(settings(), folder, "embedded", "us-east-1", moving=True)
    assert later == msgspec.structs.replace(later, unsandboxed=False)

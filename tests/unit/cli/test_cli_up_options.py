"""The options of `up` and `preview` that are settings of the runs."""

from typing import Any

import pytest

from toolkit.errors import TfkitError
from toolkit.settings import Settings

SEEN = "seen enough"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings that a platform is opened with, which is all that is done."""
    seen: list[Settings] = []

    def opened(made: Settings, *_others: Any, **_more: Any) -> None:
        seen.append(made)
        raise TfkitError(SEEN)

    monkeypatch.setattr("toolkit.deploy.platform.Platform", opened)
    return seen


@pytest.mark.parametrize("command", ["up", "preview"])
def test_they_become_settings(tfkit: Any, settings: list[Settings], command: str) -> None:
    ended = tfkit(command, "--validators", "fmt, validate,fmt", "--unsandboxed")
    assert SEEN in ended.err
    assert settings[0].validator_names == ["fmt", "validate"]
    assert settings[0].unsandboxed is True


@pytest.mark.parametrize("command", ["up", "preview"])
def test_without_them_the_settings_are_as_they_are(
    tfkit: Any, settings: list[Settings], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tfkit(command)
    assert (settings[0].validator_names, settings[0].unsandboxed) == ([], False)
    monkeypatch.setenv("TFKIT_UNSANDBOXED", "1")
    monkeypatch.setenv("TFKIT_VALIDATOR_NAMES", "fmt,policy")
    tfkit(command)
    assert (settings[1].validator_names, settings[1].unsandboxed) == (["fmt", "policy"], True)


def test_naming_none_at_all_is_wrong_usage(tfkit: Any, settings: list[Settings]) -> None:
    ended = tfkit("up", "--validators", " , ")
    assert ended.code == 2
    assert "no validators were named" in ended.err
    assert settings == []

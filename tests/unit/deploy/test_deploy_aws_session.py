"""A profile that is named is what Pulumi's processes use too, whatever else lies in the environment."""

from pathlib import Path

import pytest
from aws_fakes import account, emulated  # noqa: F401 - fixtures

from toolkit.deploy.aws_target import AwsTarget
from toolkit.emulator import Emulator
from toolkit.settings import load


def target(home: Path, profile: str) -> AwsTarget:
    settings = load({"target": "aws", "profile": profile}, {"TFKIT_HOME": str(home)}, home)
    return AwsTarget(settings, lambda _text: None, lambda _text: False)


def given_to_pulumi(target: AwsTarget) -> dict[str, str]:
    """What the CLI's processes get beside what they inherit."""
    place = target.engine(target.cloud).place
    place.make()
    return place.variables


@pytest.fixture
def home(account: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    keys = f"aws_access_key_id = {account.key}\naws_secret_access_key = {account.secret}\n"
    (tmp_path / "config").write_text(f"[profile other]\n{keys}")
    monkeypatch.setattr(AwsTarget, "_command", "stands in")
    return tmp_path


def test_nothing_of_another_session_reaches_pulumi(home: Path) -> None:
    given = given_to_pulumi(target(home, "other"))
    assert given["AWS_PROFILE"] == "other"
    # https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html, before the profile
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        assert given[name] == ""
    for name in ("AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"):
        assert given[name] == ""


def test_without_a_profile_the_environment_is_the_session(home: Path) -> None:
    given = given_to_pulumi(target(home, ""))
    assert not {"AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN"} & given.keys()

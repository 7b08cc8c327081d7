"""`models`: the list, and whose failure fails the check."""

import pytest
from cli_fakes import FakeClient

from toolkit.deploy.checks.check import Check
from toolkit.errors import NothingDeployed
from toolkit.settings import Settings


class Up:
    """A stack that is up; whatever else a platform is opened with does not matter here."""

    cloud = None
    account = "000000000000"

    def __init__(self, settings: Settings, *_: object, **__: object) -> None:
        self.settings = settings

    def outputs(self) -> None:
        return None


class Empty(Up):
    """A stack of which nothing is deployed."""

    def outputs(self) -> None:
        raise NothingDeployed("nothing is deployed", "tfkit up")


@pytest.fixture
def up(monkeypatch) -> None:
    monkeypatch.setattr("toolkit.deploy.platform.Platform", Up)
    monkeypatch.setattr("toolkit.client.Client", FakeClient())


@pytest.fixture
def broken(monkeypatch) -> set[str]:
    """The models that cannot be used; every other can."""
    names: set[str] = set()

    def usable(_cloud, _role, name, _entry, _settings):
        return Check(name, name not in names, "asked", "mend" if name in names else "")

    monkeypatch.setattr("toolkit.deploy.checks.bedrock.usable", usable)
    return names


def test_a_bare_group_lists(tfkit, up):
    listed = tfkit("models", "list", "--json")
    assert set(listed.document["models"]) == {"haiku", "offline-composer"}
    assert tfkit("models", "--json") == listed


def test_every_model_is_checked(tfkit, up, broken):
    ended = tfkit("models", "check", "--json")
    assert ended.code == 0
    assert ended.document == {
        "models": [
            {"name": name, "ok": True, "detail": "asked", "fix": ""} for name in ("haiku", "offline-composer")
        ]
    }


@pytest.mark.parametrize(
    ("bad", "names", "code"),
    [
        ("haiku", [], 0),  # not the default one
        ("offline-composer", [], 1),
        ("haiku", ["haiku"], 1),
        ("haiku", ["offline-composer"], 0),
        ("offline-composer", ["haiku"], 0),
        ("haiku", ["offline-composer", "haiku"], 1),
    ],
)
def test_what_fails_the_check(tfkit, up, broken, bad, names, code):
    broken.add(bad)
    ended = tfkit("models", "check", *names)
    assert ended.code == code
    assert ("mend it: mend" in ended.out) is (not names or bad in names)


def test_only_the_named_ones_are_asked(tfkit, up, broken):
    ended = tfkit("models", "check", "haiku", "--json")
    assert [model["name"] for model in ended.document["models"]] == ["haiku"]


def test_a_name_that_the_registry_has_not(tfkit, up, broken):
    ended = tfkit("models", "check", "gpt")
    assert ended.code == 2
    assert "haiku, offline-composer" in ended.err


def test_before_a_platform_aws_is_asked_for_the_models_that_it_would_have(tfkit, broken, monkeypatch):
    monkeypatch.setattr("toolkit.deploy.platform.Platform", Empty)
    ended = tfkit("models", "check", "--target", "aws", "--json")
    assert ended.code == 0
    assert [model["name"] for model in ended.document["models"]] == ["haiku"]
    assert tfkit("models", "check").code == 4, "the local target has no models before it is up"

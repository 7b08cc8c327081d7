"""`models`: the list, and whose failure fails the check."""

from types import SimpleNamespace
from typing import get_args

import msgspec
import pytest
from cli_fakes import FakeClient, result

from toolkit.cli.commands.models import PROVIDERS
from toolkit.contracts import ModelProvider, Registry, default_registry, to_json
from toolkit.deploy.checks.check import Check
from toolkit.errors import NothingDeployed
from toolkit.registry_edit import Wanted, adding
from toolkit.settings import Settings

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
ADD_OTHER = ("models", "add", "other", "--provider", "mistral", "--id", "codestral-latest")


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
    assert ended.code == 0, "the default one can be used"
    checks = {model["name"]: model for model in ended.document["models"]}
    assert list(checks) == ["devstral-small", "haiku", "mistral-large"]
    assert checks["haiku"]["ok"]
    assert (checks["mistral-large"]["ok"], checks["mistral-large"]["fix"]) == (
        False, "TFKIT_MISTRAL_KEY=… tfkit up",
    )  # fmt: skip
    assert tfkit("models", "check").code == 4, "the local target has no models before it is up"


# -- changing it ------------------------------------------------------------------------------------------


class Parameter:
    """The parameter of a platform that is up, as SSM has it."""

    def __init__(self) -> None:
        self.value = to_json(default_registry("us-east-1")).decode()
        self.version = 1

    # The arguments are named as boto3 has them.
    def get_parameter(self, Name: str):  # noqa: N803
        assert Name == "/tfkit-dev/models"
        return {"Parameter": {"Value": self.value, "Version": self.version}}

    def put_parameter(self, Name: str, Value: str, Overwrite: bool):  # noqa: N803
        assert (Name, Overwrite) == ("/tfkit-dev/models", True)
        self.value, self.version = Value, self.version + 1
        return {"Version": self.version}

    @property
    def registry(self) -> Registry:
        return msgspec.json.decode(self.value, type=Registry)


@pytest.fixture
def parameter(monkeypatch, tmp_path) -> Parameter:
    held = Parameter()

    class Writable(Up):
        cloud = SimpleNamespace(client=lambda _service: held)
        folder = tmp_path

        def outputs(self):
            return SimpleNamespace(registry_parameter="/tfkit-dev/models")

    monkeypatch.setattr("toolkit.deploy.platform.Platform", Writable)
    return held


def test_a_model_is_added_chosen_and_removed(tfkit, parameter):
    added = tfkit(
        *("models", "add", "mine", "--id", HAIKU, "--fallback", "mistral-large", "--no-cache"),
        *("--price-in", "1", "--price-out", "5", "--json"),
    )
    assert added.code == 0
    assert added.document["models"]["mine"] == {
        "provider": "bedrock", "id": HAIKU, "profile": "", "context": 200_000, "max_tokens": 16_384,
        "price": {"input": 1.0, "output": 5.0, "cache_read": None, "cache_write": None},
        "takes": ["text", "image"], "endpoint": "", "output_limit": 64_000, "temperature": 0.0,
        "caches": False, "fallbacks": ["mistral-large"],
    }  # fmt: skip
    assert "tfkit models check other" in tfkit(*ADD_OTHER).out
    assert "mine is the default now" in tfkit("models", "default", "mine").out
    assert (parameter.registry.default, parameter.registry.chosen) == ("mine", True)
    assert tfkit("models", "remove", "mine").code == 2, "the default is needed"
    assert tfkit("models", "remove", "other", "--json").document["default"] == "mine"
    assert sorted(parameter.registry.models) == ["devstral-small", "haiku", "mine", "mistral-large"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("default", "gone"),
        ("remove", "haiku"),
        ("add", "haiku", "--id", HAIKU),
        ("add", "m", "--id", HAIKU, "--price-in", "1"),
        ("add", "m", "--id", HAIKU, "--provider", "openai"),
        ("add", "m"),
        ("add", "m", "--id", HAIKU, "--temperature", "2"),
    ],
)
def test_a_change_that_cannot_be_writes_nothing(tfkit, parameter, arguments):
    ended = tfkit("models", *arguments)
    assert ended.code == 2
    assert parameter.version == 1


def test_the_list_says_whose_and_what_each_model_is(tfkit, up, monkeypatch):
    registry = adding("mine", Wanted("mistral", "codestral-latest", caches=True, fallbacks=("haiku",)))(
        default_registry("us-east-1")
    )
    client = FakeClient()
    client.registry = lambda: registry
    monkeypatch.setattr("toolkit.client.Client", client)
    rows = {line.split()[0]: " ".join(line.split()) for line in tfkit("models").out.splitlines()}
    prices = "as genai-prices has it"
    assert rows["haiku"] == f"haiku yes bedrock {HAIKU} 200,000 {prices} yes text, image"
    assert rows["mine"] == f"mine mistral codestral-latest 200,000 {prices} yes text haiku yours"
    listed = tfkit("models", "--json").document
    assert (listed["default"], listed["models"]["mine"]["temperature"]) == ("haiku", 0.0)


def test_the_providers_of_the_option_are_those_of_the_registry():
    assert get_args(ModelProvider) == PROVIDERS


# -- what one request asks of it --------------------------------------------------------------------------


def test_ask_sends_what_it_was_told_and_refuses_what_the_model_does_not_take(tfkit, client):
    assert tfkit("ask", "a bucket", "--temperature", "0.7", "--max-tokens", "500", "--detach").code == 0
    (request,) = client.submitted
    assert (request.temperature, request.answer_tokens) == (0.7, 500)
    assert tfkit("ask", "a bucket", "--detach").code == 0
    assert (client.submitted[1].temperature, client.submitted[1].answer_tokens) == (None, None)
    for option, value, said in (
        ("--temperature", "1.1", "takes a temperature from 0 to 1"),
        ("--max-tokens", "8193", "has 1 to 8,192 tokens"),
        ("--temperature", "-1", "range"),
        ("--max-tokens", "0", "range"),
    ):
        ended = tfkit("ask", "a bucket", option, value, "--detach")
        assert (ended.code, len(client.submitted)) == (2, 2)
        assert said in ended.err


def test_a_result_says_who_answered(tfkit, client):
    client.outcome = result(model="haiku", models=["haiku", "mistral-large"])
    assert "haiku (answered by haiku, mistral-large)" in tfkit("ask", "a bucket").out
    client.outcome = result(model="haiku", models=["haiku"])
    assert "answered by" not in tfkit("ask", "a bucket").out

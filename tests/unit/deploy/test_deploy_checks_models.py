"""Whether a model can be used, by who serves it: Mistral on loopback, AWS by answers of the test's."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from checks_aws import ROLE, Aws, Refused, attached, availability, cloud, credentials, said
from mistral_server import Mistral, serve_mistral

import toolkit.registry
from toolkit.contracts import MISTRAL_MODELS, ModelEntry, Registry, default_registry
from toolkit.deploy.checks.check import Check
from toolkit.deploy.checks.examine import Deployed
from toolkit.deploy.checks.models import usable
from toolkit.settings import Settings

KEY = "s3cr3t-of-mistral"
GIVE = "TFKIT_MISTRAL_KEY=… tfkit up"


@pytest.fixture(scope="module")
def mistral_server() -> Iterator[Mistral]:
    with serve_mistral() as told:
        yield told


@pytest.fixture
def server(mistral_server: Mistral, monkeypatch: pytest.MonkeyPatch) -> Mistral:
    """A server in the place of Mistral's own."""
    monkeypatch.setattr(toolkit.registry, "MISTRAL_API", mistral_server.endpoint)
    mistral_server.accepts = KEY
    mistral_server.keys.clear()
    return mistral_server


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws = attached(monkeypatch)
    aws.answers |= {"AssumeRole": credentials(), "GetParameter": parameter(KEY)}
    return aws


def parameter(value: str) -> dict[str, Any]:
    return {"Parameter": {"Name": "/tfkit-dev/secrets/mistral", "Value": value, "Version": 1}}


def check(name: str, models: dict[str, ModelEntry], *, up: bool = True, **settings: Any) -> Check:
    outputs: Any = (
        SimpleNamespace(agent_role_arn=ROLE, registry_parameter="/tfkit-dev/models") if up else None
    )
    registry = Registry(default=name, models=models)
    return usable(Deployed(cloud(), outputs, registry), name, Settings(target="aws", **settings))


def large(**fields: Any) -> dict[str, ModelEntry]:
    return {"large": msgspec.structs.replace(MISTRAL_MODELS["mistral-large"], **fields)}


def test_a_key_that_the_agent_reads_and_mistral_takes(aws: Aws, server: Mistral):
    found = check("large", large())
    assert (found.ok, found.fix) == (True, ""), found
    assert "offered for the key that the agent reads" in found.detail
    (asked,) = aws.called("GetParameter")
    assert asked == {"Name": "/tfkit-dev/secrets/mistral", "WithDecryption": True}
    assert check("large", large(id="mistral-large-2512-alias")).ok, "by another of its names"


def test_who_may_not_take_the_role_reads_the_key_himself(aws: Aws, server: Mistral):
    aws.answers["AssumeRole"] = Refused("AccessDenied", "is not authorized to perform: sts:AssumeRole")
    found = check("large", large())
    assert found.ok
    assert "offered for the platform's key" in found.detail


@pytest.mark.parametrize(
    ("answer", "detail", "fix"),
    [
        (parameter("another"), "the key is refused (HTTP 401)", f"give a good one: {GIVE}"),
        (Refused("AccessDeniedException", "not authorized"), "Mistral's key cannot be read", ""),
    ],
)
def test_a_key_that_is_of_no_use(aws: Aws, server: Mistral, answer: Any, detail: str, fix: str):
    aws.answers["GetParameter"] = answer
    found = check("large", large())
    assert not found.ok
    assert detail in found.detail
    assert found.fix == fix or (not fix and found.fix)
    assert KEY not in found.detail + found.fix


def test_without_a_key_there_is_a_next_step(aws: Aws):
    aws.answers["GetParameter"] = Refused("ParameterNotFound")
    found = check("mistral-large", dict(MISTRAL_MODELS))
    assert found == Check("mistral-large", False, "the platform has no key of Mistral's", GIVE)


def test_a_role_that_reads_nothing_because_nothing_is_there_is_no_denial(aws: Aws):
    """Without a key in the platform the role has no right to read one."""

    def answer(caller: Any) -> Any:
        role = type(caller).__name__ == "RoleCloud"
        return Refused("AccessDeniedException", "not authorized") if role else Refused("ParameterNotFound")

    aws.answers["GetParameter"] = answer
    assert check("mistral-large", dict(MISTRAL_MODELS)).fix == GIVE


def test_before_an_up_the_key_that_is_given_counts(aws: Aws, server: Mistral):
    assert check("mistral-large", dict(MISTRAL_MODELS), up=False).fix == GIVE
    found = check("large", large(), up=False, provider_keys={"mistral": KEY})
    assert found.ok
    assert aws.called("GetParameter") == []


def test_an_endpoint_of_ones_own_is_sent_no_key(aws: Aws, server: Mistral, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(toolkit.registry, "MISTRAL_API", "https://api.mistral.ai")
    found = check("large", large(endpoint=server.endpoint))
    assert not found.ok and "the platform's goes to Mistral alone" in found.detail
    server.accepts = ""
    found = check("large", large(endpoint=server.endpoint))
    assert found.ok and "offered without a key" in found.detail
    assert set(server.keys) == {""}
    assert aws.called("GetParameter") == []


def test_a_model_that_is_not_offered_is_told_with_those_that_are(aws: Aws, server: Mistral):
    found = check("large", large(id="mistral-huge"))
    assert not found.ok
    assert "mistral-huge is none of the models that are offered, as mistral-large-2512" in found.detail


def test_a_server_that_is_not_there(aws: Aws):
    entry = ModelEntry(provider="mistral", id="x", endpoint="http://127.0.0.1:9/v1")
    found = check("gone", {"gone": entry})
    assert not found.ok
    assert "http://127.0.0.1:9/v1/models cannot be reached" in found.detail


def test_a_bedrock_model_without_a_profile_waits_for_an_up(aws: Aws):
    haiku = default_registry("us-east-1").models["haiku"]
    found = check("haiku", {"haiku": haiku})
    assert (found.ok, found.fix) == (False, "tfkit up")
    assert "no inference profile yet" in found.detail
    aws.answers |= {
        "GetFoundationModelAvailability": availability(),
        "GetUseCaseForModelAccess": {"formData": b"{}"},
        "Converse": said("OK"),
    }
    profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl"
    assert check("haiku", {"haiku": msgspec.structs.replace(haiku, profile=profile)}).ok


def test_a_chain_that_cannot_be_is_told(aws: Aws, server: Mistral):
    found = check("large", large(fallbacks=("gone",)))
    assert not found.ok
    assert "large falls back to 'gone'" in found.detail

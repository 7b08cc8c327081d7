"""The registry, the choice of a model, its price and how it is called."""

from decimal import Decimal

import boto3
import pytest
from pydantic_ai.usage import RequestUsage

from toolkit.agent.models import build, cost_of
from toolkit.contracts import ModelEntry, Price, Registry
from toolkit.errors import UsageError
from toolkit.registry import find

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
MILLION = RequestUsage(input_tokens=1_000_000, output_tokens=1_000_000)
REGISTRY = Registry(
    default="a", models={name: ModelEntry(provider="bedrock", id=f"x.{name}") for name in "ba"}
)


def test_the_price_of_the_registry_comes_first():
    assert cost_of(HAIKU, Price(input=2, output=0.5), MILLION) == Decimal("2.5")
    assert cost_of("nobody.knows", Price(input=0, output=0), MILLION) == 0
    assert cost_of(
        "x", Price(input=1, output=10), RequestUsage(input_tokens=500, output_tokens=20)
    ) == Decimal("0.0007")


@pytest.mark.parametrize("model_id", [HAIKU, HAIKU.removeprefix("us.")])
def test_a_claude_on_bedrock_has_a_known_price(model_id: str):
    cost = cost_of(model_id, None, MILLION)
    assert cost is not None
    assert 5 < cost < 8, "5 dollars for output and 1 for input, or 10 % more in a region"
    cached = RequestUsage(input_tokens=1_000_000, cache_read_tokens=1_000_000)
    cheaper = cost_of(model_id, None, cached)
    assert cheaper is not None
    assert 0 < cheaper < Decimal("0.5")


def test_a_model_that_nobody_knows_has_no_price():
    assert cost_of("tfkit.offline-composer-v1", None, MILLION) is None
    assert cost_of("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", None, MILLION) is None


def test_counts_that_contradict_themselves_have_no_price():
    assert cost_of(HAIKU, None, RequestUsage(input_tokens=1, cache_read_tokens=5)) is None


def test_the_default_is_chosen_where_no_name_is_given():
    assert find(REGISTRY, "") == ("a", REGISTRY.models["a"])
    assert find(REGISTRY, "b") == ("b", REGISTRY.models["b"])
    with pytest.raises(UsageError, match="unknown model 'c'") as refusal:
        find(REGISTRY, "c")
    assert refusal.value.hint == "known are: a, b"


def test_a_model_is_called_by_its_own_id_through_its_profile():
    bedrock = boto3.client("bedrock-runtime", region_name="us-east-1")
    model = build(ModelEntry(provider="bedrock", id=HAIKU, profile="arn:p", max_tokens=7), bedrock)
    assert model.model_name == HAIKU
    assert dict(model.settings or {}) == {
        "max_tokens": 7, "temperature": 0.0, "bedrock_inference_profile": "arn:p",
    }  # fmt: skip
    plain = build(ModelEntry(provider="bedrock", id=HAIKU), bedrock)
    assert "bedrock_inference_profile" not in (plain.settings or {})

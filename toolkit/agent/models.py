"""From the registry to a model: which there are is a parameter read at run time, not code."""

import warnings
from decimal import Decimal
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from genai_prices import Usage as PricedUsage
from genai_prices import calc_price
from pydantic_ai.models import Model
from pydantic_ai.models.bedrock import BedrockConverseModel, BedrockModelSettings
from pydantic_ai.providers.bedrock import BedrockProvider
from pydantic_ai.usage import RequestUsage

from toolkit.contracts import ModelEntry, Price, Registry
from toolkit.errors import PlatformError, UsageError

# A profile's ARN says nothing of its price; ours are counted from the registry or by the model's own id.
warnings.filterwarnings("ignore", module=r"pydantic_ai\..*", message=".*[Cc]ost.*")


def load_registry(ssm: Any, parameter: str) -> Registry:
    """Read the registry of models from SSM. Raises `PlatformError` where it cannot be read."""
    try:
        value = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
        return msgspec.json.decode(value, type=Registry)
    except (ClientError, BotoCoreError, msgspec.DecodeError) as error:
        raise PlatformError(f"the registry of models ({parameter}) cannot be read: {error}") from error


def choose(registry: Registry, name: str) -> tuple[str, ModelEntry]:
    """The model of this name, or the default. Raises `UsageError` naming the known ones."""
    chosen = name or registry.default
    if chosen not in registry.models:
        raise UsageError(f"unknown model {chosen!r}", "known are: " + ", ".join(sorted(registry.models)))
    return chosen, registry.models[chosen]


def build(entry: ModelEntry, bedrock: Any) -> Model:
    """A pydantic-ai model over Bedrock, called through the model's application inference profile."""
    settings = BedrockModelSettings(max_tokens=entry.max_tokens, temperature=0.0)
    if entry.profile:
        settings["bedrock_inference_profile"] = entry.profile
    return BedrockConverseModel(entry.id, provider=BedrockProvider(bedrock_client=bedrock), settings=settings)


def cost_of(entry_id: str, price: Price | None, usage: RequestUsage) -> Decimal | None:
    """US dollars of one request: by the registry's price, else by genai-prices, else None."""
    if price is not None:
        million = Decimal(1_000_000)
        return (
            Decimal(str(price.input)) * usage.input_tokens + Decimal(str(price.output)) * usage.output_tokens
        ) / million
    try:
        priced = PricedUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )
        return calc_price(priced, entry_id, provider_id="aws").total_price
    except (LookupError, ValueError):  # unknown; or counts that contradict each other
        return None

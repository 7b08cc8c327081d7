"""From the registry to a model: which there are is a parameter read at run time, not code."""

import warnings
from collections.abc import Callable
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

from toolkit.contracts import ModelEntry, ModelProvider, Price, Registry
from toolkit.errors import PlatformError
from toolkit.registry import find

# A profile's ARN says nothing of its price; ours are counted from the registry or by the model's own id.
warnings.filterwarnings("ignore", module=r"pydantic_ai\..*", message=".*[Cc]ost.*")

PRICED_BY: dict[ModelProvider, str] = {"bedrock": "aws", "mistral": "mistral"}
"""Whose prices genai-prices has a model's under."""


choose = find
"""The model of a name, or the default."""


def load_registry(ssm: Any, parameter: str) -> Registry:
    """Read the registry of models from SSM. Raises `PlatformError` where it cannot be read."""
    try:
        value = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
        return msgspec.json.decode(value, type=Registry)
    except (ClientError, BotoCoreError, msgspec.DecodeError) as error:
        raise PlatformError(f"the registry of models ({parameter}) cannot be read: {error}") from error


def build(
    entry: ModelEntry,
    bedrock: Any,
    key: Callable[[], str] = str,
    on_retry: Callable[[], object] = lambda: None,
    timeout_s: float = 300.0,
) -> Model:
    """A pydantic-ai model over the entry's provider: Bedrock by its client, Mistral by its key.

    Bedrock is called through the application inference profile. `key` is asked for Mistral alone, whose
    requests that are sent again before an answer began are told to `on_retry`, and whose answer is waited for
    `timeout_s` seconds. Raises what `key` raises.
    """
    if entry.provider == "mistral":
        from toolkit.agent.mistral import mistral  # a third of a second of imports, for who uses it

        return mistral(entry, key(), on_retry, timeout_s)
    settings = BedrockModelSettings(max_tokens=entry.max_tokens)
    if entry.temperature is not None:
        settings["temperature"] = entry.temperature
    if entry.profile:
        settings["bedrock_inference_profile"] = entry.profile
    if entry.caches:  # left out by the library for a model whose profile it knows to have no cache
        settings["bedrock_cache_instructions"] = True
        settings["bedrock_cache_tool_definitions"] = True
        settings["bedrock_cache_messages"] = True
    return BedrockConverseModel(entry.id, provider=BedrockProvider(bedrock_client=bedrock), settings=settings)


def entry_cost(entry: ModelEntry, usage: RequestUsage) -> Decimal | None:
    """US dollars of one request to a model of the registry, or None where its price is not known."""
    return cost_of(entry.id, entry.price, usage, entry.provider)


def cost_of(
    entry_id: str, price: Price | None, usage: RequestUsage, provider: ModelProvider = "bedrock"
) -> Decimal | None:
    """US dollars of one request: by the registry's price, else by genai-prices, else None.

    The input tokens of a usage count those that a cache gave or took in.
    """
    if price is not None:
        return _by_registry(price, usage)
    try:
        priced = PricedUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )
        return calc_price(priced, entry_id, provider_id=PRICED_BY[provider]).total_price
    except (LookupError, ValueError):  # unknown; or counts that contradict each other
        return None


def _by_registry(price: Price, usage: RequestUsage) -> Decimal:
    read, written = usage.cache_read_tokens, usage.cache_write_tokens
    parts = [
        (usage.input_tokens - read - written, price.input),
        (read, price.input if price.cache_read is None else price.cache_read),
        (written, price.input if price.cache_write is None else price.cache_write),
        (usage.output_tokens, price.output),
    ]
    return sum((Decimal(str(dollars)) * tokens for tokens, dollars in parts), Decimal(0)) / 1_000_000

"""From the registry to a model: which there are is a parameter read at run time, not code."""

import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.bedrock import BedrockConverseModel, BedrockModelSettings
from pydantic_ai.providers.bedrock import BedrockProvider
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage
from typing_extensions import override

from toolkit.agent.mistral_key import NO_KEY
from toolkit.contracts import ModelEntry, ModelProvider, Price
from toolkit.registry import takes_key

# A profile's ARN says nothing of its price; ours are counted from the registry or by the model's own id.
warnings.filterwarnings("ignore", module=r"pydantic_ai\..*", message=".*[Cc]ost.*")

PRICED_BY: dict[ModelProvider, str] = {"bedrock": "aws", "mistral": "mistral"}
"""Whose prices genai-prices has a model's under."""

LONG_ANSWER = 8_192
"""Tokens of an answer that comes in one piece. At 30 a second, slow for a model of today, it takes 273 of the
300 seconds that one read may last (`model_timeout_s`).

Longer ones are streamed, where the time-out is for the wait between two pieces. Not all are: some models on
Bedrock, whose answers are short, call no tools in a stream.
https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
"""


class Streamed(BedrockConverseModel):
    """A model whose answer is read as it comes, and handed on when it is there; like one without a limit."""

    @override
    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Raises what a stream does that breaks off."""
        async with self.request_stream(messages, model_settings, model_request_parameters) as answer:
            async for _ in answer:
                pass
        return answer.get()


def build(
    entry: ModelEntry,
    bedrock: Any,
    key: Callable[[], str] = str,
    on_retry: Callable[[], object] = lambda: None,
    timeout_s: float = 300.0,
) -> Model:
    """A pydantic-ai model over the entry's provider: Bedrock by its client, Mistral by its key.

    Bedrock is called through the application inference profile, and streams an answer that may be long. `key`
    is asked where the platform's key may go (`takes_key`). Mistral's requests that are sent again before an
    answer began are told to `on_retry`, and its answer is waited for `timeout_s` seconds. Raises what `key`
    raises.
    """
    if entry.provider == "mistral":
        from toolkit.agent.mistral import mistral  # a third of a second of imports, for who uses it

        return mistral(entry, key() if takes_key(entry) else NO_KEY, on_retry, timeout_s)
    settings = BedrockModelSettings(max_tokens=entry.max_tokens)
    if entry.temperature is not None:
        settings["temperature"] = entry.temperature
    if entry.profile:
        settings["bedrock_inference_profile"] = entry.profile
    if entry.caches:  # left out by the library for a model whose profile it knows to have no cache
        settings["bedrock_cache_instructions"] = True
        settings["bedrock_cache_tool_definitions"] = True
        settings["bedrock_cache_messages"] = True
    kind = Streamed if entry.max_tokens > LONG_ANSWER else BedrockConverseModel
    return kind(entry.id, provider=BedrockProvider(bedrock_client=bedrock), settings=settings)


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

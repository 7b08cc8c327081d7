"""Mistral's models, by their own API or another address that speaks it: transport, retries and the key.

What is refused before an answer begins (429, 5xx, no connection) is sent again here, after the wait that
`Retry-After` names; an answer that breaks off is asked for again by the hooks, as one of Bedrock's is. The
key goes into the client and nowhere else: neither the SDK nor the library writes headers into logs or spans.
"""

import asyncio
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx2
from pydantic_ai.models import Model, create_async_httpx2_client
from pydantic_ai.models.mistral import MistralModel, MistralModelSettings
from pydantic_ai.providers.mistral import MistralProvider
from typing_extensions import override

from toolkit.agent import patience
from toolkit.contracts import ModelEntry
from toolkit.registry import address_of, refuse_clear

LONGEST_WAIT_S = 60.0
"""A `Retry-After` beyond it is not waited for in full: another model may answer sooner."""

CACHE_KEY = "tfkit"
"""Runs have their instructions and tools in common, so one key lets Mistral find them again.
https://docs.mistral.ai/studio-api/conversations/advanced/prompt-caching"""


def mistral(entry: ModelEntry, key: str, on_retry: Callable[[], object], timeout_s: float) -> Model:
    """The model of an entry. Raises `UsageError` for an address that would carry it all in the clear."""
    address = address_of(entry)
    settings = MistralModelSettings(max_retries=0)
    if entry.max_tokens:
        settings["max_tokens"] = entry.max_tokens
    if entry.temperature is not None:
        settings["temperature"] = entry.temperature
    if entry.caches:
        settings["mistral_prompt_cache_key"] = CACHE_KEY
    client = create_async_httpx2_client(
        transport=_transport(refuse_clear(address), on_retry), timeout=httpx2.Timeout(timeout_s, connect=5)
    )
    provider = MistralProvider(api_key=key, base_url=address, http_client=client)
    return MistralModel(entry.id, provider=provider, settings=settings)


def _transport(address: str, on_retry: Callable[[], object]) -> "Retrying":
    """No connection is kept: a run's event loop ends before its process does."""
    plain = httpx2.AsyncHTTPTransport(
        limits=httpx2.Limits(max_keepalive_connections=0), proxy=_proxy(address)
    )
    return Retrying(plain, on_retry)


class Retrying(httpx2.AsyncBaseTransport):
    """A transport that asks again, and raises httpx's own error for a status when that did not help.

    The library's (`pydantic_ai.retries`) needs the older httpx installed, which the library then loads at
    every start, and that Click and Rich: 80 ms, and packages that the function has no business with.
    """

    def __init__(self, plain: httpx2.AsyncBaseTransport, on_retry: Callable[[], object]) -> None:
        self._plain = plain
        self._on_retry = on_retry

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, or the beginning of one; raises the last error of the HTTP client's."""
        for wait in patience.RETRY_SECONDS:
            try:
                return await self._ask(request)
            except httpx2.HTTPStatusError as refused:
                wait = retry_after(refused.response.headers.get("retry-after", ""), wait)
            except httpx2.ConnectError:
                pass
            self._on_retry()
            await asyncio.sleep(wait)
        return await self._ask(request)

    async def _ask(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._plain.handle_async_request(request)
        response.request = request
        if response.status_code in patience.RETRIED:
            await response.aread()  # what it says is the reason that a run ends with
            await response.aclose()
            response.raise_for_status()
        return response

    @override
    async def aclose(self) -> None:
        """Close the connections."""
        await self._plain.aclose()


def retry_after(header: str, otherwise: float) -> float:
    """Seconds to wait by a `Retry-After` header, in seconds or as a date; of neither, `otherwise`.

    https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
    """
    try:
        asked = float(header) if header.strip().isdigit() else _until(header)
    except (TypeError, ValueError):
        return otherwise
    return min(max(asked, 0.0), LONGEST_WAIT_S)


def _until(date: str) -> float:
    return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()


def _proxy(address: str) -> str | None:
    """The proxy that the environment names, which a transport of one's own is not told."""
    parts = urlsplit(address)
    if urllib.request.proxy_bypass(parts.netloc):
        return None
    return urllib.request.getproxies().get(parts.scheme)

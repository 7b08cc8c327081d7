"""The prompt cache: where the requests mark what can be kept, and what its tokens cost."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pydantic_ai.models
import pytest
from bedrock_server import Bedrock, Reply, serve
from pydantic_ai import Agent
from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.usage import RequestUsage

from toolkit.agent.day_budget import Reservation
from toolkit.agent.ledger import Ledger
from toolkit.agent.metered import MeteredModel
from toolkit.agent.models import build, cost_of
from toolkit.agent.patience import ANSWERED
from toolkit.contracts import HAIKU, ModelEntry, Price, default_registry

CACHED = default_registry("us-east-1").models["haiku"]
PLAIN = msgspec.structs.replace(CACHED, caches=False)
COMPOSER = ModelEntry(provider="bedrock", id="tfkit.offline-composer-v1", caches=True)


@pytest.fixture(scope="module")
def bedrock() -> Iterator[Bedrock]:
    with serve() as told:
        yield told


def asked(bedrock: Bedrock, entry: ModelEntry, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The body of one request with instructions, a tool and a prompt."""
    monkeypatch.setattr(pydantic_ai.models, "ALLOW_MODEL_REQUESTS", True)
    bedrock.asked.clear()
    bedrock.replies = [Reply(text="ok")]
    agent = Agent(build(entry, bedrock.client), instructions="be careful")

    @agent.tool_plain
    def look() -> str:
        return ""

    asyncio.run(agent.run("a bucket"))
    return bedrock.asked[0][1]


def marks(blocks: list[dict[str, Any]]) -> list[bool]:
    return ["cachePoint" in block for block in blocks]


def test_instructions_tools_and_the_conversation_are_marked(
    bedrock: Bedrock, monkeypatch: pytest.MonkeyPatch
):
    body = asked(bedrock, CACHED, monkeypatch)
    assert marks(body["system"]) == [False, True]
    assert marks(body["toolConfig"]["tools"]) == [False, True]
    assert marks(body["messages"][-1]["content"]) == [False, True]


@pytest.mark.parametrize("entry", [PLAIN, COMPOSER], ids=["not asked for", "a model without a cache"])
def test_where_there_is_no_cache_nothing_is_marked(
    bedrock: Bedrock, entry: ModelEntry, monkeypatch: pytest.MonkeyPatch
):
    body = asked(bedrock, entry, monkeypatch)
    assert body["system"] and body["toolConfig"]["tools"]
    assert "cachePoint" not in repr(body)


def test_tokens_of_the_cache_cost_what_the_registry_says():
    usage = RequestUsage(
        input_tokens=1_000_000, cache_read_tokens=600_000, cache_write_tokens=100_000, output_tokens=1_000
    )
    price = Price(input=1, output=10, cache_read=0.1, cache_write=1.25)
    parts = Decimal("0.3") + Decimal("0.06") + Decimal("0.125") + Decimal("0.01")
    assert cost_of("x", price, usage) == parts
    assert cost_of("x", Price(input=1, output=10), usage) == Decimal("1.01"), (
        "as input, where nothing is said"
    )
    known = cost_of(f"us.{HAIKU}", None, usage)
    assert known is not None
    assert known < (
        cost_of(f"us.{HAIKU}", None, RequestUsage(input_tokens=1_000_000, output_tokens=1_000)) or 0
    )


def test_a_run_counts_what_its_cache_gave():
    price = Price(input=1, output=10, cache_read=0.1)
    ledger = Ledger(entries={"x": ModelEntry(provider="bedrock", id="x", price=price)})
    usage = RequestUsage(input_tokens=1_000, cache_read_tokens=900, cache_write_tokens=50, output_tokens=1)
    for _ in range(2):
        ledger.count(ModelResponse(parts=[TextPart("ok")], usage=usage, metadata={ANSWERED: "x"}))
    assert (ledger.input_tokens, ledger.cache_read_tokens, ledger.cache_write_tokens) == (2_000, 1_800, 100)
    assert ledger.cost == 2 * (Decimal(100) + Decimal(90) + Decimal(10)) / 10**6
    later = Ledger()
    later.go_on(ledger.spent)
    assert (later.cache_read_tokens, later.cache_write_tokens) == (1_800, 100)


def test_the_day_is_asked_for_the_price_of_filling_the_cache():
    """A first request may write all of its input into the cache, which costs more than input does."""
    reserved = list[Decimal]()

    class Day:
        def reserve(self, usd: Decimal) -> Reservation:
            reserved.append(usd)
            return Reservation("", "", usd)

        def settle(self, *_: Any) -> None:
            pass

    def answer(*_: Any) -> ModelResponse:
        return ModelResponse(parts=[TextPart("ok")])

    price = Price(input=1, output=0, cache_write=1.25)
    for caches in (False, True):
        entry = ModelEntry(provider="bedrock", id="x", price=price, caches=caches)
        day: Any = Day()
        model = MeteredModel(FunctionModel(answer), ("x", entry), day)
        prompt = ModelRequest(parts=[UserPromptPart("a bucket")])
        asyncio.run(model.request([prompt], None, ModelRequestParameters()))
    assert reserved[1] == reserved[0] * Decimal("1.25") > 0

"""What the host does around every request to the model: say where the run is, look at the answer, count.

Some failures of a model's API end as success unless one looks (FACTS: an answer cut off at its token
limit, a guardrail, a malformed tool call, the emulator's own mock); they end the run here.
"""

import asyncio
import json
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode
from pydantic_ai import AgentRunResult, RunContext
from pydantic_ai.capabilities import AbstractCapability, WrapModelRequestHandler, WrapRunHandler
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models import ModelRequestContext
from typing_extensions import override

from toolkit.agent.deps import Deps, Ledger
from toolkit.agent.models import cost_of
from toolkit.contracts import EMULATOR_MOCK, MODEL_ERROR_PREFIX
from toolkit.errors import BudgetExceeded, ModelFailed
from toolkit.telemetry import names
from toolkit.telemetry.otlp import clean

CUT_OFF = {
    "length": "the model's answer was cut off at its token limit",
    "content_filter": "a guardrail or content filter stopped the model's answer",
    "error": "the model ended its answer with an error",
}


class RunHooks(AbstractCapability[Deps]):
    """Renews the lease before each request, checks and counts each response, marks what was cut off."""

    def __init__(self, model_id: str) -> None:
        self._model_id = model_id

    @override
    async def wrap_run(self, ctx: RunContext[Deps], *, handler: WrapRunHandler) -> AgentRunResult[Any]:
        """Mark the span of a run that is cut off."""
        with _cut_off_is_an_error():
            return await handler()

    @override
    async def wrap_model_request(
        self, ctx: RunContext[Deps], *, request_context: ModelRequestContext, handler: WrapModelRequestHandler
    ) -> ModelResponse:
        """Mark the span of a request to the model that is cut off."""
        with _cut_off_is_an_error():
            return await handler(request_context)

    @override
    async def before_model_request(
        self, ctx: RunContext[Deps], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Write the step into the record; raises where the run was cancelled."""
        ctx.deps.progress(f"model, turn {ctx.deps.ledger.requests + 1}")
        return request_context

    @override
    async def after_model_request(
        self, ctx: RunContext[Deps], *, request_context: ModelRequestContext, response: ModelResponse
    ) -> ModelResponse:
        """Raises `ModelFailed` for an answer that is none, `BudgetExceeded` when the money is spent."""
        mend_unicode(response)
        count(ctx.deps.ledger, self._model_id, response)
        refuse_bad_answer(response)
        return response


@contextmanager
def _cut_off_is_an_error() -> Generator[None, None, None]:
    """The library ends a span that is cancelled, or whose time is up, as if all had gone well in it."""
    try:
        yield
    except asyncio.CancelledError:
        trace.get_current_span().set_status(Status(StatusCode.ERROR, names.UNFINISHED))
        raise


def mend_unicode(response: ModelResponse) -> None:
    """Make lone surrogates harmless, over which the library's own spans stumble; models do send them.

    A text gets them replaced. A tool call keeps them as escapes of a JSON that the library refuses, so
    that the model is told of it and can mend it.
    """
    for part in response.parts:
        if isinstance(part, TextPart):
            part.content = clean(part.content)
        elif isinstance(part, ToolCallPart) and isinstance(part.args, dict):
            escaped = json.dumps(part.args, default=str)
            if clean(unescaped := json.dumps(part.args, default=str, ensure_ascii=False)) != unescaped:
                part.args = escaped


def refuse_bad_answer(response: ModelResponse) -> None:
    """Raise `ModelFailed` naming the cause where the response is not a model's whole answer."""
    for part in response.parts:
        if isinstance(part, TextPart):
            if part.content.startswith(MODEL_ERROR_PREFIX):
                raise ModelFailed(part.content.removeprefix(MODEL_ERROR_PREFIX))
            if EMULATOR_MOCK.match(part.content.strip()):
                raise ModelFailed("no model answered: the emulator made up a text of its own")
    if response.finish_reason in CUT_OFF:
        raise ModelFailed(CUT_OFF[response.finish_reason])
    details: dict[str, Any] = response.provider_details or {}
    if details.get("finish_reason") == "malformed_tool_use":
        raise ModelFailed("the model's tool call could not be parsed")
    if not any(
        isinstance(part, ToolCallPart) or (isinstance(part, TextPart) and part.content.strip())
        for part in response.parts
    ):
        raise ModelFailed("the model gave an empty answer")


def count(ledger: Ledger, model_id: str, response: ModelResponse) -> None:
    """Add a response to the ledger. Raises `BudgetExceeded` when it crosses the budget.

    Raises `ModelFailed` where there is a budget and the response has no price.
    """
    ledger.requests += 1
    ledger.input_tokens += response.usage.input_tokens
    ledger.output_tokens += response.usage.output_tokens
    ledger.tool_calls += sum(isinstance(part, ToolCallPart) for part in response.parts)
    cost = cost_of(model_id, ledger.price, response.usage)
    if cost is None:
        ledger.unpriced = True
        if ledger.max_cost_usd is not None:
            raise ModelFailed("the price of an answer is not known, so a budget in dollars cannot be kept")
        return
    ledger.cost += cost
    if ledger.max_cost_usd is not None and ledger.cost > Decimal(str(ledger.max_cost_usd)):
        raise BudgetExceeded(f"${ledger.cost:.4f} spent, ${ledger.max_cost_usd:.4f} allowed")

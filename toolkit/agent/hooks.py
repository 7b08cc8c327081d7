"""What the host does around every request to the model: say where the run is, look at the answer, count.

Some failures of a model's API end as success unless one looks (FACTS: an answer cut off at its token
limit, a guardrail, a malformed tool call, a stream without its end, the emulator's own mock); they end the
run here. A stream that breaks off is asked for again, a few times.
"""

import asyncio
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode
from pydantic_ai import AgentRunResult, RunContext
from pydantic_ai.capabilities import AbstractCapability, WrapModelRequestHandler, WrapRunHandler
from pydantic_ai.exceptions import FallbackExceptionGroup, ModelAPIError, RetryModelRequest
from pydantic_ai.messages import ModelResponse, ModelResponsePart, TextPart, ToolCallPart
from pydantic_ai.models import ModelRequestContext
from typing_extensions import override

from toolkit.agent import patience
from toolkit.agent.deps import Deps
from toolkit.agent.relay import Standing
from toolkit.contracts import EMULATOR_MOCK, MODEL_ERROR_PREFIX
from toolkit.errors import ModelFailed
from toolkit.telemetry import names
from toolkit.telemetry.otlp import clean

CUT_OFF = {
    "length": "the model's answer was cut off at its token limit",
    "content_filter": "a guardrail or content filter stopped the model's answer",
    "error": "the model ended its answer with an error",
    None: "the model's answer broke off: its stream ended without its end",
}
"""What pydantic-ai says of an answer that is none. Whatever else it asks for in it is not done."""

BY_PROVIDER = {
    "model_context_window_exceeded": "the conversation no longer fits into the model's context window",
    "malformed_tool_use": "the model's tool call could not be parsed",
    "malformed_model_output": "the model's answer could not be parsed",
}
"""Bedrock's own words, where they tell more.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (stopReason)"""


class RunHooks(AbstractCapability[Deps]):
    """Renews the lease before each request, checks and counts each response, marks what was cut off."""

    @override
    async def wrap_run(self, ctx: RunContext[Deps], *, handler: WrapRunHandler) -> AgentRunResult[Any]:
        """Mark the span of a run that is cut off, for good or for the next invocation to go on with."""
        with _cut_off_is_an_error(ctx.deps):
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
        """Write the step into the record; raises where the run was cancelled or may ask no more."""
        await ctx.deps.relay.step(
            Standing.of(request_context.messages, ctx.deps.workspace, ctx.deps.attempts)
        )
        ctx.deps.ledger.begin_turn()
        ctx.deps.progress(f"model, turn {ctx.deps.ledger.requests + 1}")
        return request_context

    @override
    async def on_model_request_error(
        self, ctx: RunContext[Deps], *, request_context: ModelRequestContext, error: Exception
    ) -> ModelResponse:
        """Ask again where it was throttled or broke off, until each model of the chain gave out.

        Such an event tells to send the request again, in all its kinds but one that calls the request wrong:
        https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
        """
        if isinstance(error, FallbackExceptionGroup):
            raise patience.none_left(error) from error
        if not isinstance(error, ModelAPIError) or not patience.unavailable(error):
            raise error
        again(ctx.deps)
        waits = patience.RETRY_SECONDS
        await asyncio.sleep(waits[(request_context.attempt - 1) % len(waits)])
        raise RetryModelRequest

    @override
    async def after_model_request(
        self, ctx: RunContext[Deps], *, request_context: ModelRequestContext, response: ModelResponse
    ) -> ModelResponse:
        """Raises `ModelFailed` for an answer that is none, `BudgetExceeded` when a budget is crossed."""
        mend_unicode(response)
        ctx.deps.ledger.count(response)
        refuse_bad_answer(response)
        return response


def again(deps: Deps) -> None:
    """Count a request that is sent again, and say so in the record."""
    deps.ledger.retries += 1
    deps.progress(f"model, turn {deps.ledger.requests + 1}, again")


@contextmanager
def _cut_off_is_an_error(deps: Deps | None = None) -> Generator[None, None, None]:
    """The library ends a span that is cancelled, or whose time is up, as if all had gone well in it.

    That is right for one that another invocation goes on with; `deps` tells.
    """
    try:
        yield
    except asyncio.CancelledError:
        if deps and deps.relay.handing_over:
            trace.get_current_span().set_attribute(names.HANDED_OVER, True)
            raise
        trace.get_current_span().set_status(Status(StatusCode.ERROR, names.UNFINISHED))
        raise


def mend_unicode(response: ModelResponse) -> None:
    """Make lone surrogates harmless; models do send them.

    The library's own spans stumble over them, and whatever stores or counts the conversation as JSON. A text,
    a thought, a name or an id gets them replaced. The arguments of a tool call keep them as escapes of a JSON
    that the library refuses, so that the model is told of it and can mend it.
    """
    for part in response.parts:
        if isinstance(part, ToolCallPart):
            _escape_surrogates(part)
        _replace_surrogates(part)
    _replace_surrogates(response)


def _escape_surrogates(call: ToolCallPart) -> None:
    if isinstance(call.args, str):
        call.args = call.args.encode(errors="backslashreplace").decode()  # in UTF-8 only surrogates need it
    elif isinstance(call.args, dict):
        escaped = json.dumps(call.args, default=str)
        if clean(unescaped := json.dumps(call.args, default=str, ensure_ascii=False)) != unescaped:
            call.args = escaped


def _replace_surrogates(said: ModelResponsePart | ModelResponse) -> None:
    """In all texts and mappings of it; what it holds besides (parts, counts, times) is left as it is."""
    for field in fields(said):
        value = getattr(said, field.name)
        if isinstance(value, (str, dict)) and (mended := _cleaned(value)) != value:
            setattr(said, field.name, mended)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(each) for key, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list) else value


def refuse_bad_answer(response: ModelResponse) -> None:
    """Raise `ModelFailed` naming the cause where the response is not a model's whole answer."""
    for part in response.parts:
        if isinstance(part, TextPart):
            if part.content.startswith(MODEL_ERROR_PREFIX):
                raise ModelFailed(part.content.removeprefix(MODEL_ERROR_PREFIX))
            if EMULATOR_MOCK.match(part.content.strip()):
                raise ModelFailed("no model answered: the emulator made up a text of its own")
    said = (response.provider_details or {}).get("finish_reason")
    if said in BY_PROVIDER:
        raise ModelFailed(BY_PROVIDER[said])
    if response.finish_reason is None and said:
        raise ModelFailed(f"the model ended its answer for a reason that is not known: {said}")
    if response.finish_reason in CUT_OFF:
        raise ModelFailed(CUT_OFF[response.finish_reason])
    if not any(
        isinstance(part, ToolCallPart) or (isinstance(part, TextPart) and part.content.strip())
        for part in response.parts
    ):
        raise ModelFailed("the model gave an empty answer")

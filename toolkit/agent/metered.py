"""A model under the day's budget: the worst case of each request is reserved before it is sent."""

from decimal import Decimal

from pydantic_ai import ModelMessage, ModelMessagesTypeAdapter
from pydantic_ai.exceptions import ModelAPIError, ModelConnectionError, ModelHTTPError
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage
from typing_extensions import override

from toolkit.agent.day_budget import DayBudget
from toolkit.agent.models import entry_cost
from toolkit.agent.patience import answered_by
from toolkit.contracts import to_json
from toolkit.errors import ModelFailed
from toolkit.registry import Named

ABOUT_TOOLS = 1_000
"""Tokens that a provider puts before the conversation, to tell the model how tools are called."""


class MeteredModel(WrapperModel):
    """Asks the wrapped model as far as the day's budget goes; also where a request is sent again."""

    def __init__(self, wrapped: Model, named: Named, day: DayBudget) -> None:
        super().__init__(wrapped)
        self._name, self._entry = named
        self._day = day

    @override
    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Raises `BudgetExceeded` where the day has no room for the answer, and what the model raises."""
        most = most_input_tokens(messages, model_request_parameters, self._name, self._entry.context)
        worst = RequestUsage(
            input_tokens=most,
            cache_write_tokens=most if self._entry.caches else 0,  # which costs more than to read it
            output_tokens=self._entry.max_tokens or self._entry.context,
        )
        reserved = self._day.reserve(self._cost(worst))
        try:
            response = await super().request(messages, model_settings, model_request_parameters)
        except ModelAPIError as error:
            # An answer that was begun may be billed, as far as it came; how far that was nobody says.
            if not_begun(error):
                self._day.release(reserved)
            raise
        self._day.settle(reserved, self._cost(response.usage))
        return response

    def _cost(self, usage: RequestUsage) -> Decimal:
        cost = entry_cost(self._entry, usage)
        if cost is None:
            raise ModelFailed("the price of an answer is not known, so a daily budget cannot be kept")
        return cost


def not_begun(error: ModelAPIError) -> bool:
    """Whether no answer was begun: the service refused the request, or was not reached."""
    if isinstance(error, ModelConnectionError):
        return error.phase in ("pool", "connect")
    return isinstance(error, ModelHTTPError) and not error.in_stream


def most_input_tokens(
    messages: list[ModelMessage], parameters: ModelRequestParameters, name: str, context: int
) -> int:
    """No fewer tokens than the model of this name will read.

    What its own last answer of this run was to, and that answer itself, are known from what it cost; another
    model counts otherwise, and an answer of an earlier run was to more or less than is shown of it now, so
    those say nothing. What came after counts a token a byte of its JSON: a tokenizer over bytes makes no more
    of it, and the JSON is longer than what the provider puts around the text. A first request has the tools
    besides, and what the provider says to the model about tools, for which Anthropic names up to 530 tokens.
    No request reads more than `context`.
    https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview#pricing
    """
    last, known = -1, 0
    for at, message in enumerate(messages):
        if (own := _counted(message, name)) > 0:
            last, known = at, own
    if not known:
        tools = [[t.name, t.description, t.parameters_json_schema] for t in parameters.function_tools]
        known = ABOUT_TOOLS + len(to_json(tools))
    new = len(ModelMessagesTypeAdapter.dump_json(messages[last + 1 :]))
    return min(known + new, context)


def _counted(message: ModelMessage, name: str) -> int:
    """Tokens that the model of this name counted for an answer and what it was to; 0 for all else."""
    if not isinstance(message, ModelResponse) or answered_by(message) != name:
        return 0
    return message.usage.input_tokens + message.usage.output_tokens

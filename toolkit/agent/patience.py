"""Models that are asked again, and models that answer where another cannot.

    ask ──▶ throttled, unavailable, broke off ──▶ the hooks wait and ask again, up to three times
                                              └─▶ `GaveOut` ──▶ the next model of the chain, at once

A model that gave out is tried once, without a wait, at each later request of the run, until it answers again.
"""

from collections.abc import Sequence

import httpx2
from pydantic_ai import ModelMessage
from pydantic_ai.exceptions import (
    FallbackExceptionGroup,
    ModelAPIError,
    ModelConnectionError,
    ModelRequestTimeout,
    ModelTimeoutError,
)
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from typing_extensions import override
from urllib3.exceptions import HTTPError

from toolkit.errors import ModelFailed

RETRY_SECONDS = (2.0, 5.0, 15.0)
"""Waits before a request that was throttled, or whose answer broke off, is sent again."""

RETRIED = frozenset({429, 500, 502, 503, 504, 529})
"""What a service says when another request may go through:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors"""

ANSWERED = "tfkit_model"
"""Where a response's metadata has the registry's name of the model that gave it."""

CHOOSE_ANOTHER = "wait a moment and ask again, or choose another model with -m"


class GaveOut(ModelFailed):
    """A model that could not be used, and is not asked again for this request; `name` is the registry's."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(f"the model {message}", CHOOSE_ANOTHER)
        self.named = f"{name} {message}"


class Patient(WrapperModel):
    """A model of the registry that counts how often in a row it could not be used, and names its answers."""

    def __init__(self, wrapped: Model, name: str) -> None:
        super().__init__(wrapped)
        self._name = name
        self._failures = 0

    @override
    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Raises `GaveOut` where asking again is of no use any more, and else what the model raises."""
        try:
            response = await super().request(messages, model_settings, model_request_parameters)
        except ModelAPIError as error:
            if not unavailable(error):
                raise
            self._failures += 1
            if _asked_enough(error) or self._failures > len(RETRY_SECONDS):
                raise GaveOut(self._gave_out(error), self._name) from error
            raise
        self._failures = 0
        response.metadata = {**(response.metadata or {}), ANSWERED: self._name}
        return response

    def _gave_out(self, error: ModelAPIError) -> str:
        if isinstance(error, (ModelTimeoutError, ModelRequestTimeout)):
            return f"did not answer in time: {error}"
        times = "" if _asked_enough(error) else f" {self._failures} times in a row"
        return f"could not be used{times}: {error}"


def in_order(models: Sequence[Patient]) -> Model:
    """One model of a chain: the first that has not given out answers."""
    if len(models) == 1:
        return models[0]
    return FallbackModel(*models, fallback_on=(GaveOut,))


def answered_by(response: ModelResponse) -> str:
    """The registry's name of the model that gave the response; empty where it does not say."""
    return str((response.metadata or {}).get(ANSWERED, ""))


def none_left(group: FallbackExceptionGroup) -> ModelFailed:
    """What a run ends with when every model of its chain gave out."""
    causes = [error.named for error in group.exceptions if isinstance(error, GaveOut)]
    return ModelFailed("; ".join(causes), CHOOSE_ANOTHER)


def unavailable(error: ModelAPIError) -> bool:
    """Whether it is the model's service that failed: it throttles, is away, or its answer broke off.

    A connection that ends under a stream is urllib3's error; boto3 makes errors of its own of all others.
    """
    status = getattr(error, "status_code", 0)
    if status == 400:
        return False
    if status in RETRIED or isinstance(error, (ModelConnectionError, ModelRequestTimeout)):
        return True
    return error.in_stream or isinstance(error.__cause__, HTTPError)


def _asked_enough(error: ModelAPIError) -> bool:
    """Whether waiting and asking again was done already, below us, or would take as long once more.

    A retrying transport that gave up raises the HTTP client's own error, and no SDK's.
    """
    by_transport = (httpx2.HTTPStatusError, httpx2.ConnectError)
    return isinstance(error, (ModelTimeoutError, ModelRequestTimeout)) or isinstance(
        error.__cause__, by_transport
    )

"""The models of one run: the one that was asked for, those that stand in for it, and what they may cost."""

from collections.abc import Callable, Sequence

from pydantic_ai.models import Model
from pydantic_ai.usage import RequestUsage

from toolkit.agent.config import AgentConfig, Clients
from toolkit.agent.day_budget import DayBudget, accounts
from toolkit.agent.metered import MeteredModel
from toolkit.agent.mistral_key import provider_key
from toolkit.agent.models import build, entry_cost, load_registry
from toolkit.agent.patience import Patient, in_order
from toolkit.contracts import AskRequest, ModelEntry
from toolkit.errors import UsageError
from toolkit.registry import Named, asked_of, chain


class Lineup:
    """Chooses a run's models from the registry, and makes one of them; each under the day's budget."""

    def __init__(self, request: AskRequest, config: AgentConfig, clients: Clients) -> None:
        self._request = request
        self._config = config
        self._clients = clients
        self._accounts = accounts(config.daily_budget_usd, config.caller_daily_budget_usd, request.caller)

    def choose(self, name: str) -> list[Named]:
        """The model of this name, or the default, and those of its chain.

        Raises `UsageError` where one is unknown, or has no price and there is a budget in dollars.
        """
        registry = load_registry(self._clients.ssm, self._config.registry_parameter)
        models = asked_of(chain(registry, name), self._request.temperature, self._request.answer_tokens)
        for chosen, entry in models:
            self._refuse_unpriced(chosen, entry)
        return models

    def as_one(self, models: Sequence[Named], on_retry: Callable[[], object]) -> Model:
        """A model that is the first of them that can be used."""
        return in_order([Patient(self._metered(name, entry, on_retry), name) for name, entry in models])

    def _metered(self, name: str, entry: ModelEntry, on_retry: Callable[[], object]) -> Model:
        def key() -> str:
            return provider_key(self._clients.ssm, self._config.mistral_key_parameter, entry, name)

        model = build(entry, self._clients.bedrock, key, on_retry, self._config.model_timeout_s)
        if not self._accounts:
            return model
        table, run_id = self._config.runs_table, self._request.run_id
        return MeteredModel(model, entry, DayBudget(self._clients.dynamodb, table, run_id, self._accounts))

    def _refuse_unpriced(self, name: str, entry: ModelEntry) -> None:
        if self._request.max_cost_usd is None and not self._accounts:
            return
        if entry_cost(entry, RequestUsage(input_tokens=1, output_tokens=1)) is not None:
            return
        if self._request.max_cost_usd is not None:
            raise UsageError(f"the price of {name} is not known, so a budget in dollars cannot be kept")
        raise UsageError(
            f"the price of {name} is not known, so the platform's daily budget cannot be kept",
            f"choose a model with a price, or take {self._accounts[0].setting} away and run: tfkit up",
        )

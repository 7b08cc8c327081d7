"""The models of one run: the one that was asked for, those that stand in for it, and what they may cost."""

from collections.abc import Callable, Sequence

from pydantic_ai.models import Model
from pydantic_ai.usage import RequestUsage

from toolkit.agent.config import AgentConfig, Clients
from toolkit.agent.day_budget import DayBudget, accounts
from toolkit.agent.metered import MeteredModel
from toolkit.agent.mistral_key import provider_key
from toolkit.agent.models import build, entry_cost
from toolkit.agent.patience import Patient, in_order
from toolkit.contracts import AskRequest, ModelEntry
from toolkit.errors import TfkitError, UsageError
from toolkit.registry import Named, asked_of, chain, read, takes_key


class Lineup:
    """Chooses a run's models from the registry, and makes one of them; each under the day's budget.

    `dropped` says of each model that it could not stand in for another, and why.
    """

    def __init__(self, request: AskRequest, config: AgentConfig, clients: Clients) -> None:
        self._request = request
        self._config = config
        self._clients = clients
        self._accounts = accounts(config.daily_budget_usd, config.caller_daily_budget_usd, request.caller)
        self._keys: dict[str, str] = {}
        self.dropped: list[str] = []

    def choose(self, name: str) -> list[Named]:
        """The model of this name, or the default, and those of its chain that can be used.

        A run may need none of those that stand in, so one that cannot be used is dropped. Raises `UsageError`
        where a name is unknown, and where the first has no key, or no price and there is a budget in dollars,
        or cannot give what the request asks for; `PlatformError` where registry or key cannot be read.
        """
        registry, _ = read(self._clients.ssm, self._config.registry_parameter)
        first, *others = chain(registry, name)
        models = [self._usable(first)]
        for other in others:
            try:
                models.append(self._usable(other))
            except TfkitError as unusable:
                self.dropped.append(
                    f"that {other[0]} answers where {first[0]} cannot: it was left out, {unusable.message}"
                )
        return models

    def as_one(self, models: Sequence[Named], on_retry: Callable[[], object]) -> Model:
        """A model that is the first of them that can be used. They are those that were chosen."""
        return in_order([Patient(self._metered(named, on_retry), named[0]) for named in models])

    def _usable(self, named: Named) -> Named:
        """The model with what the request wants of it. Raises where it cannot be used."""
        asked = asked_of(named, self._request.temperature, self._request.answer_tokens)
        name, entry = asked
        self._refuse_unpriced(name, entry)
        if entry.provider == "mistral" and takes_key(entry):
            self._keys[name] = provider_key(self._clients.ssm, self._config.mistral_key_parameter, name)
        return asked

    def _metered(self, named: Named, on_retry: Callable[[], object]) -> Model:
        name, entry = named
        key = self._keys.get(name, "")
        model = build(entry, self._clients.bedrock, lambda: key, on_retry, self._config.model_timeout_s)
        if not self._accounts:
            return model
        table, run_id = self._config.runs_table, self._request.run_id
        return MeteredModel(model, named, DayBudget(self._clients.dynamodb, table, run_id, self._accounts))

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

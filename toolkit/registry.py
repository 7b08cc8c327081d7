"""The registry of models as a value: who answers for whom, what may be asked of it, what an `up` keeps of it.

It is read here, by the agent as by the commands, and written by `toolkit.registry_change`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from toolkit.contracts import ModelEntry, ModelProvider, Registry
from toolkit.errors import PlatformError, UsageError

MISTRAL_API = "https://api.mistral.ai"
"""https://docs.mistral.ai/api/"""

HOTTEST: dict[ModelProvider, float] = {"bedrock": 1.0, "mistral": 1.5}
"""The highest temperature that a provider takes; the lowest is 0.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html
https://docs.mistral.ai/api/"""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Named = tuple[str, ModelEntry]


class NoRegistry(PlatformError):
    """The parameter is not there, or holds something else than a registry."""


def read(ssm: Any, parameter: str) -> tuple[Registry, int]:
    """The registry, and which version of the parameter it is.

    Raises `NoRegistry` where there is none, `PlatformError` where it cannot be read.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # only who reads pays for the import

    unread = f"the registry of models ({parameter}) cannot be read"
    try:
        found = ssm.get_parameter(Name=parameter)["Parameter"]
        return msgspec.json.decode(found["Value"], type=Registry), int(found["Version"])
    except msgspec.MsgspecError as error:
        raise NoRegistry(f"{unread}: {error}", "make it anew: tfkit up") from error
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        if code in ("ParameterNotFound", "ParameterVersionNotFound"):
            raise NoRegistry(f"{unread}: {error}", "make it anew: tfkit up") from error
        raise PlatformError(f"{unread}: {error}", "your policy has to let you (ssm:GetParameter)") from error


def find(registry: Registry, name: str) -> Named:
    """The model of this name, or the default. Raises `UsageError` naming the known ones."""
    chosen = name or registry.default
    if chosen not in registry.models:
        raise UsageError(f"unknown model {chosen!r}", "known are: " + ", ".join(sorted(registry.models)))
    return chosen, registry.models[chosen]


def chain(registry: Registry, name: str) -> list[Named]:
    """The model of this name, or the default, then those that answer where it cannot, in their order.

    A model that falls back brings those that it falls back to. Raises `UsageError` for a name that the
    registry has not, and for models that fall back to each other.
    """
    first, _ = find(registry, name)
    order: dict[str, ModelEntry] = {}
    _walk(registry, first, (), order)
    return list(order.items())


def _walk(registry: Registry, name: str, above: tuple[str, ...], order: dict[str, ModelEntry]) -> None:
    path = (*above, name)
    if name in above:
        raise UsageError(
            f"models fall back in a circle: {' → '.join(path)}",
            "take one of them out: tfkit models remove NAME",
        )
    if name not in registry.models:
        raise UsageError(
            f"{above[-1]} falls back to {name!r}, which the registry has not",
            "known are: " + ", ".join(sorted(registry.models)),
        )
    entry = registry.models[name]
    order.setdefault(name, entry)
    for next_name in entry.fallbacks:
        _walk(registry, next_name, path, order)


def asked_of(named: Named, temperature: float | None = None, answer_tokens: int | None = None) -> Named:
    """The model with what one request wants of it; None leaves it to the registry.

    Raises `UsageError` where it cannot give that.
    """
    name, entry = named
    if temperature is not None:
        if entry.temperature is None:
            raise UsageError(f"{name} takes no temperature", "leave --temperature out")
        if not 0 <= temperature <= (hottest := HOTTEST[entry.provider]):
            raise UsageError(f"{name} takes a temperature from 0 to {hottest:g}, not {temperature:g}")
        entry = msgspec.structs.replace(entry, temperature=temperature)
    if answer_tokens is not None:
        most = entry.output_limit or entry.max_tokens or entry.context
        if not 1 <= answer_tokens <= most:
            raise UsageError(f"an answer of {name} has 1 to {most:,} tokens, not {answer_tokens:,}")
        entry = msgspec.structs.replace(entry, max_tokens=answer_tokens)
    return name, entry


def address_of(entry: ModelEntry) -> str:
    """Where a model of Mistral's API is asked, without `/v1`."""
    return entry.endpoint.rstrip("/").removesuffix("/v1") or MISTRAL_API


def takes_key(entry: ModelEntry) -> bool:
    """Whether the platform's key of Mistral's may go to this model: to Mistral itself, and nowhere else.

    Whoever may change the registry names its endpoints, and that must not be enough to be sent the key.
    """
    return address_of(entry) == MISTRAL_API


def refuse_clear(address: str) -> str:
    """The address, if prompts and a key may go there: by TLS, or within this machine.

    Raises `UsageError` for others.
    """
    parts = urlsplit(address)
    if parts.hostname and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    ):
        return address
    raise UsageError(
        f"the endpoint {address} is neither https nor on this machine", "give an https:// address"
    )


def own(registry: Registry) -> dict[str, ModelEntry]:
    """The user's own models: those that no `up` made."""
    return {name: entry for name, entry in registry.models.items() if name not in registry.made}


def merged(made: Registry, deployed: Registry | None) -> Registry:
    """What an `up` puts into the parameter: its own models, and of the deployed ones what is the user's.

    A model of the user's that now has the name of one of ours gives way to it. Profiles are left out: the
    program makes each of them, for a new one as for an old.
    """
    if deployed is None:
        return made
    kept = {
        name: msgspec.structs.replace(entry, profile="")
        for name, entry in own(deployed).items()
        if name not in made.models
    }
    models = {**made.models, **kept}
    chosen = deployed.chosen and deployed.default in models
    return msgspec.structs.replace(
        made, models=models, default=deployed.default if chosen else made.default, chosen=chosen
    )


def changed_by_hand(ours: Registry, found: Registry) -> bool:
    """Whether somebody changed what is ours of a registry: anything but models of their own and the default.

    `ours` is what the last `up` wrote, `found` what the parameter holds.
    """
    return _ours(ours) != _ours(found)


def _ours(registry: Registry) -> Mapping[str, ModelEntry]:
    return {name: entry for name, entry in registry.models.items() if name in registry.made}

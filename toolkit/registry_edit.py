"""What can be changed about a registry of models: each change is a function from one registry to the next.

It refuses what no run could use, so that a mistake is told to who makes it and not to who asks next.
"""

import re
from typing import NamedTuple, cast

import msgspec

from toolkit.contracts import AttachmentKind, ModelEntry, ModelProvider, Price, Registry
from toolkit.errors import UsageError
from toolkit.registry import HOTTEST, chain, find, refuse_clear
from toolkit.registry_change import Change

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""A part of an inference profile's name, which has single hyphens only:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateInferenceProfile.html"""

MOST_OF_NAME = 40

NO_TEMPERATURE = "none"

IDS: dict[ModelProvider, re.Pattern[str]] = {
    "bedrock": re.compile(r"[a-z0-9-]+(\.[a-zA-Z0-9_:-]+)+"),
    "mistral": re.compile(r"[a-zA-Z0-9._:/-]+"),
}
"""What a model's id looks like; an ARN is none, because its price is not known by it."""


class Wanted(NamedTuple):
    """What is said of a model that is added; None is not said. `price` is of input and output."""

    provider: str
    id: str
    endpoint: str | None = None
    context: int | None = None
    max_tokens: int | None = None
    price: tuple[float, float] | None = None
    temperature: str | None = None
    caches: bool | None = None
    images: bool | None = None
    fallbacks: tuple[str, ...] = ()


def choosing(name: str) -> Change:
    """Make a model the default. Raises `UsageError` for one that no run could use."""

    def change(registry: Registry) -> Registry:
        find(registry, name)
        chain(registry, name)
        return msgspec.structs.replace(registry, default=name, chosen=True)

    return change


def adding(name: str, wanted: Wanted) -> Change:
    """Add a model. Raises `UsageError` for a name that is taken, and for what cannot be."""

    def change(registry: Registry) -> Registry:
        if name in registry.models:
            raise UsageError(
                f"the registry has a model {name!r} already",
                "give yours another name"
                if name in registry.made
                else f"take that out first: tfkit models remove {name}",
            )
        models = {**registry.models, name: _entry(registry, wanted)}
        with_it = msgspec.structs.replace(registry, models=models)
        chain(with_it, name)
        return with_it

    _refuse_name(name)
    _refuse_id(wanted)
    return change


def removing(name: str) -> Change:
    """Take one of the user's own models out. Raises `UsageError` for one that is needed, or is ours."""

    def change(registry: Registry) -> Registry:
        find(registry, name)
        if name in registry.made:
            raise UsageError(
                f"{name} comes with tfkit, and the next up would bring it back", "leave it there"
            )
        if name == registry.default:
            raise UsageError(f"{name} is the default", "choose another first: tfkit models default NAME")
        users = [other for other, entry in registry.models.items() if name in entry.fallbacks]
        if users:
            raise UsageError(
                f"{', '.join(users)} falls back to {name}",
                f"take that out first: tfkit models remove {users[0]}",
            )
        models = {other: entry for other, entry in registry.models.items() if other != name}
        return msgspec.structs.replace(registry, models=models)

    return change


def _entry(registry: Registry, wanted: Wanted) -> ModelEntry:
    """The model as wanted, and for the rest as the one of the same id, whose inference profile it shares."""
    provider = cast("ModelProvider", wanted.provider)
    same = [e for e in registry.models.values() if (e.provider, e.id) == (provider, wanted.id)]
    like = same[0] if same else ModelEntry(provider=provider, id=wanted.id)
    said = {
        "endpoint": wanted.endpoint,
        "context": wanted.context,
        "max_tokens": wanted.max_tokens,
        "price": Price(input=wanted.price[0], output=wanted.price[1]) if wanted.price else None,
        "caches": wanted.caches,
        "takes": None if wanted.images is None else _takes(images=wanted.images),
    }
    entry = msgspec.structs.replace(
        like,
        fallbacks=wanted.fallbacks,
        temperature=_temperature(wanted, like),
        **{field: value for field, value in said.items() if value is not None},
    )
    if wanted.max_tokens is not None and wanted.max_tokens > (entry.output_limit or wanted.max_tokens):
        raise UsageError(f"an answer of {entry.id} has at most {entry.output_limit:,} tokens")
    if entry.max_tokens > entry.context:
        raise UsageError(
            f"an answer of {entry.max_tokens:,} tokens is more than the window of {entry.context:,}"
        )
    return entry


def _takes(*, images: bool) -> tuple[AttachmentKind, ...]:
    return ("text", "image") if images else ("text",)


def _temperature(wanted: Wanted, like: ModelEntry) -> float | None:
    if wanted.temperature is None:
        return like.temperature
    if wanted.temperature == NO_TEMPERATURE:
        return None
    hottest = HOTTEST[like.provider]
    try:
        asked = float(wanted.temperature)
    except ValueError:
        asked = -1.0
    if not 0 <= asked <= hottest:
        raise UsageError(
            f"{wanted.temperature!r} is no temperature of {like.provider}'s",
            f"give 0 to {hottest:g}, or none",
        )
    return asked


def _refuse_name(name: str) -> None:
    if not NAME.fullmatch(name) or len(name) > MOST_OF_NAME:
        raise UsageError(
            f"{name!r} cannot be a model's name",
            f"use at most {MOST_OF_NAME} lower-case letters and digits, with single hyphens between",
        )


def _refuse_id(wanted: Wanted) -> None:
    if not IDS[cast("ModelProvider", wanted.provider)].fullmatch(wanted.id):
        raise UsageError(
            f"{wanted.id!r} is no id of a model of {wanted.provider}'s",
            "like us.anthropic.claude-haiku-4-5-20251001-v1:0, or mistral-large-2512",
        )
    if wanted.endpoint:
        if wanted.provider != "mistral":
            raise UsageError("only Mistral's API has another address", "add --provider mistral")
        refuse_clear(wanted.endpoint)

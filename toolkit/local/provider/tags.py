"""Tags: AWS services write them in three ways; here they are one dictionary."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from toolkit.local.provider.kind import NAME_TAG


def to_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """A dictionary as the list of pairs that most services take."""
    return [{key: name, value: text} for name, text in tags.items()]


def from_list(pairs: Iterable[Mapping[str, Any]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    """A service's list of pairs as a dictionary."""
    return {str(pair[key]): str(pair[value]) for pair in pairs}


def shown(tags: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, str]:
    """The tags without the provider's own, unless the program asked for it."""
    return {name: value for name, value in tags.items() if name != NAME_TAG or name in asked}


def settle(
    wanted: Mapping[str, str],
    live: Mapping[str, str],
    put: Callable[[dict[str, str]], object],
    remove: Callable[[list[str]], object],
) -> None:
    """Brings live tags to the wanted ones with as few calls as needed."""
    new = {name: value for name, value in wanted.items() if live.get(name) != value}
    old = [name for name in live if name not in wanted and name != NAME_TAG]
    if old:
        remove(old)
    if new:
        put(new)

"""The validators that are installed, found by the entry-point group `tfkit.validators`."""

import functools
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from toolkit.checker.validator import Validator
from toolkit.errors import PlatformError, UsageError

GROUP = "tfkit.validators"

_DEFAULT = ("fmt", "validate")


@functools.cache
def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def validator_names() -> list[str]:
    """The names of all installed validators, in order; nothing is imported for it."""
    return sorted(_installed())


def default_validators() -> tuple[str, ...]:
    """The names that the gate requires when nobody chose others, of those that are installed."""
    return tuple(name for name in _DEFAULT if name in _installed())


def load_validators(names: Iterable[str]) -> list[Validator]:
    """One new validator for each name, in the order given, each once.

    Raises `UsageError` for a name that is not installed (or for none at all) and `PlatformError` where a
    plugin cannot be imported.
    """
    wanted = list(dict.fromkeys(names))
    known = ", ".join(validator_names())
    if not wanted:
        raise UsageError("no validators were named", f"Known validators: {known}.")
    if unknown := [name for name in wanted if name not in _installed()]:
        raise UsageError(f"unknown validator {', '.join(unknown)}", f"Known validators: {known}.")
    return [_load(name) for name in wanted]


def _load(name: str) -> Validator:
    try:
        return cast("Validator", _installed()[name].load()())
    except Exception as error:
        raise PlatformError(
            f"the validator {name} cannot be loaded: {type(error).__name__}: {error}"
        ) from error

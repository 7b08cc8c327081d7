"""The validators that are installed, found by the entry-point group `tfkit.validators`.

tfkit's own come in by the same group; what differs is where they run. A validator of another distribution is
somebody else's code: it is imported and run in a process of its own (`foreign`), which can be ended.
"""

import functools
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple, cast

import msgspec

from toolkit.checker.foreign import ForeignValidator
from toolkit.checker.selection import Choice, Selection, select
from toolkit.checker.validator import Validator
from toolkit.contracts import SkippedCheck, Tool
from toolkit.errors import PlatformError, UsageError

GROUP = "tfkit.validators"
OURS = "tfkit-platform"

_DEFAULT = ("fmt", "validate", "rehearse")
_DEFAULT_WHERE_INSTALLED = ("tflint", "checkov")


class Installed(NamedTuple):
    """A validator that there is: its name, and the distribution that brought it, with its version."""

    name: str
    distribution: str
    version: str

    @property
    def ours(self) -> bool:
        """Whether it came with tfkit."""
        return self.distribution in (OURS, "")


@functools.cache
def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


@functools.cache
def _clashes() -> dict[str, list[str]]:
    """Names that more than one distribution claims, with the distributions."""
    claims: dict[str, list[str]] = {}
    for entry in entry_points(group=GROUP):
        claims.setdefault(entry.name, []).append(_described(entry).distribution)
    return {name: sorted(owners) for name, owners in claims.items() if len(owners) > 1}


def _described(entry: EntryPoint) -> Installed:
    if entry.dist is None:
        return Installed(entry.name, "", "")
    return Installed(entry.name, entry.dist.name, entry.dist.version)


def validator_names() -> list[str]:
    """The names of all installed validators, in order; nothing is imported for it."""
    return sorted(_installed())


def installed_validators() -> list[Installed]:
    """All installed validators by name; nothing is imported for it."""
    return [_described(_installed()[name]) for name in validator_names()]


def default_validators() -> tuple[str, ...]:
    """The names that run wherever tfkit does, of those that are installed.

    Whether a linter runs too depends on its tool: see `selected`.
    """
    return tuple(name for name in _DEFAULT if name in _installed())


def selected(choice: Choice) -> Selection:
    """What runs here of what the user said; of tflint and checkov those whose tool is there (DESIGN §5)."""
    linters = {name: tool_of(name) for name in _DEFAULT_WHERE_INSTALLED if name in _installed()}
    absent = {
        name: f"{name} is not installed here; `tfkit validators install {name}`"
        for name, tool in linters.items()
        if tool is None
    }
    present = [name for name, tool in linters.items() if tool]
    selection = select(choice, (*default_validators(), *present), absent)
    unnamed = _unnamed(selection, (*default_validators(), *linters)) if choice.named else []
    return msgspec.structs.replace(selection, skipped=[*selection.skipped, *unnamed])


def _unnamed(selection: Selection, usual: Iterable[str]) -> list[SkippedCheck]:
    """What would run had nobody named others; of the rehearsal the checker's report says it."""
    said = {*selection.names, *(check.validator for check in selection.skipped), "rehearse"}
    return [SkippedCheck(validator=name, reason="others were named") for name in usual if name not in said]


def tool_of(name: str) -> Tool | None:
    """The tool behind an installed validator; None where it is not there or cannot say."""
    try:
        return _load(name).tool()
    except Exception:  # noqa: BLE001 - a validator that cannot even say what it needs has no tool
        return None


def not_proven(names: Iterable[str]) -> list[str]:
    """What the validators of these names, all clean, would still leave open; each says it for itself."""
    said: list[str] = []
    for name in names:
        if name in _installed() and _described(_installed()[name]).ours:
            tell = cast("Callable[[], list[str]] | None", getattr(_load(name), "not_proven", None))
            said += tell() if tell else []
    return said


def load_validators(names: Iterable[str]) -> list[Validator]:
    """One new validator for each name, in the order given, each once.

    Raises `UsageError` for a name that is not installed (or for none at all) and `PlatformError` for a name
    that two distributions claim, and where one of tfkit's own cannot be imported.
    """
    wanted = list(dict.fromkeys(names))
    known = ", ".join(validator_names())
    if not wanted:
        raise UsageError("no validators were named", f"Known validators: {known}.")
    if unknown := [name for name in wanted if name not in _installed()]:
        raise UsageError(f"unknown validator {', '.join(unknown)}", f"Known validators: {known}.")
    return [_load(name) for name in wanted]


def _load(name: str) -> Validator:
    if owners := _clashes().get(name):
        raise PlatformError(
            f"the validator {name} comes from {' and '.join(owners)}; which one is meant cannot be known",
            "uninstall one of them",
        )
    entry = _installed()[name]
    described = _described(entry)
    if not described.ours:
        return ForeignValidator(name, entry.value, described.distribution, described.version)
    try:
        return cast("Validator", entry.load()())
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise PlatformError(
            f"the validator {name} cannot be loaded: {type(error).__name__}: {error}"
        ) from error

"""Where settings come from: each value keeps its name as it was written and its place, for the error.

Nothing here knows which settings there are; `toolkit.settings` does.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from toolkit.errors import UsageError

SHOWN = 100
"""Characters of a value that a message shows."""


class Given(NamedTuple):
    """A value as it was given: under which name, and where."""

    value: Any
    name: str
    place: str

    def __str__(self) -> str:
        return f"{self.name} {self.place}"


def from_file(path: Path, settable: Collection[str]) -> dict[str, Given]:
    """What a TOML file sets; nothing where there is none. Raises `UsageError` for what is no TOML."""
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise UsageError(f"{path} is not valid TOML: {broken}", "mend the file at that place") from broken
    except RecursionError as deep:
        raise UsageError(f"{path} is not valid TOML: it is nested too deep", "mend the file") from deep
    return _known({key: Given(value, key, f"in {path}") for key, value in values.items()}, settable)


def from_environment(
    variables: Mapping[str, str], prefix: str, settable: Mapping[str, Any]
) -> dict[str, Given]:
    """What variables of this prefix set; an empty one sets nothing. `settable` tells lists and pairs."""
    given = {
        name.removeprefix(prefix).lower(): Given(value, name, "in the environment")
        for name, value in variables.items()
        if value
    }
    return {key: _parted(one, settable[key]) for key, one in _known(given, settable).items()}


def from_flags(flags: Mapping[str, Any]) -> dict[str, Given]:
    """What the command line sets; a flag that is None was not given."""
    return {
        key: Given(value, "--" + key.replace("_", "-"), "on the command line")
        for key, value in flags.items()
        if value is not None
    }


def _known(given: dict[str, Given], settable: Collection[str]) -> dict[str, Given]:
    for key, one in given.items():
        if key not in settable:
            raise UsageError(f"unknown setting {one}", "known are: " + ", ".join(sorted(settable)))
    return given


def _parted(given: Given, kind: Any) -> Given:
    """A variable that holds several things, in its parts: `a,b` for a list, `a=1,b=2` for pairs."""
    if kind not in (list, dict):
        return given
    parts = [part.strip() for part in given.value.split(",") if part.strip()]
    if kind is list:
        return given._replace(value=parts)
    if not all("=" in part for part in parts):
        raise UsageError(
            f"{given} cannot be {given.value!r}: these are no pairs",
            f"write it like this: {given.name}=team=platform,cost=42",
        )
    return given._replace(value=dict(part.split("=", 1) for part in parts))


def blame(given: Mapping[str, Given], kind: type, hidden: Collection[str]) -> UsageError:
    """The error for the first value that `kind` cannot have, down to the entry of a list or of pairs.

    Call it where msgspec refused the whole. The values of `hidden` are not shown.
    """
    for key, one in given.items():
        for value, shown in (*_entries(one.value), (one.value, repr(one.value))):
            try:
                msgspec.convert({key: value}, kind, strict=False)
            except msgspec.ValidationError as wrong:
                what = "what it is (not shown: it may hold a password)" if key in hidden else _short(shown)
                return UsageError(f"{one} cannot be {what}", f"it must be {_words(key, kind, wrong)}")
    raise AssertionError("each value alone is valid, and so is the whole")


def _entries(value: Any) -> Iterator[tuple[Any, str]]:
    """What a value of several things is made of, each as a value of its own, and as it is shown."""
    if isinstance(value, dict):
        yield from (({key: item}, f"{key} = {item!r}") for key, item in value.items())
    if isinstance(value, list):
        yield from (([item], repr(item)) for item in value)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text):,} characters)"


def _words(key: str, kind: type, wrong: msgspec.ValidationError) -> str:
    """What is allowed: the form's own words, or else what its type or msgspec says."""
    hint = get_type_hints(kind, include_extras=True)[key]
    for meta in getattr(hint, "__metadata__", ()):
        return str(meta.description)
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(str(value) for value in get_args(hint) if value != "")
    for plain, words in ((str, "a text, in quotes"), (bool, "true or false"), (list[str], "a list of texts")):
        if hint == plain:
            return words
    return f"of another form: {wrong}".replace(f"`$.{key}[...]", f"`{key}.NAME")

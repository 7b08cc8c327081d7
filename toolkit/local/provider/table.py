"""The notation in which a type says which properties it takes, and the check of inputs against it.

    bucket!+ forceDestroy rule{defaultRetention{mode days}} rules[id! status!] tags

`!` marks a property that must be given, `+` one whose change replaces the resource (as in pulumi-aws),
`{…}` a block and `[…]` a list of blocks. A name alone takes any value: a scalar, a list or a map.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolkit.local.provider.wire import UNKNOWN, plain

TOKENS = re.compile(r"([A-Za-z]\w*)([!+]*)([{\[]?)|([}\]])")


@dataclass(frozen=True)
class Property:
    """One property of a table; `inner` is the table of its block, or None for any value."""

    name: str
    required: bool = False
    replaces: bool = False
    listed: bool = False
    inner: "Table | None" = None


@dataclass(frozen=True)
class Table:
    """The properties of a type or of a block, by name."""

    properties: Mapping[str, Property] = field(default_factory=dict)

    @property
    def replacing(self) -> frozenset[str]:
        """The names whose change replaces the resource."""
        return frozenset(p.name for p in self.properties.values() if p.replaces)


def parse(text: str) -> Table:
    """A table from its notation; raises ValueError for a bracket without its partner."""
    tokens = TOKENS.finditer(text)
    table, closed_by = _parse(tokens)
    if closed_by:
        raise ValueError(f"unmatched {closed_by} in the table {text!r}")
    return table


def _parse(tokens: Iterator[re.Match[str]]) -> tuple[Table, str]:
    found: dict[str, Property] = {}
    for token in tokens:
        name, marks, opened, closed = token.groups()
        if closed:
            return Table(found), closed
        inner: Table | None = None
        if opened:
            inner, closed_by = _parse(tokens)
            if closed_by != {"{": "}", "[": "]"}[opened]:
                raise ValueError(f"unmatched {opened} after {name} in a table")
        found[name] = Property(name, "!" in marks, "+" in marks, opened == "[", inner)
    return Table(found), ""


def problems(table: Table, inputs: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str]]:
    """What is wrong with the inputs, as (path of the property, reason); nothing when they fit."""
    for name, value in inputs.items():
        path = where + name
        known = table.properties.get(name)
        if known is None:
            yield path, f"tfkit's provider for the emulator does not know the property {path}"
        elif known.inner is not None:
            yield from _inside(known, plain(value), path)
    for name, known in table.properties.items():
        if known.required and plain(inputs.get(name)) in (None, ""):
            yield where + name, f"{where + name} must be given"


def _inside(known: Property, value: Any, path: str) -> Iterator[tuple[str, str]]:
    if known.inner is None or value is None or value == UNKNOWN:
        return
    blocks = value if known.listed else [value]
    if not isinstance(blocks, list) or not all(isinstance(b, dict) or b == UNKNOWN for b in blocks):
        yield path, f"{path} must be {'a list of blocks' if known.listed else 'a block'}"
        return
    for number, block in enumerate(blocks):
        if block != UNKNOWN:
            yield from problems(known.inner, block, f"{path}[{number}]." if known.listed else f"{path}.")

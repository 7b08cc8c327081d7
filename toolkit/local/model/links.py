"""Wires instances together by the book's links: bodies of their own, and parts for the instances' slots."""

from collections.abc import Sequence
from typing import NamedTuple

from toolkit.local.model.phrases import mentions
from toolkit.local.model.recipe import Book, Link, Recipe
from toolkit.local.model.template import render
from toolkit.local.model.wish import Wish


class Made(NamedTuple):
    """An instance about to be rendered: its recipe, the wish behind it, and all its values."""

    recipe: Recipe
    wish: Wish
    values: dict[str, str]

    @property
    def address(self) -> str:
        """Names the instance among all."""
        return f"{self.recipe.kind}.{self.values['label']}"


class Wiring(NamedTuple):
    """What the links add: texts by file, lines by instance and slot, the names of those made, and their ends.

    `ends` are the link's name and the addresses of both instances.
    """

    bodies: list[tuple[str, str]]
    slots: dict[str, dict[str, list[str]]]
    links: tuple[str, ...]
    ends: tuple[tuple[str, str, str], ...] = ()


def wire(made: list[Made], text: str, book: Book, there: Sequence[Made] = ()) -> Wiring:
    """Make every link whose kinds are there and whose words fit the prompt.

    `there` exists already: only links that may reach such a one take it for their second end.
    """
    wiring: list[tuple[Link, Made, Made]] = []
    kinds = {m.recipe.kind for m in made}
    for link in sorted(book.links, key=lambda link: _rank(link, book)):
        if (link.when and not mentions(link.when, text)) or mentions(link.unless, text):
            continue
        if any(one.kind in kinds and not mentions(one.phrases, text) for one in link.beside):
            continue
        for a, b in _pairs(link, [*made, *there] if link.reaches else made):
            done = {(other.name, end.address) for other, *ends in wiring for end in ends}
            if not any((name, end.address) in done for name in link.otherwise for end in (a, b)):
                wiring.append((link, a, b))
    bodies: list[tuple[str, str]] = []
    slots: dict[str, dict[str, list[str]]] = {}
    for link, a, b in wiring:
        values = _values(a, b)
        bodies.append((a.recipe.file, render(link.body, values, {})))
        for role, slot, lines in link.parts:
            target = slots.setdefault((a if role == "a" else b).address, {})
            part = render(lines, values, {})
            if part not in target.setdefault(slot, []):
                target[slot].append(part)
    names = [
        f"{a.values['name']} → {b.values['name']} ({link.name.replace('_', ' ')})" for link, a, b in wiring
    ]
    ends = tuple((link.name, a.address, b.address) for link, a, b in wiring)
    return Wiring(bodies, slots, tuple(names), ends)


def _rank(link: Link, book: Book) -> int:
    """How many links must be decided before this one: those that it gives way to come first."""
    return max((_rank(other, book) + 1 for other in book.links if other.name in link.otherwise), default=0)


def _pairs(link: Link, made: list[Made]) -> list[tuple[Made, Made]]:
    """As many of one kind as of the other go in pairs, otherwise each goes with each."""
    left = [m for m in made if m.recipe.kind == link.a]
    right = [m for m in made if m.recipe.kind == link.b]
    if len(left) == len(right):
        return list(zip(left, right, strict=True))
    return [(a, b) for a in left for b in right]


def _values(a: Made, b: Made) -> dict[str, str]:
    """The values and exports of both, under `a_` and `b_`."""
    values: dict[str, str] = {}
    for role, instance in (("a", a), ("b", b)):
        exports = {
            name: render(expression, instance.values, {}).strip()
            for name, expression in instance.recipe.exports.items()
        }
        values |= {f"{role}_{name}": value for name, value in {**instance.values, **exports}.items()}
    return values

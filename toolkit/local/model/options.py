"""Which option of which resource a place in the prompt speaks of."""

import re
from typing import TYPE_CHECKING, NamedTuple

from toolkit.local.model.phrases import Hit, hits
from toolkit.local.model.recipe import Book, Option
from toolkit.local.model.traffic import read_rules
from toolkit.local.model.wording import Wording

if TYPE_CHECKING:
    from toolkit.local.model.prompt import Place


class Read(NamedTuple):
    """Options with their values; those that the prompt speaks of, and of these such without a number.

    `used` are the words that gave a value. A second number for the same option gives none: it was a wish for
    something else.
    """

    values: dict[str, str]
    asked: frozenset[str]
    guessed: frozenset[str]
    used: list[Hit]


def read_options(place: "Place", places: "list[Place]", wording: Wording, book: Book) -> "Read":
    """The options of one instance, and what the prompt says of them."""
    values: dict[str, str] = {}
    asked: set[str] = set()
    guessed: set[str] = set()
    used: list[Hit] = []
    for option in book.recipes[place.kind].options:
        found = [
            hit
            for hit in hits(option.phrases, wording.text)
            if place in owners(hit, place.kind, places, wording.text, book)
        ]
        values[option.name] = _settle(option, found, wording)
        used += [hit for hit in found if option.many or _agrees(hit, found[0], wording.text)]
        if found:
            asked.add(option.name)
            guessed |= {option.name} if _guessed(found[0], wording.text) else set()
    return Read(values, frozenset(asked), frozenset(guessed), used)


def _agrees(hit: Hit, first: Hit, text: str) -> bool:
    """Whether a further hit says what the first did, or no number of its own."""
    return hit.value == first.value or not re.search(r"\d", text[hit.start : hit.end])


def _guessed(hit: Hit, text: str) -> bool:
    """Whether a number stands for words that name none ("public subnets" are taken for two)."""
    number = hit.value.isdecimal() and hit.value != "1"
    return number and not re.search(r"\d", text[hit.start : hit.end])


def owners(hit: Hit, kind: str, places: "list[Place]", text: str, book: Book) -> "list[Place]":
    """The instances that a hit speaks of, among those whose recipes have a pattern for the same words."""
    rivals = [p for p in places if p.kind == kind or _claims(p.kind, hit, text, book)]
    if len(rivals) == 1 or re.search(r"\b(?:both|all|each|every)\b[^.;]*$", text[: hit.start], re.I):
        return rivals
    start = max(text.rfind(end, 0, hit.start) for end in (". ", "; ", "! ", "? "))
    # Words that another kind lives on ("in the public subnets") still tell something about the noun before.
    spots = [
        (m.hit, p)
        for p in rivals
        for m in p.mentions
        if p.kind == kind or m.hit.end <= hit.start or m.hit.start >= hit.end
    ]
    right = [spot for spot, _ in spots if hit.end <= spot.start]
    left = [spot for spot, _ in spots if start < spot.start < hit.end]
    nearest = min(right, key=lambda h: h.start) if right else None
    if left and not (nearest and _adjective(text[hit.end : nearest.start])):
        nearest = max(left, key=lambda h: h.start)
    elif nearest is None or re.search(r"[.;!?] ", text[hit.end : nearest.start]):
        return rivals
    return [p for spot, p in spots if spot == nearest]


def _claims(kind: str, hit: Hit, text: str, book: Book) -> bool:
    """Whether another kind has a pattern, under whatever name, that matches within the same words."""
    return any(
        other.start < hit.end and hit.start < other.end
        for candidate in book.recipes[kind].options
        for other in hits(candidate.phrases, text)
    )


def _adjective(between: str) -> bool:
    """Whether words stand right before the noun that they describe ("a versioned S3 bucket")."""
    return len(between.split()) <= 2 and not re.search(
        r"\b(?:and|with|for|a|an|the|of|in|on)\b|[,.;]", between, re.I
    )


def _settle(option: Option, found: list[Hit], wording: Wording) -> str:
    """The value out of what was found: the first for a single value, all for a list."""
    if not found:
        return option.default
    if option.many and option.name != "rules":
        return wording.plain("\n".join(hit.value for hit in found if hit.value != "off"))
    if option.many:
        rules = read_rules([hit for hit in found if hit.value != "off"], wording.text)
        return wording.plain("\n".join(rules))
    if option.switch:
        return "off" if found[0].value == "off" else "on" if found[0].value == "on" else found[0].value
    if found[0].value == "off":
        return "off"
    return wording.plain(found[0].value) if found[0].value != "on" else option.default

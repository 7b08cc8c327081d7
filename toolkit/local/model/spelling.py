"""Which word of the recipes a misspelt one may be: only told, and never taken for it."""

import difflib
import functools
import re
from collections.abc import Iterable

from toolkit.local.model.recipe import load_book

_SHORTEST = 6
_CUTOFF = 0.84
"""One letter of six, or two of twelve, may be wrong: in shorter words a near miss is another word."""


def resembles_a_kind(word: str) -> bool:
    """Whether a word is nearly one that asks for a resource ("databse")."""
    return bool(set(guesses([word]).values()) & _kinds())


def guesses(words: Iterable[str]) -> dict[str, str]:
    """The nearest known word for each one that is not known itself."""
    found: dict[str, str] = {}
    for word in words:
        lower = word.lower()
        if len(lower) < _SHORTEST or not lower.isalpha() or _inflected(lower, _vocabulary()):
            continue
        near = difflib.get_close_matches(lower, _vocabulary(), 1, _CUTOFF)
        if near:
            found[word] = near[0]
    return found


def _inflected(word: str, known: tuple[str, ...]) -> bool:
    """Whether a word is known, but for its ending ("streamed" beside "stream")."""
    return any(word.startswith(one[:-1]) or one.startswith(word) for one in known if len(one) > 5)


@functools.cache
def _kinds() -> frozenset[str]:
    """The longer words that ask for a resource."""
    phrases = [p for recipe in load_book().recipes.values() for p in (*recipe.words, *recipe.hints)]
    return frozenset(word for p in phrases for word in re.findall(r"[a-z]{6,}", p.pattern.pattern))


@functools.cache
def _vocabulary() -> tuple[str, ...]:
    """The longer words in the patterns of the recipes and the links."""
    book = load_book()
    phrases = [phrase for link in book.links for phrase in (*link.when, *link.takes)]
    for recipe in book.recipes.values():
        phrases += [*recipe.words, *recipe.hints, *recipe.takes, *recipe.owns]
        phrases += [phrase for option in recipe.options for phrase in option.phrases]
    words = {word for phrase in phrases for word in re.findall(r"[a-z]{6,}", phrase.pattern.pattern)}
    return tuple(sorted(words))

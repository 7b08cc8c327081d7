"""Whether what is left of a prompt is of substance: then nothing is written, for half an answer misleads.

The rule is about sorts of words, and of no prompt in particular. A number, an id, a path or a name that
nothing took up was a wish. So was a word that limits or conditions something. Of other words a few may be
left, as people chat; too many of them say that the prompt is about something else.
"""

import re

from toolkit.local.model.ignored import Span, content
from toolkit.local.model.spelling import resembles_a_kind
from toolkit.local.model.wording import Wording

MOST_WORDS = 2
MOST_SHARE = 0.25
"""As many plain words may be left, and such a part of the words that say something."""

_EXACT = re.compile(r"[\d@=/]|^\.\w|\w\.\w|_|^[A-Z]{2,}s?$")
"""A number, a name, a pair, a path, a file's ending, a host, an identifier, an acronym."""
_CONDITION_WORDS = """
external prefix prefixes suffix suffixes tag tags tagged untagged schedule scheduled weekdays weekends
weekday weekend daily nightly hourly weekly monthly except excluding exclude unless until limit limited limits
restrict restricted condition conditions conditional existing already instead least exactly partitioned
cross-account weighted between during session duration expires filter filtered filters ipv6 rename replace
remove migrate import delete drop destroy undo revert stop start shut
"""
_CONDITIONS = frozenset(_CONDITION_WORDS.split())
_LIMITING = re.compile(
    r"\b(?:only|without|except|unless|no other|not|never) (?:[\w'/.-]+ ){0,2}$"
    r"|\b(?:no|don't|do not|doesn't|must not|should not|cannot|can't) (?:[\w'/.-]+ ){0,2}$",
    re.I,
)


def beyond(wording: Wording, left: list[Span]) -> tuple[str, ...]:
    """The leftovers that ask for more than was understood, in order; none where the rest can be made."""
    if not left:
        return ()
    hard = [span for span in left if _matters(wording, span)]
    words = [wording.plain(wording.text[slice(*span)]) for span in left]
    plain = len({word.lower() for word in words})
    many = plain > MOST_WORDS or plain > MOST_SHARE * content(wording.plain(wording.text))
    return tuple(dict.fromkeys(words)) if hard or many else ()


def _matters(wording: Wording, span: Span) -> bool:
    """Whether one leftover is a wish by its form, by its meaning, or by the words before it."""
    word = wording.text[slice(*span)]
    if _EXACT.search(word) or word.lower() in _CONDITIONS or resembles_a_kind(word):
        return True
    before, after = wording.text[max(0, span[0] - 60) : span[0]], wording.text[span[1] : span[1] + 10]
    return bool(_LIMITING.search(before) or re.match(r" only\b", after, re.I))

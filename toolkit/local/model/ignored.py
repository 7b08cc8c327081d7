"""What of a prompt nothing took up: told word for word, so that nothing is dropped silently.

A leftover is any token with a letter or a digit in it: a word, and also a number, an id, a path, a file's
ending, a quoted name. Only words that say nothing about resources (`filler.py`) are none.
"""

import re

from toolkit.local.model.filler import FILLER
from toolkit.local.model.phrases import mentions
from toolkit.local.model.recipe import Book
from toolkit.local.model.traffic import source_spans
from toolkit.local.model.wording import Wording

Span = tuple[int, int]

_EDGES = "()[]{}<>\"'`,;:!?*"
_TOKEN = re.compile(r"\S+")


def ignored(wording: Wording, spans: list[Span], names: set[str], kinds: set[str], book: Book) -> list[Span]:
    """Where the tokens stand that are left when the words of mentions, options and links are out."""
    text = blanked(wording.text, [*spans, *_honoured(wording.text, kinds, book)])
    known = FILLER | names
    return [span for span in tokens(text) if not _says_nothing(wording.plain(text[slice(*span)]), known)]


def tokens(text: str) -> list[Span]:
    """Where the tokens of a text stand, without the punctuation around them."""
    found: list[Span] = []
    for match in _TOKEN.finditer(text):
        token = match[0].rstrip(_EDGES + ".").lstrip(_EDGES)
        if re.match(r"\.[A-Z]", token):
            token = token[1:]  # a sentence that begins right behind the full stop
        start = match.start() + match[0].find(token)
        if re.search(r"[^\W_]", token):
            found.append((start, start + len(token)))
    return found


def blanked(text: str, spans: list[Span]) -> str:
    """The text with blanks in place of the spans, so that all else stays where it was."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def content(text: str) -> int:
    """How many tokens of a text say something."""
    return sum(not _says_nothing(text[slice(*span)], FILLER) for span in tokens(text))


def _honoured(text: str, kinds: set[str], book: Book) -> list[Span]:
    """The words that recipes and the links between them honour without an option."""
    links = [link for link in book.links if {link.a, link.b} <= kinds]
    phrases = [phrase for kind in kinds for phrase in book.recipes[kind].takes]
    for link in links:
        phrases += [*link.takes, *link.unless, *(link.when if mentions(link.when, text) else ())]
    spans = [match.span() for phrase in phrases for match in phrase.pattern.finditer(text)]
    return spans + (source_spans(text) if "security_group" in kinds else [])


def _says_nothing(token: str, known: set[str] | frozenset[str]) -> bool:
    """Whether a token is filler, or made of filler ("best-practice", "and/or")."""
    lower = token.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if lower in known or re.fullmatch(r"[a-z]|'[a-z]{1,2}|[-/.]+", lower):
        return True
    parts = re.split(r"[-/]", lower)
    return len(parts) > 1 and all(part in known for part in parts)

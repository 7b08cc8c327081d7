"""The words of a prompt that nothing took up: told, so that nothing is dropped silently."""

import re

from toolkit.local.model.filler import FILLER
from toolkit.local.model.phrases import mentions
from toolkit.local.model.recipe import Book
from toolkit.local.model.traffic import source_spans

Span = tuple[int, int]


def ignored(text: str, spans: list[Span], names: set[str], kinds: set[str], book: Book) -> tuple[str, ...]:
    """What is left when the words of mentions and options, of links made, and all filler are out."""
    links = [link for link in book.links if {link.a, link.b} <= kinds]
    honoured = [phrase for kind in kinds for phrase in book.recipes[kind].takes]
    for link in links:
        honoured += [*link.takes, *link.unless, *(link.when if mentions(link.when, text) else ())]
    spans = [*spans, *[match.span() for phrase in honoured for match in phrase.pattern.finditer(text)]]
    if "security_group" in kinds:
        spans += source_spans(text)
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    words = re.findall(r"(?<![\w@/.-])[A-Za-z][\w'-]*\w", text)
    return tuple(dict.fromkeys(word for word in words if word.lower() not in FILLER | names))

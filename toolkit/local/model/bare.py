"""Names that stand right behind their noun, unannounced: "a queue orders-in", "a table tickets with".

A plain word is a name only where the grammar leaves nothing else for it: after the noun, and before a word
that goes on about the noun. Words of the trade ("a bucket policy that") are none.
"""

import re
from collections.abc import Callable

from toolkit.local.model.filler import FILLER

_KINDS = (
    r"(?:queue|topic|table|lambda function|lambda|function|bucket|log group|iam role|role|security group|"
    r"secret|api|cluster|zone|project)"
)
_ID = r"[a-z]{1,9}-[0-9a-f]{8,17}\b"
_NAME = r"[a-z][\w-]*[a-z0-9]"
_WITH_A_HYPHEN = re.compile(
    rf"\b(?P<kind>{_KINDS}s?) (?!{_ID})(?P<name>[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)+)(?![\w/@-])"
)
_PLAIN = re.compile(
    rf"\b(?P<kind>(?:an?|the|my|our|1) (?:[\w.-]+ ){{0,3}}{_KINDS}) (?P<name>{_NAME})"
    r"(?= (?:with|that|whose|which)\b|, (?:with|that|whose|which)\b)",
    re.I,
)
_LIST = re.compile(
    rf"\b(?P<kind>(?P<count>\d+) (?:[\w.-]+ )?{_KINDS}s),? "
    rf"(?P<names>{_NAME}(?:(?:,? and |, ){_NAME})+)(?=[.,;]|$)",
    re.I,
)
_ALIAS = re.compile(r"(?P<kind>\balias(?:es)?) (?P<name>alias/[\w/-]+)")
_EXISTING = re.compile(
    rf"(?P<kind>\bexisting (?:[a-z0-9]+ )?{_KINDS}) "
    rf"(?!{_ID}|(?:too|only|please|there|now|already|here|first)\b)"
    rf"(?P<name>{_NAME})(?=[.,;?]|$)",
    re.I,
)
_TRADE_WORDS = """
polic(y|ies) rules? notifications? urls? permissions? alarms? instances? keys? streams? subscriptions? access
storage tables? clusters? groups? messages? triggers? names? lifecycle versioning encryption roles? functions?
logs? replication backups? attributes? index(es)? types? sizes? memory timeouts? layers? versions?
runtimes? endpoints? parameters? data items? objects? files? demand based side letter managed wide point
time facing read write pay arm64 x86 nodejs python java ruby code zones? records? subnets? nodes? brokers?
"""
_NOUNS = re.compile(rf"(?:{'|'.join(_TRADE_WORDS.split())})$", re.I)
_TRADE = re.compile(rf"(?:{_NOUNS.pattern[:-1]}|\w+(?:ed|ing|ly))$", re.I)


def hide_bare(text: str, hide: Callable[[str], str]) -> str:
    """The text with `hide(name)` in place of each name that nothing announces."""
    text = _LIST.sub(lambda match: _list(match, hide), text)
    text = _ALIAS.sub(lambda match: f"{match['kind']} {hide(match['name'])}", text)
    text = _EXISTING.sub(lambda match: f"{match['kind']} {hide(match['name'])}", text)
    for pattern in (_WITH_A_HYPHEN, _PLAIN):
        text = pattern.sub(lambda match: _one(match, hide), text)
    return text


def _list(match: re.Match[str], hide: Callable[[str], str]) -> str:
    """As many names after a plural as its number says."""
    names = re.split(r",? and |, ", match["names"])
    if len(names) != int(match["count"]) or any(_is_trade(name, _NOUNS) for name in names):
        return match[0]
    return f"{match['kind']} {', '.join(hide(name) for name in names)}"


def _one(match: re.Match[str], hide: Callable[[str], str]) -> str:
    """One name, unless it is a word with a meaning."""
    return match[0] if _is_trade(match["name"]) else f"{match['kind']} {hide(match['name'])}"


def _is_trade(name: str, words: re.Pattern[str] = _TRADE) -> bool:
    """Whether a word, or a part of it that is not the last of several, means something by itself."""
    parts = re.split(r"[-_.]", name.lower())
    if len(parts) > 1:
        return all(part in FILLER or words.match(part) for part in parts) or parts[0] in FILLER
    return name.lower() in FILLER or bool(words.match(name))

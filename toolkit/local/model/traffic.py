"""Reads who may come in on which port: "ssh from 1.2.3.4", "only lets the app servers in on port 5432".

A rule is a line `port,source`. The source is a CIDR, `self`, `internal` (none was named), `id:sg-…` for a
group that exists, or `who:app servers` for words that `guards.py` finds a group for.
"""

import functools
import re
from typing import NamedTuple

from toolkit.local.model.phrases import Hit

_CIDR = r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?"
_ARTICLES = r"(?:the |my |our |an? |any |other |existing |only |all )*"
_ROLES = (
    r"(?:servers?|hosts?|instances?|machines?|tier|layer|nodes?|containers?|tasks?|clients?|"
    r"bastion(?: hosts?)?|lambdas?(?: functions?)?|functions?|security groups?|sgs?|apps?|applications?|"
    r"backend|frontend|services?)"
)
_WHO = rf"(?P<{{0}}>(?:(?!from\b|ports?\b|and\b|vpc\b)[a-z]\w*[ -]){{{{0,2}}}}{_ROLES}(?:'s)?)"
_SOURCE = re.compile(
    r"\b(?:from|to)(?: (?:the|my|our|only|office|home|company|corporate|ips?|cidrs?|ranges?|block|"
    rf"address(?:es)?|subnets?|network|whole|entire))* \(?(?P<cidrs>{_CIDR}(?:(?:,| and|, and| or) {_CIDR})*)"
    r"|\b(?:from|to)(?: the| whole| entire)* (?P<all>anywhere|everywhere|(?:public )?internet|world|public|"
    r"everyone|any ip(?: address)?|all ips?)(?! (?:in|inside|within)\b)"
    r"|\bfrom (?:[a-z]+ ){0,4}?(?P<id>sg-[0-9a-f]{8,17})"
    r"|\bfrom (?:itself|members|(?:its|the) (?:own|same)\b[\w ]{0,16}group|its (?:security )?group)(?P<self>)"
    r"|\bfrom (?:anywhere |everywhere )?(?:(?:within|inside|in|the|my|our|same|whole|entire) )*vpc(?P<vpc>)"
    rf"|\bfrom {_ARTICLES}{_WHO.format('who')}"
    rf"|\b(?:let|admit|allow|permit|accept)(?:s|ing|ting)? {_ARTICLES}{_WHO.format('whom')}"
    r"(?= (?:in|inside|access|through|to (?:access|connect|reach|talk))\b)",
    re.I,
)
_BACKWARD = re.compile(
    r"^\)?,?(?: (?:in|access|through|only|to|connect|reach|talk|it|them|the|database|db|traffic|inbound|tcp|"
    r"on|at|over|via|using|port|ports|allow|allowed|is|are))*,? "
    r"(?:on|at|over|via|ports?|access)(?: tcp)?(?: ports?)? $",
    re.I,
)
_CHAIN = re.compile(
    r"^,?(?:/tcp)?(?: ?\((?:[\w /]+)\))?,?(?: and| or)?(?: also)?(?: tcp)?(?: ports?)? $|^, $", re.I
)
_OUT = re.compile(r"\b(?:outbound|outgoing|egress|inbound|incoming|ingress|allow\w* in)\b", re.I)


class Source(NamedTuple):
    """A place where the prompt says from where, or whom."""

    start: int
    end: int
    values: tuple[str, ...]


@functools.lru_cache(maxsize=4)
def sources(text: str) -> tuple[Source, ...]:
    """Everything that is said of where traffic comes from."""
    found: list[Source] = []
    for match in _SOURCE.finditer(text):
        source = Source(match.start(), match.end(), _values(match))
        if found and re.fullmatch(r",? ?(?:and |or )?(?:also )?", text[found[-1].end : source.start]):
            last = found.pop()
            source = Source(last.start, source.end, last.values + source.values)
        found.append(source)
    return tuple(found)


def source_spans(text: str) -> list[tuple[int, int]]:
    """The words that say where traffic comes from: they are taken up where there is a rule."""
    return [(source.start, source.end) for source in sources(text)]


def read_rules(found: list[Hit], text: str) -> list[str]:
    """The rules for these ports: `port,source`, and `out,port,source` for what goes out."""
    known = sources(text)
    lines: list[str] = []
    before: tuple[Hit, tuple[str, ...], bool] | None = None
    for hit in found:
        port = hit.value.partition(",")[0]
        given, backward = _given(hit, before, known, text)
        before = (hit, given, backward)
        prefix = "out," if _outward(text, hit.start) else ""
        lines += [f"{prefix}{port},{source}" for source in given]
    return list(dict.fromkeys(lines))


def _given(
    hit: Hit, before: tuple[Hit, tuple[str, ...], bool] | None, known: tuple[Source, ...], text: str
) -> tuple[tuple[str, ...], bool]:
    """Where a port is open to, and whether the words for it stand before the port."""
    right = next((s for s in known if s.start >= hit.end - 1), None)
    if right and right.start <= hit.end + 1:
        return right.values, False
    if before and before[2] and _CHAIN.match(text[before[0].end : hit.start]):
        return before[1], True
    left = [s for s in known if s.end <= hit.start]
    if left and _BACKWARD.match(text[left[-1].end : hit.start]):
        return left[-1].values, True
    if right and not re.search(r"[.;!?] |\b(?:another|second) ", text[hit.end : right.start]):
        return right.values, False
    return ("internal",), False


def _outward(text: str, at: int) -> bool:
    """Whether the last word on a direction, in this sentence, is outbound."""
    start = max(text.rfind(stop, 0, at) for stop in (". ", "; "))
    words = _OUT.findall(text[max(start, 0) : at])
    return bool(words) and words[-1].lower() in ("outbound", "outgoing", "egress")


def _values(match: re.Match[str]) -> tuple[str, ...]:
    """The sources that a match names."""
    if match["cidrs"]:
        return tuple(c if "/" in c else f"{c}/32" for c in re.findall(_CIDR, match["cidrs"]))
    if match["all"]:
        return ("0.0.0.0/0",)
    if match["id"]:
        return (f"id:{match['id']}",)
    if match["self"] is not None:
        return ("self",)
    if match["vpc"] is not None:
        return ("internal",)
    return (f"who:{(match['who'] or match['whom']).lower()}",)

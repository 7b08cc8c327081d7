"""Patterns over a prompt, as recipes write them, and what they found.

`phrases("visibility timeout of <seconds> | fifo => on")` compiles each alternative; `Phrase.find` yields hits
with the value in the unit that the placeholder names ("2 weeks" is 14 for `<days>`).
"""

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

_VALUES = {
    "<days>": r"(?P<days>\d+)[ -]?(?P<unit>days?|d|weeks?|months?|years?)\b",
    "<seconds>": r"(?P<seconds>\d+)[ -]?(?P<unit>seconds?|secs?|s|minutes?|mins?|hours?|hrs?|days?|weeks?)\b",
    "<mb>": r"(?P<mb>\d+)[ -]?(?P<unit>mb|mib|megabytes?|gb|gib|gigabytes?)\b",
    "<gb>": r"(?P<gb>\d+)[ -]?(?P<unit>gb|gib|gigs?|gigabytes?|tb|tib)\b",
    "<int>": r"(?<![\d.])(\d+)(?!\.?\d)",
    "<cidr>": r"(\d{1,3}(?:\.\d{1,3}){3}/\d{1,2})",
    "<port>": r"(?P<port>(?<![\d./])\d{2,5}(?![\d./]|[ -]?(?:days?|gb|mb|seconds?))"
    r"|https?|ssh|rdp|postgres(?:ql)?|mysql)\b",
    "<id>": r"(@\d+@|[A-Za-z_][\w.-]*\w)",
    "<host>": r"(@\d+@|(?:[a-z0-9_-]+\.)+[a-z]{2,})",
    "<name>": r"(@\d+@|[A-Za-z]\w*[-_.][\w.-]*\w)",
}
_PORTS = {
    "http": "80",
    "https": "443",
    "ssh": "22",
    "rdp": "3389",
    "postgres": "5432",
    "postgresql": "5432",
    "mysql": "3306",
}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_NEGATION = re.compile(
    r"(?:\bno|\bnot|\bwithout|\bdisabled?|\bdisabling|\bskip|n't (?:\w+ )?(?:need|want|use|enable)|"
    r"\bturn(?:ed)? off|\bnor|\bblock(?:s|ing|ed)?|\bden(?:y|ies|ying))"
    r"(?:[ -](?:a|an|any|all|the|my|own|its|need|enable|use|separate|custom|having|needing|to|"
    r"having to|writ(?:e|ing)|using|creat(?:e|ing)|mak(?:e|ing)|add(?:ing)?|deploy(?:ing)?|run(?:ning)?|"
    r"extra|additional|new))*[ -]?$",
    re.I,
)
_NEGATED_AFTER = re.compile(
    r"^ ?(?:is |are |should be |must be |:|=)? ?(?:disabled|off\b|false|not needed|not required)", re.I
)


# `vpc-0abc123def4567890` speaks of no VPC that is to be made.
_REST_OF_ID = r"-[0-9a-f]{8,17}\b"


class Hit(NamedTuple):
    """A place in the prompt where a phrase was found: its span, and the value it gives ("on" without one)."""

    start: int
    end: int
    value: str


class Phrase(NamedTuple):
    """One alternative of a list of patterns; `means` is the value in place of what was captured."""

    pattern: re.Pattern[str]
    means: str

    def find(self, text: str) -> Iterator[Hit]:
        """Every hit in order. A negated one ("no X", "X disabled") has the value "off"."""
        for match in self.pattern.finditer(text):
            value = "off" if negated(text, match.start(), match.end()) else _value(match, self.means)
            yield Hit(match.start(), match.end(), value)


def phrases(text: str) -> tuple[Phrase, ...]:
    """Compile the alternatives of a header line."""
    found = []
    for alternative in re.split(r" \| ", text.strip()) if text.strip() else []:
        pattern, _, means = alternative.partition(" => ")
        found.append(Phrase(re.compile(_expand(pattern.strip()), re.I), means.strip()))
    return tuple(found)


@functools.lru_cache(maxsize=4096)
def hits(alternatives: tuple[Phrase, ...], text: str) -> tuple[Hit, ...]:
    """The hits of all alternatives without overlaps: the longest at a place wins, then the first named.

    The same patterns are asked of the same prompt over and over: for each instance, and for its rivals.
    """
    found = sorted(
        (hit for phrase in alternatives for hit in phrase.find(text)), key=lambda h: (h.start, -h.end)
    )
    kept: list[Hit] = []
    for hit in found:
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return tuple(kept)


def mentions(alternatives: tuple[Phrase, ...], text: str) -> bool:
    """Whether any alternative is found and not negated."""
    return any(hit.value != "off" for hit in hits(alternatives, text))


def negated(text: str, start: int, end: int) -> bool:
    """Whether what stands between start and end is said not to be wanted."""
    return bool(
        _NEGATION.search(text[max(0, start - 40) : start]) or _NEGATED_AFTER.match(text[end : end + 30])
    )


def negation_start(text: str, start: int) -> int:
    """Where the words begin that say that what stands at `start` is not wanted; `start` without any."""
    before = max(0, start - 40)
    found = _NEGATION.search(text[before:start])
    return before + found.start() if found else start


def _expand(pattern: str) -> str:
    """Put the placeholders' patterns in, and let blanks match hyphens and line ends as well."""
    pieces = re.split(r"(<\w+>)", pattern)
    body = "".join(_VALUES.get(piece, piece) if i % 2 else _blanks(piece) for i, piece in enumerate(pieces))
    start = r"(?<![\w-])" if re.match(r"[\w(<\\]", pattern) and not pattern.startswith("(?<") else ""
    end = rf"(?!\w|{_REST_OF_ID})" if re.search(r"[\w)?]$", pattern) and not pattern.endswith(">") else ""
    return start + "(?:" + body + ")" + end


def _blanks(piece: str) -> str:
    """A blank stands for any blank or a hyphen; a prompt has no runs of blanks by then."""
    return piece.replace(" ", r"[\s-]")


def _value(match: re.Match[str], means: str) -> str:
    """What a match says, in the unit of its placeholder."""
    groups = match.groupdict()
    if means:
        return match.expand(means)
    if groups.get("port"):
        return _PORTS.get(groups["port"].lower(), groups["port"])
    if groups.get("days"):
        return str(int(groups["days"]) * _DAYS[groups["unit"][0].lower()])
    if groups.get("seconds"):
        return str(int(groups["seconds"]) * _SECONDS[groups["unit"][0].lower()])
    if groups.get("mb"):
        return str(int(groups["mb"]) * (1024 if groups["unit"][0] in "gG" else 1))
    if groups.get("gb"):
        return str(int(groups["gb"]) * (1024 if groups["unit"][0] in "tT" else 1))
    return next((group for group in match.groups() if group), "on")

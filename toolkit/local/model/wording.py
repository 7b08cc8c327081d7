"""Makes a prompt easier to read for patterns: number words become digits, names become placeholders."""

import re
from collections.abc import Callable
from typing import NamedTuple

from toolkit.local.model.bare import hide_bare

_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1
    )
} | {"fourteen": "14", "fifteen": "15", "twenty": "20", "thirty": "30", "sixty": "60", "ninety": "90"}

_WORD = r"[A-Za-z0-9_/](?:[\w./-]*[\w])?"
_QUOTED = re.compile(
    r"`([^`\n]{1,80})`|\"([^\"\n]{1,80})\"|(?<!\w)'([^'\n]{1,80})'(?!\w)|(?<![\w.])(/[\w.-]+(?:/[\w.-]+)*)"
)
_NAMED = re.compile(
    rf"(?P<before>\w+)?(?:,| (?:is|which is|that is|to be|be|should be))?\s+"
    rf"(?:named|called|titled|call it|name it|with (?:the |a )?name|"
    rf"name (?:is|should be|must be|of)|under the name|names?[:=])"
    rf"\s*(?P<names>{_WORD}(?:(?:,\s*and|,|\s+and|\s+&)\s+{_WORD})*)",
    re.I,
)
_TYPE = re.compile(r"(?<![\w.-])aws_(?:vpc_(?=security_group))?([a-z0-9]+(?:_[a-z0-9]+)*)(?![\w.-]*[.=])")
"""A resource type of Terraform: `aws_lb_target_group` reads like "lb target group"."""
_NAME_SPLIT = re.compile(r",\s*and\s+|,\s*|\s+and\s+|\s+&\s+")
_NO_NAME = {
    "a",
    "an",
    "the",
    "with",
    "that",
    "which",
    "by",
    "from",
    "for",
    "it",
    "this",
    "my",
    "our",
    "in",
    "on",
    "and",
}


class Wording(NamedTuple):
    """A prompt with `@0@`, `@1@` … in place of the names in it."""

    text: str
    names: tuple[str, ...]

    def plain(self, value: str) -> str:
        """A value with the names put back in."""
        return re.sub(r"@(\d+)@", lambda match: self.names[int(match[1])], value)


def read_wording(prompt: str) -> Wording:
    """Find the names in a prompt, quoted or announced, and hide them from the patterns."""
    names: list[str] = []

    def hide(name: str) -> str:
        names.append(name)
        return f"@{len(names) - 1}@"

    def quoted(match: re.Match[str]) -> str:
        name = next(group for group in match.groups() if group is not None)
        return hide(name) if re.fullmatch(r"[\w./:-]+", name) else match[0]

    # No name is that long, and patterns take their time over an endless word.
    text = re.sub(r"\S{150,}", "…", " ".join(prompt.split()))
    text = _TYPE.sub(lambda match: match[1].replace("_", " "), text)
    text = _QUOTED.sub(quoted, text)
    text = _NAMED.sub(lambda match: _announced(match, hide), text)
    for word, digits in _NUMBERS.items():
        text = re.sub(rf"\b{word}\b(?! of\b)", digits, text, flags=re.I)
    text = hide_bare(text, hide)
    return Wording(text, tuple(names))


def _announced(match: re.Match[str], hide: Callable[[str], str]) -> str:
    """`buckets called a and b`: hide what is a name; several only after a plural."""
    plural = (match["before"] or "").endswith("s")
    text, start = match[0], match.start("names") - match.start()
    names = match["names"]
    parts = _NAME_SPLIT.split(names) if plural else [names[: _first(names)]]
    kept: list[str] = []
    for part in parts:
        if part.lower() in _NO_NAME:
            break
        kept.append(part)
    if not kept:
        return text
    end = names.find(kept[-1], sum(len(k) for k in kept[:-1])) + len(kept[-1])
    hidden = ", ".join(hide(name) for name in kept)
    return text[:start] + hidden + names[end:]


def _first(names: str) -> int:
    """Where the first name ends."""
    match = _NAME_SPLIT.search(names)
    return match.start() if match else len(names)

"""What a follow-up means: "encrypt it with KMS" says nothing by itself, and all together with "an S3 bucket".

The composer understands no "it", and remembers nothing. But it makes the same files of the same words: so
where the files that are there are those that it makes of the earlier prompts, the follow-up is put behind
these, the whole is composed anew, and what differs is written. Files that somebody else had a hand in are
added to, as any configuration is, and the follow-up is then read by itself.
"""

import re
from typing import NamedTuple

from toolkit.local.model.compose import Composition, Existing, compose
from toolkit.local.model.prompt import read_prompt
from toolkit.local.model.wish import Wishes

_THANKS = r"(?:ok(?:ay)?|great|perfect|good|no|thanks?(?: you)?|thx|cheers)"
_BYE = (
    r"(?:(?:good ?)?bye(?:[- ]bye)?|see you(?: later)?|quit|exit|that(?:'s| is|s) (?:all|it|everything)"
    r"|(?:we|i)(?:'re| are|'m| am) done|(?:i am |i'm )?done|nothing (?:else|more)|no more|end|stop here)"
)
_GOODBYE = re.compile(
    rf"(?:{_THANKS}[,.! ]+)*{_BYE}(?:[,.! ]+(?:for (?:now|today)|{_THANKS}|{_BYE}))*[.! ]*", re.IGNORECASE
)


class Plan(NamedTuple):
    """What is made of a prompt: the files to write, and those that are not needed any more (`gone`)."""

    wishes: Wishes
    composition: Composition
    files: dict[str, str]
    gone: tuple[str, ...] = ()


def is_goodbye(prompt: str) -> bool:
    """Whether the user wants nothing more: the whole prompt is a goodbye."""
    return bool(_GOODBYE.fullmatch(prompt.strip().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")))


def together(earlier: tuple[str, ...], prompt: str) -> Wishes:
    """What is asked for by the prompt and those before it, but for those that came to nothing."""
    return read_prompt("\n".join([*_answered(earlier), prompt]))


def made_before(earlier: tuple[str, ...]) -> dict[str, str]:
    """The files that the composer makes of the earlier prompts alone; none without any."""
    answered = _answered(earlier)
    return compose(read_prompt("\n".join(answered))).files if answered else {}


def plan(earlier: tuple[str, ...], prompt: str, there: Existing) -> Plan:
    """What to write for the prompt, beside or in place of what is there."""
    before = made_before(earlier)
    if not before or before.keys() != there.paths or before != there.texts:
        wishes = read_prompt(prompt)
        texts = {p: text for p, text in there.texts.items() if p.endswith(".tf") and "/" not in p}
        composition = compose(wishes, there._replace(texts=texts))
        return Plan(wishes, composition, composition.files)
    wishes = together(earlier, prompt)
    composition = compose(wishes)
    files = {path: text for path, text in composition.files.items() if before.get(path) != text}
    return Plan(wishes, composition, files, tuple(sorted(before.keys() - composition.files.keys())))


def _answered(earlier: tuple[str, ...]) -> list[str]:
    """The earlier prompts of which something was made."""
    kept: list[str] = []
    for prompt in earlier:
        wishes = read_prompt("\n".join([*kept, prompt]))
        if wishes.wishes and not wishes.unknown and not wishes.beyond and not is_goodbye(prompt):
            kept.append(prompt)
    return kept

"""Tells who is asked for from who is only spoken of: the user, principal or client of something else.

"A role that allows a Lambda function to write" asks for a role; "a bucket for my lambda" asks for a bucket.
Only kinds that act (`#: actor` in a recipe, `ACTORS` among the unknown) can be such bystanders, and only
where something else is asked for and the prompt gives them no property of their own.
"""

import re
from typing import TYPE_CHECKING

from toolkit.local.model.phrases import Hit, hits
from toolkit.local.model.recipe import Book

if TYPE_CHECKING:
    from toolkit.local.model.prompt import Mention

_WHO = (
    r"(?:an? |the |my |our |your |any |some |other |existing |these |those |all |only |aws |"
    r"python |node(?:\.?js)? |specific |certain |application |app )*$"
)
_CAN = (
    r"^(?: functions?| instances?| tasks?| services?)* (?:can|may|could|(?:is|are|will be|should be) able|"
    r"to|needs?|has to|have to|assumes?|uses?)\b"
)
_ANYWHERE = (
    re.compile(
        rf"\b(?:allow|let|permit|authori[sz]e)(?:s|ing|ting|ed)? (?:access (?:to|for|from) )?{_WHO}", re.I
    ),
    re.compile(
        rf"\b(?:grant|give|giving)(?:s|ing)? (?:(?:read|write|full|access|permissions?|to) )*{_WHO}", re.I
    ),
    re.compile(
        r"\b(?:assum\w+|trusted|used|usable|accessed|accessible|reachable|reached|access|traffic|"
        rf"connections?|connected)(?: [a-z]+)? (?:by|from|for) {_WHO}",
        re.I,
    ),
    re.compile(r"\bfrom (?:only )?(?:my|our|the|existing)(?: existing)? $", re.I),
    re.compile(r"\bexisting $", re.I),
)
_BEFORE_CAN = (
    re.compile(rf"\b(?:which|that|so|where|whereby|enabl(?:es|ing)|in order for|order for) {_WHO}", re.I),
)
_AFTER_A_NOUN = re.compile(rf"\bfor (?:use (?:by|in|with|from) |usage by )?{_WHO}", re.I)
_CODE = re.compile(
    r"\b(?:terraform|code|script|config\w*|template|stack|infrastructure|setup|hcl)[ ,]*$", re.I
)
_PROPERTY = re.compile(
    r"^[ ,(]*(?:(?:with|in|running|using|on|of|the|an?|that|has|runs|is|at) ){0,3}\(?$", re.I
)


def without_bystanders(
    found: "list[Mention]", text: str, book: Book
) -> "tuple[list[Mention], list[Mention]]":
    """The mentions that ask for something, and those that only speak of someone."""
    spoken = [m for m in found if book.recipes[m.kind].actor and _stands_by(m, found, text, book)]
    firm = {m.kind for m in found if m not in spoken and not m.hint}
    only = [m for m in spoken if m.kind not in firm]
    asked = [m for m in found if m not in only and (m.kind in firm or m.kind not in {o.kind for o in only})]
    if not any(m.kind not in {o.kind for o in only} for m in asked):
        return found, []
    return asked, [m for m in found if m not in asked]


def only_user(text: str, start: int, end: int, others: list[Hit]) -> bool:
    """Whether the words between start and end name someone who uses, or is let at, something else."""
    # No pattern looks further back than this, and none should take its time over a long prompt.
    cut = max(0, start - 150)
    before, after = text[cut:start], text[end : end + 60]
    if any(pattern.search(before) for pattern in _ANYWHERE):
        return True
    if re.match(_CAN, after, re.I) and any(pattern.search(before) for pattern in _BEFORE_CAN):
        return True
    use = _AFTER_A_NOUN.search(before)
    if use is None or _CODE.search(before[: use.start()]):
        return False
    sentence = max(text.rfind(stop, 0, start) for stop in (". ", "; ", "! ", "? "))
    return any(sentence < hit.start < cut + use.start() for hit in others)


def _stands_by(mention: "Mention", found: "list[Mention]", text: str, book: Book) -> bool:
    """Whether a mention is of someone who only uses what others are asked for."""
    if not re.fullmatch(book.recipes[mention.kind].actor, text[mention.hit.start : mention.hit.end], re.I):
        return False
    others = [m.hit for m in found if m.kind != mention.kind and not book.recipes[m.kind].subject]
    if not others or not only_user(text, mention.hit.start, mention.hit.end, others):
        return False
    properties = [h for o in book.recipes[mention.kind].options for h in hits(o.phrases, text)]
    return not any(
        h.start >= mention.hit.end and _PROPERTY.match(text[mention.hit.end : h.start]) for h in properties
    )

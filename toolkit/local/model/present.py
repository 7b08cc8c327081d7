"""Tells what exists already from what is to be made: "in vpc-0abc123def4567890", "for my existing role x".

Only kinds whose recipe says how one that exists is named (`#: given`) can be such. What a prompt says that
there is, and does not name, becomes a variable.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

from toolkit.local.model.phrases import Hit, hits
from toolkit.local.model.recipe import Book, Given
from toolkit.local.model.wording import Wording

if TYPE_CHECKING:
    from toolkit.local.model.prompt import Mention

_ID = r"(?:[a-z]{1,9}-[0-9a-f]{8,17}\b|arn:aws)"
_IS_ID = re.compile(r"(?:[a-z]{1,9}-[0-9a-f]{8,17}|arn:aws.*|Z[0-9A-Z]{10,}|\d{1,3}(?:\.\d{1,3}){3})$")
_BEFORE = re.compile(
    r"\b(?:existing|already (?:have|got|created|made)(?: got)?(?: an?| the| my)?(?: [a-z0-9]+)?)"
    r"(?: (?:iam|aws|ec2|s3))? $",
    re.I,
)
_AFTER = re.compile(
    rf"^,?(?: with| whose)?(?: the)?(?: ids?)?(?: is| =|:)? ?\(?{_ID}"
    r"|^(?: called| named)?(?: @\d+@| [\w-]+[-_.][\w-]*| \(?[a-z]{1,9}-[0-9a-f]+\)?)?,? "
    r"(?:already\b|(?:that|which) (?:already )?(?:exists?|is there))",
    re.I,
)


GIVEN_NAME = r"(?:@\d+@|[\w]+[-_.][\w.-]*\w)"
_OURS = re.compile(
    r"\b(?:in|on|to|into|from|under|of|at|with|behind|against|reads?|writes?|uses?|access\w*) "
    r"(?:my|our)(?: own)?(?: (?:s3|sqs|sns|aws|iam|dynamodb))? $",
    re.I,
)
_OURS_AFTER = re.compile(
    rf"^(?: named| called)? {GIVEN_NAME} (?:in|of) (?:our|my|the same|this)(?: aws)? account\b", re.I
)


class Present(NamedTuple):
    """What stands for one that exists: an expression by export, and the variables that some of them need."""

    expressions: dict[str, str]
    variables: dict[str, str]


def read_present(
    found: "list[Mention]", wording: Wording, book: Book
) -> "tuple[list[Mention], dict[str, Present], list[Hit]]":
    """What is left to be made, what exists by its kind, and the places that name it."""
    present: dict[str, Present] = {}
    spans: list[Hit] = []
    asked = found
    for recipe in book.recipes.values():
        if not recipe.given:
            continue
        mine = [m for m in found if m.kind == recipe.kind]
        words = (*hits(recipe.words, wording.text), *(m.hit for m in mine))
        spoken = {hit.start for hit in words if exists(wording.text, hit)}
        named = {g.export: hits(g.phrases, wording.text) for g in recipe.given}
        sure = any(_IS_ID.match(wording.plain(h.value)) for given in named.values() for h in given)
        if not (spoken or sure) or any(not m.hint and m.hit.start not in spoken for m in mine):
            continue
        rest = [m for m in asked if m.kind != recipe.kind]
        rest += [
            mine[0]._replace(kind=use.kind, hit=hit, hint=True)
            for use in recipe.implies
            for hit in hits(use.phrases, wording.text)[:1]
            if mine and hit.value != "off" and not any(m.kind == use.kind for m in rest)
        ]
        if not rest:
            continue
        asked = rest
        present[recipe.kind] = _present(recipe.given, named, wording)
        spans += [hit for given in named.values() for hit in given] + [m.hit for m in mine]
    return asked, present, spans


def exists(text: str, hit: Hit) -> bool:
    """Whether the words speak of one that is there already: "in my bucket acme-drop" as well."""
    before, after = text[max(0, hit.start - 60) : hit.start], text[hit.end : hit.end + 80]
    if _BEFORE.search(before) or _AFTER.match(after) or _OURS_AFTER.match(after):
        return True
    return bool(_OURS.search(before) and re.match(rf",? {GIVEN_NAME}", after))


def _present(given: tuple[Given, ...], named: dict[str, tuple[Hit, ...]], wording: Wording) -> Present:
    """The expressions for each export: what the prompt names, else a variable."""
    expressions: dict[str, str] = {}
    variables: dict[str, str] = {}
    for one in given:
        values = list(dict.fromkeys(wording.plain(hit.value) for hit in named[one.export]))
        if values:
            quoted = [f'"{value}"' for value in values]
            expressions[one.export] = f"[{', '.join(quoted)}]" if one.many else quoted[0]
        else:
            expressions[one.export] = f"var.{one.variable}"
            variables[one.variable] = "list(string)" if one.many else "string"
    return Present(expressions, variables)


def variable(name: str, kind: str, title: str) -> str:
    """The declaration of a variable for something that exists."""
    return (
        f'variable "{name}" {{\n  description = "{title} that exists: {name.replace("_", " ")}."\n'
        f"  type        = {kind}\n}}\n"
    )

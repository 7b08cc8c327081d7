"""The format of a recipe: one Terraform file whose first lines say what it makes and when it is meant.

`recipes/<kind>.tf` reads as Terraform: everything that is not Terraform is a comment or an `__identifier__`.
Its header has lines `#: KEY …`:

    #: title   SQS queue                 what people call it
    #: words   sqs queues? | queues?     patterns (regular expressions) that ask for one
    #: hints   fifo                      patterns that ask for one, but never for one more
    #: file    sqs                       the file it goes to, and its base name where the prompt gives none
    #: base    events
    #: option  NAME DEFAULT = PATTERNS   what a prompt may say of it; `on` and `off` are switches
    #: many    NAME = PATTERNS           ports, with where they are open to (`traffic.py`); `#each` walks
    #: uses    SLOT KIND [= PATTERNS]    wired to a KIND, if there is one (and the prompt says so)
    #: needs   SLOT KIND                 wired to a KIND, which is made along unless there is one
    #: given   EXPORT VARIABLE = PATTERNS  how a prompt names one that exists, else the variable that stands
                                         for it; `VARIABLE[]` for a list
    #: owns    PATTERNS                  words that speak of nothing else where one of these is asked for
    #: implies KIND = PATTERNS           asks for a KIND too, where the prompt says so
    #: takes   PATTERNS                 words that it honours without an option for them
    #: one     yes                      a second "a" speaks of the same one; "another" or a number does not
    #: actor   PATTERN                  such words of it (`yes`: all) may merely speak of who uses something
    #: subject yes                      what it is for is asked for as well ("an alarm for an EC2 instance")
    #: export  NAME EXPRESSION           what others may refer to
    #: source  PATH FILE                 a file beside the recipe that becomes PATH, if anything is left of it
    #: fails   CHECK REASON              a check of checkov, grave by default, that it fails, and why it does
    #: lacks   REASON                    what an emulator lacks of it, so that a rehearsal ends with its plan

Patterns are separated by ` | `; a blank stands for a space or hyphen, `<days>`, `<seconds>`, `<mb>`, `<gb>`,
`<int>`, `<cidr>`, `<port>` and `<id>` for a value, `=> TEXT` after one says what it means.
The body uses `__name__`, `__label__`, `__option__` and `__slot_export__`, and the comment lines
`#if`, `#else`, `#end`, `#each X in OPTION` and `#slot NAME` (where links put their part); see `template.py`.

`recipes/links/*.tf` wire two kinds: `#: link KIND_A KIND_B`, `#: when PATTERNS`, `#: unless PATTERNS`,
`#: takes` as above, and `#: else LINKS` for one that is left out where one of those was made with a or b.
`#: beside KIND = PATTERNS` leaves one out where a KIND is made too, unless the prompt says it so; with
`#: reaches yes` b may be one that exists, by the exports in `reach.py`.
The body speaks of `__a_…__` and `__b_…__`; `#into a SLOT` … `#end into` puts lines into a slot of a or b.
"""

import functools
import re
from importlib import resources
from typing import NamedTuple

from toolkit.local.model.phrases import Phrase, phrases


class Option(NamedTuple):
    """Something that a prompt may say about a resource; `many` collects every match instead of the first."""

    name: str
    default: str
    phrases: tuple[Phrase, ...]
    many: bool = False

    @property
    def switch(self) -> bool:
        """Whether it is on or off rather than a value."""
        return self.default in ("on", "off")


class Use(NamedTuple):
    """A reference to an instance of another kind; without phrases it is made whenever there is one."""

    slot: str
    kind: str
    phrases: tuple[Phrase, ...]
    needed: bool = False


class Given(NamedTuple):
    """How a prompt names an instance that exists: what stands for an export, else a variable."""

    export: str
    variable: str
    many: bool
    phrases: tuple[Phrase, ...]


class Recipe(NamedTuple):
    """One kind of resource: how it is asked for, and the Terraform that makes it."""

    kind: str
    title: str
    file: str
    base: str
    words: tuple[Phrase, ...]
    hints: tuple[Phrase, ...]
    options: tuple[Option, ...]
    uses: tuple[Use, ...]
    implies: tuple[Use, ...]
    given: tuple[Given, ...]
    takes: tuple[Phrase, ...]
    owns: tuple[Phrase, ...]
    actor: str
    one: bool
    subject: bool
    exports: dict[str, str]
    sources: tuple[tuple[str, str], ...]
    fails: dict[str, str]
    lacks: tuple[str, ...]
    body: str


class Link(NamedTuple):
    """How two kinds are wired: a body of its own, and parts for the slots of `a` and `b`."""

    name: str
    a: str
    b: str
    when: tuple[Phrase, ...]
    unless: tuple[Phrase, ...]
    otherwise: tuple[str, ...]
    beside: tuple[Use, ...]
    reaches: bool
    takes: tuple[Phrase, ...]
    body: str
    parts: tuple[tuple[str, str, str], ...]


class Book(NamedTuple):
    """All recipes by kind, all links in order of their names, and the files every project starts with."""

    recipes: dict[str, Recipe]
    links: tuple[Link, ...]
    base: str


@functools.cache
def load_book() -> Book:
    """Read the recipes that lie in this package."""
    folder = resources.files("toolkit.local.model") / "recipes"
    texts = {f.name: f.read_text("utf-8") for f in folder.iterdir() if f.is_file()}
    links = {f.name: f.read_text("utf-8") for f in (folder / "links").iterdir() if f.name.endswith(".tf")}
    recipes = [
        parse_recipe(name[:-3], text, texts)
        for name, text in sorted(texts.items())
        if name.endswith(".tf") and name != "_base.tf"
    ]
    return Book(
        recipes={recipe.kind: recipe for recipe in recipes},
        links=tuple(parse_link(name[:-3], text) for name, text in sorted(links.items())),
        base=texts["_base.tf"],
    )


def parse_recipe(kind: str, text: str, beside: dict[str, str]) -> Recipe:
    """A recipe from its text; `beside` holds the files that lie beside it."""
    header, body = _split(text)
    one = dict(header)
    return Recipe(
        kind=kind,
        title=one["title"],
        file=one["file"],
        base=one["base"],
        words=phrases(one["words"]),
        hints=phrases(one.get("hints", "")),
        options=tuple(_option(key, value) for key, value in header if key in ("option", "many")),
        uses=tuple(_use(value, key == "needs") for key, value in header if key in ("uses", "needs")),
        implies=tuple(_use(f"- {value}") for key, value in header if key == "implies"),
        given=tuple(_given(value) for key, value in header if key == "given"),
        takes=phrases(one.get("takes", "")),
        owns=phrases(one.get("owns", "")),
        actor={"yes": ".+"}.get(one.get("actor", ""), one.get("actor", "")),
        one="one" in one,
        subject="subject" in one,
        exports=dict(_pair(value) for key, value in header if key == "export"),
        sources=tuple((_pair(value)[0], beside[_pair(value)[1]]) for key, value in header if key == "source"),
        fails=dict(_pair(value) for key, value in header if key == "fails"),
        lacks=tuple(value for key, value in header if key == "lacks"),
        body=body,
    )


def parse_link(name: str, text: str) -> Link:
    """A link from its text."""
    header, body = _split(text)
    one = dict(header)
    a, b = _pair(one["link"])
    parts = [(m["role"], m["slot"], m["text"]) for m in _INTO.finditer(body)]
    return Link(
        name=name,
        a=a,
        b=b,
        when=phrases(one.get("when", "")),
        unless=phrases(one.get("unless", "")),
        otherwise=tuple(one.get("else", "").split()),
        beside=tuple(_use(f"- {value}") for key, value in header if key == "beside"),
        reaches="reaches" in one,
        takes=phrases(one.get("takes", "")),
        body=_INTO.sub("", body),
        parts=tuple(parts),
    )


_INTO = re.compile(r"^#into (?P<role>a|b) (?P<slot>\w+)\n(?P<text>.*?)^#end into\n?", re.M | re.S)


def _split(text: str) -> tuple[list[tuple[str, str]], str]:
    """The header as pairs of key and value, and what follows it."""
    lines = text.splitlines(keepends=True)
    header = [_pair(line[2:].strip()) for line in lines if line.startswith("#:")]
    body = "".join(line for line in lines if not line.startswith("#:"))
    return header, body.strip("\n") + "\n"


def _pair(text: str) -> tuple[str, str]:
    """The first word, and the rest."""
    first, _, rest = text.partition(" ")
    return first, rest.strip()


def _option(key: str, value: str) -> Option:
    """`NAME DEFAULT = PATTERNS`, or `NAME = PATTERNS` for a list."""
    left, _, patterns = value.partition(" = ")
    name, default = _pair(left.strip())
    return Option(name, default.strip('"'), phrases(patterns), many=key == "many")


def _use(value: str, needed: bool = False) -> Use:
    """`SLOT KIND [= PATTERNS]`."""
    left, _, patterns = value.partition(" = ")
    slot, kind = _pair(left.strip())
    return Use(slot, kind.strip(), phrases(patterns), needed)


def _given(value: str) -> Given:
    """`EXPORT VARIABLE = PATTERNS`."""
    left, _, patterns = value.partition(" = ")
    export, variable = _pair(left.strip())
    return Given(export, variable.removesuffix("[]"), variable.endswith("[]"), phrases(patterns))

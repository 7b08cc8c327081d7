"""Reads a prompt: which resources it asks for, under which names, with which numbers and switches.

This is pattern matching over the words of the recipes, and no understanding. So whatever no pattern took up
is kept in `Wishes.ignored` and said aloud in the closing text.
"""

import functools
import re
from typing import NamedTuple

from toolkit.local.model.bystanders import only_user, without_bystanders
from toolkit.local.model.guards import guard
from toolkit.local.model.ignored import ignored
from toolkit.local.model.naming import purpose
from toolkit.local.model.network import cut
from toolkit.local.model.options import read_options
from toolkit.local.model.phrases import Hit, hits, negated, negation_start
from toolkit.local.model.present import GIVEN_NAME, exists, read_present
from toolkit.local.model.recipe import Book, Recipe, load_book
from toolkit.local.model.substance import beyond
from toolkit.local.model.unknown import ACTORS, unknown_kinds, unwanted_kinds
from toolkit.local.model.wish import Wish, Wishes
from toolkit.local.model.wording import Wording, read_wording

MOST = 10
"""More instances of a kind than this are taken for a number that means something else."""


_OTHERS = re.compile(r"\b(?:id|prefix|suffix|tag|value|folder|path|header|description) $", re.I)
"""What is quoted behind such a word is that, and the name of nothing."""


class Mention(NamedTuple):
    """A place where a kind is asked for. A hint asks for one, and never for one more."""

    kind: str
    hit: Hit
    hint: bool


class Place(NamedTuple):
    """An instance with the places where the prompt speaks of it."""

    kind: str
    name: str
    named: bool
    mentions: tuple[Mention, ...]


@functools.lru_cache(maxsize=16)
def read_prompt(prompt: str) -> Wishes:
    """Everything that a prompt asks for, as far as the recipes' patterns see it."""
    book = load_book()
    wording = read_wording(prompt)
    mentions = _owned(find_mentions(wording.text, book), wording.text, book)
    asked, present, there = read_present(mentions, wording, book)
    mentioned, spoken = without_bystanders(asked, wording.text, book)
    found = _implied(mentioned, wording.text, book, frozenset(present))
    option_spans = [
        hit
        for kind in {mention.kind for mention in found}
        for option in book.recipes[kind].options
        for hit in hits(option.phrases, wording.text)
    ] + there
    places = _places(wording, found, spoken, option_spans)
    wishes: list[Wish] = []
    used: list[Hit] = []
    for place in places:
        read = read_options(place, places, wording, book)
        start, end = place.mentions[0].hit[:2]
        wishes.append(
            Wish(place.kind, place.name, place.named, read.values, read.asked, start, end, read.guessed)
        )
        used += read.used
    owned = [h for kind in {m.kind for m in found} for h in hits(book.recipes[kind].owns, wording.text)]
    unknown, users = _unknown(wording.text, found + spoken, owned)
    region = re.search(r"\b(?:us|eu|ap|sa|ca|me|af|il)-(?:gov-)?[a-z]+-?\d\b", wording.text)
    spans = [region.span()] if region else []
    spans += [(m.hit.start, m.hit.end) for m in mentioned + spoken + found]
    spans += [(h.start, h.end) for h in [*used, *there, *users, *owned]]
    kinds = {mention.kind for mention in mentioned + found}
    guarded = cut(guard(wishes, wording.text, book))
    names = {part for wish in guarded for part in wish.name.lower().split("-")}
    names |= {"existing", "already", "exists"} if present else set()
    spans += _counts(wording, mentioned + spoken + found, guarded)
    spans += _placed(wording, guarded) + _unwanted(wording.text, book)
    left = ignored(wording, spans, names, kinds, book)
    bystanders = [book.recipes[m.kind].title for m in spoken] + [hit.value for hit in users]
    return Wishes(
        text=wording.text,
        wishes=tuple(guarded),
        unknown=tuple(unknown),
        region=re.sub(r"(?<=[a-z])(?=\d$)", "-", region[0]) if region else "",
        ignored=tuple(dict.fromkeys(wording.plain(wording.text[slice(*span)]) for span in left)),
        beyond=(*_out_of_reach(asked, wording), *beyond(wording, left)),
        spoken=tuple(dict.fromkeys(bystanders)),
        present=present,
    )


def _counts(wording: Wording, found: list[Mention], wishes: list[Wish]) -> list[tuple[int, int]]:
    """The numbers before mentions that say how many were made ("two EC2 instances")."""
    spans: list[tuple[int, int]] = []
    cut = [
        (wish.options["public_count"], wish.options["private_count"]) for wish in wishes if wish.kind == "vpc"
    ]
    subnets = {sum(int(n) for n in counts if n.isdecimal()) for counts in cut}
    for mention in found:
        before = re.search(r"(?<![\w.-])(\d+) (?:[\w-]+ ){0,2}$", wording.text[: mention.hit.start])
        made = sum(wish.kind == mention.kind for wish in wishes)
        if before and (1 <= int(before[1]) <= max(1, made) or int(before[1]) in subnets):
            spans.append(before.span(1))
    return spans


def _out_of_reach(asked: list[Mention], wording: Wording) -> tuple[str, ...]:
    """What the prompt says is there already, and no recipe can refer to."""
    book = load_book().recipes
    found = [
        m.hit
        for m in asked
        if not m.hint
        and not any(option.name == "existing" for option in book[m.kind].options)
        and (exists(wording.text, m.hit) or _pointed_at(wording.text, m, asked))
    ]
    names = [re.match(rf",? ({GIVEN_NAME})", wording.text[hit.end :]) for hit in found]
    return tuple(
        f"{wording.text[hit.start : hit.end]} {wording.plain(name[1]) if name else ''}".rstrip()
        + " (which exists)"
        for hit, name in zip(found, names, strict=True)
    )


def _pointed_at(text: str, mention: Mention, asked: list[Mention]) -> bool:
    """Whether "this bucket" is the first that is said of buckets: then it is one that is there."""
    first = next(m for m in asked if m.kind == mention.kind) == mention
    return first and bool(re.search(r"\b(?:this|these) $", text[: mention.hit.start], re.I))


def _unwanted(text: str, book: Book) -> list[tuple[int, int]]:
    """The words for what is not wanted, and is not made ("no bastion")."""
    known = [words for recipe in book.recipes.values() for words in (recipe.words, recipe.hints)]
    known += [use.phrases for recipe in book.recipes.values() for use in recipe.implies]
    found = [hit for words in known for hit in hits(words, text) if hit.value == "off"]
    return [(negation_start(text, hit.start), hit.end) for hit in found + unwanted_kinds(text)]


def _placed(wording: Wording, wishes: list[Wish]) -> list[tuple[int, int]]:
    """The names that became those of something, or a value of it."""
    values = {wish.name for wish in wishes}
    values |= {part for wish in wishes for value in wish.options.values() for part in value.splitlines()}
    return [
        match.span()
        for match in re.finditer(r"@(\d+)@", wording.text)
        if wording.names[int(match[1])] in values
    ]


def _unknown(text: str, found: list[Mention], owned: list[Hit]) -> tuple[list[str], list[Hit]]:
    """What is asked for and no recipe makes, and the words for those who are only spoken of."""
    asked: list[str] = []
    users: list[Hit] = []
    others = [m.hit for m in found]
    known = [*(m.hit for m in found), *owned]
    for hit in unknown_kinds(text):
        # "A VPC endpoint" is no VPC, though there is a recipe for that.
        if any(k.start <= hit.start and hit.end <= k.end for k in known):
            continue
        if hit.value in ACTORS and others and only_user(text, hit.start, hit.end, others):
            users.append(hit)
        else:
            asked.append(hit.value)
    return sorted(set(asked), key=asked.index), users


def find_mentions(text: str, book: Book) -> list[Mention]:
    """Where kinds are spoken of: the longest words at a place win, and what is negated is left out."""
    found = [
        Mention(recipe.kind, hit, hint)
        for recipe in book.recipes.values()
        for words, hint in ((recipe.words, False), (recipe.hints, True))
        for hit in hits(words, text)
    ]
    kept: list[Mention] = []
    for mention in sorted(found, key=lambda m: (m.hit.start - m.hit.end, m.hit.start)):
        if all(mention.hit.end <= k.hit.start or mention.hit.start >= k.hit.end for k in kept):
            kept.append(mention)
    wanted = [m for m in kept if not negated(text, m.hit.start, m.hit.end)]
    return sorted(wanted, key=lambda m: m.hit.start)


def _owned(found: list[Mention], text: str, book: Book) -> list[Mention]:
    """The mentions without those whose words speak of another kind ("an Aurora cluster with 2 instances")."""
    owned = [
        (kind, hit)
        for kind in dict.fromkeys(m.kind for m in found if not m.hint)
        for hit in hits(book.recipes[kind].owns, text)
    ]
    inside = {
        (m.kind, m.hit.start): {kind for kind, h in owned if h.start <= m.hit.start and m.hit.end <= h.end}
        for m in found
    }
    free = {m.kind for m in found if m.kind not in inside[m.kind, m.hit.start]}
    return [m for m in found if not inside[m.kind, m.hit.start] - ({m.kind} - free)]


def _implied(found: list[Mention], text: str, book: Book, present: frozenset[str]) -> list[Mention]:
    """The mentions, and those that follow from them ("EC2 with ssh access" needs a security group)."""
    result = list(found)
    owned = [(m.kind, h) for m in found for h in hits(book.recipes[m.kind].owns, text)]
    for recipe in [book.recipes[kind] for kind in dict.fromkeys(m.kind for m in found)]:
        for use in recipe.implies:
            there = use.kind in present or any(m.kind == use.kind for m in result)
            result += [
                Mention(use.kind, hit, hint=True)
                for hit in hits(use.phrases, text)
                if hit.value != "off" and not there and not _of_others(recipe.kind, hit, owned)
            ][:1]
    result = _needed(result, book, present)
    covered = {use.kind for m in result for use in book.recipes[m.kind].uses if use.slot == "covers"}
    return [m for m in result if m.kind not in covered or _own(m, text)]


def _of_others(kind: str, hit: Hit, owned: list[tuple[str, Hit]]) -> bool:
    """Whether the words belong to another kind ("a target group on port 8080" opens no instance)."""
    return any(k != kind and h.start <= hit.start and hit.end <= h.end for k, h in owned)


def _needed(found: list[Mention], book: Book, present: frozenset[str]) -> list[Mention]:
    """The mentions, and those of what they cannot be without ("a load balancer" needs a network)."""
    result = list(found)
    for mention in result:  # it grows: what is needed may need something in turn
        result += [
            Mention(use.kind, mention.hit, hint=True)
            for use in book.recipes[mention.kind].uses
            if use.needed and use.kind not in present and not any(m.kind == use.kind for m in result)
        ]
    return result


def _own(mention: Mention, text: str) -> bool:
    """Whether something that comes with another resource anyway is asked for by a name of its own."""
    return bool(re.match(r",? ?(?:named|called)? ?@\d+@", text[mention.hit.end :]))


def _places(
    wording: Wording, found: list[Mention], spoken: list[Mention], option_spans: list[Hit]
) -> list[Place]:
    """The instances: one a name, or as many as the number before the words says, or one."""
    taken = {int(n) for h in option_spans for n in re.findall(r"@(\d+)@", h.value)}
    named = _assign_names(wording, found, taken)
    places: list[Place] = []
    for mention in found:
        mine = [i for i, p in enumerate(places) if p.kind == mention.kind]
        names = [(name, True) for name in named.get(mention, [])]
        again = _new(wording.text, mention, load_book().recipes[mention.kind].one) and not mention.hint
        if not names and (not mine or again):
            guess = purpose(wording.text, mention.hit, [m.hit for m in found + spoken])
            if any(m.hit == mention.hit and m.kind != mention.kind for m in found):
                guess = ""  # it follows from another, whose purpose this is
            count = 1 if mention.hint else _count(wording.text, mention.hit)
            names = [(guess, False)] * count
        if not names:
            for i in mine if _plural(wording.text, mention.hit) else mine[-1:]:
                places[i] = places[i]._replace(mentions=(*places[i].mentions, mention))
        for name, given in names:
            same = next((i for i in mine if name and places[i].name == name), None)
            bare = next((i for i in mine if not places[i].named and places[i].mentions[0].hint), None)
            if same is not None:
                places[same] = places[same]._replace(mentions=(*places[same].mentions, mention))
            elif bare is not None:
                places[bare] = Place(
                    mention.kind, name or places[bare].name, given, (*places[bare].mentions, mention)
                )
                mine.remove(bare)
            else:
                places.append(Place(mention.kind, name, given, (mention,)))
    return places


def _assign_names(wording: Wording, found: list[Mention], taken: set[int]) -> dict[Mention, list[str]]:
    """Which name belongs to which mention: the one right after it, else the one just before."""
    named: dict[Mention, list[str]] = {}
    for match in re.finditer(r"@(\d+)@", wording.text):
        number = int(match[1])
        if number in taken:
            continue
        after = next((m for m in found if 0 <= m.hit.start - match.end() <= 1 and not m.hint), None)
        before = [m for m in found if m.hit.end <= match.start() and not m.hint]
        owner = after
        if before and (after is None or re.search(r"(?:named|called) $", wording.text[: match.start()])):
            gap = re.sub(r"@\d+@", "", wording.text[before[-1].hit.end : match.start()])
            one = load_book().recipes[before[-1].kind].one
            most = 1 if one and not _announced(wording.text, match) else 6
            near = len(gap.split()) <= most and not re.search(r"[.;!?] ", gap)
            owner = before[-1] if near and not _OTHERS.search(gap) else after
        if owner is not None:
            named.setdefault(owner, []).append(wording.names[number])
    return named


def _announced(text: str, match: re.Match[str]) -> bool:
    """Whether a name is said to be one; other quoted words may be anything."""
    return bool(re.search(r"(?:named|called|name[:=]?) $", text[: match.start()]))


def _count(text: str, hit: Hit) -> int:
    """The number before a plural ("3 private buckets"), else 1."""
    match = re.search(r"(?<![\w.-])(\d+) (?:[a-z]+[ -]){0,2}$", text[: hit.start], re.I)
    if not match or not _plural(text, hit) or re.search(r"\b(?:days?|weeks?|gb|mb|az|azs)\b", match[0], re.I):
        return 1
    return int(match[1]) if 1 <= int(match[1]) <= MOST else 1


def _plural(text: str, hit: Hit) -> bool:
    """Whether the words are a plural; the s of sns and aws is none."""
    return bool(re.search(r"(?<!sn)(?<!sq)(?<!km)(?<!rd)(?<!log)s$", text[hit.start : hit.end], re.I))


def _new(text: str, mention: Mention, one: bool) -> bool:
    """Whether the words ask for one more of a kind that was mentioned before; `one` is not so by "a"."""
    before = text[: mention.hit.start]
    more = r"another|second|third|additional|\d+" + ("" if one else "|a|an")
    return bool(re.search(rf"\b(?:{more})(?: [\w-]+){{0,2}} $", before, re.I))


def known_titles() -> list[str]:
    """What there are recipes for, as people call it."""
    return [recipe.title for recipe in load_book().recipes.values()]


def recipe_of(wish: Wish) -> Recipe:
    """The recipe of a wish."""
    return load_book().recipes[wish.kind]

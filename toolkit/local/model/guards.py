"""Finds out what each security group guards, what it is called then, and which groups its rules speak of.

A rule that lets "the app servers" in refers to a group of theirs: one that the prompt asks for, that of the
instances or functions in it, or one more that is made for them. Nothing of that opens a range of addresses.
"""

import re

from toolkit.local.model.recipe import Book
from toolkit.local.model.serving import (
    AURORA,
    BALANCER,
    CACHE,
    DATABASE,
    FUNCTION,
    GROUP,
    INSTANCE,
    SERVED,
    balanced,
    served,
)
from toolkit.local.model.traffic import Source, sources
from toolkit.local.model.wish import Wish

_WEB = (BALANCER, INSTANCE)
_PORTS = {
    "5432": (DATABASE, AURORA),
    "3306": (DATABASE, AURORA),
    "22": (INSTANCE,),
    "3389": (INSTANCE,),
    "80": _WEB,
    "443": _WEB,
    **{port: (kind,) for kind, port in SERVED.items() if kind != AURORA},
    "11211": (CACHE,),
}
_GUARDED = {DATABASE, INSTANCE, BALANCER, *SERVED}
_WORDS = (
    (BALANCER, r"\b(?:load|balancers?|alb|nlb|elb)\b", "lb"),
    (CACHE, r"\b(?:redis|memcached|valkey|elasticache|cache)\b", "cache"),
    ("redshift_cluster", r"\b(?:redshift|warehouse)\b", "warehouse"),
    ("msk_cluster", r"\b(?:msk|kafka|brokers?)\b", "kafka"),
    ("efs_file_system", r"\b(?:efs|nfs)\b", "efs"),
    (AURORA, r"\b(?:aurora|database|db|postgres\w*|mysql)\b", "db"),
)
_FOR = re.compile(
    r"^ (?:for|of|around|protecting|guarding) (?:the |my |our |an? |all |these |those )*"
    r"(?P<who>[a-z]\w*(?: (?:servers?|hosts?|instances?|tier|layer|database|db|functions?|nodes?))?)",
    re.I,
)
_VAGUE = {
    "server",
    "host",
    "instance",
    "security",
    "group",
    "sg",
    "the",
    "machine",
    "node",
    "ec2",
    "aws",
    "tier",
}
_ONLY = re.compile(
    r"\b(?:accessible|reachable|reached|accessed|access|connections?|only|traffic)(?: only)?(?: by)? ?$", re.I
)


def guard(wishes: list[Wish], text: str, book: Book) -> list[Wish]:
    """The wishes with their groups named, attached and referring to each other."""
    result = list(wishes)
    targets = {i: _target(wish, wishes, text) for i, wish in enumerate(wishes) if wish.kind == GROUP}
    for i, (kind, who) in targets.items():
        result[i] = _named(wishes[i], kind, who)
    guards = {
        kind: [result[i].name for i, (k, _) in targets.items() if k == kind] for kind in (FUNCTION, *_GUARDED)
    }
    here = {wish.kind for wish in wishes}
    if INSTANCE in here and "vpc" in here and here & {BALANCER, *SERVED} and not guards[INSTANCE]:
        guards[INSTANCE] = ["instance"]
        result.append(_new("instance", book))
    clients = [w for w in wishes if w.kind == INSTANCE or (w.kind == FUNCTION and "vpc" in here)]
    if DATABASE in here and clients and ("vpc" in here or guards[DATABASE]):
        if not guards[DATABASE]:
            guards[DATABASE] = ["db"]
            result.append(_new("db", book))
        if INSTANCE in here and not guards[INSTANCE]:
            guards[INSTANCE] = ["instance"]
            result.append(_new("instance", book))
    for i, wish in enumerate(result):
        if wish.kind == FUNCTION and "vpc" in here and here & {DATABASE, *SERVED}:
            result[i] = wish._replace(options={**wish.options, "in_vpc": "on"})
    friends = [f"group:{name}" for name in guards[INSTANCE]] if INSTANCE in here else []
    friends += [f"lambda:{w.name}" for w in clients if w.kind == FUNCTION]
    for name in guards[DATABASE]:
        at = next(i for i, w in enumerate(result) if w.kind == GROUP and w.name == name)
        result[at] = _database_rules(result[at], result, friends, text)
    result = balanced(served(result, guards, friends), guards)
    return _attach(_referred(result, guards, book), guards)


def _target(group: Wish, wishes: list[Wish], text: str) -> tuple[str, str]:
    """The kind that a group guards, or who it is for where that is not made here."""
    kinds = {w.kind for w in wishes} & _GUARDED
    said = _FOR.match(re.sub(r"@\d+@", "", text[group.end :]).replace("  ", " "))
    if said:
        who = said["who"].lower()
        kind, name = next(((k, n) for k, p, n in _WORDS if k in kinds and re.search(p, who)), ("", ""))
        if kind:
            return kind, name
        if re.search(r"\b(?:rds|database|db|postgres\w*|mysql|mariadb)\b", who):
            return DATABASE if DATABASE in kinds else "", "db"
        if re.search(r"\b(?:ec2|instances?|servers?|vms?|hosts?)\b", who) and INSTANCE in kinds:
            return INSTANCE, ""
        if re.search(r"\b(?:lambdas?|functions?)\b", who) and any(w.kind == FUNCTION for w in wishes):
            return FUNCTION, "lambda"
        if re.search(
            r"\b(?:servers?|hosts?|bastion|tier|layer|nodes?|instances?|lambdas?|functions?|ec2)\b", who
        ):
            return "", who
    ports = [rule.removeprefix("out,").partition(",")[0] for rule in group.options["rules"].splitlines()]
    by_port = [kind for port in ports for kind in _PORTS.get(port, ()) if kind in kinds]
    if by_port:
        return by_port[0], ""
    before = [w for w in wishes if w.kind in kinds and w.start < group.start]
    if before:
        return max(before, key=lambda w: w.start).kind, ""
    return (
        (min((w for w in wishes if w.kind in kinds), key=lambda w: w.start).kind, "") if kinds else ("", "")
    )


def _named(group: Wish, kind: str, who: str) -> Wish:
    """A group with a name after what it guards, unless it has a name that was given."""
    if group.named:
        return group
    if who:
        return group._replace(name=slug(re.sub(r"\bec2\b ?", "", who) or "instance"))
    if kind:
        names = {DATABASE: "db", INSTANCE: "instance", **{k: n for k, _, n in _WORDS}}
        return group._replace(name=names[kind])
    if group.name:
        return group
    ports = {rule.partition(",")[0] for rule in group.options["rules"].splitlines()}
    if ports & {"80", "443", "8080"}:
        return group._replace(name="web")
    if ports & {"5432", "3306"}:
        return group._replace(name="db")
    return group._replace(name="ssh" if ports == {"22"} else "app")


def _database_rules(group: Wish, wishes: list[Wish], friends: list[str], text: str) -> Wish:
    """The rules of a database's group: the database's port, from whom the prompt names, or its clients."""
    engine = next(w.options["engine"] for w in wishes if w.kind == DATABASE)
    port = "5432" if engine == "postgres" else "3306"
    rules = group.options["rules"].splitlines()
    mine = [rule for rule in rules if rule.startswith(f"{port},")]
    if not mine:
        said = [s for s in sources(text) if _ONLY.search(text[: s.start]) or s.values[0].startswith("who:")]
        mine = [f"{port},{value}" for value in _free(said, wishes)] or [f"{port},{f}" for f in friends]
        rules += mine or [f"{port},self"]
    elif friends and mine == [f"{port},internal"]:
        rules = [rule for rule in rules if rule not in mine] + [f"{port},{friend}" for friend in friends]
    return group._replace(options={**group.options, "rules": "\n".join(rules)})


def _free(said: list[Source], wishes: list[Wish]) -> list[str]:
    """The sources that no rule of any group has taken."""
    used = {r.rpartition(",")[2] for w in wishes if w.kind == GROUP for r in w.options["rules"].splitlines()}
    return [value for source in said for value in source.values if value not in used and value != "internal"]


def _referred(wishes: list[Wish], guards: dict[str, list[str]], book: Book) -> list[Wish]:
    """The wishes with `who:` in rules turned into groups; where there is none for someone, it is made."""
    result = list(wishes)
    for i, wish in enumerate(wishes):
        if wish.kind != GROUP:
            continue
        rules: list[str] = []
        for rule in wish.options["rules"].splitlines():
            head, who, name = rule.partition("who:")
            found = _group_of(name, result, wish, guards) if who else ""
            if who and not found:
                found = f"group:{slug(name)}"
                result.append(_new(slug(name), book))
            rules.append(head + found)
        result[i] = wish._replace(options={**wish.options, "rules": "\n".join(dict.fromkeys(rules))})
    return result


def _group_of(who: str, wishes: list[Wish], guest: Wish, guards: dict[str, list[str]]) -> str:
    """The group of those that the words name, if there is one."""
    words = {word.removesuffix("s") for word in re.split(r"[^a-z0-9]+", who)} - {""}
    for wish in wishes:
        named = {word.removesuffix("s") for word in re.split(r"[^a-z0-9]+", wish.name.lower())}
        if wish.kind == GROUP and wish.name != guest.name and (words - _VAGUE) & (named - _VAGUE):
            return f"group:{wish.name}"
    if words & {"lambda", "function"}:
        function = next((w for w in wishes if w.kind == FUNCTION), None)
        return f"lambda:{function.name}" if function else ""
    kinds = {wish.kind for wish in wishes}
    if INSTANCE in kinds and guest.name not in guards[INSTANCE] and guards[INSTANCE]:
        return f"group:{guards[INSTANCE][0]}"
    return ""


def _attach(wishes: list[Wish], guards: dict[str, list[str]]) -> list[Wish]:
    """The wishes with the groups that each is in."""
    result = list(wishes)
    for kind, names in guards.items():
        mine = [i for i, wish in enumerate(wishes) if wish.kind == kind]
        for position, i in enumerate(mine):
            own = [names[position]] if len(names) == len(mine) else names
            result[i] = wishes[i]._replace(options={**wishes[i].options, "groups": "\n".join(own)})
    return result


def _new(name: str, book: Book) -> Wish:
    """A group that nobody asked for by that word, and that a rule needs."""
    options = {option.name: option.default for option in book.recipes[GROUP].options}
    return Wish(GROUP, name, False, {**options, "rules": ""}, frozenset())


def slug(who: str) -> str:
    """`the app servers` as a name: `app-servers`."""
    plain = re.sub(r"(?:'s)?(?: (?:security groups?|sgs?))?$", "", who.lower())
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")

"""Compares the plan before an apply with the plan after it: what still moves, and who moves it.

Both are as `terraform show -json` prints them: https://developer.hashicorp.com/terraform/internals/json-format
"""

import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["refused", "unsupported"]
Json: TypeAlias = Any


class Unsettled(NamedTuple):
    """An argument that a second plan would change; `attribute` is empty where the whole resource is gone."""

    address: str
    attribute: str
    kind: Kind


# A trigger of these is there to move: "run at every apply".
_MEANT = ("null_resource", "terraform_data", "time_static")


def unsettled(first: dict[str, Json], second: dict[str, Json]) -> list[Unsettled]:
    """What a second plan would change right after the first was applied.

    `refused`: the program's own value moves, by `timestamp` or `uuid`, which no apply settles. `unsupported`:
    the program wants what it wanted, and the emulator gave back something else; or that cannot be told.
    """
    changes = [c for c in second.get("resource_changes", ()) if _would_change(c)]
    before = {c["address"]: c["change"] for c in first.get("resource_changes", ())}
    judged = [_Change(c, before.get(c["address"], {}), second) for c in changes]
    steady = _look_ups(first) == _look_ups(second) and not any(j.by_emulator for j in judged)
    moving = {plain(c["address"]) for c in changes}
    return [found for j in judged for found in j.unsettled(moving, steady=steady)]


class _Change:
    """One resource of a second plan that would change."""

    def __init__(self, change: dict[str, Json], before: dict[str, Json], plan: dict[str, Json]) -> None:
        self.address: str = change["address"]
        self.now: dict[str, Json] = change["change"]
        self.planned: dict[str, Json] = before.get("after") or {}
        self.expressions = configured(plan, self.address).get("expressions", {})
        unknown = self.now.get("after_unknown") or {}
        names = self.expressions if self.now.get("before") else {}
        self.moved = [n for n, e in names.items() if _moves(e, unknown.get(n)) or self._moved(n)]

    @property
    def by_emulator(self) -> bool:
        """Whether anything changes here that is not a value of the program on the move."""
        return self.now.get("before") is None or not self.moved

    def unsettled(self, moving: set[str], *, steady: bool) -> Iterator[Unsettled]:
        """`moving`: the resources that change, without keys; `steady`: nothing else explains a change."""
        others = moving - {plain(self.address)}
        for name in self.moved:
            names = set(_references(self.expressions[name]))
            derived = any(plain(n) == o or n.startswith(o + ".") for n in names for o in others)
            told = steady or not any(_indirect(n) for n in names)
            yield Unsettled(self.address, name, "refused" if told and not derived else "unsupported")
        if not self.moved:
            yield from (Unsettled(self.address, n, "unsupported") for n in self._returned() or [""])

    def _moved(self, name: str) -> bool:
        """Known in both plans, and another: the work of `plantimestamp`. Plain texts and numbers only.

        The provider turns a missing member of a block into an empty one as soon as there is a state.
        """
        first, then = self.planned.get(name), (self.now.get("after") or {}).get(name)
        known = all(isinstance(value, str | int | float) and value != "" for value in (first, then))
        constant = "constant_value" in self.expressions[name]
        return known and not constant and first != then

    def _returned(self) -> list[str]:
        """The arguments that the emulator gave back otherwise."""
        before, after = self.now.get("before") or {}, self.now.get("after") or {}
        # Providers write a missing value as null, "" or [], as it happens.
        return [name for name in after if name in before and (before[name] or None) != (after[name] or None)]


def plain(address: str) -> str:
    """An address without the keys of instances: `module.a["x"].t.n[0]` is `module.a.t.n`."""
    return re.sub(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]', "", address)


def _would_change(change: dict[str, Json]) -> bool:
    quiet = not {"create", "update", "delete"} & set(change["change"]["actions"])
    return change.get("mode") == "managed" and change["type"] not in _MEANT and not quiet


def _look_ups(plan: dict[str, Json]) -> dict[str, Json]:
    """What data sources answered, by address."""
    found: dict[str, Json] = {}
    modules = [((plan.get("prior_state") or {}).get("values") or {}).get("root_module") or {}]
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", ())
        found |= {r["address"]: r["values"] for r in module.get("resources", ()) if r["mode"] == "data"}
    return found


def configured(plan: dict[str, Json], address: str) -> dict[str, Json]:
    """The configuration of a resource in a plan; empty where it is not found."""
    module = plan["configuration"]["root_module"]
    parts = plain(address).split(".")
    while parts[0] == "module" and module:
        module = module.get("module_calls", {}).get(parts[1], {}).get("module", {})
        parts = parts[2:]
    wanted = ".".join(parts)
    return next((r for r in module.get("resources", ()) if r["address"] == wanted), {})


def _is_leaf(expression: Json) -> bool:
    return isinstance(expression, dict) and expression.keys() <= {"constant_value", "references"}


def _moves(expression: Json, unknown: Json) -> bool:
    """Whether an argument that is written here is unknown in a plan, and not only what stands beside it."""
    if isinstance(expression, list):
        items = unknown if isinstance(unknown, list) else [unknown]
        return any(_moves(block, item) for block in expression for item in items)
    if _is_leaf(expression):
        return "constant_value" not in expression and _has_true(unknown)
    if not isinstance(expression, dict) or not isinstance(unknown, dict):
        return False
    return any(_moves(inner, unknown.get(name)) for name, inner in expression.items())


def _has_true(unknown: Json) -> bool:
    if isinstance(unknown, dict):
        return any(_has_true(value) for value in unknown.values())
    return any(map(_has_true, unknown)) if isinstance(unknown, list) else unknown is True


def _references(expression: Json) -> Iterator[str]:
    if _is_leaf(expression):
        yield from expression.get("references", ())
    elif isinstance(expression, dict):
        yield from (name for inner in expression.values() for name in _references(inner))
    elif isinstance(expression, list):
        yield from (name for inner in expression for name in _references(inner))


def _indirect(reference: str) -> bool:
    """Whether a name may stand for anything else: only arguments and counters do not."""
    return reference.split(".")[0] not in ("count", "path", "terraform")

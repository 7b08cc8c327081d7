"""Values for the root module's variables that have none, so that a program can be planned without its user.

A value is made up by type, name and, where that is simple, by the variable's own `validation`. Terraform
refuses the others by itself, at the variable, which is then left open: see `refusals.judge`, `guessed`.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from toolkit.checker.hcl import Attribute, Block, parse
from toolkit.checker.placeholder_types import OPTIONAL, Type, read_type
from toolkit.checker.placeholder_validation import NO_HINTS, Hints, read_hints
from toolkit.checker.placeholder_values import flag, is_map, is_plural, number, text
from toolkit.checker.sources import module_files
from toolkit.checker.tokens import HclError, Tokens, parse_template, tokenize
from toolkit.contracts import Tree

Json: TypeAlias = Any


class _Variable(NamedTuple):
    name: str
    type: Tokens
    conditions: list[Tokens]
    has_default: bool


def placeholders(tree: Tree) -> dict[str, Json]:
    """A made-up value for each variable of the root module that has no default and none in a `*.tfvars`.

    Ready to be written as JSON; empty where every variable has a value.
    """
    given = set(_given(tree))
    wanted = _variables(tree)
    return {
        name: _value(variable)
        for name, variable in sorted(wanted.items())
        if not variable.has_default and name not in given
    }


def _value(variable: _Variable) -> Json:
    kind = read_type(variable.type)
    return _make(variable.name, kind, read_hints(variable.name, variable.conditions))


def _make(name: str, kind: Type, hints: Hints = NO_HINTS, count: int = 1, size: int = 2) -> Json:
    """A value of a type. A list holds `size`, or as many as are asked for, each another."""
    if kind.name == "any":
        kind = _by_name(name)
    if kind.name in ("list", "set", "map"):
        # What a list of anything holds is no list again, whatever its name says.
        inner = Type("string") if kind.inner[0].name == "any" else kind.inner[0]
        wanted = range(hints.size(1 if kind.name == "map" else size))
        made = [_make(name, inner, hints.elements(), n + count, 1) for n in wanted]
        return {f"key{n + 1}": value for n, value in enumerate(made)} if kind.name == "map" else made
    if kind.name == "tuple":
        return [_make(name, inner, NO_HINTS, n + 1, 1) for n, inner in enumerate(kind.inner)]
    if kind.name == "object":
        members = {key: inner for key, inner in kind.members.items() if inner.name != OPTIONAL}
        return {key: _make(key, inner, NO_HINTS, count, size) for key, inner in members.items()}
    if kind.name == "number":
        return hints.number(number(name, count), count)
    return flag(name) if kind.name == "bool" else hints.text(text(name, count), count)


def _by_name(name: str) -> Type:
    if is_map(name):
        return Type("map", (Type("string"),))
    return Type("list", (Type("string"),)) if is_plural(name) else Type("string")


def _variables(tree: Tree) -> dict[str, _Variable]:
    """The root module's variables; what an override file adds is put on top."""
    found: dict[str, _Variable] = {}
    for path, file in module_files(tree):
        if "/" in path or isinstance(file, HclError):
            continue
        read = _from_json(tree.files[path]) if path.endswith(".json") else _from_blocks(file)
        for new in read:
            old = found.get(new.name, _Variable(new.name, (), [], False))
            found[new.name] = _Variable(
                new.name,
                new.type or old.type,
                new.conditions or old.conditions,
                new.has_default or old.has_default,
            )
    return found


def _from_blocks(file: Block) -> Iterator[_Variable]:
    for block in file.blocks:
        if block.type == "variable" and block.labels:
            named = {attribute.name: attribute.value for attribute in block.attributes}
            checks = [a.value for b in block.blocks for a in b.attributes if _is_condition(b, a)]
            yield _Variable(block.labels[0], named.get("type", ()), checks, "default" in named)


def _is_condition(block: Block, attribute: Attribute) -> bool:
    return block.type == "validation" and attribute.name == "condition"


def _from_json(content: bytes) -> Iterator[_Variable]:
    declared = json.loads(content).get("variable", {})
    for variables in declared if isinstance(declared, list) else [declared]:
        for name, body in variables.items() if isinstance(variables, dict) else ():
            body = body[-1] if isinstance(body, list) and body else body
            if isinstance(body, dict):
                kind = body.get("type")
                yield _Variable(
                    name, _tokens(kind) if isinstance(kind, str) else (), _checks(body), "default" in body
                )


def _checks(body: dict[str, Json]) -> list[Tokens]:
    checks = body.get("validation", [])
    texts = [c.get("condition") for c in (checks if isinstance(checks, list) else [checks])]
    parts = [parse_template(t).parts for t in texts if isinstance(t, str)]
    return [part for found in parts for part in found if not isinstance(part, str)]


def _tokens(expression: str) -> Tokens:
    try:
        return tokenize(expression)
    except HclError:
        return ()


def _given(tree: Tree) -> Iterator[str]:
    """Names of variables that the tree gives values to.

    https://developer.hashicorp.com/terraform/language/values/variables#variable-definitions-tfvars-files
    """
    for path, content in tree.files.items():
        name = path.removesuffix(".json")
        if "/" in path or not (name == "terraform.tfvars" or name.endswith(".auto.tfvars")):
            continue
        try:
            if path.endswith(".json"):
                yield from json.loads(content)
            else:
                yield from (attribute.name for attribute in parse(content.decode()).attributes)
        except (ValueError, HclError):
            continue  # terraform itself says what is wrong with it

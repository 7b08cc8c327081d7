"""Renders a recipe's body: `__value__` in place, and `#if`, `#else`, `#end`, `#each`, `#slot` as lines."""

import re
from collections.abc import Mapping, Sequence

_VALUE = re.compile(r"__([a-z][a-z0-9]*(?:_[a-z0-9]+)*)__")
_DIRECTIVE = re.compile(r"^\s*#(if|else|end|each|slot)\b[ ]?(.*)$")


class RecipeError(Exception):
    """A recipe that cannot be rendered: an unknown value, or a directive without its end."""


def render(body: str, values: Mapping[str, str], slots: Mapping[str, Sequence[str]]) -> str:
    """The body with its directives carried out and its values put in.

    Values are texts; "", "off" and "0" are false for `#if`. A list for `#each` has a line per item, its parts
    separated by commas: `__x_1__`, `__x_2__`, and `__x_n__` for its number.
    """
    lines = body.splitlines()
    rendered, rest = _block(lines, 0, values, slots)
    if rest != len(lines):
        raise RecipeError(f"line {rest + 1}: #else or #end without #if")
    return "\n".join(rendered) + "\n"


def _block(
    lines: list[str], at: int, values: Mapping[str, str], slots: Mapping[str, Sequence[str]]
) -> tuple[list[str], int]:
    """Lines from `at` up to the `#else` or `#end` of someone further out, and where that stands."""
    out: list[str] = []
    while at < len(lines):
        directive = _DIRECTIVE.match(lines[at])
        if not directive:
            out.append(_fill(lines[at], values))
            at += 1
            continue
        word, argument = directive[1], directive[2].strip()
        if word in ("else", "end"):
            break
        if word == "slot":
            indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
            parts = "".join(slots.get(argument, ())).splitlines()
            out += [indent + part if part else "" for part in parts]
            at += 1
        elif word == "if":
            part, at = _choice(lines, at, argument, values, slots)
            out += part
        else:
            part, at = _each(lines, at, argument, values, slots)
            out += part
    return out, at


def _choice(
    lines: list[str], at: int, condition: str, values: Mapping[str, str], slots: Mapping[str, Sequence[str]]
) -> tuple[list[str], int]:
    """The branch of an `#if` that holds; and the line after its `#end`."""
    start = at
    branches: list[list[str]] = []
    holds = _holds(condition, values, slots)
    scope = values
    while True:
        # A branch that does not hold is walked over with its values left alone: they may not exist.
        taken = holds if not branches else not holds
        part, at = _block(lines, at + 1, scope if taken else _Anything(), slots if taken else {})
        branches.append(part)
        if at == len(lines):
            raise RecipeError(f"line {start + 1}: #if without #end")
        if _is(lines[at], "end"):
            chosen = branches[0] if holds else branches[1] if len(branches) > 1 else []
            return chosen, at + 1


def _each(
    lines: list[str], at: int, argument: str, values: Mapping[str, str], slots: Mapping[str, Sequence[str]]
) -> tuple[list[str], int]:
    """The body once per item of the list; and the line after its `#end`."""
    name, _, option = argument.partition(" in ")
    items = [item for item in _lookup(option.strip(), values).splitlines() if item]
    _, end = _block(lines, at + 1, _Anything(), {})
    if end == len(lines):
        raise RecipeError(f"line {at + 1}: #each without #end")
    out: list[str] = []
    for number, item in enumerate(items, 1):
        parts = {f"{name}_{i}": part for i, part in enumerate(item.split(","), 1)}
        part, _ = _block(lines, at + 1, {**values, **parts, f"{name}_n": str(number)}, slots)
        out += part
    return out, end + 1


def _holds(condition: str, values: Mapping[str, str], slots: Mapping[str, Sequence[str]]) -> bool:
    """Evaluate `a and not b == c or d`; `or` binds less than `and`. A slot is true when it is not empty."""
    return any(
        all(_term(term.strip(), values, slots) for term in part.split(" and "))
        for part in condition.split(" or ")
    )


def _term(term: str, values: Mapping[str, str], slots: Mapping[str, Sequence[str]]) -> bool:
    """One term of a condition."""
    if term.startswith("not "):
        return not _term(term[4:].strip(), values, slots)
    name, equals, expected = (part.strip() for part in term.partition("=="))
    if equals:
        return values.get(name, "") == expected
    return bool(slots.get(name)) or values.get(name, "") not in ("", "off", "0")


def _fill(line: str, values: Mapping[str, str]) -> str:
    """The line with its values in place."""
    return _VALUE.sub(lambda match: _lookup(match[1], values), line)


def _lookup(name: str, values: Mapping[str, str]) -> str:
    """A value that must exist."""
    try:
        return values[name]
    except KeyError:
        raise RecipeError(f"no value is called {name}") from None


def _is(line: str, word: str) -> bool:
    """Whether the line is this directive."""
    match = _DIRECTIVE.match(line)
    return match is not None and match[1] == word


class _Anything(dict[str, str]):
    """Stands for the values of a branch that is walked over: knows every name."""

    def __missing__(self, key: str) -> str:
        return ""

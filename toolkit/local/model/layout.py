"""Lays our own Terraform out as `terraform fmt` does: aligned equal signs, no stray blank lines."""

import re

_ASSIGN = re.compile(r'^(?P<lead>\s*(?:"[^"]*"|[\w.()-]+))\s*=(?![=>])\s*(?P<value>.*)$')
_STRING = re.compile(r'"(?:\\.|[^"\\])*"')


def tidy(text: str) -> str:
    """The text with single blank lines, none beside a bracket, and aligned assignments."""
    lines: list[str] = []
    for line in (raw.rstrip() for raw in text.strip("\n").splitlines()):
        after_open = bool(lines) and lines[-1].endswith(("{", "[", "("))
        if not line and (not lines or not lines[-1] or after_open):
            continue
        if line.lstrip().startswith(("}", "]", ")")) and lines and not lines[-1]:
            lines.pop()
        lines.append(line)
    return "\n".join(align(lines)) + "\n"


def align(lines: list[str]) -> list[str]:
    """Line up the `=` of consecutive assignments whose value ends on their line, as terraform fmt does."""
    result: list[str] = []
    group: list[re.Match[str]] = []
    for line in [*lines, ""]:
        match = _ASSIGN.match(line)
        if match and _balance(match["value"]) == 0:
            group.append(match)
            continue
        width = max((len(m["lead"]) for m in group), default=0)
        result += [f"{m['lead']:<{width}} = {m['value']}" for m in group]
        group = []
        result.append(f"{match['lead']} = {match['value']}" if match else line)
    return result[:-1]


def _balance(value: str) -> int:
    """How many brackets are open at the end of the value."""
    bare = _STRING.sub("", value)
    return sum(bare.count(c) for c in "({[") - sum(bare.count(c) for c in ")}]")

"""What a place of a program depends on: made-up variables, look-ups, and whether two resources share a name.

A rehearsal answers look-ups with what an empty emulator has, and makes up variables. An error at a place that
such values reach may not be the program's. Read from the tree's blocks, so it is wider than terraform's own
view where that is hard to tell (an argument of a module reaches all of it), and never narrower.
"""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from toolkit.checker.hcl import Attribute, Block, literal
from toolkit.checker.refusal_lists import COMPUTED, NAMES
from toolkit.checker.settling import configured
from toolkit.checker.sources import module_files
from toolkit.checker.tokens import HclError, Token
from toolkit.contracts import Tree

_UNREAD = "data.unread"
"""Stands for whatever a module holds that is not in the tree."""

Node: TypeAlias = tuple[str, str]
"""A folder, and a name in it: `var.x`, `local.x`, `data.t.x`, `t.x`, `module.x`, or `output.x`."""


def guessed(program: "Program", file: str, line: int, made_up: Iterable[str] = ()) -> bool:
    """Whether what stands at a line can come of a look-up or of one of the variables in `made_up`.

    `file` is relative to the tree's root. A place that cannot be found counts as guessed if anything is.
    """
    names = {f"var.{name}" for name in made_up}
    return any(name in names or name.startswith("data.") for name in reach(program, file, line))


def reach(program: "Program", file: str, line: int) -> frozenset[str]:
    """The root module's variables and the look-ups (`data.TYPE.NAME`) that the place depends on."""
    # What is written as JSON keeps no lines here.
    known = [block for path, block in program.files if path == file and not file.endswith(".json")]
    top = [block for place in known for block in place.blocks if block.line <= line]
    if not top:
        start = [(folder, name) for folder, name in program.nodes]
    else:
        folder = posixpath.dirname(file)
        start = [(folder, name) for name in _place(max(top, key=lambda b: b.line), line)]
    return program.closure(start)


def _place(block: Block, line: int) -> set[str]:
    """What the attribute at the line refers to; the whole block where it is not told by one attribute."""
    whole = {name for inner in block.walk() for a in inner.attributes for name in references(a.value)}
    if block.type == "data":
        whole.add(".".join(["data", *block.labels]))
    begun = [a for inner in block.walk() for a in inner.attributes if a.line <= line]
    last_block = max((inner.line for inner in block.walk() if inner.line <= line), default=block.line)
    if not begun or last_block >= max(a.line for a in begun):
        return whole
    names = set(references(max(begun, key=lambda a: a.line).value))
    return whole if any(name.split(".")[0] in ("each", "count", "self") for name in names) else names


class Program:
    """The references of every named thing of every folder."""

    def __init__(self, tree: Tree) -> None:
        self.files = [(path, file) for path, file in module_files(tree) if not isinstance(file, HclError)]
        self.nodes: dict[Node, set[Node]] = defaultdict(set)
        for path, file in self.files:
            for block in file.blocks:
                self._add(posixpath.dirname(path), block)

    def closure(self, start: Iterable[Node]) -> frozenset[str]:
        """Names of root variables and of look-ups, over everything that the nodes lead to."""
        seen, todo = set[Node](), list(start)
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo += self.nodes.get(node, ())
        return frozenset(name for folder, name in seen if _counts(folder, name))

    def _add(self, folder: str, block: Block) -> None:
        attributes = [a for inner in block.walk() for a in inner.attributes]
        if block.type == "locals":
            for attribute in block.attributes:
                self._link(folder, f"local.{attribute.name}", [attribute])
            for inner in block.blocks:  # an object, in JSON
                self._add(folder, inner._replace(type="local", labels=(inner.type,)))
        elif block.type == "module" and block.labels:
            self._link(folder, f"module.{block.labels[0]}", attributes)
            self._add_module(folder, block)
        else:
            kind = "" if block.type == "resource" else f"{block.type}."
            self._link(folder, kind + ".".join(block.labels), attributes)

    def _link(self, folder: str, name: str, attributes: Sequence[Attribute]) -> None:
        self.nodes[folder, name] |= {(folder, ref) for a in attributes for ref in references(a.value)}

    def _add_module(self, folder: str, block: Block) -> None:
        """A call leads to all outputs of the module, and the module's variables to the whole call."""
        call = f"module.{block.labels[0]}"
        source = next((literal(a.value) for a in block.attributes if a.name == "source"), None)
        inner = posixpath.normpath(posixpath.join(folder, source)) if source else ""
        blocks = [b for path, f in self.files if posixpath.dirname(path) == inner for b in f.blocks]
        if not source or not source.startswith(".") or not blocks:
            self.nodes[folder, call].add((folder, _UNREAD))
        arguments = set(self.nodes[folder, call])
        for found in (b for b in blocks if b.labels and b.type in ("output", "variable")):
            if found.type == "output":
                self.nodes[folder, call].add((inner, f"output.{found.labels[0]}"))
            else:
                self.nodes[inner, f"var.{found.labels[0]}"] |= arguments


def _counts(folder: str, name: str) -> bool:
    kind, _, rest = name.partition(".")
    if kind == "data":
        return rest.split(".")[0] not in COMPUTED
    return kind == "var" and folder == ""


def references(tokens: Sequence[Token]) -> Iterator[str]:
    """What an expression refers to, by name: `var.x`, `local.x`, `data.t.x`, `module.x`, `t.x`, `self.x`."""
    for at, token in enumerate(tokens):
        for part in token.parts:
            if not isinstance(part, str):
                yield from references(part)
        if token.kind == "ident" and (at == 0 or tokens[at - 1].text != "."):
            names = [token.text, *_dotted(tokens, at + 1)]
            if len(names) > 1:
                yield ".".join(names[: 3 if names[0] in ("data", "ephemeral") else 2])


def _dotted(tokens: Sequence[Token], at: int) -> Iterator[str]:
    while at + 1 < len(tokens) and tokens[at][:2] == ("punct", ".") and tokens[at + 1].kind == "ident":
        yield tokens[at + 1].text
        at += 2


def twins(plan: dict[str, Any]) -> frozenset[str]:
    """Addresses of resources of one type that a plan would create under one name.

    `plan` is as `terraform show -json` prints it. An "already exists" is the program's own doing only for
    these: for others it may be a retry of a call that had gone through, or depend on the account.
    """
    groups: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for change in plan.get("resource_changes", ()):
        after = change["change"].get("after")
        if change.get("mode") != "managed" or "create" not in change["change"]["actions"] or not after:
            continue
        named = {name: value for name, value in after.items() if name in NAMES and isinstance(value, str)}
        if named:
            provider = configured(plan, change["address"]).get("provider_config_key")
            key = (change["type"], str(sorted(named.items())), f"{provider} {after.get('region')}")
            groups[key].add(change["address"])
    return frozenset(address for group in groups.values() if len(group) > 1 for address in group)

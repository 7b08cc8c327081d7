"""What locals and variables of a tree are worth, through its local modules.

A variable of the root module is worth what the tree says: its value in an automatically loaded `*.tfvars`,
else its default. What cannot be told is unknown (`hcl_reader`).
"""

import posixpath
from collections.abc import Iterator

from plugins.hcl_reader import UNKNOWN, Map, Reader, Value
from toolkit.checker.hcl import Block, literal, parse
from toolkit.checker.sources import module_files
from toolkit.checker.tokens import HclError, Tokens
from toolkit.contracts import Tree

MAX_DEPTH = 50
"""Of references through locals and modules."""


class Module:
    """A folder of a tree: its blocks with the file of each, its locals and variables, and who calls it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.blocks: list[tuple[str, Block]] = []
        self.locals: dict[str, Tokens] = {}
        self.variables: dict[str, Tokens | None] = {}
        self.given: dict[str, Tokens] = {}
        self.callers: list[tuple[Module, Block]] = []
        self._known: dict[str, Value] = {}

    def value(self, tokens: Tokens, depth: int = 0) -> Value:
        """What an expression in this folder is worth."""
        if depth > MAX_DEPTH:
            return UNKNOWN
        reader = Reader(tokens, self, depth)
        try:
            found = reader.expression()
        except RecursionError:
            return UNKNOWN
        return found if reader.at == len(tokens) else UNKNOWN

    def attribute(self, block: Block, name: str) -> Value:
        """The value of an argument of a block; None where the block has none of this name."""
        found = next((a for a in block.attributes if a.name == name), None)
        return self.value(found.value) if found else None

    def local(self, name: str, depth: int) -> Value:
        """The value of `local.NAME`."""
        key = f"local.{name}"
        if key not in self._known:
            self._known[key] = UNKNOWN  # as long as it is looked for: it may name itself
            self._known[key] = self.value(self.locals[name], depth + 1) if name in self.locals else UNKNOWN
        return self._known[key]

    def variable(self, name: str, depth: int) -> Value:
        """The value of `var.NAME`; what callers give counts, where all give the same."""
        key = f"var.{name}"
        if key not in self._known:
            self._known[key] = UNKNOWN
            self._known[key] = self._variable(name, depth)
        return self._known[key]

    def _variable(self, name: str, depth: int) -> Value:
        if name in self.given:
            return self.value(self.given[name], depth + 1)
        values = [self._from_caller(caller, call, name, depth) for caller, call in self.callers]
        if not self.callers:
            values = [self._default(name, depth)]
        return values[0] if all(_same(value, values[0]) for value in values) else UNKNOWN

    def _from_caller(self, caller: "Module", call: Block, name: str, depth: int) -> Value:
        argument = next((a for a in call.attributes if a.name == name), None)
        return caller.value(argument.value, depth + 1) if argument else self._default(name, depth)

    def _default(self, name: str, depth: int) -> Value:
        default = self.variables.get(name)
        return self.value(default, depth + 1) if default is not None else UNKNOWN


def modules(tree: Tree) -> dict[str, Module]:
    """The folders of a tree that hold `*.tf`, by path (empty for the root), with the calls between them.

    A file that cannot be read, or that is in the JSON syntax, is left out.
    """
    found: dict[str, Module] = {}
    for path, file in module_files(tree):
        if path.endswith(".tf") and not isinstance(file, HclError):
            folder = posixpath.dirname(path)
            _add(found.setdefault(folder, Module(folder)), path, file)
    for module in found.values():
        _connect(module, found)
    if "" in found:
        found[""].given.update(_given(tree))
    return found


def _add(module: Module, path: str, file: Block) -> None:
    for block in file.blocks:
        module.blocks.append((path, block))
        if block.type == "locals":
            module.locals.update({a.name: a.value for a in block.attributes})
        if block.type == "variable" and block.labels:
            default = next((a.value for a in block.attributes if a.name == "default"), None)
            module.variables[block.labels[0]] = default


def _connect(module: Module, found: dict[str, Module]) -> None:
    for _, block in module.blocks:
        source = next((a for a in block.attributes if block.type == "module" and a.name == "source"), None)
        text = literal(source.value) if source else None
        if text and text.startswith("./"):
            folder = posixpath.normpath(posixpath.join(module.folder, text))
            if folder in found:
                found[folder].callers.append((module, block))


def _given(tree: Tree) -> Iterator[tuple[str, Tokens]]:
    """The values that terraform loads by itself, in its order.

    https://developer.hashicorp.com/terraform/language/values/variables#variable-definitions-tfvars-files
    """
    loaded = [path for path in sorted(tree.files) if "/" not in path and path.endswith(".auto.tfvars")]
    for path in ["terraform.tfvars", *loaded]:
        try:
            for attribute in parse(tree.files.get(path, b"").decode()).attributes:
                yield attribute.name, attribute.value
        except (HclError, UnicodeDecodeError):
            continue


def _same(one: Value, other: Value) -> bool:
    """Whether two values are plainly the same; what is nested deeper is not compared."""
    if isinstance(one, Map) and isinstance(other, Map):
        nested = [v for v in (*one.items.values(), *other.items.values()) if isinstance(v, (Map, list))]
        return not nested and one == other
    return one is other or (not isinstance(one, (list, Map)) and one == other)

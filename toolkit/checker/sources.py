"""The Terraform files of a tree as blocks, and what of them makes another `terraform init` necessary."""

import hashlib
import json
import posixpath
from collections.abc import Iterator

from toolkit.checker.hcl import Attribute, Block, parse
from toolkit.checker.tokens import HclError, Token, parse_template
from toolkit.contracts import Tree

_RESOURCES = ("resource", "data", "ephemeral")
_NEVER_NEED_INIT = ("variable", "output", "locals")


def has_root_module(tree: Tree) -> bool:
    """Whether there is a `*.tf` or `*.tf.json` at the top, where terraform looks for the root module."""
    return any("/" not in path and path.endswith((".tf", ".tf.json")) for path in tree.files)


def module_files(tree: Tree) -> Iterator[tuple[str, Block | HclError]]:
    """Each `*.tf` and `*.tf.json` with its structure, or with what keeps it from being read, by path."""
    for path, content in sorted(tree.files.items()):
        if path.endswith((".tf", ".tf.json")):
            try:
                text = content.decode()
                yield path, parse(text) if path.endswith(".tf") else _parse_json(text)
            except UnicodeDecodeError:
                yield path, HclError("no UTF-8", 1)
            except (RecursionError, ValueError) as error:
                yield path, HclError(f"no JSON: {error}", 1)
            except HclError as error:
                yield path, error


def init_key(tree: Tree) -> str | None:
    """Names what `terraform init` depends on: providers, modules and the kinds of resources, by folder.

    Two trees with equal keys need one init. None where a file cannot be read, so that init has to tell.
    """
    outer = hashlib.sha256()
    for path, file in module_files(tree):
        if isinstance(file, HclError):
            return None
        wanted = sorted({repr(_wants(block)) for block in file.blocks if block.type not in _NEVER_NEED_INIT})
        # The folder counts, the file does not; a folder that comes or goes matters to module calls.
        outer.update(f"{posixpath.dirname(path)} {wanted}\n".encode())
    return outer.hexdigest()


def _wants(block: Block) -> object:
    if block.type in _RESOURCES:
        chosen = [a.value for b in block.walk() for a in b.attributes if a.name == "provider"]
        # The provider that is meant where none is named: the kind's first word.
        return block.type, [label.partition("_")[0] for label in block.labels[:1]], _texts(chosen)
    if block.type == "module":
        named = [a for a in block.attributes if a.name in ("source", "version", "providers")]
        return block.type, block.labels, [(a.name, _texts([a.value])) for a in named]
    # terraform, provider, import, check and whatever comes: all of it, which is little.
    inner = [(b.type, b.labels, [(a.name, _texts([a.value])) for a in b.attributes]) for b in block.walk()]
    return block.type, block.labels, inner


def _texts(values: "list[tuple[Token, ...]]") -> list[list[str]]:
    return [[token.text for token in value] for value in values]


class _Pairs(list[tuple[str, object]]):
    """A JSON object with every pair kept: HCL merges repeated names, where `dict` would keep the last."""


def _parse_json(text: str) -> Block:
    """`*.tf.json` as blocks: an object is a block or a map, which the language itself tells by schema only.

    Both readings are given: every object is a block below its name, and every string in it an attribute.
    """
    top = Block("", (), 1, [], [])
    document = json.loads(text, object_pairs_hook=_Pairs)
    if not isinstance(document, _Pairs):
        raise HclError("a JSON object is wanted", 1)
    for name, value in document:
        depth = {"resource": 2, "data": 2, "ephemeral": 2, "module": 1, "provider": 1, "check": 1}.get(
            name, 0
        )
        _json_blocks(top, name, (), value, depth)
    return top


def _json_blocks(parent: Block, name: str, labels: tuple[str, ...], value: object, depth: int) -> None:
    if isinstance(value, list) and not isinstance(value, _Pairs):
        for item in value:
            _json_blocks(parent, name, labels, item, depth)
    elif isinstance(value, _Pairs) and depth:
        for label, inner in value:
            _json_blocks(parent, name, (*labels, label), inner, depth - 1)
    elif isinstance(value, _Pairs):
        block = Block(name, labels, 1, [], [])
        parent.blocks.append(block)
        for key, inner in value:
            # A data source inside a check block carries its kind as a label.
            _json_blocks(block, key, (), inner, 2 if (name, key) == ("check", "data") else 0)
            # Without a name, so that it is read for calls and taken for nothing else.
            block.attributes.append(Attribute("", (_name_token(key),), 1))
    else:
        parent.attributes.append(Attribute(name, (_name_token(value),), 1))


def _name_token(value: object) -> Token:
    """A JSON scalar as an expression; names of objects are templates as well where they are a map's keys."""
    if isinstance(value, str):
        found = parse_template(value)
        return Token("string", value, 1, found.parts)
    return Token("number", json.dumps(value), 1)

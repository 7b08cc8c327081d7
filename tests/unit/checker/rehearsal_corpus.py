"""The corpus of the rehearsal: programs with one mistake each, and programs that are right.

`combined` makes one program of many, each a module of its own: terraform names every mistake of a program
that has several, and one rehearsal of all takes seconds where each by itself would take minutes.
`tests/bench/rehearsals.py` takes them one by one.
"""

import json
import re
from pathlib import Path
from typing import Any

from toolkit.checker.staging import read_tree
from toolkit.contracts import Tree

FOLDER = Path(__file__).with_name("rehearsal")
# Of a called module `validate` judges the values of variables too, so one that refuses its own stays alone.
_ROOT_ONLY = re.compile(r"^(provider|import|moved|removed) |^  validation \{", re.MULTILINE)
_VARIABLE = re.compile(r'^variable "[^"]+" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)


def programs(kind: str) -> dict[str, dict[str, Any]]:
    """What is expected of each program of `mistakes` or `correct`, by name."""
    folders = sorted(path.parent for path in (FOLDER / kind).glob("*/expected.json"))
    return {folder.name: json.loads((folder / "expected.json").read_text()) for folder in folders}


def program(kind: str, name: str) -> Tree:
    """One program, without what is expected of it."""
    files = read_tree(FOLDER / kind / name).files
    return Tree(files={path: content for path, content in files.items() if path != "expected.json"})


def can_be_module(tree: Tree) -> bool:
    """Whether it says nothing that only a root module may, and leaves no variable open."""
    text = "".join(content.decode() for path, content in tree.files.items() if path.endswith(".tf"))
    given = all(re.search(r"^\s*default\s*=", body[1], re.MULTILINE) for body in _VARIABLE.finditer(text))
    return given and not _ROOT_ONLY.search(text) and all(path.endswith(".tf") for path in tree.files)


def combined(trees: dict[str, Tree]) -> Tree:
    """One program that calls each of these."""
    files = {
        f"{name}/{path}": content for name, tree in trees.items() for path, content in tree.files.items()
    }
    calls = [f'module "{name}" {{\n  source = "./{name}"\n}}\n' for name in trees]
    return Tree(files={"main.tf": "\n".join(calls).encode(), **files})

"""Writes `image/requirements.txt`: what the image installs from PyPI, exactly and by hash, from uv.lock.

A tool for maintainers: it needs the source tree and `uv`, and an installed wheel has neither, so the file is
package data and a test says when it is stale. `python -m toolkit.deploy.image_requirements` writes it.
It holds the dependency group `lambda` and MiniStack, which rehearsals run, with all that these need.
https://docs.astral.sh/uv/concepts/projects/export/
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from toolkit.errors import DeployFailed

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).parent / "image" / "requirements.txt"
BESIDE = ("ministack",)

_HEADER = "# Made from uv.lock by `python -m toolkit.deploy.image_requirements`; not edited by hand.\n"
_EXPORT = ("export", "--frozen", "--no-emit-project", "--no-header", "--no-annotate", "--quiet", "--offline")


def requirements_text(root: Path = ROOT, uv: str = "uv") -> str:
    """The file's content. Raises `DeployFailed` where uv cannot be run or complains."""
    everything = _entries(_uv(uv, root, "--no-default-groups"))
    wanted = set(_entries(_uv(uv, root, "--only-group", "lambda")))
    wanted |= _closure(tomllib.loads((root / "uv.lock").read_text("utf-8"))["package"])
    return _HEADER + "".join(text for name, text in sorted(everything.items()) if name in wanted)


def _uv(uv: str, root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run([uv, *_EXPORT, *arguments], cwd=root, capture_output=True, text=True)
    except OSError as error:
        raise DeployFailed(f"uv cannot be run: {error}", "install uv") from error
    if done.returncode:
        raise DeployFailed(f"uv export failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def _entries(exported: str) -> dict[str, str]:
    """Name → its requirement with the lines of hashes that follow it."""
    entries: dict[str, str] = {}
    name = ""
    for line in exported.splitlines(keepends=True):
        if match := re.match(r"[A-Za-z0-9][\w.-]*", line):
            name = match[0]
        entries[name] = entries.get(name, "") + line
    return entries


def _closure(locked: list[dict[str, Any]]) -> set[str]:
    """The packages in the lock file that `BESIDE` needs; markers are left to the exported lines."""
    needs: dict[str, list[str]] = {}
    for package in locked:
        extras = package.get("optional-dependencies", {}).values()
        listed = [*package.get("dependencies", []), *(one for extra in extras for one in extra)]
        needs.setdefault(package["name"], []).extend(one["name"] for one in listed)
    found: set[str] = set()
    todo = list(BESIDE)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += needs.get(name, [])
    return found


if __name__ == "__main__":
    # uv lies beside the interpreter in a development environment, which need not be an active one.
    beside = Path(sys.executable).parent / "uv"
    REQUIREMENTS.write_text(requirements_text(uv=str(beside) if beside.exists() else "uv"), "utf-8")

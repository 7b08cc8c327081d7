"""What lies beside the files that were sent (`ask --dir`), and that nothing reads of what came back.

`tfkit verify` need not compare it; whatever is in doubt is not among it. See `toolkit.verifying`.
"""

import re
from collections.abc import Collection
from pathlib import Path

from toolkit.errors import UsageError
from toolkit.start.ignored import ignored_files

READ_BY_TERRAFORM = (".tf", ".tf.json", ".tfvars", ".tfvars.json")
_OBEYED = (*READ_BY_TERRAFORM, ".tofu", ".tofu.json", ".tftest.hcl", ".tftest.json", ".lock.hcl")
_OBEYED_BELOW = (".terraform", "terraform.d")
_STATE = ".tfstate"
"""What terraform or OpenTofu reads, or takes programs from, whatever git ignores; of a state any part."""

GITHUBS = ".github/"
_SETS_UP = (
    ".gitignore", ".gitattributes", ".gitmodules", ".editorconfig", ".mailmap", ".pre-commit-config.yaml",
    ".terraform-version", ".opentofu-version", ".terraformignore", ".tool-versions", ".tflint.hcl",
    ".tflintignore", ".terraform-docs.yml", ".checkov.yaml", ".checkov.yml", ".trivyignore", ".tfsec.yml",
    ".gitlab-ci.yml", GITHUBS,
)  # fmt: skip
"""Files by which git and tools are set up, at the top or in a module, and GitHub's folder at the top: nearly
every repository has some, and nothing comes of them unless the code takes them in."""

# By these a configuration takes in files that it does not name: functions, arguments that are folders,
# programs, and the folder of a module itself, which a provider may read whole.
_TAKES_IN = re.compile(
    rb'''fileset|path\.cwd|(?<!\$\{)path\.(?:module|root)\b|path\.(?:module|root)\}/?"|"\./?"'''
    rb'''|(?:dir|directory|folder|context)"?\s*[=:]|\bprovisioner"?\s*["{:\[]|"external"'''
)


def unread(root: Path, files: Collection[str], stated: Collection[str]) -> set[str]:
    """Of the files of a folder those that the `stated` code does not read, and terraform not by itself.

    They are what git itself does not track and ignores, and what sets up tools. Raises `UsageError` for a
    stated file that cannot be read.
    """
    found = (ignored_files(root) | _set_up(root, files, stated)) - set(stated)
    return {path for path in found if path in files and not _obeyed(path)}


def _obeyed(path: str) -> bool:
    """Whether terraform reads a file without being told to. Without case, as on the disks of some systems."""
    parts = path.casefold().split("/")
    return (
        parts[-1].endswith(_OBEYED)
        or any(part in _OBEYED_BELOW for part in parts[:-1])
        or any(_STATE in part for part in parts)
    )


def _set_up(root: Path, files: Collection[str], stated: Collection[str]) -> set[str]:
    """The files that set up tools; none where the stated code may take them in without naming them."""
    modules = {"", *(_folder_of(path) for path in stated if path.casefold().endswith(READ_BY_TERRAFORM))}
    held = {path: _read(root / path) for path in stated if path in files}
    code = b"\n".join(held[path] for path in held if path.casefold().endswith(READ_BY_TERRAFORM))
    # Any other file may be a template, and a document is one only where the code names it.
    templates = b"\n".join(held[path] for path in held if not path.endswith(".md") or b".md" in code)
    if _TAKES_IN.search(code) or b"fileset" in templates:
        return set()
    set_up = {
        path: name
        for path in files
        if (name := _sets_up(path)) in _SETS_UP and (name == GITHUBS or _folder_of(path) in modules)
    }
    named = {name for name in set_up.values() if _names(code + templates, name)}
    return {path for path, name in set_up.items() if name not in named}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _names(code: bytes, name: str) -> bool:
    """Whether code has the name by itself: `api.github.com` is not GitHub's folder."""
    return bool(re.search(rb"(?<!\w)" + re.escape(name.rstrip("/").encode()) + rb"(?!\w)", code))


def _sets_up(path: str) -> str:
    """The name by which a file could set up a tool: its own, or GitHub's folder at the top."""
    return GITHUBS if path.startswith(GITHUBS) else path.rpartition("/")[2]

"""The copy of a tree that a rehearsal works on: the same files, and beside them what makes it harmless.

Settings of the provider go into an override file, which has the last word on each attribute (Terraform's
documentation, "Override Files"): no keys, none of the user's profiles, few repetitions.
Values for variables that nobody has set go into a file that terraform reads by itself.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.checker.hcl import Block, literal
from toolkit.checker.sources import module_files
from toolkit.checker.staging import OVERRIDE_NAME
from toolkit.checker.terraform import LOCK_NAME
from toolkit.contracts import Tree

PROVIDER_NAME = "zz_tfkit_provider.tf"
VALUES_NAME = "zz_tfkit.auto.tfvars.json"
OURS = (OVERRIDE_NAME, PROVIDER_NAME, VALUES_NAME)

# Every setting of the provider that would lead elsewhere, or make it wait for what will not come.
_SETTINGS = {
    "access_key": "null",
    "secret_key": "null",
    "profile": "null",
    "token": "null",
    "shared_config_files": "[]",
    "shared_credentials_files": "[]",
    "allowed_account_ids": "null",
    "forbidden_account_ids": "null",
    "http_proxy": "null",
    "https_proxy": "null",
    "custom_ca_bundle": "null",
    "sts_region": "null",
    "use_fips_endpoint": "false",
    "use_dualstack_endpoint": "false",
    "skip_credentials_validation": "true",
    "skip_metadata_api_check": "true",
    "skip_requesting_account_id": "false",
    "s3_use_path_style": "true",
    "max_retries": "2",
}

# Its blocks that lead elsewhere. A role of the user's account is none of the emulator's, and an empty one is
# not assumed: the emulator's root plans, as it does for a program without a role.
_VOID = ("endpoints", "assume_role")


def write_copy(tree: Tree, stage: Path, folder: Path, values: Mapping[str, Any]) -> None:
    """Copy the stage of a tree into the empty `folder`, with what belongs to a rehearsal.

    `values` are those of variables. The emulator's keys are in the provider's environment, where no program
    reads them.
    """
    shutil.copytree(stage, folder, dirs_exist_ok=True)
    (folder / LOCK_NAME).touch()
    (folder / OVERRIDE_NAME).unlink()
    written = {OVERRIDE_NAME: override(tree)}
    if not any(alias == "" for alias, _ in configurations(tree)):
        written[PROVIDER_NAME] = _provider("")
    if values:
        written[VALUES_NAME] = json.dumps(values)
    for name, text in written.items():
        with (folder / name).open("x") as file:  # nothing of the tree's is written over
            file.write(text)


def empty(folder: Path) -> None:
    """Remove all that is in the folder, and not the folder itself: a process may be at home in it."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def override(tree: Tree) -> str:
    """The override file: a local backend in the place of another, and settings of each `provider "aws"`."""
    parts = ['terraform {\n  backend "local" {}\n}\n'] if has_backend(tree) else []
    for alias, block in configurations(tree):
        void = [name for name in _VOID if any(inner.type == name for inner in block.blocks)]
        parts.append(_provider(alias, void))
    return "\n".join(parts)


def has_backend(tree: Tree) -> bool:
    """Whether the root module names a backend, which only a user's own may."""
    return any(
        inner.type in ("backend", "cloud")
        for block in _root_blocks(tree)
        if block.type == "terraform"
        for inner in block.blocks
    )


def declares_resources(tree: Tree) -> bool:
    """Whether anything is declared that a plan might create."""
    return any(block.type in ("resource", "module") for block in _root_blocks(tree))


def configurations(tree: Tree) -> list[tuple[str, Block]]:
    """The root module's `provider "aws"` blocks, each with its alias, which is empty for the usual one."""
    return [
        (_alias(block), block)
        for block in _root_blocks(tree)
        if block.type == "provider" and block.labels[:1] == ("aws",)
    ]


def configured_once(tree: Tree) -> bool:
    """Whether one configuration of the provider serves the whole program, its modules included."""
    blocks = [
        block
        for _, file in module_files(tree)
        if isinstance(file, Block)
        for block in file.blocks
        if block.type == "provider"
    ]
    return len(blocks) <= 1 and not any(_alias(block) for block in blocks)


def _root_blocks(tree: Tree) -> Iterator[Block]:
    for path, file in module_files(tree):
        if "/" not in path and isinstance(file, Block):
            yield from file.blocks


def _alias(block: Block) -> str:
    return next((literal(a.value) or "" for a in block.attributes if a.name == "alias"), "")


def _provider(alias: str, void: Sequence[str] = ()) -> str:
    """A block with our settings; `void` are blocks of the tree's own that say nothing here."""
    settings = {**({"alias": json.dumps(alias)} if alias else {}), **_SETTINGS}
    lines = [f"  {name} = {value}" for name, value in settings.items()]
    return "\n".join(['provider "aws" {', *lines, *(f"  {name} {{}}" for name in void), "}", ""])

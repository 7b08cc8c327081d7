"""Is this folder, byte for byte, what a run that was `ok` produced and signed?

    statement ──▶ is it signed by our key ──▶ its list of files against the folder's ──▶ Verdict

Every file counts, whatever its name: one that is not in the statement is refused, because terraform reads
files that nobody asked for (`*.auto.tfvars`, overrides, `.terraform/`). Not looked at are `.git` at the top,
the statement itself where it lies in the folder, and `.terraform.lock.hcl`, which `terraform init` writes:
that one may name no other provider and no other version than the statement does.

A run that started from a folder of its user's (`ask --dir`) was never given what stays home there. Of such a
folder two things are named and not compared, unless terraform reads them by itself: files that git itself
does not track and ignores, and the few that set up git and tools, as long as no stated file names them or
takes in folders as wholes (`start.unread`). Everything else counts as if there had been no folder, also where
git has no answer: a file that git tracks, a secret by its name, a state, which names providers to get.
"""

import hashlib
import os
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from toolkit import statement as statements
from toolkit.checker.lock_file import read_lock
from toolkit.contracts import FileEntry, ProviderUsed, Shape, list_hash
from toolkit.dsse import Check, Envelope
from toolkit.errors import UsageError
from toolkit.paths import printable
from toolkit.start.gather import gather
from toolkit.start.unread import READ_BY_TERRAFORM, unread
from toolkit.statement import Predicate, Statement

LOCK_NAME = ".terraform.lock.hcl"
DATA_FOLDER = ".terraform"
NEVER = ".git"
MOST_FILES = 20_000
"""What a statement can name is far less (`checker.staging`); this is where looking for more ends."""


class Verdict(Shape, frozen=True):
    """What `tfkit verify --json` prints. `tree` is the hash of what was compared.

    What the statement says (`run_id` and the fields behind it) is empty unless its signature is good.
    `added`, `missing` and `changed` are paths in the folder, `left_out` those that were not looked at, and
    `uncompared` those of them of which nothing is known: what stayed home when the folder was sent.
    `statement` and `key` are where these came from.
    """

    ok: bool
    tree: str
    statement: str = ""
    key: str = ""
    problems: list[str] = []
    added: list[str] = []
    missing: list[str] = []
    changed: list[str] = []
    left_out: list[str] = []
    run_id: str = ""
    model: str = ""
    caller: str = ""
    finished: str = ""
    not_proven: list[str] = []
    uncompared: list[str] = []


class Key(NamedTuple):
    """The key to check with: where it came from, its ARN where that is known, and the check."""

    name: str
    arn: str
    check: Check


class Folder(NamedTuple):
    """A folder as it is: its files by path, what in it is no file to compare (a symlink, `.terraform/`), its
    lock file, what was not looked at, and where it is."""

    files: dict[str, FileEntry]
    odd: list[str]
    lock: bytes | None
    left_out: list[str]
    root: Path

    @property
    def tree(self) -> str:
        """The hash of its files, as a statement's subject has it."""
        return "sha256:" + list_hash(self.files[path] for path in sorted(self.files))


def beside(folder: Path) -> Path:
    """Where the statement of a folder lies by itself: beside it, so that the folder holds the tree alone."""
    if folder.name in ("", ".."):
        folder = Path(os.path.abspath(folder))  # noqa: PTH100 - a symlink to the folder keeps its own name
    return folder.with_name(f"{folder.name}.tfkit.json")


def read_folder(root: Path, statement: Path | None = None) -> Folder:
    """The files of a folder; no symlink is followed below it. `statement` is left out where it lies inside.

    Raises `UsageError` for what cannot be read, and for a statement with a name that terraform reads.
    """
    found = Folder({}, [], None, [], root)
    inside = _inside(root, statement) if statement else ""
    lock: bytes | None = None
    for path, entry in _walk(root):
        if path in (NEVER, inside):
            found.left_out.append(printable(path))
        elif path == DATA_FOLDER or not stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
            found.odd.append(f"{path}/" if entry.is_dir(follow_symlinks=False) else path)
        elif path == LOCK_NAME:
            found.left_out.append(path)
            lock = _read(Path(entry.path))
        else:
            content = _read(Path(entry.path))
            sha256 = hashlib.sha256(content).hexdigest()
            found.files[path] = FileEntry(path=path, sha256=sha256, bytes=len(content))
    return found._replace(lock=lock)


def tree_sent(folder: Folder) -> str:
    """The tree that `ask --dir` would send of this folder: what a platform is asked for a statement by.

    It is no verdict: what is compared then is another matter. Empty for a folder that could not be sent.
    """
    try:
        return gather(folder.root).tree.hash
    except UsageError:
        return ""


def _without(folder: Folder, paths: Collection[str]) -> Folder:
    return folder._replace(
        files={path: entry for path, entry in folder.files.items() if path not in paths},
        left_out=sorted([*folder.left_out, *map(printable, paths)]),
    )


def _walk(root: Path) -> "list[tuple[str, os.DirEntry[str]]]":
    """What is in a folder and below, folders themselves left out but for those that are not gone into."""
    found: list[tuple[str, os.DirEntry[str]]] = []
    waiting = [("", root)]
    while waiting:
        prefix, folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    path = prefix + entry.name
                    if entry.is_dir(follow_symlinks=False) and path not in (NEVER, DATA_FOLDER):
                        waiting.append((f"{path}/", Path(entry.path)))
                    else:
                        found.append((path, entry))
        except OSError as error:
            raise UsageError(f"{folder} cannot be read: {error.strerror}", "name a folder") from error
        if len(found) > MOST_FILES:
            raise UsageError(f"{root} has more than {MOST_FILES:,} files", "name the folder of the tree")
    return sorted(found, key=lambda item: item[0])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _inside(root: Path, statement: Path) -> str:
    """The statement's path in the folder, with `/`; empty where it lies elsewhere."""
    try:
        path = statement.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return ""
    if path.casefold().endswith(READ_BY_TERRAFORM):
        raise UsageError(f"{path}: terraform would read the statement", "give it another name, or move it")
    return path


def verify(folder: Folder, body: bytes, where: str, key: Key) -> Verdict:
    """Hold the folder against the signed statement `body`, which came from `where`."""
    try:
        envelope, statement = statements.read(body)
        problems = _forged(envelope, key)
    except (ValueError, RecursionError) as error:
        problems = [f"the statement cannot be read: {error}"]
        statement = None
    if problems or statement is None:
        return Verdict(
            ok=False,
            tree=folder.tree,
            statement=where,
            key=key.name,
            problems=problems,
            left_out=folder.left_out,
        )
    return _compared(folder, statement, where, key)


def _forged(envelope: Envelope, key: Key) -> list[str]:
    """What is wrong with the signature. Raises ValueError for one that is no base64."""
    if len(envelope.signatures) != 1:
        return [f"the statement has {len(envelope.signatures)} signatures, and must have one"]
    signature = envelope.signatures[0]
    if key.arn and signature.keyid != key.arn:
        return [f"the statement is signed by another key than the platform's: {signature.keyid}"]
    if not key.check(statements.to_sign(envelope.content), signature.content):
        return ["the signature is not of this statement by this key"]
    return []


def _compared(folder: Folder, statement: Statement, where: str, key: Key) -> Verdict:
    said: Predicate = statement.predicate
    stated = {entry.path: entry for entry in said.files}
    uncompared = unread(folder.root, folder.files, stated) if said.start else set[str]()
    folder = _without(folder, uncompared)
    added = [*(folder.files.keys() - stated.keys()), *(path for path in folder.odd if path not in stated)]
    missing = [path for path in stated if path not in folder.files and path not in folder.odd]
    changed = [path for path in stated if path in folder.odd or _differs(folder.files, stated[path])]
    problems = _lock_problems(folder.lock, said.providers)
    if added or missing or changed:
        problems.append(f"the folder is not what run {said.run_id} produced")
    return Verdict(
        ok=not problems,
        tree=folder.tree,
        statement=where,
        key=key.name,
        problems=problems,
        added=sorted(map(printable, added)),
        missing=sorted(missing),
        changed=sorted(changed),
        left_out=folder.left_out,
        run_id=said.run_id,
        model=said.model,
        caller=said.caller,
        finished=said.finished,
        not_proven=said.not_proven,
        uncompared=sorted(map(printable, uncompared)),
    )


def _differs(files: Mapping[str, FileEntry], stated: FileEntry) -> bool:
    return stated.path in files and files[stated.path].sha256 != stated.sha256


def _lock_problems(lock: bytes | None, stated: list[ProviderUsed]) -> list[str]:
    """What a lock file says otherwise than the statement.

    Hashes are not compared: a lock file holds those of the platforms that it was made on, which need not be
    the agent's, and `terraform init` holds the packages against them.
    """
    if lock is None:
        return []
    try:
        found = read_lock(lock)
    except ValueError as error:
        return [f"{LOCK_NAME}: {error}"]
    versions = {provider.source: provider.version for provider in stated}
    return [
        f"{LOCK_NAME}: {one.source} {one.version}, and the run was checked with "
        + (versions.get(one.source) or "no such provider")
        for one in found
        if versions.get(one.source) != one.version
    ]


def unstated(folder: Folder, why: str) -> Verdict:
    """The verdict on a folder for which there is no statement."""
    return Verdict(ok=False, tree=folder.tree, problems=[why], left_out=folder.left_out)


def is_statement(path: Path) -> bool:
    """Whether a file is a statement of a run, whosever: such a one may be replaced by a newer."""
    try:
        statements.read(path.read_bytes())
    except (OSError, ValueError, msgspec.MsgspecError):
        return False
    return True

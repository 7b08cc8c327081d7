"""A commit of what a run changed, made of objects alone: work tree, index, HEAD and branches stay.

    changes ─▶ hash-object ─▶ an index of our own: read-tree PARENT, update-index ─▶ write-tree ─▶ commit-tree

It is not signed with the user's key, which says that its owner has seen something; what speaks for a run is
its own statement.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from toolkit.contracts import Tree
from toolkit.errors import TfkitError
from toolkit.git import GitRefused
from toolkit.paths import parts_of, printable
from toolkit.pulls.repository import FILES, HEADS, Blob, Repository
from toolkit.start.changes import Change
from toolkit.start.gather import Stays

NAMED_AT_MOST = 5


class NotCommitted(TfkitError):
    """Files that the run changed are not in the commit as the run saw them."""

    def __init__(self, paths: Sequence[str]) -> None:
        shown = ", ".join(paths[:NAMED_AT_MOST])
        more = f" and {len(paths) - NAMED_AT_MOST} more" if len(paths) > NAMED_AT_MOST else ""
        super().__init__(f"not committed as the run saw them: {shown}{more}")


class _Entry(NamedTuple):
    """A file for the index; the mode 0 takes it out."""

    path: str
    mode: str
    id: str


def write_tree(repository: Repository, parent: str, changed: Sequence[Change]) -> str:
    """The id of the parent's tree with the changes in it.

    Raises `NotCommitted` where the parent has a file otherwise than the run saw it, `TfkitError` for a path
    that no tree may hold and where something in the parent is in its way.
    """
    blobs = repository.blobs(parent)
    _refuse_in_the_way(blobs, changed)
    odd = [change.path for change in changed if not _fits(repository, blobs.get(change.path), change)]
    if odd:
        raise NotCommitted(odd)
    entries = [_entry(repository, blobs.get(change.path), change) for change in changed]
    entries.sort(key=lambda entry: entry.mode != "0")  # what was a folder may become a file
    lines = [
        f"{entry.mode} {entry.id}\t{repository.prefix}{entry.path}\0".encode("utf-8", "surrogateescape")
        for entry in entries
    ]
    with tempfile.TemporaryDirectory(prefix="tfkit-pull-") as folder:
        index = Path(folder) / "index"
        repository.git("read-tree", parent, index=index)
        repository.git("update-index", "-z", "--index-info", stdin=b"".join(lines), index=index)
        return repository.git("write-tree", index=index).decode().strip()


def commit_tree(repository: Repository, tree: str, parent: str, message: str) -> str:
    """A commit of the tree on top of the parent, by the user whom git is set up for; its id."""
    stdin = message.encode("utf-8", "replace")
    return repository.git("commit-tree", tree, "-p", parent, "-F", "-", stdin=stdin).decode().strip()


def push(repository: Repository, remote: str, commit: str, branch: str) -> None:
    """Make the commit the tip of the remote's branch. Raises `GitRefused` where it has anything else on it.

    Never by force: the branch is new, or its tip is the commit's parent.
    """
    options = ("--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no")
    repository.git.remotely("push", *options, remote, f"{commit}:{HEADS}{branch}")


def as_committed(repository: Repository, blob: Blob | None, content: bytes) -> bool:
    """Whether content of the work tree is what is committed, apart from line ends (`core.autocrlf`)."""
    if blob is None or blob.mode not in FILES:
        return False
    return blob.id in (repository.blob_id(content), repository.blob_id(_line_feeds(content)))


def uncommitted(repository: Repository, commit: str, start: Tree, stays: Sequence[Stays]) -> list[str]:
    """Files that the run began with and that the commit has otherwise, or the other way round."""
    blobs = repository.blobs(commit)
    other = [
        path
        for path, content in start.files.items()
        if not as_committed(repository, blobs.get(path), content)
    ]
    home = tuple(stay.path for stay in stays)
    gone = map(printable, blobs.keys() - start.files.keys())
    return sorted([*other, *(path for path in gone if not _below(path, home))])


def _below(path: str, home: Sequence[str]) -> bool:
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in home)


def _refuse_in_the_way(blobs: Mapping[str, Blob], changed: Sequence[Change]) -> None:
    """A file takes the place of no folder, and a folder that of no file or link, but of the run's own.

    git's index would replace what is there without a word. Raises `TfkitError`.
    """
    deleted = {change.path for change in changed if change.after is None}
    kept = blobs.keys() - deleted
    folders = {above for path in kept for above in _above(path)}
    for change in changed:
        parts_of(change.path)
        if change.after is None:
            continue
        places = [one for one in _above(change.path) if one in kept]
        if places or change.path in folders:
            raise TfkitError(
                f"{printable((places or [change.path])[0])} is in the way of {change.path}",
                "it is committed, and is no file that the run was given: rename it, and ask again",
            )


def _above(path: str) -> list[str]:
    """The folders that a path lies in, from the top down."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _fits(repository: Repository, blob: Blob | None, change: Change) -> bool:
    if change.before is None:
        return blob is None
    return as_committed(repository, blob, change.before)


def _entry(repository: Repository, blob: Blob | None, change: Change) -> _Entry:
    """The line for the index, with the line ends and the mode that the commit has."""
    after = change.after
    if after is None:
        return _Entry(change.path, "0", "0" * len(repository.head))
    if blob and change.before is not None and blob.id != repository.blob_id(change.before):
        after = _line_feeds(after)
    name = repository.git("hash-object", "-w", "-t", "blob", "--stdin", stdin=after).decode().strip()
    return _Entry(change.path, blob.mode if blob else FILES[0], name)


def _line_feeds(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


class FileCount(NamedTuple):
    """How many lines a commit adds to a file and takes from it; None for a file that is no text."""

    path: str
    added: int | None
    removed: int | None


def counts(repository: Repository, parent: str, commit: str) -> list[FileCount]:
    """What a commit changes, by file; paths are those of the repository."""
    options = ("-r", "-z", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv")
    listed = repository.git("diff-tree", *options, parent, commit).decode("utf-8", "replace")
    found: list[FileCount] = []
    for line in listed.split("\0"):
        if line:
            added, removed, path = line.split("\t", 2)
            found.append(FileCount(path, *(None if one == "-" else int(one) for one in (added, removed))))
    return found


def tip_of_run(repository: Repository, tip: str, run_id: str) -> bool:
    """Whether a commit says that it is this run's: by its trailer, see `body.message`."""
    trailers = repository.git("show", "-s", "--format=%(trailers:key=Tfkit-Run,valueonly)", tip)
    return run_id in trailers.decode("utf-8", "replace").split()


def parent_and_tree(repository: Repository, commit: str) -> tuple[str, str]:
    """The first parent of a commit, and its tree. Raises `GitRefused` for a commit without one."""
    said = repository.git("rev-parse", "--verify", f"{commit}^").decode().strip()
    if not said:
        raise GitRefused(f"{commit[:8]} has no parent")
    return said, repository.git("rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()

"""The user's repository: where in it the folder lies, what HEAD is, and whether the remote has it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from toolkit.errors import UsageError
from toolkit.git import Git, GitRefused
from toolkit.paths import printable
from toolkit.pulls.remote import Place, place_of

HEADS = "refs/heads/"
FILES = ("100644", "100755")
"""What is a plain file to git; links and submodules have other modes."""


class Blob(NamedTuple):
    """A file in a commit."""

    mode: str
    id: str


class Repository:
    """A work tree, read only: HEAD, branches, the index and the files are never touched."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Raises `UsageError` where the folder is in no work tree, or nobody could be the author."""
        self.git = Git(folder, environment)
        self._refuse_elsewhere(folder)
        self.folder = folder
        self.prefix = self._prefix()
        self.head = self.git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        self.branch = self.git.line("symbolic-ref", "--quiet", "--short", "HEAD")
        self._algorithm = self.git.line("rev-parse", "--show-object-format") or "sha1"
        if not self.head:
            raise UsageError("the repository has no commit yet", "commit, push, and ask again")
        for ident in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            if not self.git.holds("var", ident):
                raise UsageError(
                    "git does not know who the commit is by",
                    'git config user.name "Your Name", git config user.email you@example.com',
                )

    def _refuse_elsewhere(self, folder: Path) -> None:
        try:
            said = self.git("rev-parse", "--is-inside-work-tree").decode().strip()
        except GitRefused as refused:  # also where git does not trust the owner of the folder
            raise UsageError(
                f"{folder}: {refused.message}", "--pr needs a work tree of git, with a remote on GitHub"
            ) from refused
        if said != "true":
            raise UsageError(f"{folder} is in no work tree of git", "name a folder of a clone: --dir DIR")

    def _prefix(self) -> str:
        """The folder's path in the repository, with a `/` at its end; any bytes may be in it but NUL."""
        said = self.git("rev-parse", "--show-prefix").decode("utf-8", "surrogateescape")
        return said.removesuffix("\n")

    def place(self, remote: str) -> Place:
        """The repository on GitHub that a remote is.

        Its address is taken as it was written down, and only then as git rewrites it (`insteadOf`). Raises
        `UsageError` for one that is not there, is no GitHub's, or does not push to where it is read, and
        nowhere else.
        """
        written = self.git.line("config", "--get", f"remote.{remote}.url")
        if not written:
            others = ", ".join(self.git("remote").decode("utf-8", "replace").split())
            raise UsageError(
                f"the repository has no remote {remote!r}",
                f"there are: {others} (--remote NAME)" if others else "git remote add origin URL",
            )
        found = place_of(written) or place_of(self.git.line("remote", "get-url", remote))
        if found is None:  # not shown: an address may hold a password
            raise UsageError(
                f"the address of the remote {remote!r} names no repository on a GitHub",
                "forms: https://HOST/OWNER/REPO, git@HOST:OWNER/REPO, ssh://git@HOST/OWNER/REPO",
            )
        self._refuse_several(remote, found)
        return found

    def _refuse_several(self, remote: str, found: Place) -> None:
        """What is on the remote is asked at its first address, and a push goes to all that it pushes to."""
        read, pushed = self._addresses(remote), self._addresses(remote, "--push")
        if len(read) == len(pushed) == 1 and (
            read == pushed or place_of(read[0]) == place_of(pushed[0]) == found
        ):
            return
        others = {other.path if (other := place_of(one)) else "another place" for one in pushed}
        raise UsageError(
            f"the remote {remote!r} is {found.path} and pushes to {' and '.join(sorted(others))}"
            if len(read) == 1
            else f"the remote {remote!r} has {len(read)} addresses",
            "name a remote that is one place for both: --remote NAME",
        )

    def _addresses(self, remote: str, *which: str) -> list[str]:
        """Where git really goes for a remote, after `insteadOf`, `pushInsteadOf` and `pushurl`."""
        return self.git("remote", "get-url", *which, "--all", remote).decode("utf-8", "replace").splitlines()

    def trust(self, remote: str, place: Place, token: str) -> None:
        """Let git use the token where it goes to the remote by https; elsewhere nothing would ask for it."""
        by_https = self._addresses(remote)[0].lower().startswith("https://")
        self.git.trust(place.address, token, by_https=by_https)

    def blobs(self, commit: str) -> dict[str, Blob]:
        """Everything of the folder in a commit, by its path below the folder.

        Raises `UsageError` where the commit has something else than a folder there.
        """
        self._refuse_no_folder(commit)
        only = ("--", self.prefix) if self.prefix else ()
        listed = self.git("ls-tree", "-r", "-z", "--full-tree", commit, *only)
        found: dict[str, Blob] = {}
        for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
            if entry:
                about, _, path = entry.partition("\t")
                mode, _, name = about.split(" ")
                found[path.removeprefix(self.prefix)] = Blob(mode, name)
        return found

    def _refuse_no_folder(self, commit: str) -> None:
        parts = self.prefix.split("/")[:-1]
        above = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        listed = self.git("ls-tree", "-z", "--full-tree", commit, "--", *above) if above else b""
        if any(entry and entry.split()[1] != b"tree" for entry in listed.split(b"\0")):
            raise UsageError(
                f"{printable(self.prefix)} is no folder in {commit[:8]}",
                "check out what is there, and ask again",
            )

    def blob_id(self, content: bytes) -> str:
        """The name that git has for this content."""
        return hashlib.new(self._algorithm, b"blob %d\0" % len(content) + content).hexdigest()


class Branches(NamedTuple):
    """What the remote has at this moment: its default branch, and each branch's commit."""

    default: str
    tips: dict[str, str]


def branches(repository: Repository, remote: str) -> Branches:
    """Ask the remote itself: what this clone remembers of it may be old."""
    listed = repository.git.remotely("ls-remote", "--symref", remote, "HEAD", f"{HEADS}*")
    default = ""
    tips: dict[str, str] = {}
    for line in listed.splitlines():
        value, _, name = line.partition("\t")
        if value.startswith("ref: ") and name == "HEAD":
            default = value.removeprefix("ref: ").removeprefix(HEADS)
        elif name.startswith(HEADS):
            tips[name.removeprefix(HEADS)] = value
    return Branches(default, tips)


def base_for(repository: Repository, remote: str, wanted: str, there: Branches) -> str:
    """The branch that the pull request is for: `wanted`, else the one that HEAD is on, else the default.

    Raises `UsageError` where the remote's branch does not hold HEAD: pushing would publish commits that the
    user has not.
    """
    if wanted and wanted not in there.tips:
        raise UsageError(
            f"the remote {remote!r} has no branch {wanted!r}", "push it, or name another: --base"
        )
    candidates = [wanted] if wanted else list(dict.fromkeys([repository.branch, there.default]))
    for name in candidates:
        if name in there.tips and _holds(repository, remote, name, there.tips[name]):
            return name
    named = " or ".join(name for name in candidates if name in there.tips) or "any branch"
    raise UsageError(
        f"HEAD ({repository.head[:8]}) is not in {named} of the remote {remote!r}",
        "push it first, or check out what is there: the commit is made on top of HEAD",
    )


def _holds(repository: Repository, remote: str, name: str, tip: str) -> bool:
    fetch(repository, remote, name, tip)
    return repository.git.holds("merge-base", "--is-ancestor", repository.head, tip)


def fetch(repository: Repository, remote: str, name: str, tip: str) -> None:
    """Have the objects of a remote's branch here; no branch, no tag and no FETCH_HEAD is written."""
    if repository.git.holds("cat-file", "-e", f"{tip}^{{commit}}"):
        return
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--refmap=")
    repository.git.remotely("fetch", *options, remote, f"{HEADS}{name}")
    if not repository.git.holds("cat-file", "-e", f"{tip}^{{commit}}"):
        raise GitRefused(f"the branch {name} was moved in this very moment", "try again")

"""What git ignores below a folder: by git itself in a repository, else by the rules that lie there.

Git knows more than the files named .gitignore: the repository's own list, the user's global one, and that a
tracked file is never ignored. https://git-scm.com/docs/gitignore
"""

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from toolkit.errors import TfkitError
from toolkit.git import Git

Ignored = Callable[[str], bool]
"""Whether a path below the folder is ignored: written with `/`, a folder with one at its end as well.

It is asked from the top down, so what lies in an ignored folder is never asked for."""


def ignored_below(folder: Path) -> Ignored:
    """The rule for a folder. Without git, or outside a repository, `.gitignore` files alone decide.

    It does not know what a repository within ignores, which has rules of its own: ask for that one's folder.
    """
    listed = _listed(folder, "--directory")
    return listed.__contains__ if listed is not None else _ByRules(folder)


def ignored_files(folder: Path) -> frozenset[str]:
    """The files that git does not track and ignores, each by itself; none where git has no answer."""
    return _listed(folder) or frozenset()


def _listed(folder: Path, *more: str) -> frozenset[str] | None:
    """What git ignores, with `--directory` a wholly ignored folder as one; None where git has no answer."""
    try:
        git = Git(folder, os.environ, offline=True)
        said = git("ls-files", "-z", "--others", "--ignored", "--exclude-standard", *more)
    except TfkitError:  # no git, no repository, or one that git does not trust
        return None
    return frozenset(path for path in said.decode("utf-8", "surrogateescape").split("\0") if path)


class _ByRules:
    """The files named .gitignore in the folder, below it, and above it as far as the repository goes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._repository = next(
            (place for place in (self._folder, *self._folder.parents) if (place / ".git").exists()),
            self._folder,
        )
        self._specs: dict[Path, GitIgnoreSpec] = {}

    def __call__(self, path: str) -> bool:
        """The rules nearest to the path decide; among those of one file the last that matches."""
        place = (self._folder / PurePosixPath(path)).parent
        ending = "/" if path.endswith("/") else ""
        while True:
            relative = (self._folder / PurePosixPath(path)).relative_to(place).as_posix() + ending
            decided = self._spec(place).check_file(relative).include
            if decided is not None:
                return decided
            if place == self._repository:
                return False
            place = place.parent

    def _spec(self, place: Path) -> GitIgnoreSpec:
        if place not in self._specs:
            files = [place / ".gitignore"]
            if place == self._repository:
                files.insert(0, place / ".git" / "info" / "exclude")
            lines = [line for file in files for line in _lines(file)]
            self._specs[place] = GitIgnoreSpec.from_lines(lines)
        return self._specs[place]


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []

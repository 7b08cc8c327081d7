"""What git ignores below a folder: by git itself in a repository, else by the rules that lie there.

Git knows more than the files named .gitignore: the repository's own list, the user's global one, and that a
tracked file is never ignored. https://git-scm.com/docs/gitignore
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

GIT_TIMEOUT_S = 30.0

Ignored = Callable[[str], bool]
"""Whether a path below the folder is ignored: written with `/`, a folder with one at its end as well.

It is asked from the top down, so what lies in an ignored folder is never asked for."""


def ignored_below(folder: Path) -> Ignored:
    """The rule for a folder. Without git, or outside a repository, `.gitignore` files alone decide."""
    listed = _listed_by_git(folder)
    return listed.__contains__ if listed is not None else _ByRules(folder)


def _listed_by_git(folder: Path) -> frozenset[str] | None:
    """Everything that git ignores, a wholly ignored folder as one; None where git has no answer."""
    git = shutil.which("git")
    if git is None:
        return None
    # fsmonitor is a program that the repository's configuration may name.
    command = [git, "-C", str(folder), "-c", "core.fsmonitor=false", "ls-files", "-z", "--others"]
    command += ["--ignored", "--exclude-standard", "--directory"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=GIT_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    return frozenset(path for path in done.stdout.decode("utf-8", "surrogateescape").split("\0") if path)


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

"""A clone and its remote: a real bare repository behind an address of github.com (`url.<base>.insteadOf`)."""

import os
import subprocess
from pathlib import Path

ADDRESS = "https://github.com/acme/shop.git"


class Clone:
    """A work tree whose `origin` is the bare repository."""

    def __init__(self, root: Path, files: dict[str, bytes]) -> None:
        self.bare = root / "remote.git"
        self.folder = root / "clone"
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GIT_", "GH_", "GITHUB_"))
        } | {"HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": str(root / "gitconfig")}
        (root / "gitconfig").write_text(
            "[user]\n\tname = Ann Example\n\temail = ann@example.com\n[init]\n\tdefaultBranch = main\n"
            f'[url "{self.bare}"]\n\tinsteadOf = {ADDRESS}\n'
        )
        self._git(root, "init", "-q", "--bare", str(self.bare))
        self._git(root, "init", "-q", str(self.folder))
        self.git("remote", "add", "origin", ADDRESS)
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "first")
        self.git("push", "-q", "origin", "main")

    def write(self, files: dict[str, bytes]) -> None:
        for path, content in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(content)

    def git(self, *arguments: str) -> str:
        return self._git(self.folder, *arguments)

    def remote(self, *arguments: str) -> str:
        """Git in the bare repository."""
        return self._git(self.bare, *arguments)

    def _git(self, folder: Path, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def state(self) -> dict[str, object]:
        """What a pull request must leave as it is: files, index, HEAD, branches, stashes, settings."""
        inside = self.folder / ".git"
        kept = ("HEAD", "index", "config", "ORIG_HEAD", "FETCH_HEAD", "logs/HEAD", "packed-refs")
        places = [p for p in self.folder.rglob("*") if p.is_file() and inside not in p.parents]
        places += [inside / name for name in kept if (inside / name).is_file()]
        places += [p for p in (inside / "refs").rglob("*") if p.is_file() and "remotes" not in p.parts]
        return {
            p.relative_to(self.folder).as_posix(): (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_mode)
            for p in places
        }

"""Where bash, zsh and fish look for what completes a command, and how tfkit puts it there and takes it away.

    bash   a file that bash-completion loads when the command is first completed
    zsh    a file, and a marked block at the end of .zshrc that loads it
    fish   a file that fish finds by itself

Only what tfkit wrote is ever replaced or removed: a file says so in its first lines, a block in its marks.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from toolkit.deploy.disk import write_atomically
from toolkit.errors import UsageError

Shell = Literal["bash", "zsh", "fish"]
SHELLS: tuple[Shell, ...] = ("bash", "zsh", "fish")
VARIABLE = "_TFKIT_COMPLETE"

MARK = "# Written by `tfkit completion install`; `tfkit completion uninstall` takes it away."
BEGIN, END = "# >>> tfkit completion >>>", "# <<< tfkit completion <<<"


class Change(NamedTuple):
    """A file of the user's and what it shall hold; None is no file."""

    path: Path
    before: str | None
    after: str | None

    @property
    def action(self) -> str:
        """What making it would do."""
        if self.before == self.after:
            return "same"
        if self.after is None:
            return "remove"
        return "write" if self.before is None else "change"

    def make(self) -> None:
        """Bring the file to what it shall hold; through a symbolic link, and with the rights it had."""
        place = self.path.resolve()
        if self.after is None:
            self.path.unlink(missing_ok=True)
        elif self.after != self.before:
            rights = stat.S_IMODE(place.stat().st_mode) if place.exists() else 0o644
            write_atomically(place, self.after.encode("utf-8", "surrogateescape"))
            place.chmod(rights)


def shell_of(environment: Mapping[str, str]) -> Shell:
    """The shell that the user logs in with. Raises `UsageError` where it is none of these."""
    name = Path(environment.get("SHELL", "")).name
    for shell in SHELLS:
        if name == shell:
            return shell
    raise UsageError(
        f"the shell is {name!r}" if name else "SHELL does not say which shell this is",
        "name one: --shell bash, --shell zsh or --shell fish",
    )


def script(shell: Shell) -> str:
    """What a shell has to run to complete tfkit's words (Click's own scripts; bash from 4.4 on)."""
    from click.shell_completion import ShellComplete, get_completion_class

    from toolkit.cli.root import cli

    found = get_completion_class(shell)
    assert found is not None, "Click knows the three"
    # Not `found.source`, which for bash starts the first bash of PATH to ask for its version.
    return ShellComplete.source(found(cli, {}, "tfkit", VARIABLE)).strip("\n") + "\n"


def install(shell: Shell, environment: Mapping[str, str]) -> list[Change]:
    """What has to be changed so that the shell completes tfkit's words; nothing is changed yet.

    Raises `UsageError` where a file that is not tfkit's is in the way.
    """
    place = script_path(shell, environment)
    before = _read(place)
    if before is not None and MARK not in before:
        raise UsageError(
            f"{place} is there, and tfkit did not write it", "move it away, and run the command again"
        )
    changes = [Change(place, before, _marked(script(shell)))]
    if shell == "zsh":
        rc = zshrc(environment)
        text = _read(rc)
        changes.append(Change(rc, text, _with_block(text or "", _block(place), rc)))
    return changes


def uninstall(shell: Shell, environment: Mapping[str, str]) -> list[Change]:
    """What has to be changed so that nothing of tfkit's is left there; what is not tfkit's stays."""
    place = script_path(shell, environment)
    before = _read(place)
    changes = [Change(place, before, None)] if before is not None and MARK in before else []
    if shell == "zsh":
        rc = zshrc(environment)
        text = _read(rc)
        if text is not None and BEGIN in text:
            changes.append(Change(rc, text, _with_block(text, "", rc)))
    return changes


def activation(shell: Shell, environment: Mapping[str, str]) -> str:
    """What the user has to do after an `install`."""
    place = script_path(shell, environment)
    if shell == "bash":
        return (
            f"open a new shell, or now: source {place}\n"
            f"it is loaded by the package bash-completion; without that, add the same line to ~/.bashrc"
        )
    return f"open a new shell, or now: source {zshrc(environment) if shell == 'zsh' else place}"


def script_path(shell: Shell, environment: Mapping[str, str]) -> Path:
    """Where the script lies.

    bash: https://github.com/scop/bash-completion#faq (BASH_COMPLETION_USER_DIR);
    fish: https://fishshell.com/docs/current/completions.html#where-to-put-completions
    """
    home = _home(environment)
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local/share")
    if shell == "fish":
        return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "fish/completions/tfkit.fish"
    if shell == "zsh":
        return data / "zsh/site-functions/_tfkit"
    # It may be a list, of which bash-completion looks at each; the first is the user's own choice.
    folders = (environment.get("BASH_COMPLETION_USER_DIR") or str(data / "bash-completion")).split(":")
    return Path(folders[0]) / "completions/tfkit"


def zshrc(environment: Mapping[str, str]) -> Path:
    """What zsh runs when it starts for a person."""
    return Path(environment.get("ZDOTDIR") or _home(environment)) / ".zshrc"


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - without HOME: of the account


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None


def _marked(text: str) -> str:
    """The script with our mark after its first line, which for zsh must stay the first."""
    if text.startswith("#compdef"):
        first, _, rest = text.partition("\n")
        return f"{first}\n{MARK}\n{rest}"
    return f"{MARK}\n{text}"


def _block(place: Path) -> str:
    """What .zshrc has to run, at its end: what completes words has to be on before it can be told of."""
    from shlex import quote

    return (
        f"{BEGIN}\n"
        "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n"
        f"[[ -r {quote(str(place))} ]] && source {quote(str(place))}\n"
        f"{END}\n"
    )


def _with_block(text: str, block: str, path: Path) -> str:
    """The text with our block in the place of the one that it has, or at its end; byte for byte otherwise."""
    if BEGIN not in text:
        return text + ("\n" if text and not text.endswith("\n") else "") + block
    before, _, rest = text.partition(BEGIN)
    inside, found, after = rest.partition(END)
    if not found or BEGIN in inside + after:
        raise UsageError(
            f"the block between {BEGIN!r} and {END!r} in {path} is not whole, or there twice",
            "take it out by hand, and run the command again",
        )
    return before + block + after.removeprefix("\n")

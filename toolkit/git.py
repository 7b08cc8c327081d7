"""The one gateway to git: its own environment, no program of the repository's, errors without secrets.

What a repository's configuration can have git execute (hooks, a file-system monitor, maintenance) is off.
What reaches the remote is left as the user has it: ssh, and credential helpers. For https the token is a
helper where these have no answer; it travels in the environment of that one process, and is neither among
the arguments nor in a file.

A folder that is only looked at (`offline`) reaches no remote at all: a clone that has not all of its objects
would have git fetch them on the way, by a program that its configuration names.
https://git-scm.com/docs/partial-clone
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from toolkit.errors import TfkitError, ToolMissing
from toolkit.telemetry.redact import redact

LOCAL_SECONDS = 60.0
REMOTE_SECONDS = 300.0
"""How long git may take here, and where it speaks to the remote."""

MAX_SAID = 600
"""Characters of what git said, in an error."""

NO_PROGRAMS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "log.showSignature=false",
    "core.alternateRefsCommand=true",
    "core.splitIndex=false",
    "index.sparse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "push.pushOption=",
    "i18n.commitEncoding=UTF-8",
    "user.useConfigOnly=true",  # an address made up from the machine's name is nobody's
)

# What another git put there for its own children, as a hook finds it: it would lead to another repository.
_OF_ANOTHER_GIT = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_EXTERNAL_DIFF",
)  # fmt: skip

# The first is enough; to a git before 2.44, which does not know it, no way to a remote is allowed.
_OFFLINE = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}

_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_SECRET = "TFKIT_PUSH_SECRET"  # noqa: S105 - the name of a variable
_HELPER = f'!f() {{ test "$1" = get && echo username=x-access-token && echo "password=${_SECRET}"; }}; f'


class GitRefused(TfkitError):
    """Git ended with an error; the message is what it said."""


class Git:
    """Git in one folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, offline: bool = False) -> None:
        found = shutil.which("git")
        if found is None:
            raise ToolMissing("git is not on PATH", "install git, or use --write instead of --pr")
        self._program = found
        self._folder = folder
        self._environment = {
            **{name: value for name, value in environment.items() if name not in _OF_ANOTHER_GIT},
            "GIT_TERMINAL_PROMPT": "0",  # a question that nobody sees would wait for ever
            "LC_ALL": "C",
            **(_OFFLINE if offline else {}),
        }
        self._token = ""
        self._helps = False
        self._switch_off_hooks()

    def trust(self, address: str, token: str, *, by_https: bool = True) -> None:
        """Let git use the token for this https address (`https://github.com`), where no helper knows one.

        It is the only helper then, because git has every helper keep what was accepted. Where the remote is
        not reached `by_https`, git and what it starts never see the token; it is only kept out of errors.
        """
        self._token = token
        if not by_https or self._answered(address):
            return
        self._helps = True
        for helper in ("", _HELPER):  # the empty one clears the list
            self._set(f"credential.{address}.helper", helper)

    def _switch_off_hooks(self) -> None:
        """Those that are settings: `core.hooksPath` speaks of files alone.

        https://git-scm.com/docs/git-hook (2.54)
        """
        listed = self._run(
            ("config", "-z", "--name-only", "--get-regexp", r"^hook\."), b"", None, LOCAL_SECONDS
        ).stdout
        keys = listed.decode("utf-8", "surrogateescape").split("\0")
        for hook in sorted({key.rpartition(".")[0] for key in keys if key.count(".") > 1}):
            self._set(f"{hook}.enabled", "false")

    def _set(self, key: str, value: str) -> None:
        """A setting of ours, after all others and on no command line."""
        number = int(self._environment.get("GIT_CONFIG_COUNT") or 0)
        self._environment |= {
            "GIT_CONFIG_COUNT": str(number + 1),
            f"GIT_CONFIG_KEY_{number}": key,
            f"GIT_CONFIG_VALUE_{number}": value,
        }

    def _answered(self, address: str) -> bool:
        """Whether a credential helper of the user's has an answer for the address; nobody is asked."""
        silent = {"GIT_ASKPASS": "", "SSH_ASKPASS": "", "GCM_INTERACTIVE": "never"}
        asked = ("-c", "core.askPass=", "credential", "fill")
        stdin = f"url={address}\n\n".encode()
        return self._run(asked, stdin, None, LOCAL_SECONDS, silent).returncode == 0

    def __call__(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> bytes:
        """What git wrote. Raises `GitRefused` where it ends with an error, or not in time."""
        done = self._run(arguments, stdin, index, LOCAL_SECONDS)
        if done.returncode:
            raise GitRefused(f"git {arguments[0]}: {self._said(done.stderr)}")
        return done.stdout

    def line(self, *arguments: str) -> str:
        """The first line of what git wrote; empty where it ended with an error."""
        done = self._run(arguments, b"", None, LOCAL_SECONDS)
        return "" if done.returncode else done.stdout.decode("utf-8", "replace").partition("\n")[0]

    def holds(self, *arguments: str) -> bool:
        """Whether git ends without an error."""
        return self._run(arguments, b"", None, LOCAL_SECONDS).returncode == 0

    def remotely(self, *arguments: str, stdin: bytes = b"") -> str:
        """The same for what speaks to the remote. Raises `GitRefused` with how credentials are looked for."""
        secret = {_SECRET: self._token} if self._helps else {}
        done = self._run(arguments, stdin, None, REMOTE_SECONDS, secret)
        if done.returncode:
            raise GitRefused(
                f"git {arguments[0]}: {self._said(done.stderr, done.stdout)}",
                "git uses your ssh key or credential helper, else the token; try: git fetch",
            )
        return done.stdout.decode("utf-8", "replace")

    def _run(
        self,
        arguments: tuple[str, ...],
        stdin: bytes,
        index: Path | None,
        seconds: float,
        more: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[bytes]":
        settings = [part for one in NO_PROGRAMS for part in ("-c", one)]
        environment = {**self._environment, **(more or {})}
        if index:
            environment["GIT_INDEX_FILE"] = str(index)
        command = [self._program, "-C", str(self._folder), *settings, *arguments]
        try:
            return subprocess.run(
                command, env=environment, input=stdin, capture_output=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:  # its text has the whole command
            raise GitRefused(f"git {arguments[0]} did not end within {seconds:.0f} s", "try again") from None
        except OSError as error:
            raise GitRefused(f"git cannot be started: {error.strerror}") from error

    def _said(self, *streams: bytes) -> str:
        text = " ".join(stream.decode("utf-8", "replace").strip() for stream in streams).strip()
        text = _USERINFO.sub("", text.replace(self._token, "[token]") if self._token else text)
        return redact(text)[:MAX_SAID] or "it said nothing"

"""One child process at a time budget: own process group, limits, sandbox, captured output, no survivors.

The group is killed at the deadline and after a normal end as well, so that nothing the child started
outlives it in the group. The sandbox's filter lets no process leave its group.
"""

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from toolkit.checker import launch
from toolkit.checker.sandbox import LIMITS, Confinement, SandboxLevel
from toolkit.errors import PlatformError

MAX_OUTPUT_BYTES = 8 * 1024 * 1024

ADDRESS_SPACE = 3 * 1024**3
"""Bytes a process may map. Go maps more than it uses: terraform with the AWS provider ends well with 1.5 GiB
each (tried), the attacks of FACTS §6 go past 14."""

FILE_SIZE = 2 * 1024**3
"""Bytes; a provider downloaded from the registry is 150 MB packed and 700 MB unpacked."""

OPEN_FILES = 1024

PROCESSES = 512
"""Threads that this machine may have beyond those that it has when a child starts; terraform and a provider
use about 40. The kernel counts by user, and root is not counted (getrlimit(2))."""

MAX_LOG_BYTES = 64 * 1024 * 1024
"""The largest file that a service may write."""

LAUNCHER = (sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py")))
"""What is put in front of `launch`'s pairs."""

_LOAD = Path("/proc/loadavg")


class Stopped(Exception):
    """A child was ended by a limit or a signal, or printed more than is kept; the message says which."""


class Late(TimeoutError):
    """A child was ended at its deadline; `stdout` is what it had printed."""

    def __init__(self, message: str, stdout: bytes = b"") -> None:
        super().__init__(message)
        self.stdout = stdout


class Finished(NamedTuple):
    """Exit code and output of a child that ended by itself."""

    code: int
    stdout: bytes
    stderr: str


class Runner:
    """Runs children in `cwd` with exactly `environment`. Methods may be called from several threads.

    `held` is the sandbox that each child is put in; without it there are limits alone.
    """

    def __init__(self, cwd: Path, environment: Mapping[str, str], held: SandboxLevel = LIMITS) -> None:
        self.cwd = cwd
        self.environment = dict(environment)
        self.held = held
        self._live: set[subprocess.Popen[bytes]] = set()

    def run(
        self,
        command: Sequence[str],
        timeout_s: float,
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        confinement: Confinement | None = None,
        file_size: int | None = None,
    ) -> Finished:
        """Run one command (its first item an absolute path) and wait.

        `environment` is added to the runner's own; `confinement` is what the child may touch, by default
        nothing but its executable; `file_size` is the largest file it may write, in bytes. Raises `Late`, a
        `TimeoutError`, at the deadline, `Stopped` where a limit or a signal ended it, and `PlatformError`
        where its limits or its sandbox could not be put in place: then it was not started.
        """
        limits = _limits(timeout_s, FILE_SIZE if file_size is None else file_size)
        child = self._start(command, limits, cwd, environment, confinement)
        assert child.stdout
        assert child.stderr
        stdout, stderr = _Reader(child.stdout), _Reader(child.stderr)
        code: int | None = None
        try:
            code = child.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            pass  # what it printed until now is read below
        finally:
            self._end(child)
            stdout.end()
            stderr.end()
        if code is None:
            raise Late(f"{_name(command)} took longer than {timeout_s:g} s", bytes(stdout.kept))
        return _finished(_name(command), code, stdout, stderr)

    @contextlib.contextmanager
    def serving(
        self,
        command: Sequence[str],
        cpu_s: float,
        *,
        confinement: Confinement | None = None,
    ) -> Generator["Service", None, None]:
        """A command that runs until the block ends, or `cpu_s` seconds of CPU are used up; see `run`."""
        child = self._start(command, _limits(cpu_s, MAX_LOG_BYTES), None, None, confinement)
        assert child.stdout
        assert child.stderr
        stdout, stderr = _Reader(child.stdout), _Reader(child.stderr)
        try:
            yield Service(child, stdout, stderr)
        finally:
            self._end(child)
            stdout.end()
            stderr.end()

    def _start(
        self,
        command: Sequence[str],
        limits: list[str],
        cwd: Path | None,
        environment: Mapping[str, str] | None,
        confinement: Confinement | None,
    ) -> subprocess.Popen[bytes]:
        if self.held.confines:
            limits += (confinement or Confinement()).arguments(Path(command[0]), self.held)
        child = subprocess.Popen(
            [*LAUNCHER, *limits, "--", *command],
            cwd=cwd or self.cwd,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._live.add(child)
        return child

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        _kill_group(child)
        child.wait()
        self._live.discard(child)

    def stop(self) -> None:
        """Kill everything that is running; the waiting calls raise `Stopped`."""
        for child in list(self._live):
            _kill_group(child)


class Service(NamedTuple):
    """A child that is running, with what it has said so far."""

    child: subprocess.Popen[bytes]
    stdout: "_Reader"
    stderr: "_Reader"

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self.child.poll() is None


class _Reader:
    """Drains a pipe in a thread, keeping the first `MAX_OUTPUT_BYTES`, so that a child never blocks on it."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.kept = bytearray()
        self.cut = False
        self._pipe = pipe
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while chunk := os.read(self._pipe.fileno(), 65536):
                room = MAX_OUTPUT_BYTES - len(self.kept)
                self.kept += chunk[:room]
                self.cut = self.cut or len(chunk) > room

    def end(self) -> None:
        # A process that left the group may hold the pipe open; what was read until now is enough then.
        self._thread.join(timeout=2)
        if not self._thread.is_alive():
            self._pipe.close()


def _limits(timeout_s: float, file_size: int) -> list[str]:
    limits = {
        # All threads count; the wall clock has the first word.
        "RLIMIT_CPU": math.ceil(timeout_s) * (os.cpu_count() or 1) + 5,
        "RLIMIT_AS": ADDRESS_SPACE,
        "RLIMIT_FSIZE": file_size,
        "RLIMIT_NOFILE": OPEN_FILES,
        "RLIMIT_CORE": 0,
    }
    # proc_loadavg(5): running/all threads of the machine, which are at least those of this user.
    with contextlib.suppress(OSError, ValueError, IndexError):
        limits["RLIMIT_NPROC"] = int(_LOAD.read_text().split()[3].partition("/")[2]) + PROCESSES
    return [f"{name}={value}" for name, value in limits.items()]


def _name(command: Sequence[str]) -> str:
    return f"{Path(command[0]).name} {command[1]}" if len(command) > 1 else Path(command[0]).name


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _finished(name: str, code: int, stdout: _Reader, stderr: _Reader) -> Finished:
    text = stderr.kept.decode(errors="replace")
    if code == launch.FAILED and text.startswith(launch.SAYS):
        raise PlatformError(text.strip(), "`tfkit doctor` says what this machine offers to hold a check")
    if code < 0:
        raise Stopped(
            f"{name} was ended by {signal.Signals(-code).name}: a limit of CPU, memory or file size"
        )
    # The Go runtime's own words when an allocation fails or a stack overflows; the exit code is 2.
    if text.lstrip().startswith(("fatal error:", "runtime:", "panic:")):
        raise Stopped(f"{name} ran out of memory or crashed: {text.lstrip().splitlines()[0][:200]}")
    if stdout.cut:
        raise Stopped(f"{name} printed more than {MAX_OUTPUT_BYTES} bytes")
    return Finished(code, bytes(stdout.kept), text)

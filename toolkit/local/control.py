"""Starts, finds and stops the daemon of a stack.

Whoever starts or stops one holds the stack's folder meanwhile (`alone`); to find it needs nothing.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from toolkit import __version__
from toolkit.emulator import OWNERS_ALONE, PASSED_ON, STOP_SECONDS, healthy, open_log
from toolkit.errors import EmulatorFailed

START_SECONDS = 60.0

EMPTIED = "emptied"
"""The file that says: this emulator was started anew, and what it lost has not been made again yet."""


class Running(msgspec.Struct, frozen=True):
    """A daemon that answers, and its emulator's root key. Field names are those of `daemon.json`."""

    pid: int
    emulator_pid: int
    endpoint: str
    model_url: str
    version: str
    llm_timeout_s: float = 0.0
    api_key_sha256: str = ""
    key: str = ""
    secret: str = ""


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the right to start, refill and stop the stack's daemon; waits for whoever holds it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def find(folder: Path) -> Running | None:
    """The running daemon of this stack, or None. A daemon is one that holds its lock and answers."""
    if not _locked(folder):
        return None
    running = _note(folder)
    # One that an older tfkit left running is no daemon of ours: it is replaced by the next start.
    current = running is not None and running.version == __version__ and running.key
    return running if running and current and healthy(running.endpoint) else None


def emptied(folder: Path) -> bool:
    """Whether the emulator lacks what a stop loses, because nobody has `refilled` it since."""
    return (folder / EMPTIED).exists()


def refilled(folder: Path) -> None:
    """Say that the emulator holds again what the state says."""
    (folder / EMPTIED).unlink(missing_ok=True)


def ensure(folder: Path, llm_timeout_s: float = 120.0, mirror: Path | None = None) -> Running:
    """Find the daemon, or start one, which is `emptied` then. Call it `alone`.

    `mirror` is a mirror of terraform providers that functions shall use.

    Raises `EmulatorFailed` with the end of its log.
    """
    if running := find(folder):
        return running
    stop(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / EMPTIED).touch()  # before it can be found: a kill from here on must not hide it
    passed_on = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
    with open_log(folder / "daemon.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "toolkit.local.daemon", str(folder)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=OWNERS_ALONE,
            env=passed_on | ({"TFKIT_PROVIDER_MIRROR": str(mirror)} if mirror else {}),
        )
    if process.stdin:
        # Not through the environment: any process of this user could read it there.
        with process.stdin as pipe:
            pipe.write(json.dumps(_options(llm_timeout_s)).encode())
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if running := find(folder):
            return running
        # One that was killed while it started a daemon may have left us one that is not ready yet.
        if process.poll() is not None and not _locked(folder):
            break
        time.sleep(0.05)
    tail = " / ".join((folder / "daemon.log").read_text("utf-8", "replace").splitlines()[-3:])
    raise EmulatorFailed(f"the local target did not start: {tail or 'it said nothing'}", "run `tfkit doctor`")


def told_otherwise(folder: Path, llm_timeout_s: float) -> bool:
    """Whether the running daemon has another key or time-out than it would be given now.

    One that was given a key keeps it, and its time-out, until it is given a key again.
    """
    running, key = _note(folder), str(_options(llm_timeout_s)["api_key"])
    if running is None or (running.api_key_sha256 and not key):
        return False
    return (running.llm_timeout_s, running.api_key_sha256) != (llm_timeout_s, digest(key))


def digest(key: str) -> str:
    """Tells one key from another without telling the key; empty for none."""
    return hashlib.sha256(key.encode()).hexdigest() if key else ""


def _options(llm_timeout_s: float) -> dict[str, Any]:
    return {"llm_timeout_s": llm_timeout_s, "api_key": os.environ.get("TFKIT_LLM_API_KEY", "")}


def stop(folder: Path) -> None:
    """Stop the daemon and everything it started, and wait until they are gone. Nothing to stop is fine."""
    running = _note(folder)
    if running and _locked(folder):
        _kill(running.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS + 10
        while _locked(folder):
            if time.monotonic() > deadline:
                _kill(running.pid, signal.SIGKILL)
                break
            time.sleep(0.05)
    if running:
        # A daemon that was killed leaves its note; where the kernel did not end the emulator, we do.
        _end_orphan(running)
    (folder / "daemon.json").unlink(missing_ok=True)


def clean(folder: Path) -> None:
    """Stop, then remove what the emulator kept on disk."""
    stop(folder)
    shutil.rmtree(folder / "emulator", ignore_errors=True)
    for name in ("daemon.lock", "daemon.log", "port", "routes.json", EMPTIED):
        (folder / name).unlink(missing_ok=True)


def _locked(folder: Path) -> bool:
    try:
        with (folder / "daemon.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _note(folder: Path) -> Running | None:
    try:
        return msgspec.convert(json.loads((folder / "daemon.json").read_text()), Running)
    except (OSError, ValueError):
        return None


def _end_orphan(running: Running) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while healthy(running.endpoint) and time.monotonic() < deadline:
        _kill(running.emulator_pid, signal.SIGTERM)
        time.sleep(0.2)


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)

"""The lock of a stack always says who holds it; leftovers of a kill go, and nothing else does."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.deploy import disk
from toolkit.deploy.disk import exclusive, remove_leftovers, write_atomically
from toolkit.errors import DeployFailed


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "lock"


class Holder:
    """Whoever has taken the lock, and has not signed it yet."""

    def __init__(self, lock: Path) -> None:
        self.handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.handle, fcntl.LOCK_EX)

    def sign(self) -> None:
        os.pwrite(self.handle, f"{os.getppid():<20}".encode(), 0)

    def leave(self) -> None:
        os.close(self.handle)


def meanwhile(monkeypatch: pytest.MonkeyPatch, *steps: object) -> None:
    """While the lock is waited for, these things happen, one at a time."""
    left: Iterator[object] = iter(steps)
    monkeypatch.setattr(disk.time, "sleep", lambda _seconds: next(left)())


@pytest.mark.parametrize("found", ["", "999999999", "99999999999999999999999999"])
def test_a_holder_that_has_not_signed_yet_is_named_all_the_same(
    lock: Path, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    lock.write_text(found)  # nothing, or what a killed process left
    holder = Holder(lock)
    meanwhile(monkeypatch, lambda: None, holder.sign)
    with pytest.raises(DeployFailed, match=rf"\(process {os.getppid()}\)"), exclusive(lock):
        raise AssertionError("held by two")
    holder.leave()


def test_a_lock_that_is_given_back_meanwhile_is_taken(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = Holder(lock)
    meanwhile(monkeypatch, lambda: None, holder.leave)
    with exclusive(lock):
        assert lock.read_text().split() == [str(os.getpid())]
    assert lock.read_text().split() == []


def test_a_holder_that_never_signs_is_not_waited_for_without_end(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = Holder(lock)
    monkeypatch.setattr(disk, "HOLDER_SECONDS", -1.0)
    with pytest.raises(DeployFailed, match=r"\(process unknown\)"), exclusive(lock):
        raise AssertionError("held by two")
    holder.leave()


def test_a_lock_that_was_removed_while_it_was_taken_is_taken_anew(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`down` removes the file; who has opened it before must not hold what nobody else can see."""
    flock, removed = fcntl.flock, list[Path]()

    def removing(handle: int, how: int) -> None:
        flock(handle, how)
        if not removed:
            removed.append(lock)
            lock.unlink()

    monkeypatch.setattr(disk.fcntl, "flock", removing)
    with exclusive(lock):
        assert removed
        with pytest.raises(DeployFailed, match=rf"process {os.getpid()}"), exclusive(lock):
            raise AssertionError("held by two")


def test_a_lock_is_free_again_after_an_error_and_after_a_kill(lock: Path) -> None:
    with pytest.raises(RuntimeError), exclusive(lock):
        raise RuntimeError
    program = (
        "import sys, pathlib\n"
        "from toolkit.deploy.disk import exclusive\n"
        "with exclusive(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", program, str(lock)], **pipes) as other:
        assert other.stdout and other.stdout.readline() == "held\n"
        with pytest.raises(DeployFailed, match=rf"process {other.pid}"), exclusive(lock):
            raise AssertionError("held by two")
        other.send_signal(signal.SIGKILL)
        other.wait()
    with exclusive(lock):
        assert lock.read_text().split() == [str(os.getpid())]


def test_leftovers_of_a_kill_are_removed_and_nothing_that_a_person_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state.json"

    def killed(_handle: int) -> None:
        raise SystemExit  # as with SIGKILL, nothing of ours runs after it

    monkeypatch.setattr(disk.os, "fsync", killed)
    with pytest.raises(SystemExit):
        write_atomically(state, b"new")
    assert len(list(tmp_path.iterdir())) == 1
    kept = [
        "state.json",
        "state.json.original",
        "state.json.20240101",
        "state.json.bak.tmp",
        "config.json.abcd1234.tmp",
    ]
    for name in kept:
        (tmp_path / name).write_text("mine")
    remove_leftovers(state)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)

"""The daemon of a stack: one at a time, found again, and never mistaken for one that still has everything."""

import fcntl
import json
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from toolkit.local import control


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A stack's folder whose daemon is ended after the test."""
    stack = tmp_path / "dev"
    yield stack
    control.clean(stack)


def start(folder: Path) -> control.Running:
    with control.alone(folder):
        return control.ensure(folder)


def test_of_several_commands_at_once_one_starts_the_daemon(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = {running.pid for running in pool.map(start, [folder] * 4)}
    assert len(found) == 1


def test_a_new_emulator_counts_as_emptied_until_somebody_says_otherwise(folder: Path) -> None:
    start(folder)
    assert control.emptied(folder)  # also for the next command, should this one be killed now
    start(folder)
    assert control.emptied(folder)
    control.refilled(folder)
    start(folder)
    assert not control.emptied(folder)
    control.stop(folder)
    start(folder)
    assert control.emptied(folder)


def test_a_look_at_the_lock_does_not_keep_the_daemon_from_starting(folder: Path) -> None:
    folder.mkdir()
    with (folder / "daemon.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(0.6, fcntl.flock, (lock, fcntl.LOCK_UN)).start()
        assert start(folder).pid
        time.sleep(0.7)  # the timer has run before the file is closed


def test_the_daemon_says_which_key_it_has_and_does_not_tell_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(folder)
    assert not control.told_otherwise(folder, 120.0)
    assert control.told_otherwise(folder, 60.0)
    monkeypatch.setenv("TFKIT_LLM_API_KEY", "sk-the-first")
    assert control.told_otherwise(folder, 120.0)
    control.stop(folder)
    start(folder)
    assert not control.told_otherwise(folder, 120.0)
    monkeypatch.setenv("TFKIT_LLM_API_KEY", "sk-the-second")
    assert control.told_otherwise(folder, 120.0)
    monkeypatch.delenv("TFKIT_LLM_API_KEY")
    assert not control.told_otherwise(folder, 60.0)  # a key that was given once is not thrown away
    note = folder / "daemon.json"
    assert note.stat().st_mode & 0o077 == 0
    assert not [p for p in folder.rglob("*") if p.is_file() and b"sk-the-" in p.read_bytes()]


def test_each_daemon_has_a_root_key_of_its_own_which_its_owner_alone_can_read(folder: Path) -> None:
    first = start(folder)
    assert len(first.key) == 20
    assert len(first.secret) == 40
    assert control.find(folder) == first
    control.stop(folder)
    second = start(folder)
    assert first.key != second.key
    assert first.secret != second.secret
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if second.secret.encode() in path.read_bytes()] == [folder / "daemon.json"]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in files if path.name != control.EMPTIED} == {
        0
    }


def test_a_daemon_without_a_key_is_replaced(folder: Path) -> None:
    """One that an older tfkit started, whose emulator let everybody in."""
    old = start(folder)
    note = folder / "daemon.json"
    told = {
        name: value for name, value in json.loads(note.read_text()).items() if name not in ("key", "secret")
    }
    note.write_text(json.dumps(told))
    assert control.find(folder) is None
    new = start(folder)
    assert new.pid != old.pid
    assert new.key

"""A stack's folder: files that are replaced whole, and a lock that says who holds it."""

import contextlib
import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from toolkit.errors import DeployFailed

LEFTOVER = re.compile(r"\.[a-z0-9_]{8}\.tmp")
"""What `write_atomically` adds to a name for its temporary file, which a kill leaves behind."""

HOLDER_SECONDS = 2.0
"""How long to look for who holds a lock that is just being taken or given back."""

SIGNATURE_BYTES = 20
"""A process id, filled up with blanks."""


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content so that a reader, or a kill, sees the old or the new one, never a part."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise DeployFailed(
            f"cannot write {path}: {error.strerror}", "free the disk or fix the rights"
        ) from error


def remove_leftovers(path: Path) -> None:
    """Remove temporary files of this file that a kill left; call it where nobody else can write the file."""
    for other in path.parent.glob(f"{path.name}.*.tmp"):
        if LEFTOVER.fullmatch(other.name.removeprefix(path.name)):
            other.unlink(missing_ok=True)


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a stack for one engine at a time. Raises `DeployFailed` naming the process that holds it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = _hold(path)
    try:
        _sign(handle, os.getpid())
        yield
    finally:
        _sign(handle, None)
        os.close(handle)


def _hold(path: Path) -> int:
    """The lock's file, held. A lock without a living holder's name is just being taken or given back."""
    deadline = time.monotonic() + HOLDER_SECONDS
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_there(handle, path):
                return handle
            os.close(handle)  # `down` removed it meanwhile, and the next one would hold another file
            continue
        except BlockingIOError as busy:
            holder = _signed(handle)
            os.close(handle)
            if holder or time.monotonic() > deadline:
                raise DeployFailed(
                    f"another tfkit is working on this stack (process {holder or 'unknown'})",
                    "wait until it is done",
                ) from busy
        time.sleep(0.01)


def _is_there(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _sign(handle: int, process: int | None) -> None:
    """Write who holds the lock, or nobody, in one write of one length, so that no part of it can be read."""
    with contextlib.suppress(OSError):  # a courtesy: on a full disk the state says it better
        os.pwrite(handle, f"{process or '':<{SIGNATURE_BYTES}}".encode(), 0)


def _signed(handle: int) -> str:
    """The living process that holds the lock, as it says itself; empty where none does yet."""
    text = os.pread(handle, SIGNATURE_BYTES, 0).decode("ascii", "replace").strip()
    if not text.isdigit():
        return ""
    try:
        os.kill(int(text), 0)
    except (ProcessLookupError, OverflowError):
        return ""  # killed before; whoever holds it now has not signed yet
    except PermissionError:
        pass  # it lives, and is another user's
    return text

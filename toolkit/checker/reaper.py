"""Ends everything that was started within a span of time, also what left its process group and its parent.

A process that outlives its parent goes to the nearest subreaper above it (`PR_SET_CHILD_SUBREAPER`), and so
remains a descendant of whoever is that: nothing that a check started can get out of sight.
https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
Linux only, as Lambda is; elsewhere nothing is found, and process groups are all there is.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Generator
from pathlib import Path

SWEEP_S = 5.0
"""Seconds in which what was killed has to be gone."""

_ROUND_S = 0.01
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36


@contextlib.contextmanager
def sweeping(survivors: list[int]) -> Generator[None, None, None]:
    """Ends what is started inside; process ids that could not be ended are in `survivors` afterwards."""
    before = descendants()
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        survivors += _sweep(before)
        _prctl(_PR_SET_CHILD_SUBREAPER, 0)


def hide_environment() -> None:
    """Keep other processes of this user from reading this process's environment and memory.

    https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def descendants() -> set[int]:
    """The ids of all processes below this one."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name, in parentheses, may hold anything; the state and the parent come after it.
            parent = int(entry.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found: set[int] = set()
    below = [os.getpid()]
    while below:
        new = children.get(below.pop(), [])
        found.update(new)
        below += new
    return found


def _sweep(spared: set[int]) -> list[int]:
    give_up = time.monotonic() + SWEEP_S
    while found := descendants() - spared:
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in found:
            with contextlib.suppress(ChildProcessError):  # not a child yet: its parent was killed just now
                os.waitpid(pid, os.WNOHANG)
        if time.monotonic() > give_up:
            return sorted(descendants() - spared)
        time.sleep(_ROUND_S)
    return []


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)

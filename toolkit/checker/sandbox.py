"""What holds a tool that evaluates what a model wrote: what the kernel offers, and what one tool may touch.

    Confinement ──▶ arguments for `launch` ──▶ `landlock` (files, ports, signals) and `seccomp` (system calls)

The tool sees the files that it is made of and the folders that it is given, and nothing else: no home, no
/proc, no configuration of the machine. It has no network, or, for the rehearsal, one TCP port.
"""

import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from toolkit.checker import landlock, seccomp
from toolkit.contracts import Shape
from toolkit.errors import PlatformError

UNSANDBOXED = "TFKIT_UNSANDBOXED"
"""The variable that tells a function of `--unsandboxed`; it counts whatever its value is."""

# Not /dev/zero and not /dev/urandom: a call of file() on either would never end.
_NULL = "/dev/null"
_LIBRARIES = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/etc/ld.so.cache",
)  # fmt: skip
"""Where a dynamic executable finds its libraries; they are read, never executed by their own name."""

_TCP_PORTS_SINCE = 4
_PT_INTERP = 3


class SandboxLevel(Shape, frozen=True):
    """What this machine can put around a tool: `limits` are CPU, memory, files and time alone."""

    name: Literal["landlock+seccomp", "landlock", "seccomp", "limits"]
    landlock_abi: int = 0

    @property
    def confines(self) -> bool:
        """Whether model-written code may be checked here without anybody saying so."""
        return self.name != "limits"

    @property
    def confines_reads(self) -> bool:
        """Whether a tool can open only what it was given."""
        return self.landlock_abi > 0

    @property
    def confines_ports(self) -> bool:
        """Whether a tool that may use TCP can be held to one port."""
        return self.landlock_abi >= _TCP_PORTS_SINCE

    def __str__(self) -> str:
        """As a report and `doctor` show it."""
        return f"{self.name} (Landlock ABI {self.landlock_abi})" if self.landlock_abi else self.name


LIMITS = SandboxLevel("limits")


@functools.cache
def level() -> SandboxLevel:
    """What this kernel offers to this process; asked once."""
    abi, filters = landlock.version(), seccomp.available()
    if abi:
        return SandboxLevel("landlock+seccomp" if filters else "landlock", abi)
    return SandboxLevel("seccomp") if filters else LIMITS


def require(held: SandboxLevel) -> None:
    """Raise `PlatformError` where what a model wrote would be evaluated with limits alone around it."""
    if not held.confines:
        why = (
            "has neither Landlock nor seccomp filters"
            if _linux()
            else "is no Linux, which alone has Landlock"
        )
        raise PlatformError(
            f"this machine {why}, so code that a model wrote is not checked here",
            "`tfkit up --unsandboxed` checks it all the same, with limits of CPU, memory and time only",
        )


class Confinement(Shape, frozen=True, kw_only=True):
    """What one tool may touch: paths to read, to read and execute, to read and write; each with all below it.

    Below `names` it may list folders, below `sockets` connect to Unix sockets. `tcp_port` is the one TCP port
    that it may connect to, on any host, and listen at if it `listens`, where the level `confines_ports`;
    below that it may use all of TCP. Without it there is no network at all (Landlock alone refuses TCP
    only). Who `asks` can see whether a process outside is alive (and, by Landlock alone, signal it).
    """

    read: tuple[Path, ...] = ()
    run: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    names: tuple[Path, ...] = ()
    sockets: tuple[Path, ...] = ()
    tcp_port: int | None = None
    listens: bool = False
    asks: bool = False

    def arguments(self, executable: Path, held: SandboxLevel) -> list[str]:
        """The pairs for `launch` that confine this executable as far as the level goes."""
        pairs: list[str] = []
        if held.confines_reads:
            pairs += [f"run={path}" for path in (executable, *self.run)]
            pairs += [f"read={path}" for path in self.read]
            pairs += [f"write={path}" for path in (*self.write, _NULL)]
            pairs += [f"list={path}" for path in self.names]
            pairs += [f"connect={path}" for path in self.sockets]
            pairs += _libraries(executable)
        if "seccomp" in held.name:
            pairs.append("sockets=unix" if self.tcp_port is None else "sockets=tcp")
        if self.tcp_port is not None:
            pairs.append(f"port={self.tcp_port}")
        if self.listens:
            pairs.append("listens=yes")
        if self.asks:
            pairs.append("asks=yes")
        return pairs


def _libraries(executable: Path) -> Iterator[str]:
    """What a dynamic executable needs of the system; terraform and its providers are static and get none."""
    if interpreter := _interpreter(executable):
        yield f"run={interpreter}"
        yield from (f"read={path}" for path in _LIBRARIES)


def _interpreter(executable: Path) -> str | None:
    """The loader that an ELF executable names (elf(5), PT_INTERP); None for a static one and all else."""
    try:
        file = executable.open("rb")
    except OSError:
        return None  # the launcher will say what is wrong with it
    with file:
        head = file.read(64)
        if head[:5] != b"\x7fELF\x02":  # 64 bits, which are all that the filter knows
            return None
        table, size, count = _number(head, 32, 8), _number(head, 54, 2), _number(head, 56, 2)
        for entry in range(count):
            file.seek(table + entry * size)
            row = file.read(56)
            if _number(row, 0, 4) == _PT_INTERP:
                file.seek(_number(row, 8, 8))
                return file.read(_number(row, 32, 8)).rstrip(b"\0").decode(errors="replace")
    return None


def _number(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "little")


def _linux() -> bool:
    return sys.platform.startswith("linux")

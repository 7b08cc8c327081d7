"""The emulator of a run's rehearsals: its state is thrown away, and it holds nothing but what they made.

It serves what a model wrote, so it is in the sandbox too: it reads the interpreter and its libraries, writes
its own folder, listens at its own port, and starts no process (`toolkit.emulator`, `throwaway`).
"""

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import toolkit
from toolkit.checker.process import LAUNCHER, MAX_LOG_BYTES, OPEN_FILES
from toolkit.checker.sandbox import Confinement, SandboxLevel
from toolkit.contracts import Tool
from toolkit.emulator import Emulator, free_port
from toolkit.errors import PlatformError

MEMORY_BYTES = 4 * 1024**3
"""Bytes of addresses that the emulator may map; it uses 40 MB to begin with."""


def emulator_tool() -> Tool | None:
    """The emulator and its version; None where it is not installed."""
    if importlib.util.find_spec("ministack") is None:
        return None
    return Tool(name="ministack", version=version("ministack"))


class Throwaway:
    """An emulator that starts when it is first wanted. `port` and `environment` hold from the beginning.

    `folder` is its own; `held` is the sandbox. Not safe for two threads at once.
    """

    def __init__(self, folder: Path, held: SandboxLevel) -> None:
        self.port = free_port()
        self._folder = folder
        self._held = held
        self._emulator = Emulator(folder, throwaway=True)

    @property
    def environment(self) -> dict[str, str]:
        """What leads a provider here, and nowhere else; the key is this emulator's and opens nothing else."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": self._emulator.key,
            "AWS_SECRET_ACCESS_KEY": self._emulator.secret,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": "us-east-1",
        }

    def ready(self) -> None:
        """Have it running. Raises `EmulatorFailed`, and `PlatformError` where somebody took its port."""
        if self._emulator.running:
            return
        self._emulator.start(self.port, self._launcher())
        if self._emulator.port != self.port:
            self.stop()
            raise PlatformError(f"port {self.port} of 127.0.0.1 was taken meanwhile", "try again")

    def fresh(self) -> None:
        """Have it running with nothing in it. Raises as `ready` does."""
        self.stop()
        self.ready()

    def stop(self) -> None:
        """End it, and remove what it wrote. May be called twice."""
        self._emulator.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _launcher(self) -> list[str]:
        if not self._held.confines:
            return []
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        confinement = Confinement(
            read=tuple(_libraries()),
            names=tuple(Path(entry) for entry in sys.path if entry),
            write=(self._folder,),
            tcp_port=self.port,
            listens=True,
        )
        pairs = confinement.arguments(Path(sys.executable), self._held)
        limits = {"AS": MEMORY_BYTES, "FSIZE": MAX_LOG_BYTES, "NOFILE": OPEN_FILES, "CORE": 0}
        return [*LAUNCHER, *(f"RLIMIT_{name}={limit}" for name, limit in limits.items()), *pairs, "--"]


def _libraries() -> Iterator[Path]:
    """What Python reads to run MiniStack and tfkit's gate: the environment, the standard library, tfkit."""
    yield from {Path(sys.prefix), Path(sys.base_prefix) / "lib"}
    yield Path(toolkit.__file__).parent
    yield from (Path(entry) for entry in sys.path if "site-packages" in entry or "dist-packages" in entry)
    yield from (Path(name) for name in ("/etc/mime.types", "/usr/share/zoneinfo", "/etc/localtime"))

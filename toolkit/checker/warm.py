"""One provider process for all of a run's terraform calls, which then start none of their own.

    provider -debug ──▶ the address of its socket ──▶ TF_REATTACH_PROVIDERS of `terraform validate`, `plan`, …

Starting the AWS provider and reading its schema is half of what a `terraform validate` costs (FACTS §4). The
process has been told what a model wrote: it lives in the sandbox, for one run, and can reach the port of the
rehearsal's emulator and no other. https://developer.hashicorp.com/terraform/plugin/debugging
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from toolkit.checker.mirrors import HOST
from toolkit.checker.process import Runner, Service
from toolkit.checker.sandbox import Confinement, SandboxLevel

SOURCE = "hashicorp/aws"
"""The provider that is kept warm: not every other one can be started this way."""

CPU_S = 1800.0
"""Seconds of CPU that it may use in its run."""

START_S = 20.0

# Started for debugging, it would write a megabyte of log for each command.
_LOGS = ("SDK", "SDK_FRAMEWORK", "SDK_HELPER_SCHEMA", "SDK_MUX", "SDK_PROTO", "PROVIDER")
_QUIET = {f"TF_LOG_{name}": "off" for name in _LOGS}
_VARIABLE = b"TF_REATTACH_PROVIDERS='"


class WarmProvider:
    """The provider of an initialised `data` folder, once it is started; `reattach` is empty while it is not.

    `environment` is what it is started with; `folder` is where its socket lies, in a path that is short;
    `home` is where it runs, and what it reads: files that resources name are looked for there.
    """

    def __init__(
        self,
        folder: str,
        home: Path,
        environment: Mapping[str, str],
        held: SandboxLevel,
        tcp_port: int | None,
    ) -> None:
        self.sockets: Path | None = None
        self._folder = folder
        self._home = home
        self._environment = environment
        self._held = held
        self._tcp_port = tcp_port
        self._executable: Path | None = None
        self._reattach = ""
        self._service: Service | None = None
        self._stack = contextlib.ExitStack()

    @property
    def reattach(self) -> str:
        """The value of `TF_REATTACH_PROVIDERS`."""
        return self._reattach if self._service and self._service.running else ""

    def start(self, data: Path) -> None:
        """Start the provider that init has installed below `data`, if there is one and it is not running.

        What goes wrong is no failure: terraform then starts a provider itself, and says what is wrong.
        """
        found = installed(data)
        if found is None or (self.reattach and found == self._executable):
            return
        self.stop()
        self._executable, real = found, found.resolve()
        self.sockets = sockets = Path(tempfile.mkdtemp(prefix="tf-", dir=self._folder))
        self._stack.callback(shutil.rmtree, sockets, ignore_errors=True)
        runner = Runner(self._home, {**self._environment, **_QUIET, "TMPDIR": str(sockets)}, self._held)
        confinement = Confinement(
            read=(self._home,),
            run=(real,),
            write=(sockets,),
            sockets=(sockets,),
            tcp_port=self._tcp_port,
        )
        command = [str(real), "-debug"]
        self._service = self._stack.enter_context(runner.serving(command, CPU_S, confinement=confinement))
        self._reattach = _said(self._service)

    def stop(self) -> None:
        """End it. May be called twice."""
        self._stack.close()
        self._service = None
        self._reattach = ""


def installed(data: Path) -> Path | None:
    """The provider's executable below terraform's data folder.

    None before an init that installed it, and where trees of one run have wanted several versions of it.
    """
    found = [
        path
        for path in (data / "providers" / HOST / SOURCE).glob("*/*/terraform-provider-*")
        if os.access(path, os.X_OK)
    ]
    return found[0] if len(found) == 1 else None


def _said(service: Service) -> str:
    """What it prints for those who want to use it; empty where it does not come to that."""
    deadline = time.monotonic() + START_S
    while service.running and time.monotonic() < deadline:
        _, found, after = bytes(service.stdout.kept).partition(_VARIABLE)
        if found and b"'" in after:
            return after.partition(b"'")[0].decode(errors="replace")
        time.sleep(0.01)
    return ""

"""Starts, watches and stops a MiniStack process, the AWS emulator from PyPI, behind `toolkit.gated`.

Used by the local target, which keeps its state on disk, and by rehearsals, which throw it away. The
process listens on 127.0.0.1 only, enforces IAM and SigV4, and starts with a scrubbed environment: an
`AWS_ACCESS_KEY_ID` that it inherited would become a root key, and functions inherit what it has. Whoever
else can reach the port, another user or a web page, is refused: each emulator has a root key of its own.

What it keeps is in the clear: after a stop, `state/ssm.json` has the values of SecureStrings. Only the
modes protect it: the folder is made for its owner alone (0700), and so are the files (umask 077).
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from toolkit.errors import EmulatorFailed

READY_SECONDS = 30.0
STOP_SECONDS = 20.0

OWNERS_ALONE = 0o077
"""The umask of what writes state or logs: nobody else reads them, wherever the folder is."""

# What functions of the local target legitimately need of the machine: where executables and temporary
# files are, how to get out (terraform's downloads), and where the provider mirror is. No credentials.
PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "TFKIT_PROVIDER_MIRROR", "TFLINT_PLUGIN_DIR", "XDG_DATA_HOME", "XDG_DATA_DIRS", "VIRTUAL_ENV",
)  # fmt: skip


NO_DOCKER = "tcp://127.0.0.1:9"
"""Nothing answers there: what a rehearsal makes is to start no container of the user's."""

# A proxy's address may hold a password, and a rehearsal has no business with any of the rest.
THROWAWAY_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "VIRTUAL_ENV")

KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
"""What AWS makes the sixteen characters of an access key after `AKIA` of."""


def free_port(preferred: int = 0) -> int:
    """A free port of 127.0.0.1: the preferred one if it is free, else another."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmulatorFailed("no free port on 127.0.0.1", "stop something that listens, and try again")


class Emulator:
    """One MiniStack process over one folder. Not safe for two processes at once; its owner sees to that.

    One that is `throwaway` keeps nothing on disk and starts no other process, so no function runs in it.
    `key` and `secret` are its root user's: made here, given to the process by a pipe, and written nowhere.
    """

    def __init__(
        self,
        folder: Path,
        *,
        bedrock_url: str = "",
        bedrock_timeout_s: float = 150.0,
        throwaway: bool = False,
    ) -> None:
        self.folder = folder
        self.port = 0
        self.key: str = "AKIA" + "".join(secrets.choice(KEY_LETTERS) for _ in range(16))
        self.secret: str = secrets.token_urlsafe(30)
        self._bedrock_url = bedrock_url
        self._bedrock_timeout_s = bedrock_timeout_s
        self._throwaway = throwaway
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The address for AWS clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id, 0 when it does not run."""
        return self._process.pid if self._process else 0

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self, preferred_port: int = 0, launcher: Sequence[str] = ()) -> None:
        """Start and wait until it answers; `launcher` is put in front of the command.

        Raises `EmulatorFailed` with the end of its log.
        """
        for folder in (self.folder, self.folder / "tmp"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.port = free_port(preferred_port)
        with open_log(self.folder / "emulator.log") as log:
            self._process = subprocess.Popen(
                [*launcher, sys.executable, "-P", "-m", "toolkit.gated"],
                env=self._environment(),
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=OWNERS_ALONE,
                # "Parent" is the thread that starts it, and that of a rehearsal is soon gone: see `gated`.
                preexec_fn=None if self._throwaway else _die_with_parent(),
            )
        self._tell_key(self._process.stdin)
        self._wait_ready()

    def stop(self) -> None:
        """Stop with SIGTERM, which is the only way in which the emulator writes its state."""
        if self._process is None:
            return
        if self.running and self._throwaway:
            self._process.kill()
            self._process.wait()
        elif self.running:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        # Functions run as children of the emulator, in its process group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process = None

    def _tell_key(self, pipe: IO[bytes] | None) -> None:
        """Not on the command line, which every user sees, nor in the environment, which functions inherit."""
        assert pipe
        told = {"key": self.key, "secret": self.secret, "alone": self._throwaway}
        # One that died at once is found out about when it does not become ready.
        with contextlib.suppress(BrokenPipeError):
            pipe.write(json.dumps(told).encode() + b"\n")
            pipe.flush()
            if not self._throwaway:  # which ends with this end of the pipe, and so with us
                pipe.close()

    def _environment(self) -> dict[str, str]:
        names = THROWAWAY_PASSED_ON if self._throwaway else PASSED_ON
        passed = {key: os.environ[key] for key in names if key in os.environ}
        ours = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "AUTH": "true",
            "PERSIST_STATE": "0" if self._throwaway else "1",
            "STATE_DIR": str(self.folder / "state"),
            "S3_PERSIST": "0" if self._throwaway else "1",
            "S3_DATA_DIR": str(self.folder / "s3"),
            "TMPDIR": str(self.folder / "tmp"),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "PYTHONUNBUFFERED": "1",
        }
        if self._throwaway:
            ours["DOCKER_HOST"] = NO_DOCKER
        if self._bedrock_url:
            ours["MINISTACK_BEDROCK_PROXY_URL"] = self._bedrock_url
            ours["MINISTACK_BEDROCK_PROXY_TIMEOUT_SECONDS"] = str(self._bedrock_timeout_s)
        return passed | ours

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if not self.running:
                break
            if healthy(self.endpoint):
                return
            time.sleep(0.05)
        self.stop()
        raise EmulatorFailed(f"the emulator did not become ready: {self._log_tail()}", "see `tfkit doctor`")

    def _log_tail(self) -> str:
        lines = (self.folder / "emulator.log").read_text("utf-8", "replace").splitlines()
        return " / ".join(lines[-3:]) or "it wrote no log"


def open_log(path: Path, mode: str = "ab") -> IO[bytes]:
    """A log that only its owner reads, opened to append or, with `wb`, to begin anew."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))


def healthy(endpoint: str) -> bool:
    """Whether an emulator answers at the endpoint."""
    # By hand, as every command asks this and an HTTP client takes longer to load than to answer.
    host, _, port = endpoint.removeprefix("http://").rstrip("/").rpartition(":")
    request = f"GET /_localstack/health HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(request.encode())
            return connection.recv(64).split(b" ")[1:2] == [b"200"]
    except (OSError, ValueError):
        return False


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux the kernel ends the emulator when its owner is killed; elsewhere the next start does."""
    if sys.platform != "linux":
        return None
    import ctypes  # before the fork, and not for everybody who only asks where an emulator is

    prctl, pr_set_pdeathsig = ctypes.CDLL(None).prctl, 1
    return lambda: prctl(pr_set_pdeathsig, signal.SIGTERM)

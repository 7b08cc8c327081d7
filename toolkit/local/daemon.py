"""The local target's background process: owns the emulator and the model server, and ends with them.

    python -m toolkit.local.daemon FOLDER     (started by `toolkit.local.control`)

Options arrive as JSON on standard input. It writes `daemon.json` when it is ready, holds `daemon.lock`
while it lives, and stops on SIGTERM, so that the emulator is stopped in the way in which it keeps its
state. When the emulator dies, so does it.

`daemon.json` also tells the root key of this emulator, which is a new one at each start: whoever reads the
file can run code as its owner. It is written for the owner alone, as is all that daemon and emulator write.
"""

import fcntl
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import IO

from toolkit import __version__
from toolkit.emulator import Emulator
from toolkit.errors import TfkitError
from toolkit.local.control import digest
from toolkit.local.model.server import ModelServer


def main(folder: Path) -> int:
    """Run until SIGTERM or until the emulator dies. Returns the exit code."""
    with (folder / "daemon.lock").open("a") as lock:
        if not _hold(lock):
            return 0  # another one was quicker
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _n, _f: stop.set())
        signal.signal(signal.SIGHUP, _ignore)
        return _serve(folder, stop)


def _hold(lock: IO[str]) -> bool:
    """Take the lock; whoever looks whether a daemon runs has it for an instant, so try for a while."""
    for _ in range(20):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return True
    return False


def _serve(folder: Path, stop: threading.Event) -> int:
    options = json.loads(sys.stdin.read() or "{}")
    timeout_s = float(options.get("llm_timeout_s", 120))
    note = folder / "daemon.json"
    api_key = str(options.get("api_key", ""))
    models = ModelServer(folder / "routes.json", upstream_timeout_s=timeout_s, api_key=api_key)
    # The emulator must wait longer than the model server, or it would answer with its own mock.
    emulator = Emulator(folder / "emulator", bedrock_url=models.start(), bedrock_timeout_s=timeout_s + 30)
    try:
        emulator.start(preferred_port=_last_port(folder))
        (folder / "port").write_text(str(emulator.port))
        _write_note(note, emulator, models.url, timeout_s, api_key)
        while emulator.running and not stop.wait(0.2):
            pass
        return 0 if stop.is_set() else 1
    except TfkitError as error:
        print(error.message, file=sys.stderr, flush=True)  # noqa: T201 - the daemon's log
        return 1
    finally:
        note.unlink(missing_ok=True)
        models.stop()
        emulator.stop()


def _last_port(folder: Path) -> int:
    """The port of the last time: queue addresses in the state carry it."""
    try:
        return int((folder / "port").read_text())
    except (OSError, ValueError):
        return 0


def _write_note(note: Path, emulator: Emulator, model_url: str, timeout_s: float, api_key: str) -> None:
    facts = {
        "pid": os.getpid(),
        "emulator_pid": emulator.pid,
        "endpoint": emulator.endpoint,
        "key": emulator.key,
        "secret": emulator.secret,
        "model_url": model_url,
        "version": __version__,
        "llm_timeout_s": timeout_s,
        "api_key_sha256": digest(api_key),
    }
    temporary = note.with_suffix(".tmp")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(facts))
    temporary.replace(note)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Outlive the terminal that it was started from."""


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""`kill -9` of `up`, and of the emulator under it, at random moments: counted, with the seed printed.

    .venv/bin/python tests/e2e/kills.py --ups 20 --emulators 5 [--seed N]

After each kill the next `up` must converge (and one more must find nothing to do), and a destroy must
leave nothing that a listing finds. The suite does a few of these each time; this does as many as one likes.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from driver import Tfkit
from test_e2e_interrupted import begun, cut_off, left_in

from toolkit.deploy.platform import Platform, quiet
from toolkit.settings import load


def kill_up(tfkit: Tfkit, after: float) -> str:
    """Kill `up` itself; how it ended, in a word."""
    code, _ = cut_off(tfkit, signal.SIGKILL, after)
    return "killed" if code == -signal.SIGKILL else f"ended before, {code}"


def kill_emulator(tfkit: Tfkit, after: float) -> str:
    """Kill the emulator while `up` works on it."""
    process = begun(tfkit)
    note = tfkit.folder / "daemon.json"
    while not note.exists() and process.poll() is None:
        time.sleep(0.02)
    time.sleep(after)
    running = tfkit.running()
    os.kill(running.emulator_pid, signal.SIGKILL)
    said, _ = process.communicate(timeout=240)
    assert "Traceback" not in said, said
    return f"up ended with {process.returncode}"


def converges(tfkit: Tfkit) -> None:
    """The next `up` makes it whole, and a destroy leaves nothing. Raises AssertionError."""
    tfkit.json("up")
    again = tfkit.json("up")["changes"]
    assert again["same"] == sum(again.values()), again
    assert tfkit.json("status")["drift"] == []
    platform = Platform(load({}, {"TFKIT_HOME": str(tfkit.home)}, tfkit.home))
    _, receipt = platform.destroy(quiet)
    assert left_in(tfkit) == []
    assert receipt.kept == []
    platform.close()


def main() -> None:
    """Kill, converge, count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ups", type=int, default=20)
    parser.add_argument("--emulators", type=int, default=5)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    moments = random.Random(chosen.seed)
    kinds = [("up", kill_up, 0.4, 4.2)] * chosen.ups + [
        ("emulator", kill_emulator, 0.05, 3.0)
    ] * chosen.emulators
    held = 0
    for number, (what, kill, earliest, latest) in enumerate(kinds, 1):
        after = moments.uniform(earliest, latest)
        with tempfile.TemporaryDirectory(prefix="tfkit-kills-") as home:
            tfkit = Tfkit(Path(home))
            how = kill(tfkit, after)
            try:
                converges(tfkit)
                held += 1
                verdict = "converged, nothing left"
            except AssertionError as failed:
                verdict = f"FAILED: {failed}"
            finally:
                tfkit("down")
        print(f"{number:3} {what:9} after {after:.2f} s: {how}; {verdict}", flush=True)
    print(f"{held} of {len(kinds)}")
    sys.exit(held != len(kinds))


if __name__ == "__main__":
    main()

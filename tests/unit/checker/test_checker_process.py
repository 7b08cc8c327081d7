import os
import sys
import threading
import time
from pathlib import Path

import pytest

from toolkit.checker import process
from toolkit.checker.process import Runner, Stopped

PYTHON = [sys.executable, "-c"]


def gone(pid: int) -> bool:
    """Whether a process has ended; waits for the kernel up to ten seconds, and fails the test by False."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


FORKS = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(str(child.pid))
{then}
"""


@pytest.mark.parametrize("then", ["child.wait()", ""])
def test_no_child_of_the_group_survives_a_deadline_or_a_normal_end(then: str, tmp_path: Path) -> None:
    command = [*PYTHON, FORKS.format(then=then), str(tmp_path / "pid")]
    runner = Runner(tmp_path, {})
    if then:
        with pytest.raises(TimeoutError, match="took longer than 2 s"):
            runner.run(command, 2)
    else:
        assert runner.run(command, 60).code == 0
    assert gone(int((tmp_path / "pid").read_text()))


def test_the_environment_is_exactly_what_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "marker")
    shown = Runner(tmp_path, {"ONLY": "this"}).run(["/usr/bin/env"], 30).stdout.decode()
    # The launcher is Python, which may set a locale for itself.
    assert "ONLY=this" in shown
    assert "marker" not in shown
    assert "PATH=" not in shown


def test_limits_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    show = "import resource as r; print([r.getrlimit(n)[0] for n in (r.RLIMIT_CPU, r.RLIMIT_NOFILE)])"
    assert (
        Runner(tmp_path, {}).run([*PYTHON, show], 30).stdout.decode().strip()
        == f"[{30 * (os.cpu_count() or 1) + 5}, 1024]"
    )
    monkeypatch.setattr(process, "FILE_SIZE", 1000)
    write = "import sys; f = open(sys.argv[1], 'wb', 0); f.write(b'x' * 900); f.write(b'x' * 900)"
    done = Runner(tmp_path, {}).run([*PYTHON, write, str(tmp_path / "big")], 30)
    assert "File too large" in done.stderr or (tmp_path / "big").stat().st_size <= 1000


def test_a_signal_is_told_apart_from_an_exit_code(tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="SIGXCPU"):
        Runner(tmp_path, {}).run([*PYTHON, "import os, signal; os.kill(os.getpid(), signal.SIGXCPU)"], 30)
    with pytest.raises(Stopped, match="out of memory"):
        words = "import sys; sys.stderr.write('fatal error: runtime: out of memory'); sys.exit(2)"
        Runner(tmp_path, {}).run([*PYTHON, words], 30)


def test_output_is_capped_and_never_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAX_OUTPUT_BYTES", 1000)
    with pytest.raises(Stopped, match="printed more than 1000"):
        Runner(tmp_path, {}).run([*PYTHON, "print('x' * 10_000_000)"], 60)


def test_stop_ends_what_is_running(tmp_path: Path) -> None:
    runner, raised = Runner(tmp_path, {}), list[BaseException]()

    def work() -> None:
        try:
            runner.run([*PYTHON, "open('started', 'w').close(); import time; time.sleep(600)"], 600)
        except Stopped as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while not (tmp_path / "started").exists():
        time.sleep(0.01)
    runner.stop()
    thread.join(60)
    assert len(raised) == 1

"""A scripted run through the checker, against the same terraform commands one after another by hand.

    python tests/bench/checking.py [REPEATS]

The script: init, three writes, two validates that fail, one that is clean, and the closing check of the same
tree. By hand each is a command of its own on a folder, with the same mirror and no sandbox; the checker also
scans, confines and formats. Each side is a new process tree, the two in turn: wall time, CPU of the whole
tree, and its peak resident memory (sampled). The closing check is timed inside.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HEAD = """\
terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}
"""
BUCKET = 'resource "aws_s3_bucket" "this" {\n  bucket = "%s"\n}\n'
TREES = [
    {"versions.tf": HEAD, "main.tf": BUCKET % "${var.name}"},
    {"versions.tf": HEAD, "main.tf": BUCKET % "${var.name}" + '\noutput "arn" {\n  value = local.arn\n}\n'},
    {"versions.tf": HEAD, "main.tf": BUCKET % "an-example" + '\noutput "x" {\n  value = "y"\n}\n'},
]
"""Two that validate refuses (an undeclared variable, an undeclared local), and one that it takes."""

GOAL = 0.5
CLOSING_GOAL_S = 0.1


def by_hand() -> None:
    """init, three validates, and for the closing check fmt and validate once more."""
    from toolkit.checker.mirrors import cli_configuration, find_providers

    terraform = shutil.which("terraform")
    assert terraform
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "cli.tfrc").write_text(cli_configuration(find_providers("linux_amd64")))
        root = Path(folder) / "root"
        root.mkdir()
        environment = {
            "PATH": os.environ["PATH"], "HOME": folder, "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": f"{folder}/cli.tfrc",
        }  # fmt: skip

        def run(*arguments: str) -> int:
            command = [terraform, *arguments]
            return subprocess.run(
                command, cwd=root, env=environment, capture_output=True, check=False
            ).returncode

        write(root, TREES[0])
        assert run("init", "-backend=false", "-input=false") == 0
        for number, tree in enumerate(TREES):
            write(root, tree)
            assert (run("validate", "-json") == 0) is (number == len(TREES) - 1)
        assert run("fmt", "-check") == 0
        assert run("validate", "-json") == 0


def by_checker() -> None:
    """The same through the checker, as the agent's tools use it; prints how long the closing check took."""
    from toolkit.checker.inprocess import InProcessChecker
    from toolkit.contracts import Tree

    with tempfile.TemporaryDirectory() as folder:
        checker = InProcessChecker(Path(folder))
        try:
            for number, files in enumerate(TREES):
                tree = Tree(files={path: text.encode() for path, text in files.items()})
                checker.prepare(tree)
                assert checker.init(tree).status == "ok"
                names = ["validate"] if number < len(TREES) - 1 else ["fmt", "validate"]
                assert checker.check(tree, names).clean is (number == len(TREES) - 1)
            started = time.perf_counter()
            assert checker.check(tree, ["fmt", "validate"]).clean
            print(time.perf_counter() - started)
        finally:
            checker.close()


def write(root: Path, tree: dict[str, str]) -> None:
    """Put the files into the folder."""
    for path, text in tree.items():
        (root / path).write_text(text)


def measure(side: str) -> tuple[float, float, float, str]:
    """Wall and CPU seconds, peak MiB and output of a new process that does one side."""
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, __file__, side], stdout=subprocess.PIPE, text=True)
    peak: list[float] = [0.0]
    sampler = threading.Thread(target=_sample, args=(child, peak))
    sampler.start()
    assert child.stdout
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    sampler.join()
    assert child.returncode == 0, f"{side} failed"
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, peak[0], said


def _sample(child: "subprocess.Popen[str]", peak: list[float]) -> None:
    while child.returncode is None:
        peak[0] = max(peak[0], sum(map(_resident_mib, _tree(child.pid))))
        time.sleep(0.05)


def _tree(pid: int) -> list[int]:
    found, todo = list[int](), [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                todo += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def _resident_mib(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError):
        return 0.0


def main(repeats: int) -> None:
    """Print medians and ratios."""
    rows: dict[str, list[tuple[float, float, float]]] = {"hand": [], "checker": []}
    closing: list[float] = []
    for _ in range(repeats):
        for side, found in rows.items():
            wall, cpu, peak, said = measure(side)
            found.append((wall, cpu, peak))
            closing += [float(said)] if side == "checker" else []
    medians = {
        side: [statistics.median(column) for column in zip(*found, strict=True)]
        for side, found in rows.items()
    }
    for side, (wall, cpu, peak) in medians.items():
        print(f"{side:8} {wall:6.2f} s wall {cpu:6.2f} s CPU {peak:7.0f} MiB at the peak")
    wall, cpu, peak = (ours / hand for ours, hand in zip(medians["checker"], medians["hand"], strict=True))
    print(f"ratio    {wall:6.2f}        {cpu:6.2f}       {peak:7.2f}     (goal: {GOAL} of wall and CPU)")
    print(f"closing check of the unchanged tree: {statistics.median(closing):.4f} s (goal: {CLOSING_GOAL_S})")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["hand"]:
            by_hand()
        case ["checker"]:
            by_checker()
        case given:
            main(int(given[0]) if given else 5)

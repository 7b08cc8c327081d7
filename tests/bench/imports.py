"""What the agent's function imports, against pydantic-ai with its Bedrock model alone: CPU and memory.

    python tests/bench/imports.py [REPEATS]

Each side is a new process, the two in turn; the figures are medians.
"""

import resource
import statistics
import subprocess
import sys

SIDES = {
    "baseline": "from pydantic_ai import Agent; from pydantic_ai.models.bedrock import BedrockConverseModel",
    "handler": "import toolkit.agent.handler",
}
GOAL = 1.25
REPORT = (
    "import resource as r; u = r.getrusage(r.RUSAGE_SELF); "
    "rss = next(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmRSS')); "
    "print(u.ru_utime + u.ru_stime, rss / 1024)"
)


def measure(code: str) -> tuple[float, float]:
    """CPU seconds and MiB resident of a new process that runs the code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{REPORT}"], capture_output=True, text=True, check=True
    )
    cpu, resident = done.stdout.split()[-2:]
    return float(cpu), float(resident)


def main(repeats: int) -> None:
    """Print both sides and the ratios."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in SIDES}
    for code in SIDES.values():
        measure(code)  # compiled files and the disk's cache
    for _ in range(repeats):
        for name, code in SIDES.items():
            found[name].append(measure(code))
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in found.items()
    }
    for name, (cpu, resident) in medians.items():
        print(f"{name:10} {cpu:6.2f} s CPU {resident:7.1f} MiB resident")
    ratios = [ours / base for ours, base in zip(medians["handler"], medians["baseline"], strict=True)]
    print(f"ratio      {ratios[0]:6.2f}       {ratios[1]:7.2f}       (goal: {GOAL} each)")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)

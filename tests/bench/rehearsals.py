"""Every program of the rehearsal's corpus by itself, at depth apply: what comes of it, against what should.

    python tests/bench/rehearsals.py [mistakes|correct] [NAME…]

A mistake must be found, at its address and with its code; what is right must not be refused. Exits 1 else.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "checker"))

from rehearsal_corpus import program, programs

from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.sandbox import level
from toolkit.contracts import CheckResult


def rehearse(kind: str, name: str) -> tuple[CheckResult, float]:
    """How the rehearsal ends, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        tree = program(kind, name)
        checker = InProcessChecker(Path(folder), unsandboxed=not level().confines, brought=tree)
        started = time.monotonic()
        try:
            return checker.check(tree, ["validate", "rehearse"], rehearse="apply").results[-1], (
                time.monotonic() - started
            )
        finally:
            checker.close()


def wrong(kind: str, told: dict[str, Any], result: CheckResult) -> str:
    """What is not as it should be; empty if all is."""
    if kind == "correct":
        refused = "; ".join(finding.message for finding in result.findings)
        return refused or ("" if result.status == told["outcome"] else f"{result.status}: {result.detail}")
    rules = {finding.rule for finding in result.findings if told["address"] in finding.message}
    return "" if rules and (not told["code"] or told["code"] in rules) else result.detail or "nothing found"


def main(arguments: list[str]) -> int:
    """Print a line for each; the number of those that came out wrong."""
    kinds = [kind for kind in ("mistakes", "correct") if kind in arguments] or ["mistakes", "correct"]
    names = set(arguments) - {"mistakes", "correct"}
    bad = 0
    for kind in kinds:
        for name, told in programs(kind).items():
            if names and name not in names:
                continue
            result, seconds = rehearse(kind, name)
            problem = wrong(kind, told, result)
            bad += bool(problem)
            said = problem or result.detail or ", ".join(finding.rule for finding in result.findings)
            came_out = "WRONG" if problem else "right"
            print(f"{came_out} {kind:8} {name:34} {result.status:11} {seconds:5.1f} s  {said}")
    return bad


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)

"""Every recipe of the offline composer in its plain form, through validators that CI has no time for.

    python tests/bench/recipes.py plan|apply [KIND…]    # the rehearsal: `ok`, `unsupported` or `slow`
    python tests/bench/recipes.py lint [KIND…]          # tflint and checkov (tfkit validators install …)

A finding of the rehearsal is a mistake of the recipe, or a false claim; one of a linter is a mistake unless
it is below the gate's threshold, or a recipe says why it fails that check (`#: fails`). Exits 1 for any.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "local" / "model"))

from model_prompts import PLAIN

from toolkit.agent.verdict import to_mend
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.sandbox import level
from toolkit.checker.selection import Choice, select
from toolkit.contracts import CheckReport, RehearseDepth, Tree
from toolkit.local.model.compose import compose
from toolkit.local.model.prompt import read_prompt
from toolkit.local.model.recipe import load_book

LINTERS = ("tflint", "checkov")


def check(prompt: str, names: tuple[str, ...], depth: RehearseDepth) -> CheckReport:
    """What the validators say of what the prompt comes to."""
    files = compose(read_prompt(prompt)).files
    tree = Tree(files={path: text.encode() for path, text in files.items()})
    with tempfile.TemporaryDirectory() as folder:
        checker = InProcessChecker(Path(folder), unsandboxed=not level().confines)
        try:
            return checker.check(tree, names, rehearse=depth)
        finally:
            checker.close()


def rehearsed(prompt: str, depth: RehearseDepth) -> tuple[str, list[str]]:
    """How the rehearsal ended, and the mistakes."""
    result = check(prompt, ("validate", "rehearse"), depth).results[-1]
    return f"{result.status} {result.detail}", [finding.message[:160] for finding in result.findings]


def linted(prompt: str) -> tuple[str, list[str]]:
    """How the linters ended, and the findings that close a gate and that no recipe gives a reason for."""
    report = check(prompt, LINTERS, "off")
    said = {name for recipe in load_book().recipes.values() for name in recipe.fails}
    grave = to_mend(report, select(Choice(named=LINTERS), LINTERS, {}))
    ended = ", ".join(
        f"{result.validator} {result.status} {result.detail}".strip() for result in report.results
    )
    broken = [f"{r.validator} {r.status}: {r.detail}" for r in report.results if r.status == "error"]
    return ended, broken + [f"{f.rule} {f.message[:100]}" for f in grave if f.rule not in said]


def main(mode: str, kinds: list[str]) -> int:
    """Print a line for each; the number of those with mistakes."""
    bad = 0
    for kind, prompt in PLAIN.items():
        if kinds and kind not in kinds:
            continue
        started = time.monotonic()
        depth: RehearseDepth = "apply" if mode == "apply" else "plan"
        ended, mistakes = linted(prompt) if mode == "lint" else rehearsed(prompt, depth)
        bad += bool(mistakes)
        print(f"{kind:18} {time.monotonic() - started:6.1f} s  {ended}  {'; '.join(mistakes)}", flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1] if len(sys.argv) > 1 else "plan", sys.argv[2:]) else 0)

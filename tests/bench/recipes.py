"""Every recipe of the offline composer through the rehearsal: `ok`, `unsupported` or `slow`.

    python tests/bench/recipes.py plan|apply [KIND…]

A finding is a mistake of the recipe, or a false claim of the rehearsal; exits 1 then. Some wait for minutes.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "local" / "model"))

from model_prompts import PLAIN

from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.sandbox import level
from toolkit.contracts import RehearseDepth, Tree
from toolkit.local.model.compose import compose
from toolkit.local.model.prompt import read_prompt


def main(depth: RehearseDepth, kinds: list[str]) -> int:
    """Print a line for each; the number of those with findings."""
    bad = 0
    for kind, prompt in PLAIN.items():
        if kinds and kind not in kinds:
            continue
        files = compose(read_prompt(prompt)).files
        tree = Tree(files={path: text.encode() for path, text in files.items()})
        with tempfile.TemporaryDirectory() as folder:
            checker = InProcessChecker(Path(folder), unsandboxed=not level().confines)
            started = time.monotonic()
            try:
                result = checker.check(tree, ["validate", "rehearse"], rehearse=depth).results[-1]
            finally:
                checker.close()
        bad += bool(result.findings)
        said = "; ".join(finding.message[:160] for finding in result.findings) or result.detail
        print(f"{kind:18} {result.status:11} {time.monotonic() - started:6.1f} s  {said}", flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(1 if main("apply" if sys.argv[1:2] == ["apply"] else "plan", sys.argv[2:]) else 0)

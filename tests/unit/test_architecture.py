"""The rules of the tree: who imports whom, and what the function in Lambda never loads."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("toolkit", "stacks", "plugins")
AUTOMATION = "toolkit/deploy/automation.py"


def test_the_import_rules_of_pyproject_hold():
    program = "from importlinter.cli import lint_imports_command as run; run()"
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " kept, 0 broken" in done.stdout, done.stdout


def test_the_handler_loads_nothing_of_the_command_line():
    unwanted = ("click", "rich", "pulumi", "pulumi_aws", "obstore", "isal", "ministack")
    program = (
        "import sys, toolkit.agent.handler;"
        "tops = {name.split('.')[0] for name in sys.modules};"
        f"print('loaded:', *sorted(tops & set({unwanted!r})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "loaded:"


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that may be imported, at any depth of the code: `from a import b` names a and a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_what_counts_as_an_import():
    code = "import a.b\ndef f():\n from pulumi import automation as auto\nfrom . import own\n"
    assert set(imported(ast.parse(code))) == {"a.b", "pulumi", "pulumi.automation"}


def test_one_module_alone_drives_pulumis_cli():
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(files) > 50
    users = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if any(
            f"{name}.".startswith("pulumi.automation.")
            for name in imported(ast.parse(path.read_text("utf-8")))
        )
    }
    assert users <= {AUTOMATION}

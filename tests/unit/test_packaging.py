"""What is installed where: the wheel on a laptop, and the runtime's own set of packages in Lambda."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
IMPORT_WITH_THESE_ALONE = """
import json, sys
from importlib.machinery import PathFinder
from importlib.metadata import distribution

found = [distribution(name) for name in json.load(sys.stdin)]
files = {str(one.locate_file(file)) for one in found for file in one.files or []}

class Guard:
    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target)
        if spec and spec.origin and "site-packages" in spec.origin and spec.origin not in files:
            raise ModuleNotFoundError(f"{name} is not among the packages of Lambda", name=name)
        return None

sys.meta_path.insert(0, Guard)
import toolkit.agent.handler
"""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names: list[str]) -> set[str]:
    """The distributions that come with these, extras included, in this environment."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    todo = [Requirement(name) for name in names]
    while todo:
        wanted = todo.pop()
        for extra in wanted.extras or {""}:
            if (canonical(wanted.name), extra) in seen:
                continue
            seen.add((canonical(wanted.name), extra))
            for text in requires(wanted.name) or []:
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    todo.append(needed)
        found.add(canonical(wanted.name))
    return found


def test_the_handler_imports_with_the_packages_of_lambda_alone() -> None:
    allowed = closure(PROJECT["dependency-groups"]["lambda"])
    done = import_with(allowed)
    assert done.returncode == 0, done.stderr


def test_a_package_that_lambda_lacks_would_be_noticed() -> None:
    without = closure(PROJECT["dependency-groups"]["lambda"]) - {"msgspec"}
    assert "msgspec is not among the packages" in import_with(without).stderr


def import_with(distributions: set[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", IMPORT_WITH_THESE_ALONE],
        input=json.dumps(sorted(distributions)),
        capture_output=True,
        text=True,
    )


def test_lambda_asks_for_the_versions_that_the_command_line_asks_for() -> None:
    assert set(PROJECT["dependency-groups"]["lambda"]) <= set(PROJECT["project"]["dependencies"])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names in the wheel, built as `pip install .` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    code = f"import hatchling.build as b; b.build_wheel({str(folder)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return archive.namelist()


def test_the_wheel_has_the_packages_and_the_recipes_and_no_tests(wheel: list[str]) -> None:
    tops = {name.split("/")[0] for name in wheel if ".dist-info/" not in name}
    assert tops == {"toolkit", "stacks", "plugins"}
    assert "toolkit/local/model/recipes/s3_bucket.tf" in wheel
    assert not [name for name in wheel if name.endswith((".pyc", ".sqlite"))]


def test_no_console_script_could_stand_in_for_pulumi_aws() -> None:
    assert set(PROJECT["project"]["scripts"]) == {"tfkit"}

"""The image's files, laid out as the Dockerfile does, run by an interpreter that has nothing else.

What is missing here is what needs a Docker engine or arm64: the base image itself, and the wheels, in whose
place stand the same distributions of this environment, file by file and by no more than requirements.txt.
"""

import json
import os
import re
import subprocess
import sysconfig
import venv
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from packaging.requirements import Requirement

from toolkit.checker.message import CheckRequest, pack
from toolkit.contracts import Tree
from toolkit.deploy.image_context import ImageOptions, build_context, context_files
from toolkit.deploy.image_requirements import REQUIREMENTS
from toolkit.deploy.plan import CHECKER_HANDLER

DOCKERFILE = REQUIREMENTS.with_name("Dockerfile").read_text()

# What Lambda's runtime interface client does with a handler's name and an event.
RUNTIME = """
import importlib, json, os, sys
sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
class Context:
    aws_request_id = "r"
    def get_remaining_time_in_millis(self): return 120_000
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
try:
    answer = handler(json.loads(sys.stdin.read()), Context())
except Exception as error:
    answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
print(json.dumps({"from": sys.modules[module].__file__, "answer": answer}))
"""


class Root(NamedTuple):
    """The folder in place of /var/task, and the interpreter in place of the base image's."""

    task: Path
    python: Path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    folder = tmp_path_factory.mktemp("image")
    task = folder / "task"
    build_context(folder, context_files(ImageOptions()))
    (folder / "app").rename(task)
    for name in required():
        link(name, task)
    venv.EnvBuilder(symlinks=True).create(folder / "python")
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder / "python")}))
    line = re.search(r"echo '(.+?)' > \"\$\{site\}/tfkit\.pth\"", DOCKERFILE)
    assert line
    (site / "tfkit.pth").write_text(line[1].replace("/var/task", str(task)) + "\n")
    (site / "boto3.py").write_text("__version__ = 'of the base image'\n")
    return Root(task, folder / "python/bin/python")


def required() -> list[str]:
    """The distributions that are installed into the image."""
    lines = REQUIREMENTS.read_text().replace("\\\n", " ").splitlines()
    wanted = [Requirement(line.partition("--hash")[0]) for line in lines if not line.startswith("#")]
    return [one.name for one in wanted if one.marker is None or one.marker.evaluate()]


def link(name: str, task: Path) -> None:
    """The files of a distribution of this environment; its commands and bytecode stay behind."""
    found = distribution(name)
    for file in found.files or []:
        if ".." not in file.parts and file.suffix != ".pyc":
            target = task / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(str(found.locate_file(file)))


def run(root: Root, *arguments: str, event: bytes = b"", **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],  # where terraform is; /opt/bin in the image
        "LAMBDA_TASK_ROOT": str(root.task),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_SECRET_ACCESS_KEY": "of-the-function",
        **more,
    }
    return subprocess.run(
        [str(root.python), "-I", *arguments],
        input=event.decode(),
        env=environment,
        capture_output=True,
        text=True,
        cwd=root.task,
    )


def invoke(root: Root, handler: str, event: bytes) -> dict[str, Any]:
    done = run(root, "-c", RUNTIME, handler, event=event)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert answer["from"].startswith(str(root.task))
    return answer


def test_the_agents_handler_starts_with_what_the_image_holds(root: Root) -> None:
    (handler,) = json.loads(re.findall(r"(?m)^CMD (.+)$", DOCKERFILE)[0])
    answer = invoke(root, handler, b'{"prompt": 1}')["answer"]
    assert answer["errorType"] == "UsageError"
    assert "not a request" in answer["errorMessage"]


def test_the_checkers_handler_checks_in_a_child_that_finds_the_same(root: Root) -> None:
    tree = Tree(files={"main.tf": b'variable "a" {\n  type = string\n}\n'})
    request = CheckRequest(
        v=1, tree=pack(tree), tree_hash=tree.hash, validators=("fmt",), timeout_s=60.0, rehearse="off"
    )
    answer = invoke(root, CHECKER_HANDLER, msgspec.json.encode(request))["answer"]
    assert answer.get("tree") == tree.hash, answer
    assert [(one["validator"], one["status"]) for one in answer["results"]] == [("fmt", "ok")]


def test_a_child_without_an_environment_has_the_images_packages_and_not_the_bases(root: Root) -> None:
    code = "import boto3, ministack, toolkit.emulator, sys; print(boto3.__version__, ministack.__file__)"
    done = subprocess.run([str(root.python), "-I", "-c", code], env={}, capture_output=True, text=True)
    assert done.stdout.split() == [
        distribution("boto3").version,
        str(root.task / "ministack/__init__.py"),
    ], done.stderr


def test_the_rehearsals_emulator_starts_from_the_image(root: Root, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from toolkit.emulator import Emulator;"
        "one = Emulator(Path(sys.argv[1])); one.start(); print(one.running); one.stop()"
    )
    done = run(root, "-c", code, str(tmp_path))
    assert done.stdout.strip() == "True", done.stderr


def test_nothing_of_the_command_line_is_in_reach(root: Root) -> None:
    for name in ("pulumi", "click", "rich", "pytest", "toolkit.cli", "toolkit.deploy", "toolkit.settings"):
        done = run(root, "-c", f"import {name}")
        assert f"No module named '{name}'" in done.stderr, name

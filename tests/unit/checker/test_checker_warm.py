"""One provider for a run's commands: shared, in the sandbox, replaced when it dies, gone with the run."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.sandbox import level
from toolkit.contracts import Tree

HEAD = 'terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'


def bucket(name: str) -> Tree:
    return Tree(files={"main.tf": f'{HEAD}\nresource "aws_s3_bucket" "{name}" {{}}\n'.encode()})


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessChecker]:
    made = InProcessChecker(tmp_path_factory.mktemp("w"), unsandboxed=not level().confines)
    yield made
    made.close()


def status(checker: InProcessChecker, tree: Tree) -> str:
    (result,) = checker.check(tree, ["validate"]).results
    return f"{result.status} {result.detail}".strip()


def provider(checker: InProcessChecker) -> int:
    warm = checker._warm
    assert warm
    assert warm._service
    return warm._service.child.pid


def test_it_serves_one_command_after_another(checker: InProcessChecker) -> None:
    assert status(checker, bucket("a")) == "ok"
    first = provider(checker)
    assert status(checker, bucket("b")) == "ok"
    assert provider(checker) == first


def test_one_that_died_costs_nothing(checker: InProcessChecker) -> None:
    assert status(checker, bucket("c")) == "ok"
    os.kill(provider(checker), signal.SIGKILL)
    assert checker._warm
    assert checker._warm._service
    checker._warm._service.child.wait()
    assert checker._warm.reattach == ""
    assert status(checker, bucket("d")) == "ok"


def test_it_is_in_the_sandbox_and_gone_with_the_run(tmp_path: Path) -> None:
    if not level().confines_reads:
        pytest.skip("no Landlock here")
    checker = InProcessChecker(tmp_path)
    assert status(checker, bucket("a")) == "ok"
    process = provider(checker)
    said = Path(f"/proc/{process}/status").read_text()
    assert "NoNewPrivs:\t1" in said
    assert "Seccomp:\t2" in said
    environment = Path(f"/proc/{process}/environ").read_text()
    assert str(Path.home()) not in environment
    checker.close()
    assert not Path(f"/proc/{process}").exists()
    assert list(tmp_path.iterdir()) == []


def test_init_runs_while_the_model_thinks(tmp_path: Path) -> None:
    checker = InProcessChecker(tmp_path, unsandboxed=not level().confines)
    try:
        checker.prepare(bucket("a"))
        checker.prepare(bucket("b"))
        thread = checker._preparation._thread
        if thread:  # it may be through already
            thread.join()
        assert checker._init_holds_for is not None
        assert checker._warm
        assert checker._warm.reattach
    finally:
        checker.close()


def test_what_cannot_be_prepared_says_nothing(tmp_path: Path) -> None:
    checker = InProcessChecker(tmp_path, unsandboxed=not level().confines)
    try:
        for text in (b"a {", b'backend "s3" {}', b"", b'module "m" {\n  source = "../m"\n}\n'):
            checker.prepare(Tree(files={"main.tf": text}))
        thread = checker._preparation._thread
        if thread:
            thread.join()
        assert checker._init_holds_for is None
    finally:
        checker.close()

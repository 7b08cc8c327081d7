"""The rehearsal as a run sees it: it finds mistakes that validate passes, and refuses no right program."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rehearsal_corpus import can_be_module, combined, program, programs

from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.sandbox import level
from toolkit.contracts import CheckResult, RehearseDepth, Tree

MISTAKES = programs("mistakes")
CORRECT = programs("correct")
BOTH = ["validate", "rehearse"]
QUICK = (
    "catalog_and_queries", "image_repository", "roles_and_managed_policies", "schedule_and_rules",
    "secrets_and_parameters",
)  # fmt: skip


@pytest.fixture
def checker(tmp_path: Path) -> Iterator[InProcessChecker]:
    made = InProcessChecker(tmp_path, unsandboxed=not level().confines)
    yield made
    made.close()


def rehearsed(checker: InProcessChecker, tree: Tree, depth: RehearseDepth) -> CheckResult:
    """How the rehearsal ends on a tree that validate passes."""
    validated, result = checker.check(tree, BOTH, rehearse=depth).results
    assert (validated.status, validated.findings) == ("ok", [])
    return result


def mistakes(step: str) -> dict[str, Tree]:
    trees = {name: program("mistakes", name) for name, told in MISTAKES.items() if told["step"] == step}
    return {name: tree for name, tree in trees.items() if can_be_module(tree)}


def test_there_are_enough_of_them() -> None:
    steps = [told["step"] for told in MISTAKES.values()]
    assert steps.count("apply") >= 10
    assert steps.count("plan") >= 10
    assert len(CORRECT) >= 20


@pytest.mark.parametrize("step", ["plan", "apply", "settle"])
def test_mistakes_that_validate_passes_are_found(checker: InProcessChecker, step: str) -> None:
    """Each of them, by its address where terraform gives one, else by its file."""
    trees = mistakes(step)
    assert len(trees) >= {"plan": 10, "apply": 10, "settle": 2}[step]
    result = rehearsed(checker, combined(trees), "plan" if step == "plan" else "apply")
    assert result.status == "findings", result.detail
    missed = []
    for name in trees:
        address, code = MISTAKES[name]["address"], MISTAKES[name]["code"]
        mine = [
            finding
            for finding in result.findings
            if finding.file.startswith(f"{name}/") or finding.message.startswith(f"module.{name}.")
        ]
        told = [f for f in mine if f"module.{name}.{address}" in f.message] if address else mine
        if not told or (code and code not in {finding.rule for finding in told}):
            missed.append((name, [finding.message for finding in mine]))
    assert missed == []


@pytest.mark.parametrize("outcome", ["ok", "unsupported"])
def test_what_is_right_is_never_refused(checker: InProcessChecker, outcome: str) -> None:
    """What the emulator can do is planned; what it cannot, and what is the account's, stays open."""
    names = [name for name, told in CORRECT.items() if told["outcome"] == outcome]
    trees = {name: program("correct", name) for name in names}
    together = {name: tree for name, tree in trees.items() if can_be_module(tree)}
    assert len(together) >= 5
    result = rehearsed(checker, combined(together), "plan" if outcome == "ok" else "apply")
    assert result.findings == []
    assert result.status == outcome, result.detail


@pytest.mark.thorough
def test_what_is_right_goes_through_to_the_end(checker: InProcessChecker) -> None:
    """Those of which nothing waits for minutes; `tests/bench/rehearsals.py` has all."""
    result = rehearsed(checker, combined({name: program("correct", name) for name in QUICK}), "apply")
    assert (result.status, result.findings) == ("ok", []), result.detail
    assert result.detail.endswith("; applied; a second plan was empty; destroyed")


@pytest.mark.parametrize("name", [name for name in CORRECT if not can_be_module(program("correct", name))])
def test_what_is_right_alone_is_never_refused(checker: InProcessChecker, name: str) -> None:
    result = rehearsed(checker, program("correct", name), "plan")
    assert result.findings == []
    assert result.status in ("ok", "unsupported"), result.detail


def test_what_validate_refuses_is_not_planned(checker: InProcessChecker) -> None:
    tree = Tree(files={"main.tf": b'output "x" {\n  value = var.missing\n}\n'})
    validated, result = checker.check(tree, BOTH, rehearse="plan").results
    assert validated.status == "findings"
    assert (result.status, result.findings) == ("unsupported", [])
    assert "nothing was planned" in result.detail
    (alone,) = checker.check(tree, ["rehearse"], rehearse="plan").results
    assert alone.status == "findings"


@pytest.mark.thorough
def test_past_the_deadline_it_is_slow_and_says_what_was_not_done(tmp_path: Path) -> None:
    checker = InProcessChecker(tmp_path, unsandboxed=not level().confines, rehearsal_timeout_s=15.0)
    try:
        # The provider waits some 25 s for a queue's attributes to settle.
        queues = b"".join(b'resource "aws_sqs_queue" "q%d" {}\n' % number for number in range(3))
        result = rehearsed(checker, Tree(files={"main.tf": queues}), "apply")
        assert (result.status, result.findings) == ("slow", [])
        assert "not done within 15 s: " in result.detail
    finally:
        checker.close()


def test_a_backend_and_profiles_of_the_users_own_lead_nowhere(tmp_path: Path) -> None:
    tree = Tree(
        files={
            "main.tf": (
                b'terraform {\n  backend "s3" {\n    bucket = "b"\n    key = "k"\n  }\n}\n'
                b'provider "aws" {\n  region = "eu-west-1"\n  profile = "production"\n'
                b'  allowed_account_ids = ["123456789012"]\n}\n'
                b'resource "aws_s3_bucket" "b" {}\n'
            ),
            "terraform.tfvars": b"",
        }
    )
    checker = InProcessChecker(tmp_path, brought=tree, unsandboxed=not level().confines)
    try:
        result = rehearsed(checker, tree, "plan")
        assert (result.status, result.detail) == ("ok", "1 resource planned")
    finally:
        checker.close()


@pytest.mark.thorough
def test_files_that_resources_name_are_those_of_the_tree(checker: InProcessChecker, tmp_path: Path) -> None:
    """Relative to its root, as always; the host's are not there for what a model wrote."""
    secret = tmp_path / "secret"
    secret.write_text("a secret of the host")
    text = """
resource "aws_s3_bucket" "b" {}

resource "aws_s3_object" "page" {
  bucket = aws_s3_bucket.b.id
  key    = "page"
  source = "site/page.html"
}
"""
    tree = Tree(files={"main.tf": text.encode(), "site/page.html": b"<p>hello</p>"})
    result = rehearsed(checker, tree, "apply")
    assert result.status == "ok", result
    if not level().confines_reads:
        return
    stolen = Tree(files={"main.tf": text.replace("site/page.html", str(secret)).encode()})
    result = rehearsed(checker, stolen, "apply")
    assert (result.status, result.findings) == ("unsupported", []), result
    assert "a secret of the host" not in str(result)


def test_what_hides_from_the_rehearsal_is_not_passed_by_it(checker: InProcessChecker) -> None:
    text = b"""
data "aws_caller_identity" "here" {}

resource "aws_s3_bucket" "b" {
  count  = data.aws_caller_identity.here.account_id == "000000000000" ? 0 : 1
  bucket = "NOT_ALLOWED"
}
"""
    result = rehearsed(checker, Tree(files={"main.tf": text}), "plan")
    assert (result.status, result.findings) == ("unsupported", [])
    assert "none was planned" in result.detail


@pytest.mark.thorough
def test_one_tree_leaves_nothing_for_the_next(tmp_path: Path) -> None:
    """Neither a backend in terraform's data folder nor a bucket in the emulator."""
    first = Tree(files={"main.tf": b'terraform {\n  backend "s3" {}\n}\nresource "aws_s3_bucket" "b" {}\n'})
    checker = InProcessChecker(tmp_path, brought=first, unsandboxed=not level().confines)
    try:
        assert rehearsed(checker, first, "plan").status == "ok"
        inner = b'  bucket = "kept"\n  lifecycle {\n    prevent_destroy = true\n  }\n'
        kept = b'resource "aws_s3_bucket" "kept" {\n%s}\n' % inner
        assert rehearsed(checker, Tree(files={"main.tf": kept}), "apply").status == "ok"
        look = b'data "aws_s3_bucket" "kept" {\n  bucket = "kept"\n}\n'
        assert rehearsed(checker, Tree(files={"main.tf": look}), "plan").status == "unsupported"
    finally:
        checker.close()

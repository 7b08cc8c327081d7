"""Ordinary programs, in the style of public repositories: none is refused, and validate accepts each.

A folder of `legitimate/` is a program. Those named `own_…` hold what only a user's own files may.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.sandbox import level
from toolkit.checker.scan import scan
from toolkit.checker.staging import path_problem, read_tree, stage_findings, unchanged
from toolkit.contracts import Tree

FOLDER = Path(__file__).with_name("legitimate")
PROGRAMS = sorted(folder.name for folder in FOLDER.iterdir())
OWN = [name for name in PROGRAMS if name.startswith("own_")]
COMPUTED = ["lambda_source", "policies_by_name", "static_site", "template_strings"]
BOTH = ("fmt", "validate")


def program(name: str) -> Tree:
    return read_tree(FOLDER / name)


@pytest.fixture
def workdir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "work"


def test_there_are_twenty_of_them() -> None:
    assert len(PROGRAMS) - len(OWN) >= 20


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_passes(name: str, workdir: Path) -> None:
    """As a model's work, those named `own_…` as a user's own; in the sandbox that there is."""
    if name in COMPUTED and not level().confines_reads:
        pytest.skip("computed paths need Landlock")
    tree = program(name)
    brought = tree if name in OWN else None
    checker = InProcessChecker(workdir, brought=brought, unsandboxed=not level().confines)
    report = checker.check(tree, BOTH)
    checker.close()
    assert {r.validator: (r.status, r.findings) for r in report.results} == dict.fromkeys(BOTH, ("ok", []))
    assert report.sandbox == str(level())


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in OWN])
def test_without_landlock_only_computed_paths_are_refused(name: str) -> None:
    found = scan(program(name))
    assert bool(found) is (name in COMPUTED), found
    assert all("without Landlock" in finding.message and finding.hint for finding in found)


@pytest.mark.parametrize("name", OWN)
def test_what_is_a_users_own_is_refused_of_a_model(name: str) -> None:
    tree = program(name)
    assert stage_findings(tree) != []
    assert stage_findings(tree, frozenset(tree.files)) == []


def test_a_users_own_program_is_checked_without_a_sandbox_too(workdir: Path) -> None:
    tree = program("own_overrides_and_profiles")
    checker = InProcessChecker(workdir, brought=tree, unsandboxed=True)
    assert checker.check(tree, BOTH).clean
    checker.close()


def test_own_is_what_nobody_has_changed() -> None:
    brought = Tree(files={"terraform.tfvars": b"a = 1\n", "main.tf": b"", "x_override.tf": b""})
    now = Tree(files={"terraform.tfvars": b"a = 2\n", "main.tf": b"", "y_override.tf": b""})
    own = unchanged(now, brought)
    assert own == {"main.tf"}
    assert {finding.file for finding in stage_findings(now, own)} == {"terraform.tfvars", "y_override.tf"}
    assert stage_findings(brought, unchanged(brought, brought)) == []


def test_a_changed_file_of_the_users_is_scanned_again() -> None:
    text = b'locals {\n  x = file("/etc/passwd")\n}\n'
    tree = Tree(files={"a.tf": text, "b.tf": text})
    assert {f.file for f in scan(tree, own=frozenset({"a.tf"}), confined=True)} == {"b.tf"}
    assert {f.file for f in scan(tree, own=frozenset({"a.tf"}))} == {"a.tf", "b.tf"}
    assert scan(tree, own=frozenset({"a.tf", "b.tf"})) == []


def test_without_landlock_a_users_providers_and_modules_are_still_the_users() -> None:
    text = b'provider "aws" {\n  profile = "x"\n}\n\nmodule "m" {\n  source = "a/b/aws"\n}\n'
    tree = Tree(files={"a.tf": text, "b.tf": text})
    assert [(f.file, f.rule) for f in scan(tree, own=frozenset({"a.tf"}))] == [
        ("b.tf", "provider-setting"),
        ("b.tf", "module-source"),
    ]


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("terraform.tfvars", True),
        ("Makefile", True),
        ("docs/größe.png", True),
        ("m/zzz_override.tf", True),
        ("zzz_override.tf", False),
        ("terraform.tfstate", False),
        ("terraform.tfstate.backup", False),
        (".terraform/x.json", False),
        ("terraform.d/plugins/x", False),
        ("../x.tf", False),
        ("a\n.tf", False),
    ],
)
def test_names_of_a_users_own(path: str, taken: bool) -> None:
    assert (path_problem(path, own=True) is None) is taken


def test_what_stays_out_of_a_users_tree_is_named(tmp_path: Path) -> None:
    for path in (
        "main.tf",
        ".git/config",
        "terraform.tfstate",
        "m/terraform.tfstate.backup",
        "terraform.d/x",
    ):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("")
    left_out: list[str] = []
    assert set(read_tree(tmp_path, left_out=left_out).files) == {"main.tf"}
    assert left_out == [".git", "m/terraform.tfstate.backup", "terraform.d", "terraform.tfstate"]

import os
from pathlib import Path

import pytest

from toolkit.checker.staging import (
    MAX_FILE_BYTES,
    MAX_FILES,
    OVERRIDE_NAME,
    path_problem,
    read_tree,
    stage,
)
from toolkit.contracts import Tree
from toolkit.errors import UsageError

GOOD = [
    "main.tf",
    "_variables.tf",
    "modules/vpc/main.tf",
    "x.tf.json",
    "prod.tfvars.example",
    "templates/user-data.sh.tftpl",
    "src/handler.py",
    "README.md",
    "policy.json",
    "a/b/page.html",
    "my override notes.md",
]
BAD = [
    "",
    "/etc/passwd.tf",
    "../main.tf",
    "a/../main.tf",
    "a//main.tf",
    "./main.tf",
    "a\\main.tf",
    "a\0.tf",
    "a\n.tf",
    ".terraform/providers/x.json",
    "a/.terraform/modules/modules.json",
    ".terraformrc",
    "terraform.rc",
    ".tflint.hcl",
    ".tflint.json",
    ".checkov.yaml",
    ".checkov.yml",
    ".terraform.lock.hcl",
    "x.lock.hcl",
    "override.tf",
    "a_override.tf",
    "override.tf.json",
    "a_override.tf.json",
    "m/OVERRIDE.TF",
    OVERRIDE_NAME,
    "x.auto.tfvars",
    "x.auto.tfvars.json",
    "terraform.tfvars",
    "terraform.tfvars.json",
    "main.tofu",
    "main.tofu.json",
    "a.tftest.hcl",
    "a.tftest.json",
    "terraform.tfstate",
    "terraform.d/plugins/x.json",
    "main.exe",
    "Makefile",
    "-x.tf",
    "x.tf ",
    "x" * 300 + ".tf",
    "/".join(["d"] * 20) + "/x.tf",
]


@pytest.mark.parametrize("path", GOOD)
def test_ordinary_names_are_taken(path: str) -> None:
    assert path_problem(path) is None


@pytest.mark.parametrize("path", BAD)
def test_names_that_tools_obey_are_refused_and_nothing_is_written(path: str, tmp_path: Path) -> None:
    found = stage(Tree(files={"main.tf": b"", path: b""}), tmp_path / "stage")
    assert [f.validator for f in found] == ["staging"]
    assert found[0].message
    assert "\0" not in found[0].file
    assert not (tmp_path / "stage").exists()


def test_a_stage_holds_the_tree_and_the_override_in_a_private_folder(tmp_path: Path) -> None:
    files = {"main.tf": b"a", "m/x/main.tf": b"\xff\x00"}
    assert stage(Tree(files=files), tmp_path / "stage") == []
    root = tmp_path / "stage"
    assert root.stat().st_mode & 0o777 == 0o700
    written = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert b"local" in written.pop(OVERRIDE_NAME)
    assert written == files


def test_a_stage_is_never_written_into_an_existing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        stage(Tree(files={"main.tf": b""}), tmp_path)


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"a.tf": b"x" * (MAX_FILE_BYTES + 1)}, "too-large"),
        ({f"{n}.md": b"x" * MAX_FILE_BYTES for n in range(5)}, "too-large"),
        ({f"{n}.tf": b"" for n in range(MAX_FILES + 1)}, "too-many-files"),
        ({"a.tf": b"", "a.tf/b.tf": b""}, "path-clash"),
        ({"a.tf": b"", "A.tf": b""}, "path-clash"),
    ],
)
def test_limits_and_clashes_are_findings(files: dict[str, bytes], rule: str, tmp_path: Path) -> None:
    assert {f.rule for f in stage(Tree(files=files), tmp_path / "stage")} == {rule}


def test_read_tree_gives_what_stage_wrote(tmp_path: Path) -> None:
    files = {"main.tf": b"a", "m/main.tf": b"b"}
    stage(Tree(files=files), tmp_path / "stage")
    (tmp_path / "stage" / OVERRIDE_NAME).unlink()
    assert read_tree(tmp_path / "stage").files == files


def test_read_tree_names_the_dotfiles_that_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x")
    (tmp_path / "main.tf").write_text("y")
    left_out: list[str] = []
    assert set(read_tree(tmp_path, left_out=left_out).files) == {"main.tf"}
    assert left_out == [".git"]
    with pytest.raises(UsageError, match=r"\.git"):
        read_tree(tmp_path)


def test_read_tree_follows_no_symlink_and_waits_for_no_fifo(tmp_path: Path) -> None:
    secret = tmp_path / "secret.tf"
    secret.write_text("secret")
    for name, make in {
        "file": lambda p: p.symlink_to(secret),
        "folder": lambda p: p.symlink_to(tmp_path),
        "fifo": lambda p: os.mkfifo(p),
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        make(folder / "x.tf")
        with pytest.raises(UsageError, match=r"x\.tf"):
            read_tree(folder)


def test_read_tree_stops_at_the_limits(tmp_path: Path) -> None:
    (tmp_path / "big.tf").write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    with pytest.raises(UsageError, match=r"big\.tf"):
        read_tree(tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_tree(tmp_path / "missing")

"""What a rehearsal puts beside a tree: settings of every provider block, a backend where there is one."""

import json
from pathlib import Path

import pytest

from toolkit.checker.rehearsal_copy import (
    PROVIDER_NAME,
    VALUES_NAME,
    configured_once,
    empty,
    has_backend,
    override,
    write_copy,
)
from toolkit.checker.staging import OVERRIDE_NAME, stage, stage_findings
from toolkit.contracts import Tree


def tree(**files: str) -> Tree:
    return Tree(
        files={name.replace("_tf", ".tf").replace("__", "/"): text.encode() for name, text in files.items()}
    )


def test_every_configuration_gets_the_settings() -> None:
    text = override(
        tree(
            main_tf='provider "aws" {\n  profile = "x"\n}\n\nprovider "aws" {\n  alias = "eu"\n}\n',
            b_tf='provider "random" {}\n',
            m__c_tf='provider "aws" {\n  alias = "inner"\n}\n',
        ),
    )
    assert text.count('provider "aws" {') == 2
    assert 'alias = "eu"' in text
    assert "inner" not in text
    assert text.count("secret_key = null") == 2
    assert text.count("profile = null") == 2
    assert "backend" not in text


def test_endpoints_of_the_users_own_are_void() -> None:
    text = override(tree(main_tf='provider "aws" {\n  endpoints {\n    s3 = "http://x"\n  }\n}\n'))
    assert "endpoints {}" in text


@pytest.mark.parametrize("inner", ['backend "s3" {}', "cloud {}"])
def test_a_backend_of_the_users_own_becomes_a_local_one(inner: str) -> None:
    found = tree(main_tf=f"terraform {{\n  {inner.replace('{}', '{' + chr(10) + '  }')}\n}}\n")
    assert has_backend(found)
    assert 'backend "local" {}' in override(found)


@pytest.mark.parametrize(
    ("files", "once"),
    [
        ({"main_tf": ""}, True),
        ({"main_tf": 'provider "aws" {}\n'}, True),
        ({"main_tf": 'provider "aws" {\n  alias = "x"\n}\n'}, False),
        ({"main_tf": 'provider "aws" {}\n', "m__a_tf": 'provider "aws" {}\n'}, False),
    ],
)
def test_who_configures_the_provider_once(files: dict[str, str], once: bool) -> None:
    assert configured_once(tree(**files)) is once


def test_the_copy(tmp_path: Path) -> None:
    found = tree(main_tf='resource "aws_sqs_queue" "q" {}\n', m__a_tf="")
    root = tmp_path / "stage"
    assert stage(found, root) == []
    (tmp_path / "copy").mkdir()
    write_copy(found, root, tmp_path / "copy", {"name": "x"})
    copy = {
        path.relative_to(tmp_path / "copy").as_posix()
        for path in (tmp_path / "copy").rglob("*")
        if path.is_file()
    }
    assert copy == {"main.tf", "m/a.tf", OVERRIDE_NAME, PROVIDER_NAME, VALUES_NAME, ".terraform.lock.hcl"}
    assert json.loads((tmp_path / "copy" / VALUES_NAME).read_text()) == {"name": "x"}
    assert 'provider "aws" {' in (tmp_path / "copy" / PROVIDER_NAME).read_text()
    assert "backend" not in (tmp_path / "copy" / OVERRIDE_NAME).read_text()
    assert "backend" in (root / OVERRIDE_NAME).read_text()
    empty(tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []


def test_nothing_of_the_trees_is_written_over(tmp_path: Path) -> None:
    """Its names are refused before; should one come through, it is no plan without that file."""
    found = Tree(files={"main.tf": b"", PROVIDER_NAME: b"a file of the tree's"})
    assert [finding.rule for finding in stage_findings(found)] == ["refused-path"]
    (tmp_path / "stage").mkdir()
    for name, content in {**found.files, OVERRIDE_NAME: b""}.items():
        (tmp_path / "stage" / name).write_bytes(content)
    (tmp_path / "copy").mkdir()
    with pytest.raises(FileExistsError):
        write_copy(found, tmp_path / "stage", tmp_path / "copy", {})


def test_a_role_of_the_users_own_is_void() -> None:
    text = override(tree(main_tf='provider "aws" {\n  assume_role {\n    role_arn = "arn:x"\n  }\n}\n'))
    assert "assume_role {}" in text
    assert "endpoints" not in text

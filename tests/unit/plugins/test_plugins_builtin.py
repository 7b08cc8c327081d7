"""fmt and validate with the real terraform and the real provider; both missing fail these tests."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.registry import load_validators
from toolkit.contracts import CheckReport, Tool, Tree

HEAD = """terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

"""
BUCKET = 'resource "aws_s3_bucket" "this" {\n  bucket = "example"\n}\n'


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessChecker]:
    made = InProcessChecker(tmp_path_factory.mktemp("checker"))
    yield made
    made.close()


def check(checker: InProcessChecker, *names: str, **files: str) -> CheckReport:
    tree = Tree(files={name.replace("__", "/") + ".tf": text.encode() for name, text in files.items()})
    return checker.check(tree, names or ("fmt", "validate"))


def test_a_good_tree_with_a_module_is_clean(checker: InProcessChecker) -> None:
    calls = HEAD + BUCKET + '\nmodule "logs" {\n  source = "./modules/logs"\n}\n'
    report = check(checker, main=calls, modules__logs__main=BUCKET)
    assert report.clean, report.findings
    assert [(r.validator, r.status, r.tool) for r in report.results] == [
        (v.name, "ok", v.tool()) for v in load_validators(["fmt", "validate"])
    ]
    assert isinstance(report.results[0].tool, Tool)


def test_a_reference_to_nothing_is_found_with_file_and_line(checker: InProcessChecker) -> None:
    text = HEAD + BUCKET.replace('"example"', "aws_s3_bucket.other.id")
    (found,) = check(checker, "validate", main=text).findings
    assert (found.rule, found.severity) == ("reference-to-undeclared-resource", "high")
    assert (found.file, found.line) == ("main.tf", text.split("aws_s3_bucket.other")[0].count("\n") + 1)


@pytest.mark.parametrize(
    ("text", "line"), [('resource "a" "b" {\n  x = )\n}\n', 2), ('resource "a" "b" {\n  x = "y\n}\n', 2)]
)
def test_a_syntax_error_is_terraforms_own_words(checker: InProcessChecker, text: str, line: int) -> None:
    fmt, validate = check(checker, main=text).results
    for result in (fmt, validate):
        assert result.status == "findings"
        assert (result.findings[0].file, result.findings[0].line) == ("main.tf", line)
    assert {f.validator for f in validate.findings} == {"init"}


def test_unformatted_files_are_named_with_the_first_line_that_differs(checker: InProcessChecker) -> None:
    report = check(checker, "fmt", main=HEAD + BUCKET, m__main=BUCKET.replace("  bucket = ", "bucket="))
    (found,) = report.findings
    assert (found.rule, found.severity, found.file, found.line) == ("unformatted", "low", "m/main.tf", 2)
    assert "bucket=" in found.message
    assert '  bucket = "example"' in found.message


def test_a_version_that_nobody_has_names_the_one_at_hand(checker: InProcessChecker) -> None:
    (found,) = check(checker, "validate", main=HEAD.replace("5.0", "6.0") + BUCKET).findings
    assert (found.validator, found.rule) == ("init", "provider-version")
    assert "~> 6.0" in found.message
    assert "5.100.0" in found.hint


@pytest.mark.parametrize(
    "text",
    [
        'resource "random_id" "x" {\n  byte_length = 2\n}\n',
        HEAD.replace("hashicorp/aws", "example.com/evil/aws"),
    ],
)
def test_a_provider_off_the_list_names_those_on_it(checker: InProcessChecker, text: str) -> None:
    (found,) = check(checker, "validate", main=text).findings
    assert found.rule == "provider-not-available"
    assert "hashicorp/aws 5.100.0" in found.hint


def test_a_folder_that_no_module_calls_is_not_passed_over(checker: InProcessChecker) -> None:
    (found,) = check(checker, "validate", main=HEAD, modules__lost__main=BUCKET).findings
    assert (found.rule, found.file) == ("folder-not-checked", "modules/lost")


class Listener:
    """Counts who connects to a loopback port."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.contacts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def prove_that_it_counts(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()
        while self.contacts == 0:
            time.sleep(0.01)

    def _accept(self) -> None:
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return
            self.contacts += 1


def test_a_planted_backend_is_void(checker: InProcessChecker, tmp_path: Path) -> None:
    listener, marker = Listener(), tmp_path / "marker"
    listener.prove_that_it_counts()
    config = f"[default]\ncredential_process = /usr/bin/touch {marker}\n"
    backend = f"""terraform {{
  backend "s3" {{
    bucket              = "x"
    key                 = "x"
    region              = "eu-central-1"
    shared_config_files = ["aws.txt"]
    endpoints = {{
      s3  = "http://127.0.0.1:{listener.port}"
      sts = "http://127.0.0.1:{listener.port}"
    }}
  }}
}}
"""
    texts = {"main.tf": HEAD + BUCKET, "backend.tf": backend, "aws.txt": config}
    files = {name: text.encode() for name, text in texts.items()}
    report = checker.check(Tree(files=files), ["validate"])
    listener.socket.close()
    assert report.clean, report.findings
    assert not marker.exists()
    assert listener.contacts == 1
    assert checker.init(Tree(files=files)).status == "ok"


def test_no_file_of_the_host_is_shown(checker: InProcessChecker, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("s3cr3t-marker")
    report = check(checker, main=f'locals {{\n  x = tonumber(file("{secret}"))\n}}\n')
    assert not report.clean
    assert "s3cr3t-marker" not in repr(report)
    assert [f.rule for f in report.findings] == ["file-path"]

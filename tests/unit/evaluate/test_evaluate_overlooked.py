"""What the judge overlooks is what speaks of the author's machine, and no more."""

import pytest

from toolkit.contracts import Tree
from toolkit.evaluate.overlooked import meets, without

VERSIONS = """\
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "%s"
    }
  }
  required_version = "%s"
}
"""


def tree(text: str) -> Tree:
    return Tree(files={"main.tf": text.encode()})


@pytest.mark.parametrize(
    ("constraint", "met"),
    [
        ("~> 1.9.8", False), ("~> 1.9", True), ("~> 1.0", True), (">= 1.2.0", True),
        (">= 1.2, < 1.10", False), ("1.11.4", True),
        ("= 1.11.3", False), ("!= 1.11.4", False), ("< 2", True), ("> 1.11.4", False),
        ("<= 1.11.4", True), ("nonsense", True), ("", True),
    ],
)  # fmt: skip
def test_constraints_are_read_as_terraform_reads_them(constraint: str, met: bool) -> None:
    assert meets("1.11.4", constraint) is met


def test_only_what_cannot_be_met_is_overlooked() -> None:
    kept = tree(VERSIONS % ("~> 5.75", ">= 1.2.0"))
    assert without(kept, "1.11.4", ["5.100.0"]) == (kept, [])
    changed, said = without(tree(VERSIONS % ("~> 4.16", "~> 1.9.8")), "1.11.4", ["5.100.0"])
    assert said == ["terraform ~> 1.9.8", "hashicorp/aws ~> 4.16"]
    assert changed == tree(VERSIONS % (">= 0.0.0", ">= 0.0.0"))


def test_a_provider_whose_versions_are_not_known_stays_as_it_is() -> None:
    kept = tree(VERSIONS % ("~> 4.16", ">= 1.0"))
    assert without(kept, "1.11.4", []) == (kept, [])


def test_the_short_form_of_before_0_13() -> None:
    old = tree('terraform {\n  required_providers {\n    aws = "~> 3.0"\n  }\n}\n')
    assert without(old, "1.11.4", ["5.100.0"])[1] == ["hashicorp/aws ~> 3.0"]


def test_a_profile_goes_and_the_rest_of_the_provider_stays() -> None:
    text = 'provider "aws" {\n  region  = "us-east-1"\n  profile = "admin-1"\n\n  assume_role {\n  }\n}\n'
    changed, said = without(tree(text), "1.11.4", ["5.100.0"])
    assert said == ['profile = "admin-1"']
    assert changed == tree(text.replace('profile = "admin-1"', ""))


@pytest.mark.parametrize(
    "text",
    [
        'provider "aws" {\n  profile = "${file("/etc/passwd")}"\n}\n',
        'resource "aws_iam_instance_profile" "a" {\n  profile = "b"\n}\n',
        'provider "aws" {\n  region = "us-east-1"\n}\n\nlocals {\n  profile = "b"\n}\n',
        'module "m" {\n  version = "~> 4.0"\n}\n',
    ],
)
def test_what_is_no_literal_profile_of_the_provider_is_left_to_the_checker(text: str) -> None:
    assert without(tree(text), "1.11.4", ["5.100.0"]) == (tree(text), [])

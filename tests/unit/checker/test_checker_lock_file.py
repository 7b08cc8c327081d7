"""What init chose: read from terraform's lock file, and told by the report of each tree."""

from collections.abc import Callable

import pytest
from checker_fakes import HEAD, Fake, tree

from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.lock_file import read_lock
from toolkit.contracts import ProviderUsed
from toolkit.errors import PlatformError

SOURCE = "registry.terraform.io/hashicorp/aws"
LOCK = f"""# This file is maintained automatically by "terraform init".

provider "{SOURCE}" {{
  version     = "5.100.0"
  constraints = "~> 5.0, >= 5.31.0"
  hashes = [
    "h1:x/y+z=",
    "zh:054b",
  ]
}}

provider "registry.terraform.io/hashicorp/archive" {{
  version = "2.7.0"
}}
"""
BOTH = [
    ProviderUsed(source="registry.terraform.io/hashicorp/archive", version="2.7.0"),
    ProviderUsed(source=SOURCE, version="5.100.0", hashes=["h1:x/y+z=", "zh:054b"]),
]


def test_a_lock_file_names_its_providers_by_source() -> None:
    assert read_lock(LOCK.encode()) == BOTH
    assert read_lock(b"") == []


@pytest.mark.parametrize(
    "content",
    [
        b"provider {", b'provider "a" {}', b'provider {\n version = "1"\n}', b"\xff", b"version = 1\n",
        b'resource "a" "b" {}', b'provider "a" {\n version = upper("1")\n}',
        b'provider "a" {\n version = "${x}"\n}', b'provider "a" {\n version = ["1", "2"]\n}',
        b'provider "a" {\n version = "1"\n version = "2"\n}',
    ],
)  # fmt: skip
def test_what_is_no_lock_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        read_lock(content)


# As terraform does: a choice for each constraint, in the working folder.
CHOOSES = """
if verb == "init":
    chosen = "6.1.0" if "6.0" in open("main.tf").read() else "5.100.0"
    with open(".terraform.lock.hcl", "w") as lock:
        lock.write('provider "registry.terraform.io/hashicorp/aws" {\\n  version = "%s"\\n}\\n' % chosen)
"""


def versions(checker: InProcessChecker, text: str) -> list[str]:
    return [one.version for one in checker.check(tree(main_tf=text), ["validate"]).providers]


def test_the_report_of_a_tree_names_what_was_chosen_for_it(
    fake_terraform: Callable[..., Fake], checker: InProcessChecker
) -> None:
    fake_terraform(CHOOSES)
    six = HEAD.replace("5.0", "6.0")
    assert versions(checker, HEAD) == ["5.100.0"]
    assert versions(checker, HEAD + "locals {}\n") == ["5.100.0"], "by the init of the tree before"
    assert versions(checker, six) == ["6.1.0"]
    assert versions(checker, HEAD) == ["5.100.0"], "remembered, though another init came after"


def test_a_tree_that_init_refuses_has_none(
    fake_terraform: Callable[..., Fake], checker: InProcessChecker
) -> None:
    refusal = {"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "no", "detail": ""}}
    fake_terraform(CHOOSES + f"    print(json.dumps({refusal})); sys.exit(1)\n")
    assert versions(checker, HEAD) == []


def test_a_lock_file_that_cannot_be_read_is_the_platforms_failure(
    fake_terraform: Callable[..., Fake], checker: InProcessChecker
) -> None:
    fake_terraform("if verb == 'init': open('.terraform.lock.hcl', 'w').write('provider {')")
    with pytest.raises(PlatformError, match="lock file cannot be read"):
        versions(checker, HEAD)

"""terraform and its provider on a machine that has them, has none, or has them in part."""

import os
import stat
from pathlib import Path

import pytest

from toolkit.deploy.machine import AWS_PROVIDER, prepare
from toolkit.errors import ToolMissing

TERRAFORM = """#!/bin/sh
case "$1" in
  version) echo '{"terraform_version": "1.11.4", "platform": "linux_amd64"}' ;;
  providers) [ -n "$FAIL" ] && { echo "no route to host" >&2; exit 1; }
     for last; do :; done
     grep -q '"VERSION"' versions.tf || exit 3
     mkdir -p "$last/registry.terraform.io/hashicorp/aws"
     : > "$last/registry.terraform.io/hashicorp/aws/terraform-provider-aws_VERSION_linux_amd64.zip"
     echo called >> "$HOME/calls" ;;
esac
"""


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a terraform of ours on PATH, and no mirror anywhere."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "terraform"
    script.write_text(TERRAFORM.replace("VERSION", AWS_PROVIDER))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TFKIT_PROVIDER_MIRROR", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    # The folders of this machine are not this test's.
    monkeypatch.setattr("toolkit.deploy.machine.mirror_folders", lambda: [])
    monkeypatch.setattr("toolkit.checker.mirrors.mirror_folders", lambda: [])
    return tmp_path


def test_the_provider_is_downloaded_once_and_announced(bare_machine: Path) -> None:
    notes: list[str] = []
    first = prepare(bare_machine / "tfkit", notes.append)
    second = prepare(bare_machine / "tfkit", notes.append)
    assert first == second == bare_machine / "tfkit" / "mirror"
    assert len(notes) == 1 and AWS_PROVIDER in notes[0] and str(first) in notes[0]
    assert (bare_machine / "calls").read_text() == "called\n"


def test_a_mirror_of_the_machine_is_used_and_nothing_is_downloaded(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = prepare(bare_machine / "elsewhere", lambda _: None)
    monkeypatch.setattr("toolkit.checker.mirrors.mirror_folders", lambda: [made])
    notes: list[str] = []
    assert prepare(bare_machine / "tfkit", notes.append) is None
    assert notes == []


def test_a_download_that_fails_says_why_and_what_to_do(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIL", "1")
    with pytest.raises(ToolMissing, match="no route to host") as caught:
        prepare(bare_machine / "tfkit", lambda _: None)
    assert "TFKIT_PROVIDER_MIRROR" in caught.value.hint


def test_without_terraform_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="terraform is not on PATH") as caught:
        prepare(tmp_path, lambda _: None)
    assert "Install" in caught.value.hint

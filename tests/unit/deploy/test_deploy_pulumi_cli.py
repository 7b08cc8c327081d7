"""Finding Pulumi's CLI among executables that print versions, and getting it only with consent."""

import os
from pathlib import Path

import pytest
from pulumi import automation as auto

from toolkit.deploy import pulumi_cli
from toolkit.deploy.automation import require_cli
from toolkit.errors import ToolMissing


def executable(path: Path, says: str, code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a Pulumi."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}{os.pathsep}/bin{os.pathsep}/usr/bin")
    monkeypatch.delenv(pulumi_cli.SKIP_CHECK, raising=False)
    return tmp_path / "home" / ".pulumi"


@pytest.fixture
def on_path(tmp_path: Path) -> Path:
    return tmp_path / "path" / "pulumi"


def never(_text: str) -> bool:
    raise AssertionError("nobody was to be asked")


def test_none(home: Path) -> None:
    assert pulumi_cli.find_cli() is None
    assert pulumi_cli.inspect() == []


def test_the_one_on_path_comes_first(home: Path, on_path: Path) -> None:
    executable(home / "bin" / "pulumi", "v3.272.0")
    assert pulumi_cli.find_cli() == home / "bin" / "pulumi"
    executable(on_path, "v3.260.0")
    assert pulumi_cli.find_cli() == on_path
    assert require_cli(never).command == "pulumi"


def test_of_pulumis_own_folders_the_newest_that_fits(home: Path) -> None:
    for version in ("3.99.0", "3.200.1", "3.272.0", "4.0.0"):
        executable(home / "versions" / version / "bin" / "pulumi", f"v{version}")
    assert pulumi_cli.find_cli() == home / "versions" / "3.272.0" / "bin" / "pulumi"
    assert require_cli(never).command == str(home / "versions" / "3.272.0" / "bin" / "pulumi")
    problems = {found.version: found.problem for found in pulumi_cli.inspect()}
    assert "newer than the SDK" in problems["4.0.0"]
    assert "older than 3.181.0" in problems["3.99.0"]


@pytest.mark.parametrize(
    ("says", "code", "problem"),
    [
        ("v3.180.0", 0, "older than"),
        ("v4.1.0", 0, "newer than the SDK"),
        ("hello", 0, "cannot be read"),
        ("v3.272.0", 3, "ended with code 3"),
        ("", 0, "ended with code 0"),
    ],
)
def test_one_that_does_not_fit_is_not_taken(
    home: Path, on_path: Path, says: str, code: int, problem: str
) -> None:
    executable(on_path, says, code)
    assert problem in pulumi_cli.inspect()[0].problem
    assert pulumi_cli.find_cli() is None
    assert str(on_path) in pulumi_cli.announcement()


def test_one_that_is_no_program(home: Path, on_path: Path) -> None:
    executable(on_path, "").write_bytes(b"\x7fELF nonsense")
    assert "does not answer" in pulumi_cli.inspect()[0].problem


def test_the_sdks_switch_is_honoured(home: Path, on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(on_path, "v3.100.0-dev")
    monkeypatch.setenv(pulumi_cli.SKIP_CHECK, "true")
    assert pulumi_cli.find_cli() == on_path


def test_the_rule_for_versions_is_at_least_the_sdks(home: Path, on_path: Path) -> None:
    executable(on_path, "v3.272.0")
    assert str(auto.PulumiCommand().version) == "3.272.0"
    executable(on_path, "v4.0.0")
    with pytest.raises(auto.InvalidVersionError):
        auto.PulumiCommand()


def test_nothing_is_downloaded_without_consent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto.PulumiCommand, "install", never)
    asked: list[str] = []

    def refuse(text: str) -> bool:
        asked.append(text)
        return False

    with pytest.raises(ToolMissing, match="needs Pulumi's command line") as caught:
        require_cli(refuse)
    assert pulumi_cli.sdk_version() in asked[0]
    assert str(home / "versions" / pulumi_cli.sdk_version()) in asked[0]
    assert "Download & install Pulumi" in caught.value.hint


def test_with_consent_it_is_installed_where_it_is_looked_for(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(root: str) -> auto.PulumiCommand:
        executable(Path(root) / "bin" / "pulumi", f"v{pulumi_cli.sdk_version()}")
        return auto.PulumiCommand(root=root)

    monkeypatch.setattr(auto.PulumiCommand, "install", install)
    command = require_cli(lambda _text: True)
    assert command.command == str(pulumi_cli.find_cli())


def test_a_download_that_fails_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def install(root: str) -> auto.PulumiCommand:
        raise OSError("<urlopen error [Errno -3] Temporary failure in name resolution>")

    monkeypatch.setattr(auto.PulumiCommand, "install", install)
    with pytest.raises(ToolMissing, match="Temporary failure in name resolution"):
        require_cli(lambda _text: True)


def test_the_providers_download_is_announced_until_it_is_there(tmp_path: Path) -> None:
    text = pulumi_cli.plugin_download(tmp_path)
    assert str(tmp_path / "plugins") in text
    (tmp_path / "plugins" / f"resource-aws-v{text.split('(')[1].split(',')[0]}").mkdir(parents=True)
    assert pulumi_cli.plugin_download(tmp_path) == ""

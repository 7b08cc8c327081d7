"""This machine: each check both ways, nothing started, nothing left behind."""

import importlib.metadata
import json
import os
import sys
from pathlib import Path

import pytest

from toolkit.checker import sandbox
from toolkit.deploy.checks import machine
from toolkit.deploy.image_choice import OWN_PINS
from toolkit.deploy.image_pins import PINS, load_pins, write_pins
from toolkit.errors import ToolMissing
from toolkit.settings import Settings

PLATFORM = "linux_amd64"


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=str(tmp_path / "home"))


@pytest.fixture
def aws(tmp_path) -> Settings:
    return Settings(home=str(tmp_path / "home"), target="aws")


@pytest.fixture
def terraform(monkeypatch):
    """Put a terraform of the given version on PATH, or none; counts as the one there is."""

    def put(version: str | None) -> None:
        def find() -> Path:
            if version is None:
                raise ToolMissing("terraform is not on PATH", "get it")
            return Path("/somewhere/terraform")

        from toolkit.checker.terraform import Version

        monkeypatch.setattr("toolkit.checker.terraform.find_terraform", find)
        monkeypatch.setattr(
            "toolkit.checker.terraform.terraform_version", lambda _path: Version(version or "", PLATFORM)
        )

    put("1.11.4")
    return put


def mirror(folder: Path, platform: str = PLATFORM) -> Path:
    (folder / "registry.terraform.io/hashicorp/aws/5.100.0" / platform).mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("version", "ok"), [("1.8.5", False), ("1.9.0", True), ("1.10.0-beta1", True), ("2.0.0", True)]
)
def test_the_version_of_terraform(terraform, settings, version, ok):
    terraform(version)
    check = machine.terraform(settings)
    assert check.ok is ok
    assert version in check.detail
    assert bool(check.fix) is not ok


def test_terraform_is_needed_here_for_the_local_target_alone(terraform, settings, aws):
    terraform(None)
    assert not machine.terraform(settings).ok
    there = machine.terraform(aws)
    assert (there.ok, there.fix) == (True, "")
    assert "not needed" in there.detail


def test_an_old_python(monkeypatch, settings):
    assert machine.python(settings).ok
    monkeypatch.setattr(sys, "version_info", (3, 10, 9))
    assert not machine.python(settings).ok
    assert "3.11" in machine.python(settings).fix


def test_the_provider_from_a_mirror(monkeypatch, terraform, settings, tmp_path):
    monkeypatch.setenv("TFKIT_PROVIDER_MIRROR", str(mirror(tmp_path / "m")))
    check = machine.provider(settings)
    assert check.ok
    assert "5.100.0" in check.detail
    assert str(tmp_path / "m") in check.detail


def test_the_provider_from_the_registry(monkeypatch, terraform, settings):
    monkeypatch.setattr("toolkit.checker.mirrors.mirror_folders", lambda: [])
    check = machine.provider(settings)
    assert check.ok
    assert "will download it once from registry.terraform.io" in check.detail


def test_a_package_that_is_missing(monkeypatch, settings, aws):
    version = importlib.metadata.version

    def without(name: str) -> str:
        if name == "ministack":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", without)
    check = machine.packages(settings)
    assert (check.ok, check.detail) == (False, "missing: ministack")
    assert check.fix.endswith("-m pip install ministack")
    assert machine.packages(aws).ok, "the emulator is no part of the aws target"


def test_a_home_that_cannot_be_written(monkeypatch, settings, tmp_path):
    assert machine.home(settings).ok
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert not machine.home(settings).ok
    (tmp_path / "home").write_text("a file")
    assert "is no folder" in machine.home(settings).detail


def test_the_emulator_is_told_either_way(monkeypatch, settings):
    assert "does not run" in machine.emulator(settings).detail
    from toolkit.local.control import Running

    running = Running(1, 2, "http://127.0.0.1:4567", "", "0")
    monkeypatch.setattr("toolkit.local.control.find", lambda _folder: running)
    settings.stack_folder.mkdir(parents=True)
    (settings.stack_folder / "daemon.json").write_text(json.dumps({}))
    check = machine.emulator(settings)
    assert check.ok
    assert "http://127.0.0.1:4567" in check.detail


def pulumi(folder: Path, version: str) -> Path:
    """An executable that is a pulumi as far as its version goes."""
    executable = folder / "pulumi"
    executable.write_text(f"#!/bin/sh\necho v{version}\n")
    executable.chmod(0o755)
    return executable


@pytest.fixture
def no_pulumi(monkeypatch, tmp_path) -> Path:
    """No pulumi anywhere; the folder that is first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return folder


def test_pulumis_cli_is_not_needed_for_the_embedded_engine(no_pulumi, settings):
    check = machine.pulumi(settings)
    assert (check.ok, check.fix) == (True, "")
    assert "not needed" in check.detail


@pytest.mark.parametrize("wanted", [{"engine": "pulumi"}, {"target": "aws"}])
def test_pulumis_cli_where_its_engine_deploys(no_pulumi, tmp_path, wanted):
    settings = Settings(home=str(tmp_path / "home"), **wanted)
    missing = machine.pulumi(settings)
    assert not missing.ok
    assert missing.fix.startswith("curl -fsSL https://get.pulumi.com")
    executable = pulumi(no_pulumi, "2.0.0")
    unfit = machine.pulumi(settings)
    assert not unfit.ok
    assert f"{executable}: version 2.0.0 is older" in unfit.detail
    pulumi(no_pulumi, "3.260.0")
    fit = machine.pulumi(settings)
    assert (fit.ok, fit.fix) == (True, "")
    assert str(executable) in fit.detail


def test_a_stack_of_pulumis_engine_needs_its_cli_without_being_told(no_pulumi, settings):
    settings.stack_folder.mkdir(parents=True)
    (settings.stack_folder / "settings.json").write_text('{"engine": "pulumi"}')
    assert not machine.pulumi(settings).ok


def test_docker_is_never_a_must(monkeypatch, settings, aws):
    assert "not needed" in machine.docker(settings).detail
    for there, words in ((True, "will build the agent's image"), (False, "CodeBuild will build")):
        monkeypatch.setattr("toolkit.deploy.image_buildx.has_docker", lambda there=there: there)
        check = machine.docker(aws)
        assert (check.ok, check.fix) == (True, "")
        assert words in check.detail


def test_pins_that_are_open_and_the_file_that_closes_them(aws, tmp_path):
    open_pins = load_pins(PINS)
    pinned = tmp_path / "home" / OWN_PINS
    if open_pins.missing():
        check = machine.image_pins(aws)
        assert check.ok
        assert check.detail.startswith(f"{len(open_pins.missing())} are open")
    pinned.parent.mkdir()
    write_pins(pinned, _closed(open_pins))
    assert machine.image_pins(aws).ok
    named = tmp_path / "mine.toml"
    write_pins(named, open_pins)
    mine = Settings(home=aws.home, target="aws", image_pins=str(named))
    check = machine.image_pins(mine)
    assert check.ok is not bool(open_pins.missing())
    if not check.ok:
        assert all(name in check.detail for name in open_pins.missing())
        assert check.fix == f"python -m toolkit.deploy.image_pins {named}"


def _closed(pins):
    """The same pins with something in every place."""
    import msgspec

    raw = msgspec.to_builtins(pins)
    for base in raw["base"].values():
        base["digest"] = base["digest"] or "sha256:" + "0" * 64
    for one in raw["download"].values():
        one["sha256"] = {arch: value or "0" * 64 for arch, value in one["sha256"].items()}
    return msgspec.convert(raw, type(pins))


def test_what_holds_a_check_is_told(settings):
    check = machine.sandbox(settings)
    assert check.ok
    assert check.detail.startswith(str(sandbox.level()))
    assert ("--unsandboxed" in check.detail) is not sandbox.level().confines


def test_without_a_sandbox_it_says_what_the_kernel_lacks_and_what_to_do(settings, monkeypatch):
    monkeypatch.setattr(sandbox, "level", lambda: sandbox.LIMITS)
    check = machine.sandbox(settings)
    assert check.detail.startswith("limits: ")
    assert "--unsandboxed" in check.detail
    assert "Landlock" in check.detail
    assert "seccomp" in check.detail


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Name:\tx\nSeccomp:\t0\nSeccomp_filters:\t0\n", "seccomp filters"),
        ("Name:\tx\nSeccomp:\t0\n", "not told"),
        ("Name:\tx\n", "no seccomp"),
    ],
)
def test_seccomp_as_the_kernel_tells_it(tmp_path, text, words):
    status = tmp_path / "status"
    status.write_text(text)
    assert words in machine._seccomp(status)
    assert "unknown" in machine._seccomp(tmp_path / "none")

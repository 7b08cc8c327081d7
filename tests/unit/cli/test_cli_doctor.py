"""Doctor: each check both ways, nothing started, nothing left behind."""

import importlib.metadata
import json
import sys
from pathlib import Path

import pytest

from toolkit.cli.commands import doctor
from toolkit.errors import EmulatorFailed, ToolMissing
from toolkit.settings import Settings

PLATFORM = "linux_amd64"


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=str(tmp_path / "home"))


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


def test_all_well(tfkit, terraform):
    ended = tfkit("doctor", "--json")
    assert ended.code == 0
    checks = ended.document["checks"]
    assert [check["name"] for check in checks] == list(doctor.CHECKS)
    assert all(set(check) == {"name", "ok", "detail", "fix"} for check in checks)
    assert all(check["ok"] and not check["fix"] and check["detail"] for check in checks)
    assert ended.err == ""


def test_a_failing_check_is_1_and_tells_what_mends_it(tfkit, terraform):
    terraform(None)
    ended = tfkit("doctor")
    assert ended.code == 1
    lines = ended.out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("✘"))
    assert "terraform is not on PATH" in lines[at]
    assert "mend it:" in lines[at + 1]
    assert sum(line.startswith("✔") for line in lines) == len(doctor.CHECKS) - 1


def test_doctor_leaves_nothing_behind(tfkit, terraform, tmp_path):
    folder = tmp_path / "tfkit-home" / "local" / "dev"
    assert tfkit("doctor").code == 0
    assert not (tmp_path / "tfkit-home").exists()
    folder.mkdir(parents=True)
    assert tfkit("doctor").code == 0
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("version", "ok"), [("1.8.5", False), ("1.9.0", True), ("1.10.0-beta1", True), ("2.0.0", True)]
)
def test_the_version_of_terraform(terraform, settings, version, ok):
    terraform(version)
    check = doctor.terraform(settings)
    assert check.ok is ok
    assert version in check.detail
    assert bool(check.fix) is not ok


def test_an_old_python(monkeypatch, settings):
    assert doctor.python(settings).ok
    monkeypatch.setattr(sys, "version_info", (3, 10, 9))
    assert not doctor.python(settings).ok
    assert "3.11" in doctor.python(settings).fix


def test_the_provider_from_a_mirror(monkeypatch, terraform, settings, tmp_path):
    monkeypatch.setenv("TFKIT_PROVIDER_MIRROR", str(mirror(tmp_path / "m")))
    check = doctor.provider(settings)
    assert check.ok
    assert "5.100.0" in check.detail
    assert str(tmp_path / "m") in check.detail


def test_the_provider_from_the_registry(monkeypatch, terraform, settings):
    monkeypatch.setattr("toolkit.checker.mirrors.mirror_folders", lambda: [])
    check = doctor.provider(settings)
    assert check.ok
    assert "will download it once from registry.terraform.io" in check.detail


def test_the_provider_that_an_earlier_up_fetched(monkeypatch, terraform, settings):
    monkeypatch.setattr("toolkit.checker.mirrors.mirror_folders", lambda: [])
    mirror(settings.folder / "mirror")
    assert f"from the mirror {settings.folder / 'mirror'}" in doctor.provider(settings).detail


def test_a_mirror_that_is_none(tfkit, monkeypatch, terraform, tmp_path):
    monkeypatch.setenv("TFKIT_PROVIDER_MIRROR", str(tmp_path))
    ended = tfkit("doctor", "--json")
    (failed,) = [check for check in ended.document["checks"] if not check["ok"]]
    assert (ended.code, failed["name"]) == (1, "provider")
    assert "terraform providers mirror" in failed["fix"]


def test_a_missing_package(monkeypatch, settings):
    assert doctor.packages(settings).ok
    version = importlib.metadata.version

    def without(name: str) -> str:
        if name == "ministack":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", without)
    check = doctor.packages(settings)
    assert (check.ok, check.detail) == (False, "missing: ministack")
    assert check.fix.endswith("-m pip install ministack")


def test_a_home_that_cannot_be_written(monkeypatch, settings, tmp_path):
    assert doctor.home(settings).ok
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert not doctor.home(settings).ok
    (tmp_path / "home").write_text("a file")
    assert "is no folder" in doctor.home(settings).detail


def test_no_free_port(tfkit, terraform, monkeypatch):
    def none() -> int:
        raise EmulatorFailed("no free port on 127.0.0.1", "stop something")

    monkeypatch.setattr("toolkit.emulator.free_port", none)
    checks = {check["name"]: check for check in tfkit("doctor", "--json").document["checks"]}
    assert checks["port"] == {
        "name": "port", "ok": False, "detail": "no free port on 127.0.0.1", "fix": "stop something",
    }  # fmt: skip


def test_the_emulator_is_told_either_way(monkeypatch, settings):
    assert "does not run" in doctor.emulator(settings).detail
    from toolkit.local.control import Running

    running = Running(1, 2, "http://127.0.0.1:4567", "", "0")
    monkeypatch.setattr("toolkit.local.control.find", lambda _folder: running)
    settings.stack_folder.mkdir(parents=True)
    (settings.stack_folder / "daemon.json").write_text(json.dumps({}))
    check = doctor.emulator(settings)
    assert check.ok
    assert "http://127.0.0.1:4567" in check.detail


def test_a_check_that_breaks_hides_no_other(tfkit, terraform, monkeypatch):
    def broken(_settings):
        raise RuntimeError("odd")

    monkeypatch.setitem(doctor.CHECKS, "home", broken)
    ended = tfkit("doctor", "--json")
    assert ended.code == 1
    assert len(ended.document["checks"]) == len(doctor.CHECKS)
    assert [c["detail"] for c in ended.document["checks"] if not c["ok"]] == ["RuntimeError: odd"]

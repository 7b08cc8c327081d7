"""Doctor: what is shown, the exit code, nothing left behind. The checks themselves are tested in `deploy`."""

import threading
from pathlib import Path

import pytest

from toolkit.cloud import Cloud
from toolkit.deploy.checks import examine
from toolkit.deploy.checks.check import Check
from toolkit.errors import EmulatorFailed, ToolMissing


@pytest.fixture
def terraform(monkeypatch):
    """Put a terraform on PATH, or none; counts as the one there is."""

    def put(there: bool = True) -> None:
        def find() -> Path:
            if not there:
                raise ToolMissing("terraform is not on PATH", "get it")
            return Path("/somewhere/terraform")

        from toolkit.checker.terraform import Version

        monkeypatch.setattr("toolkit.checker.terraform.find_terraform", find)
        monkeypatch.setattr(
            "toolkit.checker.terraform.terraform_version", lambda _path: Version("1.11.4", "linux_amd64")
        )

    put()
    return put


def test_all_well(tfkit, terraform):
    ended = tfkit("doctor", "--json")
    assert ended.code == 0
    checks = ended.document["checks"]
    assert [check["name"] for check in checks] == list(examine.MACHINE)
    assert all(set(check) == {"name", "ok", "detail", "fix"} for check in checks)
    assert all(check["ok"] and not check["fix"] and check["detail"] for check in checks)
    assert ended.err == ""


def test_a_failing_check_is_1_and_tells_what_mends_it(tfkit, terraform):
    terraform(False)
    ended = tfkit("doctor")
    assert ended.code == 1
    lines = ended.out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("✘"))
    assert "terraform is not on PATH" in lines[at]
    assert "mend it:" in lines[at + 1]
    assert sum(line.startswith("✔") for line in lines) == len(examine.MACHINE) - 1


def test_a_warning_is_no_failure_and_says_what_would_be_better(tfkit, terraform, monkeypatch):
    warning = Check("docker", True, "slow", "make it faster")
    monkeypatch.setitem(examine.MACHINE, "docker", lambda _settings: warning)
    ended = tfkit("doctor")
    assert ended.code == 0
    lines = ended.out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("!"))
    assert lines[at].endswith("slow")
    assert lines[at + 1].strip() == "mend it: make it faster"


def test_doctor_leaves_nothing_behind(tfkit, terraform, tmp_path):
    folder = tmp_path / "tfkit-home" / "local" / "dev"
    assert tfkit("doctor").code == 0
    assert not (tmp_path / "tfkit-home").exists()
    folder.mkdir(parents=True)
    assert tfkit("doctor").code == 0
    assert list(folder.iterdir()) == []


def test_no_free_port(tfkit, terraform, monkeypatch):
    def none() -> int:
        raise EmulatorFailed("no free port on 127.0.0.1", "stop something")

    monkeypatch.setattr("toolkit.emulator.free_port", none)
    checks = {check["name"]: check for check in tfkit("doctor", "--json").document["checks"]}
    assert checks["port"] == {
        "name": "port", "ok": False, "detail": "no free port on 127.0.0.1", "fix": "stop something",
    }  # fmt: skip


def test_a_check_that_breaks_hides_no_other(tfkit, terraform, monkeypatch):
    def broken(_settings):
        raise RuntimeError("odd")

    monkeypatch.setitem(examine.MACHINE, "home", broken)
    ended = tfkit("doctor", "--json")
    assert ended.code == 1
    assert len(ended.document["checks"]) == len(examine.MACHINE)
    assert [c["detail"] for c in ended.document["checks"] if not c["ok"]] == ["RuntimeError: odd"]


def test_checks_wait_side_by_side(tfkit, monkeypatch):
    together = threading.Barrier(len(examine.MACHINE), timeout=30)

    def met(_settings):
        together.wait()
        return Check("met", True, "met")

    for name in list(examine.MACHINE):
        monkeypatch.setitem(examine.MACHINE, name, met)
    assert tfkit("doctor").code == 0


def test_the_account_is_named_before_anything_is_said_of_it(tfkit, monkeypatch):
    def account(settings, announce):
        announce(Cloud(target="aws", region="eu-west-1", account="123456789012"))
        return [Check("credentials", True, "me")]

    for name in list(examine.AWS_MACHINE):
        monkeypatch.setitem(examine.AWS_MACHINE, name, lambda _settings: Check("here", True, "fine"))
    monkeypatch.setattr(examine, "examine_account", account)
    ended = tfkit("doctor", "--target", "aws", "--json")
    assert ended.code == 0
    assert ended.err == "aws · account 123456789012 · eu-west-1 · stack dev\n"
    assert [check["name"] for check in ended.document["checks"]][-1] == "credentials"

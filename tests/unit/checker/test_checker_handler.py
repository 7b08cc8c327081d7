"""The checker's function, called as Lambda calls it: what it answers, and that nothing of a check is left."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from checker_fakes import HEAD, Fake, tree

from toolkit.checker import handler as checker_handler
from toolkit.checker import reaper
from toolkit.checker.message import CheckRequest, pack
from toolkit.checker.selection import ValidatorSettings
from toolkit.contracts import CheckReport, Tree, to_json
from toolkit.errors import PlatformError

MakeFake = Callable[..., Fake]

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-role",
    "AWS_SESSION_TOKEN": "token-of-the-role",
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
    "TFKIT_RUNS_BUCKET": "the-runs",
}

# Looks at the process that started terraform, which is the one that the check runs in.
LOOK = """
with open(os.path.join(place, "child"), "wb") as log:
    log.write(open(f"/proc/{os.getppid()}/environ", "rb").read())
with open(os.path.join(place, "command"), "wb") as log:
    log.write(open(f"/proc/{os.getppid()}/cmdline", "rb").read())
"""

# Leaves its session, its group and its parent, as a daemon does, and writes down its id.
ESCAPE = """
if verb == "init" and os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open(os.path.join(place, "escaped"), "w") as log:
            log.write(str(os.getpid()))
        os.execv("/bin/sleep", ["sleep", "600"])
    os._exit(0)
while verb == "init" and not (os.path.exists(os.path.join(place, "escaped"))):
    time.sleep(0.01)
"""

HANG = """
if verb == "init":
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def function(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The function's folder for temporary files; pytest itself stays readable."""
    monkeypatch.setattr(checker_handler, "hide_environment", lambda: None)
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return folder


def context(remaining_s: float = 300.0) -> Any:
    return SimpleNamespace(get_remaining_time_in_millis=lambda: int(remaining_s * 1000))


def event(of: Tree, *validators: str, **changes: Any) -> dict[str, Any]:
    request = CheckRequest(v=1, tree=pack(of), tree_hash=of.hash, validators=validators, timeout_s=120.0)
    return {**json.loads(to_json(request)), **changes}


def call(of: Tree, *validators: str, **changes: Any) -> CheckReport:
    answer = checker_handler.handler(event(of, *validators, **changes), context())
    return msgspec.json.decode(json.dumps(answer), type=CheckReport)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_check_is_the_one_of_the_process(fake_terraform: MakeFake) -> None:
    fake = fake_terraform()
    sent = tree(main_tf=HEAD)
    report = call(sent, "fmt", "validate")
    assert report.tree == sent.hash
    assert {result.validator: result.status for result in report.results} == {"fmt": "ok", "validate": "ok"}
    assert report.sandbox == "function, limits"
    assert fake.calls("validate") == 1


def test_without_validators_it_is_init_alone(fake_terraform: MakeFake) -> None:
    fake = fake_terraform()
    (result,) = call(tree(main_tf=HEAD)).results
    assert (result.validator, result.status) == ("init", "ok")
    assert fake.calls("validate") == 0


def test_the_child_has_no_credentials_and_no_names_of_the_platform(fake_terraform: MakeFake) -> None:
    fake = fake_terraform(LOOK)
    call(tree(main_tf=HEAD), "validate")
    child = (fake.folder / "child").read_bytes()
    names = {entry.partition(b"=")[0].decode() for entry in child.split(b"\0") if entry}
    assert b"toolkit.checker.child" in (fake.folder / "command").read_bytes()
    assert {"PATH", "HOME", "TMPDIR"} <= names
    assert names <= {*checker_handler.PASSED_ON, "HOME", "TMPDIR", "LC_CTYPE"}
    for secret in CREDENTIALS.values():
        assert secret.encode() not in child


def test_the_child_uses_the_settings_of_the_request_and_the_tools_of_the_function(
    fake_terraform: MakeFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_terraform()
    rules = {"forbidden": {"types": ["aws_s3_bucket"]}}
    settings = msgspec.to_builtins({"policy": ValidatorSettings(options={"rules": rules})})
    report = call(tree(main_tf='resource "aws_s3_bucket" "this" {}\n'), "policy", settings=settings)
    assert [finding.rule for finding in report.findings] == ["forbidden-type"]
    kept = checker_handler.environment(Path("/f"), {"TFKIT_TOOLS": "/opt/tools", "TFKIT_STACK": "dev"})
    assert kept["TFKIT_TOOLS"] == "/opt/tools"
    assert "TFKIT_STACK" not in kept


def test_nothing_of_a_check_is_left_on_the_disk(fake_terraform: MakeFake, function: Path) -> None:
    fake_terraform('open(os.path.join(os.environ["HOME"], "left"), "w").close()')
    call(tree(main_tf=HEAD), "validate")
    assert list(function.iterdir()) == []


def test_what_escapes_from_its_group_and_its_parent_is_ended(fake_terraform: MakeFake) -> None:
    fake = fake_terraform(ESCAPE)
    before = reaper.descendants()
    call(tree(main_tf=HEAD), "validate")
    assert gone(int((fake.folder / "escaped").read_text()))
    assert reaper.descendants() <= before


def test_a_check_past_its_time_is_an_error_and_is_ended(fake_terraform: MakeFake, function: Path) -> None:
    fake_terraform(HANG)
    before = reaper.descendants()
    with pytest.raises(PlatformError, match="the check took longer than 3 s"):
        call(tree(main_tf=HEAD), "validate", timeout_s=3.0)
    assert reaper.descendants() <= before
    assert list(function.iterdir()) == []


def test_the_functions_own_time_is_a_limit_too(fake_terraform: MakeFake) -> None:
    fake_terraform(HANG)
    remaining_s = checker_handler.RESERVE_S + 3
    with pytest.raises(PlatformError, match=r"longer than [23]"):
        checker_handler.handler(event(tree(main_tf=HEAD), "validate"), context(remaining_s))
    with pytest.raises(PlatformError, match="no time left"):
        checker_handler.handler(event(tree(main_tf=HEAD), "validate"), context(1))


def test_other_processes_are_spared(fake_terraform: MakeFake) -> None:
    fake_terraform()
    other = subprocess.Popen(["/bin/sleep", "600"])
    try:
        call(tree(main_tf=HEAD), "validate")
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_what_cannot_be_ended_ends_the_function(
    fake_terraform: MakeFake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_terraform()
    ended: list[str] = []
    monkeypatch.setattr(reaper, "_sweep", lambda spared: [4711])
    monkeypatch.setattr(checker_handler, "give_up", lambda: ended.append("given up"))
    call(tree(main_tf=HEAD), "validate")
    assert ended == ["given up"]


def test_a_tree_that_is_refused_is_a_report_and_no_tool_sees_it(fake_terraform: MakeFake) -> None:
    fake = fake_terraform()
    report = call(Tree(files={"main.tf": HEAD.encode(), ".terraform/x.json": b"{}"}), "fmt", "validate")
    assert [(r.validator, r.status) for r in report.results] == [("staging", "findings")]
    assert not (fake.folder / "calls").exists()


def test_a_failure_of_the_platform_is_an_error_with_its_hint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PlatformError, match=r"terraform is not on PATH \(Install"):
        call(tree(main_tf=HEAD), "validate")
    with pytest.raises(PlatformError, match=r"unknown validator nonsense \(Known validators"):
        call(tree(main_tf=HEAD), "nonsense")


def test_a_child_that_dies_is_an_error(fake_terraform: MakeFake) -> None:
    fake_terraform("os.kill(os.getppid(), 9)")
    with pytest.raises(PlatformError, match="the check was ended"):
        call(tree(main_tf=HEAD), "validate")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"v": 2}, r"not a request.*\$\.v"),
        ({"tree": 7}, r"not a request.*\$\.tree"),
        ({"more": 1}, "not a request"),
        ({"tree": "AAAA"}, "cannot be read"),
        ({"tree_hash": "sha256:" + "0" * 64}, "not the one that its hash names"),
    ],
)
def test_an_event_of_another_shape_is_an_error(
    fake_terraform: MakeFake, changes: dict[str, Any], why: str
) -> None:
    fake = fake_terraform()
    with pytest.raises(PlatformError, match=why):
        call(tree(main_tf=HEAD), "validate", **changes)
    assert not (fake.folder / "calls").exists()


def test_nothing_of_the_tree_is_in_the_log(
    fake_terraform: MakeFake, caplog: pytest.LogCaptureFixture
) -> None:
    fake_terraform()
    with caplog.at_level("INFO"):
        call(tree(main_tf=HEAD + "# very-private"), "validate")
    assert '"validate": "ok"' in caplog.text
    assert "very-private" not in caplog.text


def test_the_environment_of_the_function_cannot_be_read_by_its_children() -> None:
    program = (
        "import ctypes; from toolkit.checker.reaper import hide_environment; hide_environment(); "
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def test_the_function_starts_without_what_only_a_check_needs() -> None:
    program = (
        "import sys, toolkit.checker.handler\n"
        "assert not {'toolkit.checker.inprocess', 'opentelemetry', 'boto3', 'botocore'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

"""The Pulumi engine over a stand-in for the CLI: command lines, environment, events, errors, Ctrl-C.

What the real CLI does with it is in `test_deploy_contract.py`, where there is one.
"""

import getpass
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pulumi_fakes import CliBench, FakeCli, ending, failing, numbered, state, step, urn

from toolkit.contracts import Changes
from toolkit.deploy.pulumi_place import Place
from toolkit.errors import DeployFailed, ToolMissing
from toolkit.local import launcher


class Bench(CliBench):
    """Of which a whole operation is done."""

    def up(self) -> Any:
        return self.engine.up(lambda: None, self.events.append)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    cli = FakeCli(tmp_path / "cli")
    monkeypatch.setenv("PATH", cli.path)
    monkeypatch.setattr("toolkit.deploy.automation.LAST_EVENTS_SECONDS", 1.0)
    cli.does(
        up={"events": numbered(step("create", "runs"), ending(create=1))},
        preview={"events": numbered(step("create", "runs", planning=True), ending(create=1))},
        destroy={"events": numbered(step("delete", "runs"), ending(delete=1))},
        destroy_preview={"events": numbered(step("delete", "runs", planning=True), ending(delete=1))},
        refresh={"events": numbered(step("same", "runs"), ending(same=1))},
        stack_output={"json": {"runs_bucket": "tfkit-dev-runs"}},
    )
    cli.plan["destroy-preview"] = cli.plan.pop("destroy preview")
    cli.does()
    return Bench(cli, tmp_path)


def test_up_makes_the_stack_and_tells_what_happened(bench: Bench) -> None:
    summary = bench.up()
    assert summary.changes == Changes(create=1)
    assert summary.outputs == {"runs_bucket": "tfkit-dev-runs"}
    assert [(e.operation, e.state) for e in bench.events] == [("create", "started"), ("create", "done")]
    made = bench.cli.call("stack init")["args"]
    assert made[:5] == ["stack", "init", "dev", "--secrets-provider", "passphrase"]
    args = bench.cli.call("up")["args"]
    assert {"--yes", "--skip-preview", "--suppress-outputs", "--suppress-progress"} <= set(args)
    assert args[-2:] == ["--stack", "dev"]
    assert any(word.startswith("--client=127.0.0.1:") for word in args)
    assert "auto.inline" in args


def test_the_stacks_settings_are_written_once_and_changed_only_where_they_differ(bench: Bench) -> None:
    bench.up()
    settings = bench.place.work / "Pulumi.dev.yaml"
    assert "aws:region: eu-west-1" in settings.read_text()
    settings.write_text(settings.read_text() + "encryptionsalt: v1:abc\n")
    bench.up()
    assert "encryptionsalt: v1:abc" in settings.read_text()
    assert not [call for call in bench.cli.calls if call["args"][:2] == ["config", "set-all"]]
    bench.place = Place(bench.place.folder, bench.place.home, "us-east-1")
    bench.up()
    assert "aws:region=us-east-1" in bench.cli.call("config set-all")["args"]


def test_the_environment_of_the_cli_is_its_own(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://of-the-user")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "of-the-user")
    before = dict(os.environ)
    bench.up()
    environment = bench.cli.call("up")["env"]
    assert environment["PULUMI_BACKEND_URL"] == (bench.place.work / "state").as_uri()
    assert environment["PULUMI_HOME"] == str(bench.place.home)
    assert environment["AWS_REGION"] == "eu-west-1"
    assert environment["PULUMI_CONFIG_PASSPHRASE"] == (bench.place.folder / "passphrase").read_text()
    assert stat.S_IMODE((bench.place.folder / "passphrase").stat().st_mode) == 0o600
    assert dict(os.environ) == before
    assert bench.place.passphrase not in repr(bench.engine)


def test_on_aws_no_provider_is_taken_from_path(bench: Bench) -> None:
    bench.up()
    environment = bench.cli.call("up")["env"]
    assert environment["PULUMI_IGNORE_AMBIENT_PLUGINS"] == "true"
    assert environment["PATH"] == os.environ["PATH"]
    assert "TFKIT_EMULATOR_ENDPOINT" not in environment


def test_on_the_local_target_the_launcher_is_on_the_path_of_the_engine_alone(bench: Bench) -> None:
    folder = launcher.write_launcher(bench.folder)
    environment = launcher.local_environment(folder, "http://127.0.0.1:4566", "eu-west-1")
    bench.place = Place(bench.place.folder, bench.place.home, "eu-west-1", environment=environment)
    bench.up()
    got = bench.cli.call("up")["env"]
    assert got["PATH"].split(os.pathsep)[0] == str(folder)
    assert got["PULUMI_IGNORE_AMBIENT_PLUGINS"] == "false"
    assert got["TFKIT_EMULATOR_ENDPOINT"] == "http://127.0.0.1:4566"
    assert str(folder) not in os.environ["PATH"]


def test_a_bucket_as_backend_and_a_key_for_the_secrets(bench: Bench) -> None:
    key = "awskms://alias/tfkit?region=eu-west-1"
    backend = f"file://{bench.folder}"
    bench.place = Place(bench.place.folder, bench.place.home, "eu-west-1", backend, key)
    bench.up()
    assert bench.cli.call("stack init")["args"][3:5] == ["--secrets-provider", key]
    assert bench.cli.call("up")["env"]["PULUMI_BACKEND_URL"] == backend
    assert f"secretsprovider: {key}" in (bench.place.work / "Pulumi.dev.yaml").read_text()
    assert not (bench.place.work / "state").exists()


def test_a_first_preview_makes_no_stack(bench: Bench) -> None:
    summary = bench.engine.preview(lambda: None, bench.events.append)
    assert summary.changes == Changes(create=1)
    assert not bench.place.folder.exists()
    backend = Path(bench.cli.call("preview")["env"]["PULUMI_BACKEND_URL"].removeprefix("file://"))
    assert not backend.exists()


def test_a_preview_of_a_stack_that_is_there(bench: Bench) -> None:
    bench.up()
    bench.engine.preview(lambda: None, bench.events.append)
    assert bench.cli.call("preview")["cwd"] == str(bench.place.work)


def test_where_nothing_is_deployed_the_cli_is_not_even_asked(bench: Bench) -> None:
    engine = bench.engine
    assert engine.outputs() == {}
    assert engine.destroy(bench.events.append).changes == Changes()
    assert engine.refresh(bench.events.append).changes == Changes()
    assert engine.plan_destroy(bench.events.append).changes == Changes()
    assert engine.export_state() == {"version": 3, "deployment": None}
    assert bench.cli.calls == []


def test_destroy_takes_the_stack_along(bench: Bench) -> None:
    bench.up()
    assert bench.engine.plan_destroy(bench.events.append).deleted == [urn("runs")]
    assert "--preview-only" in bench.cli.call("destroy")["args"]
    assert bench.engine.destroy(bench.events.append).deleted == [urn("runs")]
    assert bench.cli.call("stack rm")["args"] == ["stack", "rm", "--yes", "dev"]
    assert bench.engine.outputs() == {}


def test_what_an_interrupted_run_left_open_is_settled_first(bench: Bench) -> None:
    bench.up()
    pending = [{"resource": state("audit"), "type": "creating"}]
    bench.cli.does(stack_export={"json": {"version": 3, "deployment": {"pending_operations": pending}}})
    bench.events.clear()
    bench.up()
    refresh = bench.cli.call("refresh")["args"]
    assert {"--clear-pending-creates", "--skip-preview", "--yes"} <= set(refresh)
    told = bench.events[0]
    assert (told.name, told.operation, told.error) == ("audit", "refresh", "it was cut off while creating")


def test_a_failure_names_the_resource_the_cause_and_the_next_step(bench: Bench) -> None:
    why = "creating S3 Bucket: api error ExpiredToken: The provided token has expired."
    events = numbered(failing("create", "runs", why), ending())
    bench.cli.does(up={"events": events, "code": 255, "stderr": "error: update failed\n"})
    with pytest.raises(DeployFailed, match="credentials have expired") as caught:
        bench.up()
    assert "goes on from here" in caught.value.hint
    assert bench.events[-1].state == "failed"
    assert bench.events[-1].error == why


def test_no_secret_is_in_an_error_or_in_its_cause(bench: Bench) -> None:
    secret = bench.place.passphrase if bench.place.make() is None else ""
    events = numbered(failing("create", "runs", f"it was {secret}"), ending())
    said = f"error: the passphrase {secret} does not open it\n"
    bench.cli.does(up={"events": events, "code": 255, "stderr": said})
    with pytest.raises(DeployFailed) as caught:
        bench.up()
    assert bench.events[-1].error == "it was [secret]"
    assert secret not in caught.value.message
    assert secret not in str(caught.value.__cause__)
    assert "[secret]" in caught.value.message


def lock(pid: int) -> str:
    return (
        "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or"
        " delete the lock file with `pulumi cancel`.\n  file:///x/.pulumi/locks/l.json: created by"
        f" {getpass.getuser()}@{socket.gethostname()} (pid {pid}) at 2026-09-23T13:21:31Z\n"
    )


def test_another_update_is_named_and_left_alone(bench: Bench) -> None:
    bench.cli.does(up={"code": 255, "stderr": lock(os.getpid())})
    with pytest.raises(DeployFailed, match=f"another update .* process {os.getpid()}"):
        bench.up()
    assert not [call for call in bench.cli.calls if call["args"][0] == "cancel"]


def test_the_lock_of_a_dead_process_of_ours_is_taken_off(bench: Bench) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    bench.cli.does(up={"code": 255, "stderr": lock(dead.pid), "once": True})
    bench.up()
    assert bench.cli.call("cancel")["args"] == ["cancel", "--yes", "--stack", "dev"]


def test_an_old_cli_says_what_to_do(bench: Bench) -> None:
    bench.cli.does(up={"code": 255, "stderr": "error: unknown flag: --event-log\n"})
    with pytest.raises(ToolMissing, match="does not fit"):
        bench.up()


def test_a_state_is_taken_over_with_the_seal_that_pulumi_checks(bench: Bench) -> None:
    document = {
        "version": 3,
        "deployment": {"manifest": {"version": "v3.272.0", "magic": ""}, "resources": []},
    }
    bench.engine.import_state(document)
    exported = bench.engine.export_state()
    assert (
        exported["deployment"]["manifest"]["magic"].startswith("f")
        or exported["deployment"]["manifest"]["magic"]
    )
    assert len(exported["deployment"]["manifest"]["magic"]) == 64
    assert list(bench.place.work.glob("*.json")) == []


def test_still_there_asks_a_copy_of_the_state_that_has_no_secrets(bench: Bench) -> None:
    bench.up()
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x:y"}
    resources = [state("runs", outputs={"key": secret}), state("audit")]
    bench.cli.does(stack_export={"json": {"version": 3, "deployment": {"resources": resources}}})
    before = bench.engine.resources()
    assert [resource.id for resource in before] == ["runs", "audit"]
    bench.cli.does(stack_export={"json": {"version": 3, "deployment": {"resources": resources[:1]}}})
    assert [resource.id for resource in bench.engine.still_there(before)] == ["runs"]
    assert bench.cli.call("refresh")["env"]["PULUMI_BACKEND_URL"] != (bench.place.work / "state").as_uri()
    assert bench.engine.still_there([]) == []


INTERRUPTED = """
import sys, pathlib
from pulumi import automation as auto
from toolkit.deploy.automation import AutomationEngine
from toolkit.deploy.pulumi_place import Place
from toolkit.errors import Interrupted
here = pathlib.Path(sys.argv[1])
place = Place(here / "dev", here / "home", "eu-west-1")
engine = AutomationEngine(place, "tfkit", "dev", auto.PulumiCommand())
try:
    engine.up(lambda: None, lambda event: None)
except Interrupted as error:
    print((here / "cli" / "up.done").exists(), error.message)
"""


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_waits_until_pulumi_has_ended(bench: Bench, presses: int) -> None:
    """A real SIGINT. The stand-in does not see it: the engine has to wait for it all the same."""
    bench.cli.does(up={**bench.cli.plan["up"], "seconds": 1.5, "code": 255})
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, bench.folder], stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 30
    while not any(call["args"][0] == "up" for call in bench.cli.calls):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    for _ in range(presses):
        time.sleep(0.4)
        process.send_signal(signal.SIGINT)
    said = "interrupted; Pulumi has saved its state" if presses == 1 else "stopped at once"
    assert process.communicate(timeout=30)[0].startswith(f"True {said}")
    # One Ctrl-C lets Pulumi take its lock off itself; a second one ends it at once.
    assert any(call["args"][0] == "cancel" for call in bench.cli.calls) == (presses > 1)


def test_the_events_are_those_that_were_streamed_in_time(bench: Bench) -> None:
    many = [event for number in range(200) for event in step("create", f"r{number}")]
    bench.cli.does(up={"events": numbered(many, ending())})
    started = time.monotonic()
    assert bench.up().changes == Changes(create=200)
    assert len(bench.events) == 400
    assert time.monotonic() - started < 30

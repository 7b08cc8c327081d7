"""The Pulumi engine and its state, over a stand-in for the CLI: what is kept, moved, imported, drifted.

The rules behind it are read in Pulumi's source and not run here; `test_deploy_contract.py` runs them where
`pulumi` is on PATH.
"""

import getpass
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pulumi_fakes import (
    BUCKET,
    STACK,
    CliBench,
    FakeCli,
    ending,
    failing,
    metadata,
    numbered,
    state,
    step,
    urn,
)

from toolkit.contracts import Changes
from toolkit.deploy.engine import Drift
from toolkit.errors import DeployFailed

PROVIDER = "pulumi:providers:aws"
PROVIDED = {"provider": f"{urn('default', PROVIDER)}::p1", "parent": urn("tfkit-dev", STACK)}


def deployed(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A state with a root, a provider and these resources, which are children of the root."""
    root = state("tfkit-dev", STACK, outputs={"runs_bucket": "runs"}, provider="")
    provider = state("default", PROVIDER, custom=True, provider="")
    return {"version": 3, "deployment": {"resources": [root, provider, *resources], **more}}


def made(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return state(name, dependencies=[urn(n) for n in needs], **PROVIDED, **more)


class Bench(CliBench):
    """With a stack in its backend."""

    @property
    def file(self) -> Path:
        return self.place.work / "state" / "fake.json"

    def holds(self, document: dict[str, Any]) -> None:
        self.place.make()
        self.file.write_text(json.dumps(document))

    def args(self, command: str) -> list[str]:
        return self.cli.call(command)["args"]

    def done(self) -> list[str]:
        return [" ".join(call["args"][: 2 if call["args"][0] == "stack" else 1]) for call in self.cli.calls]


def options(args: list[str], name: str) -> list[str]:
    return [args[number + 1] for number, word in enumerate(args) if word == name]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    cli = FakeCli(tmp_path / "cli")
    monkeypatch.setenv("PATH", cli.path)
    monkeypatch.setattr("toolkit.deploy.automation.LAST_EVENTS_SECONDS", 1.0)
    cli.does(**{verb: {"events": numbered(ending())} for verb in ("up", "preview", "destroy", "refresh")})
    cli.plan["destroy-preview"] = {"events": numbered(ending())}
    cli.does()
    return Bench(cli, tmp_path)


# -- keeping ---------------------------------------------------------------------------------------


def test_a_destroy_that_keeps_something_targets_the_rest_and_leaves_the_stack(bench: Bench) -> None:
    bench.holds(deployed(made("audit"), made("policy", "audit"), made("runs")))
    bench.cli.does(destroy={"events": numbered(step("delete", "runs"), ending(delete=1))})
    done = bench.engine.destroy(bench.events.append, [urn("policy"), urn("gone")])
    assert done.deleted == [urn("runs")]
    args = bench.args("destroy")
    assert options(args, "--target") == [urn("runs")]
    assert "--target-dependents" not in args  # nothing that was not listed may go
    assert "stack rm" not in bench.done()


def test_the_outputs_are_emptied_before_anything_is_deleted(bench: Bench) -> None:
    bench.holds(deployed(made("audit"), made("runs")))
    bench.cli.does(destroy={"events": numbered(ending()), "code": 255, "stderr": "error: cut off\n"})
    with pytest.raises(DeployFailed):
        bench.engine.destroy(bench.events.append, [urn("audit")])
    done = bench.done()
    assert done.index("stack import") < done.index("destroy")
    resources = json.loads(bench.file.read_text())["deployment"]["resources"]
    assert "outputs" not in resources[0]
    assert [resource["urn"] for resource in resources[2:]] == [urn("audit"), urn("runs")]


def test_where_everything_is_kept_nothing_is_destroyed(bench: Bench) -> None:
    bench.holds(deployed(made("audit")))
    assert bench.engine.plan_destroy(bench.events.append, [urn("audit")]).changes == Changes()
    assert bench.engine.destroy(bench.events.append, [urn("audit")]).changes == Changes()
    assert "destroy" not in bench.done()


def test_where_nothing_of_it_is_there_the_stack_goes_too(bench: Bench) -> None:
    bench.holds(deployed(made("runs")))
    bench.engine.destroy(bench.events.append, [urn("gone")])
    assert options(bench.args("destroy"), "--target") == []
    assert bench.done()[-1] == "stack rm"


def test_the_plan_has_the_same_targets(bench: Bench) -> None:
    bench.holds(deployed(made("audit"), made("policy", "audit"), made("runs", "audit")))
    bench.engine.plan_destroy(bench.events.append, [urn("audit")])
    args = bench.args("destroy")
    assert "--preview-only" in args
    assert options(args, "--target") == [urn("policy"), urn("runs")]
    assert "stack import" not in bench.done()


# -- another region --------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["up", "preview"])
def test_what_lives_in_another_region_is_replaced(bench: Bench, verb: str) -> None:
    there = made("runs", outputs={"region": "us-east-1"})
    here, everywhere = made("audit", outputs={"region": "eu-west-1"}), made("role", outputs={})
    left = made("old", outputs={"region": "us-east-1"}, delete=True)
    bench.holds(deployed(there, here, everywhere, left))
    getattr(bench.engine, verb)(lambda: None, bench.events.append)
    assert options(bench.args(verb), "--replace") == [urn("runs")]


# -- drift -----------------------------------------------------------------------------------------


def refreshed(op: str, name: str, **more: Any) -> list[dict[str, Any]]:
    """The events of a refresh: begun as one, ended as what it found."""
    began = {"resourcePreEvent": {"metadata": metadata("refresh", name), "planning": True}}
    found = {**metadata(op, name), **more}
    return [began, {"resOutputsEvent": {"metadata": found, "planning": True}}]


def test_drift_is_a_refresh_that_is_not_done(bench: Bench) -> None:
    bench.holds(deployed(made("runs")))
    outputs_only = {
        "old": state("out", inputs={"a": 1, "b": 1}, outputs={"a": 1, "b": 1, "arn": "x"}),
        "new": state("out", inputs={"a": 1, "b": 1}, outputs={"a": 1, "b": 2, "arn": "y"}),
    }
    bench.cli.does(
        refresh={
            "events": numbered(
                refreshed("same", "runs"),
                refreshed("update", "queue", diffs=["delaySeconds", "tags"]),
                refreshed("update", "table", detailedDiff={"rules[0].days": {"diffKind": "update"}}),
                refreshed("update", "out", **outputs_only),
                refreshed("delete", "role"),
                ending(same=1, update=3, delete=1),
            )
        }
    )
    found = {drift.name: drift for drift in bench.engine.drift(bench.events.append)}
    assert found == {
        "queue": Drift(urn=urn("queue"), type=BUCKET, name="queue", changed=["delaySeconds", "tags"]),
        "table": Drift(urn=urn("table"), type=BUCKET, name="table", changed=["rules"]),
        "out": Drift(urn=urn("out"), type=BUCKET, name="out", changed=["b"]),
        "role": Drift(urn=urn("role"), type=BUCKET, name="role", gone=True),
    }
    assert "--preview-only" in bench.args("refresh")
    assert {(event.name, event.error) for event in bench.events if event.error} == {("role", "gone")}


def test_without_a_stack_nothing_has_drifted(bench: Bench) -> None:
    assert bench.engine.drift(bench.events.append) == []
    assert bench.cli.calls == []


# -- import, and what an interrupted run left ------------------------------------------------------


def test_a_state_is_replaced_by_force_alone(bench: Bench) -> None:
    bench.holds(deployed(made("runs")))
    with pytest.raises(DeployFailed, match="has resources"):
        bench.engine.import_state(deployed())
    assert "stack import" not in bench.done()
    bench.engine.import_state(deployed(), force=True)
    assert len(bench.engine.resources()) == 2


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"version": 2, "deployment": {}}, "version 3"),
        (deployed(made("runs") | {"urn": "urn:pulumi:prod::tfkit::x::runs"}), "another stack"),
        (deployed(pending_operations=[{"resource": made("runs"), "type": "deleting"}]), "under way"),
    ],
)
def test_what_does_not_fit_never_reaches_the_cli(bench: Bench, document: dict[str, Any], said: str) -> None:
    with pytest.raises(DeployFailed, match=said):
        bench.engine.import_state(document)
    assert bench.cli.calls == []


def test_a_lock_of_a_dead_process_of_ours_does_not_stop_an_import(bench: Bench) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    locked = (
        "error: the stack is currently locked by 1 lock(s).\n  file:///x/.pulumi/locks/l.json: created by"
        f" {getpass.getuser()}@{socket.gethostname()} (pid {dead.pid}) at 2026-09-23T13:21:31Z\n"
    )
    bench.holds(deployed(made("audit"), made("runs")))
    bench.cli.does(stack_import={"code": 255, "stderr": locked, "once": True})
    bench.engine.destroy(bench.events.append, [urn("audit")])
    assert "cancel" in bench.done()
    assert options(bench.args("destroy"), "--target") == [urn("runs")]


def test_a_creation_that_was_cut_off_is_dropped_and_then_made_again(bench: Bench) -> None:
    bench.holds(deployed(pending_operations=[{"resource": made("runs"), "type": "creating"}]))
    bench.cli.does(up={"events": numbered(step("create", "runs"), ending(create=1))})
    assert bench.engine.up(lambda: None, bench.events.append).changes == Changes(create=1)
    assert [verb for verb in bench.done() if verb in ("refresh", "up")] == ["refresh", "up"]
    assert "--clear-pending-creates" in bench.args("refresh")
    first = bench.events[0]
    assert (first.operation, first.error) == ("refresh", "it was cut off while creating")


def test_where_it_did_happen_and_the_cloud_refuses_the_next_step_is_said(bench: Bench) -> None:
    bench.holds(deployed(pending_operations=[{"resource": made("runs"), "type": "creating"}]))
    why = "creating IAM Role (runs): EntityAlreadyExists: Role with name runs already exists."
    bench.cli.does(up={"events": numbered(failing("create", "runs", why), ending()), "code": 255})
    with pytest.raises(DeployFailed, match="EntityAlreadyExists") as caught:
        bench.engine.up(lambda: None, bench.events.append)
    assert "a run that was cut off made it" in caught.value.hint
    assert "pulumi import" in caught.value.hint

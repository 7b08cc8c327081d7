"""The semantics of the embedded engine, against a cloud in memory."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from deploy_fakes import FakeCloud, Thing
from pulumi import ResourceOptions
from pulumi.automation import Deployment
from pulumi.runtime import rpc

from toolkit.contracts import Changes, ResourceEvent
from toolkit.deploy import wire
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.deploy.engine import Summary
from toolkit.errors import DeployFailed

Program = Callable[[], None]


class Bench:
    """A cloud, a folder, and an engine made anew for each operation, as each command does."""

    def __init__(self, folder: Path) -> None:
        self.cloud = FakeCloud()
        self.folder = folder
        self.events: list[ResourceEvent] = []

    @property
    def engine(self) -> EmbeddedEngine:
        return EmbeddedEngine(self.folder, "tfkit", "dev", self.cloud, {"region": "us-east-1"})

    def up(self, program: Program) -> Summary:
        return self.engine.up(program, self.events.append)

    def preview(self, program: Program) -> Summary:
        return self.engine.preview(program, self.events.append)

    def destroy(self) -> Summary:
        return self.engine.destroy(self.events.append)

    @property
    def state(self) -> dict[str, Any]:
        return json.loads((self.folder / "state.json").read_text())["deployment"]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "stack")


def chain(size: int = 1, **root: Any) -> Program:
    """`a` ← `b` ← `c`: each takes an output of the one before."""

    def program() -> None:
        a = Thing("a", name="a", size=size, **root)
        b = Thing("b", name="b", parent_id=a.out)
        Thing("c", name="c", uses=b.out)
        pulumi.export("last", b.out)

    return program


def test_the_markers_are_those_of_the_sdk() -> None:
    ours = [wire.SIGNATURE, wire.SECRET, wire.ASSET, wire.ARCHIVE, wire.UNKNOWN]
    theirs = [rpc._special_sig_key, rpc._special_secret_sig, rpc._special_asset_sig, rpc._special_archive_sig]
    assert ours == [*theirs, rpc.UNKNOWN]


def test_a_first_preview_lists_everything_and_changes_nothing(bench: Bench) -> None:
    summary = bench.preview(chain())
    assert summary.changes == Changes(create=3)
    assert not bench.folder.exists()
    assert bench.cloud.things == {}


def test_up_creates_and_a_second_up_finds_everything_the_same(bench: Bench) -> None:
    first = bench.up(chain())
    assert first.changes == Changes(create=3)
    assert first.outputs == {"last": "out-of-id-2"}
    assert bench.cloud.of("create") == ["a", "b", "c"]
    second = bench.up(chain())
    assert second.changes == Changes(same=3)
    assert second.outputs == first.outputs == bench.engine.outputs()


def test_one_changed_property_is_one_update(bench: Bench) -> None:
    bench.up(chain(size=1))
    assert bench.preview(chain(size=2)).changes == Changes(update=1, same=2)
    assert bench.up(chain(size=2)).changes == Changes(update=1, same=2)
    assert bench.cloud.of("update") == ["a"]


def test_a_replacement_is_announced_made_before_the_old_one_goes_and_counted_once(bench: Bench) -> None:
    bench.up(chain())

    def renamed() -> None:
        Thing("a", name="a-new", size=1)

    bench.up(lambda: Thing("a", name="a", size=1) and None)
    bench.cloud.calls.clear()
    assert bench.preview(renamed).changes == Changes(replace=1)
    assert bench.up(renamed).changes == Changes(replace=1)
    assert [call for call in bench.cloud.calls if call[0] != "read"] == [("create", "a"), ("delete", "a")]
    assert [thing["name"] for thing in bench.cloud.things.values()] == ["a-new"]


def test_delete_before_replace_takes_along_what_could_not_stay(bench: Bench) -> None:
    bench.up(chain())
    bench.cloud.delete_first = True
    bench.cloud.calls.clear()

    def renamed() -> None:
        a = Thing("a", name="a2", size=1)
        b = Thing("b", name="b", parent_id=a.out)
        Thing("c", name="c", uses=b.out)

    summary = bench.up(renamed)
    # b is replaced because its parent is; c only uses b, and is updated with b's new output.
    assert summary.changes == Changes(replace=2, update=1)
    assert bench.cloud.calls[:4] == [("delete", "b"), ("delete", "a"), ("create", "a"), ("create", "b")]


def test_what_the_program_no_longer_mentions_goes_at_the_end_dependents_first(bench: Bench) -> None:
    bench.up(chain())
    summary = bench.up(lambda: None)
    assert summary.changes == Changes(delete=3)
    assert bench.cloud.of("delete") == ["c", "b", "a"]


def test_destroy_deletes_dependents_first_and_leaves_no_state(bench: Bench) -> None:
    bench.up(chain())
    assert bench.engine.plan_destroy(bench.events.append).changes == Changes(delete=3)
    assert len(bench.cloud.things) == 3
    assert bench.destroy().changes == Changes(delete=3)
    assert bench.cloud.of("delete") == ["c", "b", "a"]
    assert not (bench.folder / "state.json").exists()


def test_protected_resources_are_not_deleted(bench: Bench) -> None:
    bench.up(lambda: Thing("a", ResourceOptions(protect=True), name="a") and None)
    with pytest.raises(DeployFailed, match=r"delete of a .* protected"):
        bench.destroy()
    assert len(bench.cloud.things) == 1


def test_retained_resources_stay_in_the_cloud(bench: Bench) -> None:
    bench.up(lambda: Thing("a", ResourceOptions(retain_on_delete=True), name="a") and None)
    bench.destroy()
    assert len(bench.cloud.things) == 1


def test_ignored_changes_change_nothing(bench: Bench) -> None:
    options = ResourceOptions(ignore_changes=["size"])
    bench.up(lambda: Thing("a", options, name="a", size=1) and None)
    assert bench.up(lambda: Thing("a", options, name="a", size=2) and None).changes == Changes(same=1)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (ResourceOptions(import_="id-9"), "importId"),
        (ResourceOptions(deleted_with=None, replace_on_changes=["x"]), "replaceOnChanges"),
        (ResourceOptions(ignore_changes=["a.b"]), "whole properties"),
    ],
)
def test_what_the_engine_does_not_have_is_refused_by_name(
    bench: Bench, options: ResourceOptions, named: str
) -> None:
    with pytest.raises(DeployFailed, match=named):
        bench.up(lambda: Thing("a", options, name="a") and None)
    assert bench.cloud.things == {}


def test_a_failure_names_the_resource_and_the_next_up_goes_on(bench: Bench) -> None:
    bench.cloud.fail[("create", "b")] = "LimitExceeded: no more"
    with pytest.raises(DeployFailed, match=r"create of b \(aws:test/thing:Thing\) failed: LimitExceeded"):
        bench.up(chain())
    assert bench.state["pending_operations"] == []
    bench.cloud.fail.clear()
    assert bench.up(chain()).changes == Changes(create=2, same=1)


def test_a_creation_cut_off_by_a_kill_is_finished_by_the_next_up(bench: Bench) -> None:
    bench.up(lambda: Thing("a", name="a") and None)
    # What a SIGKILL between the cloud's answer and the state leaves: a pending operation, no resource.
    document = json.loads((bench.folder / "state.json").read_text())
    cut = next(r for r in document["deployment"]["resources"] if r["urn"].endswith("::a"))
    document["deployment"]["resources"].remove(cut)
    document["deployment"]["pending_operations"] = [{"resource": {**cut, "id": ""}, "type": "creating"}]
    (bench.folder / "state.json").write_text(json.dumps(document))

    assert bench.up(lambda: Thing("a", name="a") and None).changes == Changes(same=1)
    assert len(bench.cloud.things) == 1


def test_a_creation_cut_off_by_a_kill_is_taken_down_too(bench: Bench) -> None:
    test_a_creation_cut_off_by_a_kill_is_finished_by_the_next_up(bench)
    document = json.loads((bench.folder / "state.json").read_text())
    cut = next(r for r in document["deployment"]["resources"] if r["urn"].endswith("::a"))
    document["deployment"]["resources"].remove(cut)
    document["deployment"]["pending_operations"] = [{"resource": {**cut, "id": ""}, "type": "creating"}]
    (bench.folder / "state.json").write_text(json.dumps(document))
    bench.destroy()
    assert bench.cloud.things == {}


def test_a_pending_operation_is_on_disk_before_the_cloud_is_called(bench: Bench) -> None:
    seen: list[list[dict[str, Any]]] = []
    create = bench.cloud.Create

    def spying(request: Any, context: Any) -> Any:
        seen.append(bench.state["pending_operations"])
        return create(request, context)

    bench.cloud.Create = spying
    bench.up(lambda: Thing("a", name="a") and None)
    assert [(op["type"], op["resource"]["urn"].rsplit("::", 1)[-1]) for op in seen[0]] == [("creating", "a")]
    assert bench.state["pending_operations"] == []


def test_refresh_forgets_what_is_gone_and_up_makes_it_again(bench: Bench) -> None:
    bench.up(chain())
    bench.cloud.things.pop("id-3")
    summary = bench.engine.refresh(bench.events.append)
    assert [urn.rsplit("::", 1)[-1] for urn in summary.deleted] == ["c"]
    assert bench.up(chain()).changes == Changes(create=1, same=2)


def test_secrets_are_not_in_the_state_in_the_clear_and_come_back(bench: Bench) -> None:
    def program(password: str) -> Program:
        def run() -> None:
            thing = Thing("a", name="a", password=pulumi.Output.secret(password))
            pulumi.export("password", thing.password if hasattr(thing, "password") else thing.out)

        return run

    bench.up(program("hunter2"))
    text = (bench.folder / "state.json").read_text()
    assert "hunter2" not in text and "ciphertext" in text
    assert next(iter(bench.cloud.things.values()))["password"] == "hunter2"
    assert (bench.folder / "passphrase").stat().st_mode & 0o077 == 0
    assert bench.up(program("hunter2")).changes == Changes(same=1)
    assert bench.up(program("hunter3")).changes == Changes(update=1)


def test_the_state_is_a_deployment_of_version_3_in_an_order_that_pulumi_accepts(bench: Bench) -> None:
    bench.up(chain())

    def reversed_dependencies() -> None:
        c = Thing("c", name="c2")
        b = Thing("b", name="b2", parent_id=c.out)
        Thing("a", name="a", size=1, uses=b.out)

    bench.up(reversed_dependencies)
    exported = bench.engine.export_state()
    deployment = Deployment(**exported)
    assert deployment.version == 3
    known: set[str] = set()
    for resource in exported["deployment"]["resources"]:
        assert {"urn", "custom", "type"} <= resource.keys()
        needed = {*resource.get("dependencies", []), resource.get("parent", "")} - {""}
        needed |= {resource["provider"].rsplit("::", 1)[0]} if "provider" in resource else set()
        assert needed <= known, resource["urn"]
        known.add(resource["urn"])


def test_independent_resources_are_made_at_the_same_time(bench: Bench) -> None:
    meeting = threading.Barrier(3, timeout=20)
    create = bench.cloud.Create

    def waiting(request: Any, context: Any) -> Any:
        meeting.wait()  # raises unless all three are under way together
        return create(request, context)

    bench.cloud.Create = waiting

    def program() -> None:
        for label in "abc":
            Thing(label, name=label)

    assert bench.up(program).changes == Changes(create=3)


def test_two_engines_do_not_work_on_a_stack_at_once(bench: Bench) -> None:
    errors: list[DeployFailed] = []

    def nested() -> None:
        try:
            bench.up(lambda: None)
        except DeployFailed as error:
            errors.append(error)

    bench.cloud.Check = lambda request, context: (
        nested() or type(bench.cloud).Check(bench.cloud, request, context)
    )
    bench.up(lambda: Thing("a", name="a") and None)
    assert "another tfkit is working on this stack" in errors[0].message


def test_ctrl_c_leaves_a_state_that_knows_everything(bench: Bench) -> None:
    def program() -> None:
        Thing("a", name="a")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.up(program)
    names = {r["urn"].rsplit("::", 1)[-1] for r in bench.state["resources"]}
    made = {thing["name"] for thing in bench.cloud.things.values()}
    assert made <= names
    bench.cloud.calls.clear()
    assert bench.up(lambda: Thing("a", name="a") and None).changes in (Changes(same=1), Changes(create=1))
    assert len(bench.cloud.things) == 1


def test_an_unreadable_state_is_an_error_that_names_the_file(bench: Bench) -> None:
    bench.folder.mkdir()
    (bench.folder / "state.json").write_text("{")
    with pytest.raises(DeployFailed, match=r"state\.json"):
        bench.up(chain())
    assert (bench.folder / "state.json").read_text() == "{"

"""What stays when the rest is deleted, drift, and the order of deletions, against a cloud in memory."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from deploy_fakes import FakeCloud, Thing
from pulumi import ComponentResource, ResourceOptions

from toolkit.contracts import Changes, ResourceEvent
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.deploy.order import delete_all, kept_with
from toolkit.deploy.state import Resource, exclusive
from toolkit.errors import DeployFailed

ROOT = "urn:pulumi:dev::tfkit::"


def quiet(_event: ResourceEvent) -> None:
    pass


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "stack"


@pytest.fixture
def engine(cloud: FakeCloud, folder: Path) -> EmbeddedEngine:
    return EmbeddedEngine(folder, "tfkit", "dev", cloud, {"region": "us-east-1"})


def program() -> None:
    """`a` ← `b` ← `c`, and `d` in a component that explicitly waits for `a`; `e` stands alone."""
    a = Thing("a", name="a")
    b = Thing("b", name="b", parent_id=a.out)
    Thing("c", name="c", uses=b.out)
    group = ComponentResource("tfkit:test:Group", "group")
    Thing("d", ResourceOptions(parent=group, depends_on=[a]), name="d")
    Thing("e", name="e")
    pulumi.export("last", b.out)


def urn(engine: EmbeddedEngine, name: str) -> str:
    return next(resource.urn for resource in engine.resources() if resource.name == name)


@pytest.mark.parametrize(
    ("kept", "deleted"),
    [("a", "bcde"), ("b", "cde"), ("c", "de"), ("d", "bce"), ("de", "bc"), ("", "abcde")],
)
def test_what_something_kept_needs_is_kept_and_what_needs_it_is_not(
    engine: EmbeddedEngine, cloud: FakeCloud, folder: Path, kept: str, deleted: str
) -> None:
    engine.up(program, quiet)
    keep = [urn(engine, name) for name in kept]
    assert engine.plan_destroy(quiet, keep).changes == Changes(delete=len(deleted))
    assert engine.destroy(quiet, keep).changes == Changes(delete=len(deleted))
    assert sorted(cloud.of("delete")) == list(deleted)
    assert engine.outputs() == {}
    assert (folder / "state.json").exists() == bool(kept)
    again = engine.up(program, quiet)
    assert again.changes == Changes(create=len(deleted), same=5 - len(deleted))
    assert again.outputs["last"]


def test_nothing_that_something_kept_needs_is_deleted_when_it_is_cut_off(
    engine: EmbeddedEngine, cloud: FakeCloud
) -> None:
    engine.up(program, quiet)
    cloud.fail[("delete", "e")] = "not today"
    keep = [urn(engine, "b")]
    with pytest.raises(DeployFailed, match="not today"):
        engine.destroy(quiet, keep)
    assert engine.outputs() == {}  # no longer a whole platform
    assert {"a", "b"} <= {thing["name"] for thing in cloud.things.values()}
    cloud.fail.clear()
    engine.destroy(quiet, keep)
    assert {thing["name"] for thing in cloud.things.values()} == {"a", "b"}


def made(name: str, *needs: str, delete: bool = False) -> Resource:
    return Resource(
        urn=ROOT + name, custom=True, id=name, delete=delete, dependencies=[ROOT + n for n in needs]
    )


def test_dependencies_that_a_program_has_turned_round_do_not_wait_for_each_other() -> None:
    old = [made("a", delete=True), made("b", "a", delete=True)]
    new = [made("b"), made("a", "b")]
    order: list[Resource] = []
    delete_all([*new, *old], order.append)
    assert len(order) == 4
    assert order.index(old[1]) < order.index(old[0])
    assert order.index(new[1]) < order.index(new[0])


def test_kept_with_ignores_what_is_not_there() -> None:
    given = [made("a"), made("b", "a", "gone")]
    assert kept_with(given, [ROOT + "b", ROOT + "other"]) == {ROOT + "a", ROOT + "b"}
    assert kept_with(given, [ROOT + "other"]) == set()


# -- drift -----------------------------------------------------------------------------------------


def test_drift_names_properties_of_the_program_and_what_is_gone(
    engine: EmbeddedEngine, cloud: FakeCloud, folder: Path
) -> None:
    engine.up(program, quiet)
    before = (folder / "state.json").read_bytes()
    things = {thing["name"]: thing for thing in cloud.things.values()}
    things["c"]["uses"] = "something else"
    things["b"]["out"] = "outputs change by themselves"
    cloud.things = {known: thing for known, thing in cloud.things.items() if thing["name"] != "e"}
    events: list[ResourceEvent] = []
    found = sorted((drift.name, drift.gone, drift.changed) for drift in engine.drift(events.append))
    assert found == [("c", False, ["uses"]), ("e", True, [])]
    assert {event.name: event.error for event in events} == {**dict.fromkeys("abcd", ""), "e": "gone"}
    assert (folder / "state.json").read_bytes() == before
    assert engine.up(program, quiet).changes == Changes(same=5)  # an `up` looks at the program alone
    engine.refresh(quiet)
    assert engine.up(program, quiet).changes == Changes(create=1, update=1, same=3)
    assert engine.drift(quiet) == []


def test_a_secret_that_is_as_it_was_is_no_drift_and_stays_secret(
    engine: EmbeddedEngine, cloud: FakeCloud, folder: Path
) -> None:
    def with_secret() -> None:
        Thing("a", name="a", password=pulumi.Output.secret("hunter2"))

    engine.up(with_secret, quiet)
    assert engine.drift(quiet) == []
    engine.refresh(quiet)
    assert "hunter2" not in (folder / "state.json").read_text()
    next(iter(cloud.things.values()))["password"] = "hunter3"
    assert [drift.changed for drift in engine.drift(quiet)] == [["password"]]


# -- a kill in the middle --------------------------------------------------------------------------


@pytest.fixture
def pending(engine: EmbeddedEngine, folder: Path) -> Iterator[Any]:
    """Writes an operation on `e` into the state, as a kill leaves it."""
    engine.up(program, quiet)

    def write(kind: str) -> None:
        document = json.loads((folder / "state.json").read_text())
        cut = next(r for r in document["deployment"]["resources"] if r["urn"].endswith("::e"))
        document["deployment"]["pending_operations"] = [{"resource": cut, "type": kind}]
        (folder / "state.json").write_text(json.dumps(document))

    yield write
    assert json.loads((folder / "state.json").read_text())["deployment"]["pending_operations"] == []


def test_a_deletion_cut_off_after_it_happened_is_made_again(
    engine: EmbeddedEngine, cloud: FakeCloud, pending: Any
) -> None:
    pending("deleting")
    cloud.things = {known: thing for known, thing in cloud.things.items() if thing["name"] != "e"}
    assert engine.up(program, quiet).changes == Changes(create=1, same=4)


def test_an_update_cut_off_after_it_happened_is_seen(
    engine: EmbeddedEngine, cloud: FakeCloud, pending: Any
) -> None:
    pending("updating")
    next(thing for thing in cloud.things.values() if thing["name"] == "e")["size"] = 2
    assert engine.up(program, quiet).changes == Changes(update=1, same=4)


# -- the lock --------------------------------------------------------------------------------------


def test_cancel_names_the_process_that_works_on_the_stack(engine: EmbeddedEngine, folder: Path) -> None:
    with exclusive(folder / "lock"), pytest.raises(DeployFailed, match=rf"process {os.getpid()}") as caught:
        engine.cancel()
    assert "Ctrl-C" in caught.value.hint
    engine.cancel()

"""Replacements that are cut off or fail, and a state that Pulumi would take at every moment."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deploy_fakes import FakeCloud, Thing
from pulumi import ResourceOptions

from toolkit.contracts import Changes, ResourceEvent
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.deploy.state import State
from toolkit.errors import DeployFailed

Program = Callable[[], None]


class Stack:
    """A cloud and an engine made anew for each operation."""

    def __init__(self, folder: Path) -> None:
        self.cloud = FakeCloud()
        self.file = folder / "state.json"

    @property
    def engine(self) -> EmbeddedEngine:
        return EmbeddedEngine(self.file.parent, "tfkit", "dev", self.cloud, {"region": "us-east-1"})

    def up(self, program: Program) -> Changes:
        return self.engine.up(program, quiet).changes

    @property
    def names(self) -> list[str]:
        """The names of what is in the cloud."""
        return [thing["name"] for thing in self.cloud.things.values()]


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path / "stack")


def quiet(_event: ResourceEvent) -> None:
    pass


def one(name: str) -> Program:
    def program() -> None:
        Thing("a", name=name)

    return program


def chain(name: str) -> Program:
    def program() -> None:
        a = Thing("a", name=name)
        b = Thing("b", name="b", parent_id=a.out)
        Thing("c", name="c", uses=b.out)

    return program


def refusals(document: dict[str, Any]) -> list[str]:
    """Why `Snapshot.VerifyIntegrity` of Pulumi would refuse the state."""
    deployment, known, found = document["deployment"], set[str](), list[str]()
    manifest = deployment["manifest"]
    if manifest["magic"] != hashlib.sha256(manifest["version"].encode()).hexdigest():
        found.append("magic")
    for resource in deployment["resources"]:
        by_property = resource.get("propertyDependencies", {}).values()
        needed = {*resource.get("dependencies", []), *(urn for urns in by_property for urn in urns)}
        needed |= {resource["parent"]} if "parent" in resource else set()
        needed |= {resource["provider"].rsplit("::", 1)[0]} if "provider" in resource else set()
        found += [f"{resource['urn']} needs {urn}" for urn in needed - known]
        if resource["urn"] in known and not resource.get("delete"):
            found.append(f"twice: {resource['urn']}")
        known.add(resource["urn"])
    return found


@pytest.mark.parametrize("delete_first", [True, False])
def test_pulumi_would_take_every_state_that_is_written(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, delete_first: bool
) -> None:
    found: list[str] = []
    save = State.save

    def look(state: State) -> None:
        found.extend(refusals(state.document()))
        save(state)

    monkeypatch.setattr(State, "save", look)
    stack.up(chain("a"))
    stack.cloud.delete_first = delete_first
    assert stack.up(chain("a2")).replace == 2
    stack.cloud.things.popitem()
    stack.engine.refresh(quiet)
    stack.up(chain("a2"))
    stack.engine.destroy(quiet)
    assert found == []


def test_a_replacement_that_fails_leaves_the_old_one_alone(stack: Stack) -> None:
    stack.up(one("a"))
    stack.cloud.fail[("create", "a")] = "not today"
    with pytest.raises(DeployFailed, match="not today"):
        stack.up(one("a2"))
    stack.cloud.fail.clear()
    assert stack.up(one("a")) == Changes(same=1)
    assert stack.names == ["a"]


@pytest.mark.parametrize("then", ["up", "down"])
def test_a_replacement_cut_off_by_a_kill_leaves_nothing_behind(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    stack.up(one("a"))
    create, on_disk = stack.cloud.Create, list[bytes]()

    def killed(request: Any, context: Any) -> Any:
        create(request, context)
        on_disk.append(stack.file.read_bytes())
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(stack.cloud, "Create", killed)
        with pytest.raises(DeployFailed):
            stack.up(one("a2"))
    stack.file.write_bytes(on_disk[0])  # what was there when the process was gone
    assert sorted(stack.names) == ["a", "a2"]
    if then == "up":
        stack.up(one("a2"))
        assert stack.names == ["a2"]
    stack.engine.destroy(quiet)
    assert stack.names == []


def test_a_retained_resource_that_is_no_longer_mentioned_is_let_go_once(stack: Stack) -> None:
    def kept() -> None:
        Thing("a", name="a", opts=ResourceOptions(retain_on_delete=True))

    stack.up(kept)
    assert stack.up(lambda: None).delete == 1
    assert stack.up(lambda: None).delete == 0
    assert stack.names == ["a"]

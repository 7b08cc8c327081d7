"""Another region than before, on the embedded engine: two clouds in memory, and moves that are cut off."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from deploy_fakes import FakeCloud, Thing

from toolkit.contracts import Changes, ResourceEvent
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.errors import DeployFailed

HERE, THERE = "us-east-1", "eu-west-1"


class World:
    """A cloud for each region; ids repeat, as names do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clouds = {HERE: FakeCloud(), THERE: FakeCloud()}

    def engine(self, region: str) -> EmbeddedEngine:
        inputs = {"region": region}
        return EmbeddedEngine(self.folder, "tfkit", "dev", self.of(inputs), inputs, self.of)

    def of(self, inputs: Mapping[str, Any]) -> FakeCloud:
        return self.clouds[inputs["region"]]

    def up(self, region: str, program: Callable[[], None]) -> Changes:
        return self.engine(region).up(program, quiet).changes

    @property
    def names(self) -> dict[str, list[str]]:
        return {
            region: sorted(t["name"] for t in cloud.things.values()) for region, cloud in self.clouds.items()
        }

    def providers(self) -> list[tuple[str, bool]]:
        resources = self.engine(HERE).export_state()["deployment"]["resources"]
        return [
            (r["inputs"]["region"], r.get("delete", False))
            for r in resources
            if r["type"].startswith("pulumi:providers:")
        ]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "stack")


def quiet(_event: ResourceEvent) -> None:
    pass


def chain() -> None:
    a = Thing("a", name="a")
    b = Thing("b", name="b", parent_id=a.out)
    Thing("c", name="c", uses=b.out)


def test_everything_is_made_there_before_anything_goes_here(world: World) -> None:
    world.up(HERE, chain)
    calls: list[tuple[str, str, str]] = []
    for region, cloud in world.clouds.items():
        note(cloud, region, calls)
    assert world.engine(THERE).preview(chain, quiet).changes == Changes(replace=3)
    assert world.up(THERE, chain) == Changes(replace=3)
    assert calls == [
        *[(THERE, "create", name) for name in "abc"],
        *[(HERE, "delete", name) for name in "cba"],
    ]
    assert world.names == {HERE: [], THERE: ["a", "b", "c"]}
    assert world.providers() == [(THERE, False)]
    assert world.up(THERE, chain) == Changes(same=3)


def note(cloud: FakeCloud, region: str, calls: list[tuple[str, str, str]]) -> None:
    call = cloud._call

    def noting(operation: str, request: Any) -> None:
        calls.append((region, operation, request.name))
        call(operation, request)

    cloud._call = noting


def test_a_move_that_was_cut_off_goes_on(world: World) -> None:
    world.up(HERE, chain)
    world.clouds[THERE].fail[("create", "b")] = "cut"
    with pytest.raises(DeployFailed, match="cut"):
        world.up(THERE, chain)
    assert sorted(world.providers()) == [(THERE, False), (HERE, True)]
    world.clouds[THERE].fail.clear()
    assert world.up(THERE, chain) == Changes(replace=2, same=1)
    assert world.names == {HERE: [], THERE: ["a", "b", "c"]}
    assert world.providers() == [(THERE, False)]


def test_a_move_that_was_cut_off_can_be_taken_back_and_loses_nothing(world: World) -> None:
    """What was to be deleted here is taken over again, and so must not be deleted any more."""
    world.up(HERE, chain)
    here = dict(world.clouds[HERE].things)
    world.clouds[THERE].fail[("create", "c")] = "cut"
    with pytest.raises(DeployFailed, match="cut"):
        world.up(THERE, chain)
    world.up(HERE, chain)
    assert world.clouds[HERE].of("delete") == []
    assert world.clouds[HERE].things == here
    assert world.names[THERE] == []
    assert world.up(HERE, chain) == Changes(same=3)


@pytest.mark.parametrize("from_region", [HERE, THERE])
def test_a_move_that_was_cut_off_can_be_taken_down(world: World, from_region: str) -> None:
    world.up(HERE, chain)
    world.clouds[THERE].fail[("create", "c")] = "cut"
    with pytest.raises(DeployFailed, match="cut"):
        world.up(THERE, chain)
    world.engine(from_region).destroy(quiet)
    assert world.names == {HERE: [], THERE: []}
    assert world.engine(HERE).resources() == []


def test_a_creation_killed_in_a_move_is_found_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.up(HERE, chain)
    there, on_disk = world.clouds[THERE], list[bytes]()
    create = there.Create

    def killed(request: Any, context: Any) -> Any:
        create(request, context)
        on_disk.append((world.folder / "state.json").read_bytes())
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(there, "Create", killed)
        with pytest.raises(DeployFailed):
            world.up(THERE, chain)
    (world.folder / "state.json").write_bytes(on_disk[0])  # what was there when the process was gone
    world.engine(HERE).destroy(quiet)
    assert world.names == {HERE: [], THERE: []}


def test_what_is_kept_of_a_move_that_was_cut_off_is_kept_in_both_regions(world: World) -> None:
    world.up(HERE, chain)
    world.clouds[THERE].fail[("create", "b")] = "cut"
    with pytest.raises(DeployFailed, match="cut"):
        world.up(THERE, chain)
    keep = [resource.urn for resource in world.engine(THERE).resources() if resource.name == "a"]
    world.engine(THERE).destroy(quiet, keep)
    assert world.names == {HERE: ["a"], THERE: ["a"]}


def test_drift_and_refresh_look_where_the_resources_are(world: World) -> None:
    world.up(HERE, chain)
    world.clouds[HERE].things.popitem()
    assert [(drift.name, drift.gone) for drift in world.engine(THERE).drift(quiet)] == [("c", True)]
    assert world.engine(THERE).refresh(quiet).changes == Changes(same=2, delete=1)


def test_without_a_provider_for_there_nothing_is_deleted_in_the_wrong_place(world: World) -> None:
    world.up(HERE, chain)
    inputs = {"region": THERE}
    alone = EmbeddedEngine(world.folder, "tfkit", "dev", world.clouds[THERE], inputs)
    with pytest.raises(DeployFailed, match="is in us-east-1") as caught:
        alone.destroy(quiet)
    assert "--region us-east-1" in caught.value.hint
    assert world.names[HERE] == ["a", "b", "c"]


def test_a_state_that_names_no_region_moves_nothing(world: World) -> None:
    EmbeddedEngine(world.folder, "tfkit", "dev", world.clouds[HERE], {}).up(chain, quiet)
    assert world.up(HERE, chain) == Changes(same=3)

"""Every type through its life on a real emulator, from one table of cases: made, read, changed, deleted."""

from typing import Any

import pytest
from provider_cases import CASES
from provider_world import TAGS, Case, World, changed
from pulumi.runtime.proto import provider_pb2

from toolkit.local.provider import ProviderError
from toolkit.local.provider.compare import in_words_of
from toolkit.local.provider.kinds import KINDS

SOME = provider_pb2.DiffResponse.DIFF_SOME
NONE = provider_pb2.DiffResponse.DIFF_NONE

PUTS = {"aws:ssm/parameter:Parameter", "aws:cloudwatch/metricAlarm:MetricAlarm"}
"""Types with tags whose update is a put all the same, which makes them again."""

TAGGED = [case for case in CASES if "tags" in KINDS[case.token].table.properties and case.token not in PUTS]

UNCHANGED = {"rawMessageDelivery"}
"""A property that can change and whose case does not change it."""

PARENTS = ("logGroupName", "function", "rule", "targetId")
"""What a part is found by beside its id."""

every_type = pytest.mark.parametrize("case", CASES, ids=[case.token.split(":")[-1] for case in CASES])


def test_there_is_a_case_for_every_type() -> None:
    assert {case.token for case in CASES} == set(KINDS)


@every_type
def test_a_resource_lives_and_dies(case: Case, world: World) -> None:
    engine = world.engine
    inputs = case.inputs(world)
    assert engine.check(case.token, inputs) == {}

    id_, state = engine.create(case.token, inputs)
    assert id_
    assert {name: state.get(name) for name in inputs} == inputs
    missing = KINDS[case.token].outputs - state.keys()
    assert not missing

    read_id, read_state, read_inputs = engine.read(case.token, id_, state, inputs)
    assert read_id == id_
    assert engine.diff(case.token, inputs, read_inputs).changes == NONE
    assert read_state == state

    engine.delete(case.token, id_, state)
    if not case.outlives:
        assert engine.read(case.token, id_, state, inputs)[0] == ""
    engine.delete(case.token, id_, state)


@every_type
def test_a_change_arrives(case: Case, world: World) -> None:
    engine = world.engine
    inputs = case.inputs(world)
    news = changed(case, world, inputs)
    if news == inputs:
        # Nothing of this type can be changed: every property replaces.
        assert KINDS[case.token].table.replacing == KINDS[case.token].table.properties.keys() - UNCHANGED
        return
    id_, state = engine.create(case.token, inputs)
    answer = engine.diff(case.token, news, inputs)
    assert answer.changes == SOME
    assert list(answer.replaces) == []
    state = engine.update(case.token, id_, state, inputs, news)
    assert {name: state.get(name) for name in news} == news
    # Read in the words of the old inputs: what was changed must show as changed.
    seen = engine.read(case.token, id_, state, inputs)[2]
    shown = {name for name in answer.diffs if name in inputs}
    assert set(engine.diff(case.token, seen, inputs).diffs) == shown
    read_inputs = engine.read(case.token, id_, state, news)[2]
    assert engine.diff(case.token, news, read_inputs).changes == NONE


@pytest.mark.parametrize("case", TAGGED, ids=[case.token for case in TAGGED])
def test_a_change_to_what_is_gone_is_an_error_of_the_providers(case: Case, world: World) -> None:
    inputs = case.inputs(world)
    id_, state = world.engine.create(case.token, inputs)
    news = changed(case, world, inputs)
    world.engine.delete(case.token, id_, state)
    with pytest.raises(ProviderError, match=f"^{case.token} it: "):
        world.engine.update(case.token, id_, state, inputs, news)


@every_type
def test_a_read_without_inputs_finds_them(case: Case, world: World) -> None:
    """An import: the engine knows the id only, and what it is told must agree with what made the resource."""
    inputs = case.inputs(world)
    inputs.get("extendedS3Configuration", {}).pop(
        "customTimeZone", None
    )  # which the emulator does not report
    id_, _ = world.engine.create(case.token, inputs)
    parents = {name: inputs[name] for name in PARENTS if name in inputs}
    found = world.engine.read(case.token, id_, parents, {})
    assert found[0] == id_
    told = found[2].keys() & inputs.keys()
    assert told
    assert {name: in_words_of(inputs[name], found[2][name], name) for name in told} == {
        name: inputs[name] for name in told
    }


@every_type
def test_a_second_creation_adopts_the_first(case: Case, world: World) -> None:
    """What happens after a kill between the emulator's answer and the engine's state write."""
    inputs = case.inputs(world)
    id_, first = world.engine.create(case.token, inputs)
    again, second = world.engine.create(case.token, inputs)
    assert again == id_
    assert second == first


@every_type
def test_what_an_interrupted_run_left_is_brought_to_the_new_inputs(case: Case, world: World) -> None:
    inputs = case.inputs(world)
    id_, _ = world.engine.create(case.token, inputs)
    news: dict[str, Any] = changed(case, world, inputs)
    again, state = world.engine.create(case.token, news)
    assert again == id_
    assert {name: state.get(name) for name in news} == news


def test_a_queue_is_reached_after_the_emulator_moved_to_another_port(world: World) -> None:
    token = "aws:sqs/queue:Queue"
    inputs = {"name": world.name("q"), "tags": TAGS}
    id_, state = world.engine.create(token, inputs)
    old = f"http://localhost:1/{id_.split('/', 3)[3]}"
    assert world.engine.read(token, old, {**state, "url": old}, inputs)[1]["url"] == id_
    news = {**inputs, "visibilityTimeoutSeconds": 99}
    assert world.engine.update(token, old, state, inputs, news)["visibilityTimeoutSeconds"] == 99
    world.engine.delete(token, old, state)
    assert world.engine.read(token, id_, state, inputs)[0] == ""

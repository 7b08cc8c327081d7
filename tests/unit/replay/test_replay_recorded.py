"""Which past runs are meant, and what is known of each."""

from datetime import UTC, datetime

import pytest
from replay_world import CALLER, World, past, result, row

from toolkit.contracts import AskRequest
from toolkit.errors import TfkitError
from toolkit.replay.recorded import (
    COMPARABLE,
    NOT_KEPT,
    NOT_REMEMBERED,
    NotReplayed,
    again,
    collect,
    ended_between,
    recorded,
)


@pytest.fixture
def world() -> World:
    return World()


def remember(world: World, run_id: str, *, replays: str = "", **changes) -> None:
    world.records[run_id] = row(run_id, **changes)
    world.results[run_id] = result(run_id)
    world.requests[run_id] = AskRequest(run_id=run_id, prompt="p", model="m", replays=replays)


def test_a_run_is_known_by_its_request_and_its_outcome(world):
    remember(world, "run-1")
    found = recorded(world, "run-1")
    assert (found.request, found.result, found.note) == (world.requests["run-1"], world.results["run-1"], "")


@pytest.mark.parametrize(("conversation", "note"), [("run-1", ""), ("run-0", NOT_REMEMBERED)])
def test_a_replay_goes_on_with_nobody_s_conversation(world, conversation, note):
    remember(world, "run-1")
    asked = AskRequest(run_id="run-1", prompt="p", conversation=conversation, follows="run-0", chat=True)
    world.requests["run-1"] = asked
    found = recorded(world, "run-1")
    assert found.note == note
    request = again(found, "run-2", CALLER)
    assert (request.conversation, request.chat, request.follows) == ("", False, "run-0")


def test_the_replay_has_all_of_the_request_but_whose_it_is():
    asked = AskRequest(
        run_id="run-1", prompt="p", model="m", rehearse="apply", max_followups=1, max_cost_usd=2.0,
        timeout_s=60.0, caller="then", max_turns=3, max_tool_calls=4, max_tokens=5, start="s", attached="a",
    )  # fmt: skip
    before = past("run-1")
    before = type(before)(request=asked, result=before.result)
    named = {"run_id": "run-2", "caller": CALLER, "replays": "run-1"}
    fields = {name: getattr(asked, name) for name in AskRequest.__struct_fields__}
    assert again(before, "run-2", CALLER) == AskRequest(**{**fields, **named})
    assert again(before, "run-2", CALLER, "other") == AskRequest(**{**fields, **named, "model": "other"})


def test_of_a_run_without_a_request_prompt_model_and_files_are_enough(world):
    world.records["run-1"] = row("run-1")
    world.results["run-1"] = result("run-1", prompt="q", model="n", start="sha256:s")
    found = recorded(world, "run-1")
    assert found.request == AskRequest(run_id="run-1", prompt="q", model="n", start="sha256:s")
    assert found.note == NOT_KEPT


def test_a_run_whose_row_is_gone_is_known_by_its_outcome(world):
    world.results["run-1"] = result("run-1")
    assert recorded(world, "run-1").note == NOT_KEPT


def test_a_run_that_stored_nothing_is_not_guessed_at(world):
    world.records["run-1"] = row("run-1", status="error")
    world.results["run-1"] = result("run-1", status="error", trace_id="")
    with pytest.raises(TfkitError, match="neither its request nor its outcome"):
        recorded(world, "run-1")


def test_a_run_that_is_under_way_has_nothing_to_compare_with(world):
    remember(world, "run-1", status="running")
    with pytest.raises(TfkitError, match="it has not ended: it is running"):
        recorded(world, "run-1")


def test_what_cannot_be_done_again_is_named_and_the_others_go_on(world):
    remember(world, "run-1")
    remember(world, "run-3")
    found, refused = collect(world, ["run-1", "run-2", "run-3"], 3)
    assert [one.request.run_id for one in found] == ["run-1", "run-3"]
    assert refused == [NotReplayed(run_id="run-2", reason="no run has the id run-2")]


def test_replays_and_what_cannot_be_done_again_do_not_use_up_the_limit(world):
    for run_id in ("run-1", "run-3", "run-4"):
        remember(world, run_id)
    remember(world, "run-2", replays="run-1")
    ids = ["run-0", "run-2", "run-1", "run-3", "run-4"]
    found, refused = collect(world, ids, 2, replays=False)
    assert [one.request.run_id for one in found] == ["run-1", "run-3"]
    assert [one.run_id for one in refused] == ["run-0"]
    found, _ = collect(world, ["run-2"], 1)
    assert [one.request.run_id for one in found] == ["run-2"], "one that is named is wanted"


def test_the_time_counts_to_the_second_and_only_what_ended_so_is_meant(world):
    moments = {
        "early": ("2026-11-19T23:59:59.999Z", "ok"), "first": ("2026-11-20T00:00:00.000Z", "ok"),
        "going": ("2026-11-20T01:00:00.000Z", "running"), "gone": ("2026-11-20T02:00:00.000Z", "cancelled"),
        "last": ("2026-11-21T12:00:00.000Z", "error"), "late": ("2026-11-21T12:00:00.001Z", "ok"),
    }  # fmt: skip
    for run_id, (started, status) in moments.items():
        world.records[run_id] = row(run_id, started=started, status=status)
    since, until = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, 12, tzinfo=UTC)
    found = [record.run_id for record in ended_between(world, since, until, COMPARABLE)]
    assert found == ["last", "first"]
    assert [r.run_id for r in ended_between(world, since, until, ("cancelled",))] == ["gone"]


def test_no_more_days_are_asked_for_than_runs_are_kept(world, monkeypatch):
    asked = []
    monkeypatch.setattr(world, "runs", lambda days: asked.extend(days) or [])
    until = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert list(ended_between(world, datetime(1970, 1, 1, tzinfo=UTC), until, COMPARABLE)) == []
    assert (asked[0], asked[-1], len(asked)) == ("2026-08-22", "2026-11-21", 92)

"""Replays, several at once: what each is given, what ends it, and what is said of those not done."""

import threading
from concurrent.futures import wait

import msgspec
import pytest
from botocore.exceptions import ClientError
from replay_world import CALLER, World, past, result

from toolkit.contracts import Tree, Usage
from toolkit.errors import PlatformError, TfkitError
from toolkit.replay.recorded import NOT_KEPT
from toolkit.replay.runner import INTERRUPTED, SPENT, UNPRICED, Runner
from toolkit.tables import minted_at

RUNS = ["run-1", "run-2", "run-3", "run-4"]


@pytest.fixture
def world() -> World:
    return World()


def reasons(ended) -> dict[str, str]:
    return {one.run_id: one.reason for one in ended.not_replayed}


def test_each_is_asked_again_with_what_it_was_given(world):
    start, attached = Tree(files={"main.tf": b"a"}), Tree(files={"n.txt": b"note"})
    world.starts["run-1"], world.attachments["run-1"] = start, attached
    before = past("run-1", start=start.hash, attached=attached.hash, rehearse="apply")
    ended = Runner(world, model="other").run([before])
    ((request, *given),) = world.submitted
    assert given == [start, attached]
    assert (request.prompt, request.start, request.rehearse) == ("prompt of run-1", start.hash, "apply")
    assert (request.model, request.caller, request.replays) == ("other", CALLER, "run-1")
    assert request.run_id != "run-1" and minted_at(request.run_id)
    assert ended == ([(before, world.results[request.run_id])], [], False, False)


def test_they_come_back_in_the_order_in_which_they_were_asked_for(world):
    last = threading.Event()

    def meanwhile(request):
        if request.replays == "run-1":
            assert last.wait(20), "the others go on meanwhile"
        elif request.replays == "run-4":
            last.set()

    world.meanwhile = meanwhile
    ended = Runner(world, at_once=2).run([past(run_id) for run_id in RUNS])
    assert [after.run_id for _, after in ended.done] == [
        next(r.run_id for r, _, _ in world.submitted if r.replays == run_id) for run_id in RUNS
    ]


def test_never_more_than_so_many_at_once(world):
    both = threading.Barrier(2, timeout=20)
    world.meanwhile = lambda _request: both.wait() and None
    Runner(world, at_once=2).run([past(run_id) for run_id in RUNS])
    assert world.most_at_once == 2


def test_steps_are_told_and_the_end_of_each(world):
    told = []
    Runner(world, on_step=lambda run_id, replay, step: told.append((run_id, step))).run([past("run-1")])
    assert told == [("run-1", step) for step in ("waiting for the agent", "init", "gate", "")]


def test_files_that_are_gone_are_named_and_the_others_go_on(world):
    world.gone.add("run-1")
    ended = Runner(world).run([past("run-1"), past("run-2")])
    assert reasons(ended) == {"run-1": "no longer in the bucket: the files that it started from"}
    assert [before.request.run_id for before, _ in ended.done] == ["run-2"]
    assert [request.replays for request, _, _ in world.submitted] == ["run-2"]


def test_what_the_agent_would_refuse_is_not_asked_for(world):
    world.attachments["run-2"] = Tree(files={"sketch.png": b"\x89PNG\r\n\x1a\n"})
    ended = Runner(world).run([past("run-1", model="retired"), past("run-2")])
    assert world.submitted == []
    assert "does not know the model 'retired'" in reasons(ended)["run-1"]
    assert "sketch.png, which is attached, cannot go to m: it is an image" in reasons(ended)["run-2"]


def denied(*_):
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Invoke")


def unreadable(*_):
    raise msgspec.ValidationError("of a later version")


@pytest.mark.parametrize(("how", "said"), [(denied, "AccessDenied"), (unreadable, "of a later version")])
def test_a_failure_of_one_is_told_and_no_other_suffers(world, monkeypatch, how, said):
    real = world.submit
    monkeypatch.setattr(world, "submit", lambda r, *g: how() if r.replays == "run-1" else real(r, *g))
    ended = Runner(world).run([past("run-1"), past("run-2")])
    assert said in reasons(ended)["run-1"]
    assert len(ended.done) == 1


def test_a_replay_that_cannot_be_followed_is_not_left_running(world, monkeypatch):
    def lost(*_):
        raise PlatformError("the agent did not start it")

    monkeypatch.setattr(world, "follow", lost)
    ended = Runner(world).run([past("run-1")])
    assert reasons(ended) == {"run-1": "the agent did not start it"}
    assert world.cancelled == [world.submitted[0][0].run_id]


def test_one_that_somebody_cancelled_is_no_outcome(world):
    world.outcome_of = lambda r: result(r.run_id, status="cancelled", error="the platform was stopped")
    ended = Runner(world).run([past("run-1")])
    assert ended.done == []
    assert reasons(ended)["run-1"].endswith("was cancelled: the platform was stopped")


@pytest.mark.parametrize(
    ("usage", "begun", "reason", "out"),
    [
        (Usage(requests=1, cost_usd=0.4), 3, SPENT, True),
        (Usage(requests=1, cost_usd=9.0), 1, SPENT, True),
        (Usage(requests=1), 1, UNPRICED, False),
        (Usage(requests=1, cost_usd=0.1), 4, None, False),
        (Usage(), 4, None, False),
    ],
)
def test_no_further_one_begins_when_so_much_is_spent(world, usage, begun, reason, out):
    world.outcome_of = lambda request: result(request.run_id, usage=usage)
    ended = Runner(world, at_once=1, max_cost_usd=1.0).run([past(run_id) for run_id in RUNS])
    assert len(world.submitted) == len(ended.done) == begun
    assert reasons(ended) == dict.fromkeys(RUNS[begun:], reason)
    assert ended.out_of_budget is out


def test_none_may_cost_more_than_is_left(world):
    world.outcome_of = lambda request: result(request.run_id, usage=Usage(requests=1, cost_usd=0.25))
    dear = past("run-2")
    dear = msgspec.structs.replace(dear, request=msgspec.structs.replace(dear.request, max_cost_usd=0.5))
    Runner(world, at_once=1, max_cost_usd=1.0).run([past("run-1"), dear, past("run-3")])
    assert [request.max_cost_usd for request, _, _ in world.submitted] == [1.0, 0.5, 0.5]


def test_one_whose_cost_nobody_learns_is_the_last(world):
    def away(request):
        raise TfkitError("the function ended without a word")

    world.meanwhile = away
    ended = Runner(world, at_once=1, max_cost_usd=1.0).run([past(run_id) for run_id in RUNS])
    assert len(world.submitted) == 1
    assert set(list(reasons(ended).values())[1:]) == {UNPRICED}


def test_a_run_whose_request_was_not_kept_has_the_users_budget(world):
    lost = msgspec.structs.replace(past("run-1"), note=NOT_KEPT)
    Runner(world, budget_usd=0.75).run([lost, past("run-2")])
    assert sorted(request.max_cost_usd or 0.0 for request, _, _ in world.submitted) == [0.0, 0.75]


def test_a_budget_that_is_reached_with_the_last_one_was_enough(world):
    world.outcome_of = lambda request: result(request.run_id, usage=Usage(requests=1, cost_usd=1.0))
    assert Runner(world, max_cost_usd=1.0).run([past("run-1")]).out_of_budget is False


class Interrupting(World):
    """Ctrl-C, as soon as the third of the runs is under way; the first has ended then.

    What is under way ends when the runner has tried to cancel all of it.
    """

    def __init__(self, monkeypatch) -> None:
        super().__init__()
        self.third, self.tried = threading.Event(), threading.Event()
        self.meanwhile = self._wait
        self.waits = iter((self._interrupted, self._cancelled))
        monkeypatch.setattr("toolkit.replay.runner.wait", lambda futures: next(self.waits)(futures))

    def _wait(self, request) -> None:
        if request.replays == "run-3":
            self.third.set()
        if request.replays != "run-1":
            assert self.tried.wait(20), "somebody has to end it"

    def _interrupted(self, _futures) -> None:
        assert self.third.wait(20)
        raise KeyboardInterrupt

    def _cancelled(self, futures) -> None:
        wait(futures)
        self.tried.set()


def test_an_interruption_cancels_what_is_under_way_and_keeps_what_is_done(monkeypatch):
    world = Interrupting(monkeypatch)
    ended = Runner(world, at_once=2).run([past(run_id) for run_id in RUNS])
    assert ended.interrupted
    assert [before.request.run_id for before, _ in ended.done] == ["run-1"]
    replays = {request.replays: request.run_id for request, _, _ in world.submitted}
    assert sorted(world.cancelled) == sorted([replays["run-2"], replays["run-3"]])
    assert reasons(ended) == {
        "run-2": f"its replay {replays['run-2']} was cancelled: cancelled on request",
        "run-3": f"its replay {replays['run-3']} was cancelled: cancelled on request",
        "run-4": INTERRUPTED,
    }


def test_who_may_not_cancel_is_told_what_goes_on_and_does_not_wait_for_it(monkeypatch):
    world = Interrupting(monkeypatch)
    world.uncancellable = True
    ended = Runner(world, at_once=2).run([past(run_id) for run_id in RUNS])
    replays = {request.replays: request.run_id for request, _, _ in world.submitted}
    for run_id in ("run-2", "run-3"):
        assert reasons(ended)[run_id] == (
            f"interrupted; its replay {replays[run_id]} goes on, for runs cannot be cancelled: AccessDenied"
        )

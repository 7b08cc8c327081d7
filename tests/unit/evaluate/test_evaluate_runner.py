"""An evaluation goes on where it stopped, however it stopped, and no task is lost or done twice."""

import threading
from pathlib import Path

import pytest
from evaluate_fakes import GOOD, FakeAuthor, FakeJudge, evaluated, header, refuse, tasks

from toolkit.contracts import RUN_ID, Tree
from toolkit.errors import UsageError
from toolkit.evaluate.journal import Journal
from toolkit.evaluate.runner import Runner
from toolkit.evaluate.task import Answer, Score


def names(author: FakeAuthor) -> list[str]:
    return sorted(task for task, _ in author.asked)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "evals" / "set.jsonl"


def test_every_task_is_answered_and_judged_once(path: Path) -> None:
    author = FakeAuthor()
    journal = evaluated(path, author, number=9, jobs=4)
    assert names(author) == [f"t{n}" for n in range(9)]
    assert (
        path.read_bytes().count(b"\n") == 1 + 2 * 9
    )  # the header; of each task that it was begun, and its end
    for outcome in Journal.read(path).outcomes:
        assert outcome.final and outcome.first
        assert (outcome.final.passed, outcome.first.passed, outcome.attempts) == (True, False, 2)
    assert journal.outcomes == Journal.read(path).outcomes
    assert all(RUN_ID.fullmatch(run_id) for _, run_id in author.asked)
    assert len({run_id for _, run_id in author.asked}) == 9


def test_the_same_file_again_does_what_is_left(path: Path) -> None:
    evaluated(path, FakeAuthor(), number=2)
    again = FakeAuthor()
    evaluated(path, again, number=4)
    assert names(again) == ["t2", "t3"]
    nothing = FakeAuthor()
    evaluated(path, nothing, number=4)
    assert nothing.asked == []


def test_a_line_that_was_cut_off_is_a_task_that_was_not_done(path: Path) -> None:
    evaluated(path, FakeAuthor(), number=3, jobs=1)
    path.write_bytes(path.read_bytes()[:-20])
    again = FakeAuthor()
    journal = evaluated(path, again, number=3)
    assert names(again) == ["t2"]
    assert [outcome.task for outcome in Journal.read(path).outcomes] == ["t0", "t1", "t2"]
    assert journal.header == header()


def test_what_the_platform_kept_from_being_done_is_done_again_under_another_run_id(path: Path) -> None:
    broken = FakeAuthor({"t1": refuse})
    journal = evaluated(path, broken, number=3)
    assert [outcome.failed for outcome in journal.outcomes] == ["", "the bucket is gone", ""]
    assert names(broken) == ["t0", "t1", "t2"]
    third = FakeAuthor({"t1": refuse})
    evaluated(path, third, number=3)
    mended = FakeAuthor()
    journal = evaluated(path, mended, number=3)
    asked = [pair for pair in [*broken.asked, *third.asked, *mended.asked] if pair[0] == "t1"]
    assert len(asked) == len(set(asked)) == 3
    assert not any(outcome.failed for outcome in journal.outcomes)


def test_the_run_of_a_task_is_found_again_after_an_interruption(path: Path) -> None:
    """Its id stands in the journal before it is asked for, so the agent is asked for the same run."""

    def interrupted() -> Answer:
        raise KeyboardInterrupt

    first = FakeAuthor({"t1": interrupted})
    with pytest.raises(KeyboardInterrupt):
        evaluated(path, first, number=2, jobs=1)
    assert [outcome.task for outcome in Journal.read(path).outcomes] == ["t0"]
    again = FakeAuthor()
    evaluated(path, again, number=2)
    assert again.asked == [first.asked[-1]]


def test_an_interruption_stops_the_judge_and_begins_nothing_more(path: Path) -> None:
    going = threading.Event()

    def slow() -> Answer:
        assert going.wait(30)
        return Answer(run_id="r", status="ok", final=GOOD)

    def interrupted() -> Answer:
        raise KeyboardInterrupt

    class Judge(FakeJudge):
        def stop(self) -> None:
            super().stop()
            going.set()

    author, judge = FakeAuthor({"t0": slow, "t1": interrupted}), Judge()
    journal = Journal.begin(path, header())
    with pytest.raises(KeyboardInterrupt):
        Runner(author, judge, journal, lambda task, doing: None).run(tasks(6), 2)
    assert judge.stopped
    assert names(author) == ["t0", "t1"]
    assert journal.outcomes == []


def test_wrong_usage_ends_all_of_it(path: Path) -> None:
    def wrong() -> Answer:
        raise UsageError("unknown model")

    with pytest.raises(UsageError):
        evaluated(path, FakeAuthor({"t0": wrong}), number=3, jobs=1)
    assert Journal.read(path).outcomes == []


@pytest.mark.parametrize(
    "change", [{"sha256": "1" * 64}, {"model": "other"}, {"rehearse": "off"}, {"timeout_s": 9.0}]
)
def test_another_evaluation_does_not_go_into_the_same_file(path: Path, change: dict[str, object]) -> None:
    evaluated(path, FakeAuthor(), number=1)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="holds another evaluation"):
        evaluated(path, FakeAuthor(), number=1, **change)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"), [("hello\n", "is no journal"), ("", None), ('{"v":1}\n', "is no journal")]
)
def test_a_file_that_is_something_else_is_left_alone(path: Path, text: str, said: str | None) -> None:
    path.parent.mkdir()
    path.write_text(text)
    if said is None:  # an empty file is a new journal
        evaluated(path, FakeAuthor(), number=1)
        return
    with pytest.raises(UsageError, match=said):
        evaluated(path, FakeAuthor(), number=1)
    assert path.read_text() == text


def test_a_broken_line_in_the_middle_is_named(path: Path) -> None:
    evaluated(path, FakeAuthor(), number=2)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], '{"task": 3}\n', lines[2]]))
    with pytest.raises(UsageError, match="line 2"):
        Journal.read(path)


def test_no_attempt_and_no_files_are_no_first_verdict_and_no_score(path: Path) -> None:
    def nothing() -> Answer:
        return Answer(run_id="r", status="error", error="the model is away", final=Tree())

    rated: list[str] = []

    def rate(task, tree) -> Score:
        rated.append(task.id)
        return Score(model="m", score=7.0, reason="fine")

    journal = Journal.begin(path, header())
    Runner(FakeAuthor({"t0": nothing}), FakeJudge(), journal, lambda t, d: None, rate).run(tasks(2), 1)
    first, second = journal.outcomes
    assert (first.first, first.score, first.error) == (None, None, "the model is away")
    assert second.score == Score(model="m", score=7.0, reason="fine")
    assert rated == ["t1"]

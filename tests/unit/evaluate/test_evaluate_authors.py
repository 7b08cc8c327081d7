"""The agent as an author: which tree is whose, and what is asked again."""

from typing import Any

import pytest

from toolkit.contracts import AskRequest, Attempt, FileEntry, RunRecord, RunResult, Tree, Usage
from toolkit.evaluate.authors import DeployedAgent, References
from toolkit.evaluate.task import Task

FIRST, LAST, START = (Tree(files={"main.tf": text}) for text in (b"one", b"two", b"zero"))
TASK = Task(id="t", prompt="a bucket", files={"main.tf": "zero"}, reference={"main.tf": "right"})


def attempt(number: int, tree: Tree) -> Attempt:
    return Attempt(n=number, tree=tree.hash, validators={})


class Client:
    """A platform with one run."""

    def __init__(self, attempts: list[Attempt], final: Tree, record: RunRecord | None = None) -> None:
        entries: list[FileEntry] = final.entries
        self.outcome = RunResult(
            run_id="r", status="not_converged", model="m", prompt="p", output="", files=entries,
            attempts=attempts, usage=Usage(requests=1), seconds=3.0, error="no",
        )  # fmt: skip
        self.final = final
        self.known = record
        self.submitted: list[tuple[AskRequest, Tree]] = []
        self.followed: list[str] = []

    def record(self, run_id: str) -> RunRecord | None:
        return self.known

    def submit(self, request: AskRequest, start: Tree) -> None:
        self.submitted.append((request, start))

    def follow(self, run_id: str, on_update: Any) -> None:
        self.followed.append(run_id)
        on_update(record("running"))

    def result(self, run_id: str) -> RunResult:
        return self.outcome

    def tree(self, result: RunResult, start: Tree) -> Tree:
        assert start == START
        return self.final

    def attempt(self, result: RunResult, number: int) -> Tree | None:
        assert number == 1
        return FIRST


def record(status: Any) -> RunRecord:
    return RunRecord(run_id="r", status=status, request_sha256="", prompt="p", step="validators")


def answered(client: Any):
    steps: list[tuple[str, str]] = []
    author = DeployedAgent(client, AskRequest(run_id="x", prompt="", model="m", timeout_s=9.0))
    return author.answer(TASK, "run-of-the-task", lambda *step: steps.append(step)), steps


def test_the_task_is_asked_for_with_its_files_and_both_trees_come_back() -> None:
    client = Client([attempt(1, FIRST), attempt(2, LAST)], LAST)
    answer, steps = answered(client)
    ((request, start),) = client.submitted
    assert (request.run_id, request.prompt, request.timeout_s) == ("run-of-the-task", "a bucket", 9.0)
    assert start == START
    assert request.start == START.hash
    assert steps == [("t", "validators")]
    assert (answer.first, answer.final, answer.attempts) == (FIRST, LAST, 2)
    assert (answer.status, answer.error, answer.seconds) == ("not_converged", "no", 3.0)


@pytest.mark.parametrize(
    ("attempts", "first"),
    [([attempt(1, LAST)], LAST), ([attempt(1, LAST), attempt(2, LAST)], LAST), ([], None)],
)
def test_the_first_tree_may_be_the_last_or_none(attempts: list[Attempt], first: Tree | None) -> None:
    assert answered(Client(attempts, LAST))[0].first == first


def test_a_run_that_has_ended_is_looked_up_and_one_that_goes_on_is_followed() -> None:
    ended = Client([], LAST, record("ok"))
    assert answered(ended)[0].final == LAST
    assert (ended.submitted, ended.followed) == ([], [])
    going = Client([], LAST, record("running"))
    answered(going)
    assert going.followed == ["run-of-the-task"]


def test_the_reference_is_the_datasets() -> None:
    answer = References().answer(TASK, "r", lambda *_: None)
    assert (answer.status, answer.final, answer.first) == (
        "reference",
        Tree(files={"main.tf": b"right"}),
        None,
    )

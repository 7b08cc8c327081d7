"""An author and a judge that answer from memory, and what it takes to make an evaluation."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from toolkit.contracts import Tree, Usage
from toolkit.errors import PlatformError
from toolkit.evaluate.authors import OnStep
from toolkit.evaluate.journal import Header, Journal
from toolkit.evaluate.runner import Runner
from toolkit.evaluate.task import Answer, Task, Verdict

GOOD, BAD = Tree(files={"main.tf": b"good"}), Tree(files={"main.tf": b"bad"})


def tasks(number: int) -> list[Task]:
    return [Task(id=f"t{n}", prompt=f"prompt {n}", difficulty="12"[n % 2]) for n in range(number)]


def header(**changes) -> Header:
    values = {
        "v": 1, "id": "0abcdefgh1234567", "dataset": "set", "sha256": "0" * 64, "author": "agent",
        "model": "m", "version": "1", "started": "2026-11-21T10:00:00.000Z",
    }  # fmt: skip
    return Header(**{**values, **changes})


class FakeAuthor:
    """Two attempts, the second good; or whatever `answers` say of a task, an error included."""

    def __init__(self, answers: dict[str, Callable[[], Answer]] | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._answers = answers or {}
        self._lock = threading.Lock()

    def answer(self, task: Task, run_id: str, on_step: OnStep) -> Answer:
        with self._lock:
            self.asked.append((task.id, run_id))
        if task.id in self._answers:
            return self._answers[task.id]()
        return Answer(
            run_id=run_id, status="ok", final=GOOD, first=BAD, attempts=2, model="m", seconds=2.0,
            usage=Usage(requests=3, input_tokens=100, output_tokens=10, cost_usd=0.01),
        )  # fmt: skip


class FakeJudge:
    """Good is planned, bad is refused."""

    def __init__(self) -> None:
        self.stopped = False

    def verdicts(self, task: Task, trees: Sequence[Tree]) -> list[Verdict]:
        return [self._verdict(tree) for tree in trees]

    def _verdict(self, tree: Tree) -> Verdict:
        if tree == GOOD:
            return Verdict(tree=tree.hash, plan="planned", rule="passes")
        return Verdict(tree=tree.hash, plan="refused", reason="<bad>", rule="not_run")

    def stop(self) -> None:
        self.stopped = True


def refuse() -> Answer:
    raise PlatformError("the bucket is gone")


def evaluated(path: Path, author: FakeAuthor, number: int = 4, jobs: int = 2, **changes) -> Journal:
    """Run an evaluation to its end, in a journal that may hold the beginning of it."""
    journal = Journal.begin(path, header(**changes))
    Runner(author, FakeJudge(), journal, lambda task, doing: None).run(tasks(number), jobs)
    return journal

"""Runs an evaluation: several tasks at once, each answered, judged and written down by itself."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from toolkit.contracts import Tree
from toolkit.errors import TfkitError, UsageError
from toolkit.evaluate.authors import Author
from toolkit.evaluate.journal import Journal
from toolkit.evaluate.judge import Judge
from toolkit.evaluate.task import Answer, Outcome, Score, Task, Verdict
from toolkit.tables import new_run_id

CLOSING_S = 5.0

JUDGING = "the judge plans it"

Progress = Callable[[str, str], None]
"""Told the id of a task and what is done about it; an empty text when it is done."""

Rate = Callable[[Task, Tree], Score]


class Runner:
    """One evaluation. `rate` is asked for what a model thinks of an answer, where that is wanted."""

    def __init__(
        self, author: Author, judge: Judge, journal: Journal, progress: Progress, rate: Rate | None = None
    ) -> None:
        self._author = author
        self._judge = judge
        self._journal = journal
        self._progress = progress
        self._rate = rate
        self._ending = threading.Event()

    def run(self, tasks: Sequence[Task], jobs: int) -> None:
        """Do the tasks that are not done yet, `jobs` at a time.

        What keeps one task from being done is written down, and the others go on. After Ctrl-C no task is
        begun; what was under way is not waited for, and its runs are found again by their ids.
        """
        left = deque(task for task in tasks if not self._journal.done(task.id))
        broken: list[BaseException] = []

        def work() -> None:
            try:
                while not self._ending.is_set():
                    self._one(left.popleft())
            except IndexError:
                return
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                broken.append(error)
                self._ending.set()

        # Daemons: one that follows a run must not hold up the exit.
        threads = [threading.Thread(target=work, daemon=True) for _ in range(jobs)]
        for thread in threads:
            thread.start()
        try:
            while not self._ending.is_set() and (alive := [t for t in threads if t.is_alive()]):
                alive[0].join(0.2)  # and look again: another may have ended all of it
        except BaseException:
            self._end(threads)
            raise
        if broken:
            self._end(threads)
            raise broken[0]

    def _end(self, threads: Sequence[threading.Thread]) -> None:
        """Stop the judge's tools, and let the threads come to their end, which are soon there."""
        self._ending.set()
        self._judge.stop()
        until = time.monotonic() + CLOSING_S
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _one(self, task: Task) -> None:
        run_id = self._run_id(task)
        try:
            outcome = self._outcome(task, run_id)
        except UsageError:
            raise
        except TfkitError as error:
            outcome = Outcome(
                task=task.id, difficulty=task.difficulty, run_id=run_id, failed=error.message or "failed"
            )
        if not self._ending.is_set():
            self._journal.add(outcome)
        self._progress(task.id, "")

    def _outcome(self, task: Task, run_id: str) -> Outcome:
        self._progress(task.id, "asked")
        answer = self._author.answer(task, run_id, self._progress)
        self._progress(task.id, JUDGING)
        started = time.monotonic()
        first, final = self._judged(task, answer)
        judged_s = round(time.monotonic() - started, 3)
        return Outcome(
            task=task.id,
            difficulty=task.difficulty,
            run_id=answer.run_id,
            status=answer.status,
            model=answer.model,
            error=answer.error,
            attempts=answer.attempts,
            first=first,
            final=final,
            usage=answer.usage,
            seconds=answer.seconds,
            judge_seconds=judged_s,
            score=self._rate(task, answer.final) if self._rate and answer.final.files else None,
        )

    def _judged(self, task: Task, answer: Answer) -> tuple[Verdict | None, Verdict]:
        """On the first attempt's tree and on the last's."""
        trees = [answer.final, *([answer.first] if answer.first is not None else [])]
        final, *first = self._judge.verdicts(task, trees)
        return (first[0] if first else None), final

    def _run_id(self, task: Task) -> str:
        """That of the run which was begun for it and whose end nobody has seen; else a new one, written down
        before it is asked for."""
        run_id = self._journal.begun(task.id)
        if not run_id:
            run_id = new_run_id()
            self._journal.begin_task(task.id, run_id)
        return run_id

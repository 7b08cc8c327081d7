"""An evaluation in numbers: by difficulty and in all. `pass@1` is of each run's first attempt, `pass@N` of
its last: the same model, the same tasks, the same judge.

The JSON of `tfkit eval` is a `Report`.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from toolkit.contracts import Shape
from toolkit.errors import UsageError
from toolkit.evaluate.journal import Header, Journal
from toolkit.evaluate.task import Outcome, Task

ALL = "all"


class Row(Shape, frozen=True):
    """The outcomes of one difficulty, or all of them.

    `tasks` were done; `failed` could not be done, for a reason of the platform's, and are in no other number.
    `plans`, `first` and `final` count tasks: planned, passed at the first attempt, passed at the last.
    `ruled` have a rule and a plan, `rules` of them hold, `broken` have a rule that cannot be evaluated.
    `first` and `attempts` are 0 for the reference answers. `cost_usd` is None where a run had no known price.
    """

    difficulty: str
    tasks: int = 0
    failed: int = 0
    plans: int = 0
    ruled: int = 0
    rules: int = 0
    broken: int = 0
    first: int = 0
    final: int = 0
    attempts: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    seconds: float = 0.0
    judge_seconds: float = 0.0
    score: float | None = None


class Report(Shape, frozen=True):
    """The whole of an evaluation. `left` of the tasks that were asked for are not done."""

    evaluation: Header
    journal: str
    left: int
    total: Row
    by_difficulty: list[Row]
    tasks: list[Outcome]

    @property
    def percent(self) -> float:
        """How many of a hundred tasks passed in the end; what could not be done counts as not passed."""
        asked = self.total.tasks + self.total.failed
        return 100 * self.total.final / asked if asked else 0.0


def report(journal: Journal, tasks: Sequence[Task] | None = None) -> Report:
    """What the journal holds of these tasks, by default of all that it knows."""
    names = None if tasks is None else {task.id for task in tasks}
    outcomes = [one for one in journal.outcomes if names is None or one.task in names]
    done = sum(not outcome.failed for outcome in outcomes)
    levels = sorted({outcome.difficulty for outcome in outcomes}, key=_order)
    rows = [row(level or "-", [o for o in outcomes if o.difficulty == level]) for level in levels]
    return Report(
        evaluation=journal.header,
        journal=str(journal.path),
        left=(len(outcomes) if names is None else len(names)) - done,
        total=row(ALL, outcomes),
        by_difficulty=rows,
        tasks=outcomes,
    )


def read_report(path: Path) -> Report:
    """A report that `tfkit --json eval` has printed, or a journal. Raises `UsageError` for anything else."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", "name two reports or journals"
        ) from error
    try:
        return msgspec.json.decode(content, type=Report)
    except msgspec.MsgspecError:
        return report(Journal.read(path))


def _order(level: str) -> tuple[int, float, str]:
    """Easy before hard, 2 before 10, and names that are not known behind them."""
    named = {"easy": 1, "medium": 2, "hard": 3}
    if level in named:
        return 0, named[level], level
    return (0, float(level), level) if level.isdigit() else (1, 0, level)


def row(difficulty: str, outcomes: Sequence[Outcome]) -> Row:
    """The numbers of these outcomes."""
    done = [outcome for outcome in outcomes if not outcome.failed]
    finals = [outcome.final for outcome in done if outcome.final]
    firsts = [outcome.first for outcome in done if outcome.first]
    scores = [o.score.score for o in done if o.score and o.score.score is not None]
    return Row(
        difficulty=difficulty,
        tasks=len(done),
        failed=len(outcomes) - len(done),
        plans=sum(verdict.plans for verdict in finals),
        ruled=sum(verdict.rule in ("passes", "fails", "error") for verdict in finals),
        rules=sum(verdict.rule == "passes" for verdict in finals),
        broken=sum(verdict.rule == "error" for verdict in finals),
        first=sum(verdict.passed for verdict in firsts),
        final=sum(verdict.passed for verdict in finals),
        attempts=sum(outcome.attempts for outcome in done),
        input_tokens=sum(outcome.usage.input_tokens for outcome in done),
        output_tokens=sum(outcome.usage.output_tokens for outcome in done),
        cost_usd=_cost(outcome.usage.cost_usd for outcome in done),
        seconds=round(sum(outcome.seconds for outcome in done), 3),
        judge_seconds=round(sum(outcome.judge_seconds for outcome in done), 3),
        score=round(sum(scores) / len(scores), 2) if scores else None,
    )


def _cost(costs: Iterable[float | None]) -> float | None:
    known = list(costs)
    amounts = [cost for cost in known if cost is not None]
    return round(sum(amounts), 6) if amounts and len(amounts) == len(known) else None

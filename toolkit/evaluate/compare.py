"""Two evaluations of the same dataset, task by task: what passes in one and not in the other."""

from typing import Literal

from toolkit.contracts import Shape
from toolkit.errors import UsageError
from toolkit.evaluate.report import Report, Row, row
from toolkit.evaluate.task import Outcome

Flip = Literal["gained", "lost"]


class Flipped(Shape, frozen=True):
    """A task that passes in one evaluation only; `before` and `after` are how it ended in each."""

    task: str
    difficulty: str
    flip: Flip
    before: str
    after: str


class Comparison(Shape, frozen=True):
    """`a` and `b` name the evaluations, the rows are over the `common` tasks that both have done.

    `same` passed, or did not pass, in both. `only` are tasks of one alone, which nothing is said about.
    """

    a: str
    b: str
    common: int
    only: int
    same: int
    flips: list[Flipped]
    before: Row
    after: Row


def compare(a: Report, b: Report) -> Comparison:
    """What became of the tasks from `a` to `b`. Raises `UsageError` where these are of other datasets."""
    if a.evaluation.sha256 != b.evaluation.sha256:
        raise UsageError(
            f"they are of two datasets: {a.evaluation.dataset} and {b.evaluation.dataset}",
            "compare two evaluations of the same file",
        )
    mine, theirs = _done(a), _done(b)
    both = sorted(mine.keys() & theirs.keys())
    flips = [flip for name in both if (flip := _flip(mine[name], theirs[name]))]
    return Comparison(
        a=label(a),
        b=label(b),
        common=len(both),
        only=len(mine.keys() ^ theirs.keys()),
        same=len(both) - len(flips),
        flips=flips,
        before=row("a", [mine[name] for name in both]),
        after=row("b", [theirs[name] for name in both]),
    )


def label(report: Report) -> str:
    """Who answered, and when: `offline-composer (agent, 2026-11-21T10:00:00Z)`."""
    about = report.evaluation
    return f"{about.model or about.author} ({about.author}, {about.started})"


def ended(outcome: Outcome) -> str:
    """How a task ended, in a few words."""
    verdict = outcome.final
    if outcome.failed or verdict is None:
        return f"not done: {outcome.failed or 'no verdict'}"
    if not verdict.plans:
        return f"no plan, {verdict.plan}: {verdict.reason}" if verdict.reason else f"no plan, {verdict.plan}"
    if verdict.rule in ("fails", "error"):
        return f"rule {verdict.rule}: {verdict.rule_reason}"
    missed = [f"{one.what} ({one.detail})" for one in verdict.expected if not one.met]
    return f"expected {'; '.join(missed)}" if missed else "passes"


def _done(report: Report) -> dict[str, Outcome]:
    return {outcome.task: outcome for outcome in report.tasks if outcome.final and not outcome.failed}


def _flip(before: Outcome, after: Outcome) -> Flipped | None:
    assert before.final
    assert after.final
    if before.final.passed == after.final.passed:
        return None
    flip: Flip = "gained" if after.final.passed else "lost"
    return Flipped(
        task=after.task, difficulty=after.difficulty, flip=flip, before=ended(before), after=ended(after)
    )

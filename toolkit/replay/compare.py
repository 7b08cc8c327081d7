"""Two outcomes of the same request, beside each other."""

from collections.abc import Sequence
from typing import Literal

from toolkit.contracts import RunResult, RunStatus, Shape
from toolkit.replay.recorded import NotReplayed, Recorded

Verdict = Literal["same", "better", "worse", "changed"]


class Compared(Shape, frozen=True):
    """A run and its replay. `findings_…` are rules (`validator/rule`) that kept the gate closed in the end.

    `first_ok` says whether the first attempt passed. `outcome` is about status, findings and the number of
    attempts alone: files, tokens, dollars and seconds may differ in runs that came to the same.
    `files_differ` are the paths that are other, new or gone. `error` and `note` are the replay's.
    """

    run_id: str
    replay: str
    prompt: str
    model_before: str
    model: str
    status_before: RunStatus
    status: RunStatus
    attempts_before: int
    attempts: int
    first_ok_before: bool
    first_ok: bool
    findings_gone: list[str]
    findings_new: list[str]
    same_files: bool
    files_differ: list[str]
    tokens_before: int
    tokens: int
    cost_usd_before: float | None
    cost_usd: float | None
    seconds_before: float
    seconds: float
    outcome: Verdict
    error: str | None = None
    note: str = ""


class Totals(Shape, frozen=True):
    """Sums over the runs that were compared; dollars are None where one of them has no known price."""

    ok: int
    first_ok: int
    tokens: int
    cost_usd: float | None
    seconds: float


class Comparison(Shape, frozen=True):
    """All of it: `changed` counts the runs whose outcome is not `same`."""

    runs: list[Compared]
    changed: int
    not_replayed: list[NotReplayed]
    before: Totals
    after: Totals
    interrupted: bool = False


def summed(
    pairs: Sequence[tuple[Recorded, RunResult]],
    not_replayed: Sequence[NotReplayed],
    *,
    interrupted: bool = False,
) -> Comparison:
    """The comparison of runs with their replays, in the order given."""
    runs = [compare(before.result, after, before.note) for before, after in pairs]
    return Comparison(
        runs=runs,
        changed=sum(run.outcome != "same" for run in runs),
        not_replayed=list(not_replayed),
        before=totals([before.result for before, _ in pairs]),
        after=totals([after for _, after in pairs]),
        interrupted=interrupted,
    )


def compare(before: RunResult, after: RunResult, note: str = "") -> Compared:
    """One run and its replay; `note` says what of the request was not as it had been."""
    was, now = _closing(before), _closing(after)
    differ = _files_that_differ(before, after)
    return Compared(
        run_id=before.run_id,
        replay=after.run_id,
        prompt=before.prompt,
        model_before=before.model,
        model=after.model,
        status_before=before.status,
        status=after.status,
        attempts_before=len(before.attempts),
        attempts=len(after.attempts),
        first_ok_before=first_ok(before),
        first_ok=first_ok(after),
        findings_gone=sorted(was - now),
        findings_new=sorted(now - was),
        same_files=not differ,
        files_differ=differ,
        tokens_before=_tokens(before),
        tokens=_tokens(after),
        cost_usd_before=before.usage.cost_usd,
        cost_usd=after.usage.cost_usd,
        seconds_before=before.seconds,
        seconds=after.seconds,
        outcome=verdict(before, after),
        error=after.error,
        note=note,
    )


def verdict(before: RunResult, after: RunResult) -> Verdict:
    """By the status, then by the rules that were left unmet, then by the attempts that it took.

    `changed` is what is neither better nor worse: one failure for another, some rules for others.
    """
    if before.status != after.status:
        return "better" if after.status == "ok" else "worse" if before.status == "ok" else "changed"
    was, now = _closing(before), _closing(after)
    if was != now:
        return "better" if now < was else "worse" if was < now else "changed"
    if len(before.attempts) != len(after.attempts):
        return "better" if len(after.attempts) < len(before.attempts) else "worse"
    return "same"


def first_ok(result: RunResult) -> bool:
    """Whether the gate opened at the first attempt."""
    return result.status == "ok" and len(result.attempts) == 1


def totals(results: Sequence[RunResult]) -> Totals:
    """The sums of one side. A run that asked no model cost nothing."""
    costs = [result.usage.cost_usd for result in results if result.usage.requests]
    known = [cost for cost in costs if cost is not None]
    return Totals(
        ok=sum(result.status == "ok" for result in results),
        first_ok=sum(map(first_ok, results)),
        tokens=sum(map(_tokens, results)),
        cost_usd=sum(known) if len(known) == len(costs) else None,
        seconds=round(sum(result.seconds for result in results), 3),
    )


def _closing(result: RunResult) -> set[str]:
    """The rules that kept the gate closed at the last attempt."""
    last = result.attempts[-1].findings if result.attempts else []
    return {f"{finding.validator}/{finding.rule}" for finding in last}


def _files_that_differ(before: RunResult, after: RunResult) -> list[str]:
    was, now = ({entry.path: entry.sha256 for entry in result.files} for result in (before, after))
    return sorted(path for path in was.keys() | now.keys() if was.get(path) != now.get(path))


def _tokens(result: RunResult) -> int:
    return result.usage.input_tokens + result.usage.output_tokens

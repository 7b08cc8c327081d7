"""Replays as people see them: live while they run, then each beside the run that it did again."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from toolkit.cli.figures import count, dollars, duration
from toolkit.cli.listing import render_rows
from toolkit.cli.output import Output
from toolkit.cli.text import harmless
from toolkit.contracts import RunStatus, Shape
from toolkit.replay.compare import Compared, Comparison, totals
from toolkit.replay.recorded import NotReplayed, Recorded

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {"same": "", "better": "bold green", "worse": "bold red", "changed": "bold yellow"}
ORDER = ("worse", "changed", "better", "same")
MAX_PROMPT = 60
ROOMY = 160
"""Below this width the table says what decides and what it cost; `--json` has the rest."""


class Planned(Shape, frozen=True):
    """A run that would be done again: by which model, and what it had and came to then."""

    run_id: str
    prompt: str
    model_before: str
    model: str
    status_before: RunStatus
    cost_usd_before: float | None
    seconds_before: float
    start: str
    attached: str
    note: str = ""


class Plan(Shape, frozen=True):
    """What `replay --dry-run` says. `cost_usd_before` is None where one of them has no known price."""

    runs: list[Planned]
    cost_usd_before: float | None
    not_replayed: list[NotReplayed]


def planned(found: list[Recorded], refused: list[NotReplayed], model: str) -> Plan:
    """The plan: by the model that is named, else by the one that each run had."""
    return Plan(
        runs=[
            Planned(
                run_id=one.request.run_id,
                prompt=one.request.prompt,
                model_before=one.result.model,
                model=model or one.request.model or one.result.model,
                status_before=one.result.status,
                cost_usd_before=one.result.usage.cost_usd,
                seconds_before=one.result.seconds,
                start=one.request.start,
                attached=one.request.attached,
                note=one.note,
            )
            for one in found
        ],
        cost_usd_before=totals([one.result for one in found]).cost_usd,
        not_replayed=refused,
    )


def render_planned(console: "Console", plan: Plan) -> None:
    """A row a run."""
    rows = [
        (
            one.run_id,
            one.status_before,
            _arrow(one.model_before, one.model),
            dollars(one.cost_usd_before),
            duration(one.seconds_before),
            "files" if one.start else "",
            _short(one.prompt),
        )
        for one in plan.runs
    ]
    if rows:
        render_rows(console, ("run", "status", "model", "cost", "took", "from", "prompt"), rows)
    them = "1 run" if len(rows) == 1 else f"{len(rows)} runs"
    console.print(f"would run {them} again; what they cost then: {dollars(plan.cost_usd_before)}")
    _notes(console, [(one.run_id, one.note) for one in plan.runs])
    _not_replayed(console, plan.not_replayed)


def render_comparison(console: "Console", found: Comparison) -> None:
    """The verdict in a line, a row a run, then what was not replayed and why."""
    from rich.text import Text

    if found.interrupted:
        console.print(Text("interrupted: what follows is what was done until then", "yellow"))
    console.print(_headline(found))
    if found.runs:
        rows = [_row(one, wide=console.width >= ROOMY, named=not _one_model(found)) for one in found.runs]
        render_rows(console, list(rows[0]), [list(row.values()) for row in rows])
        _sums(console, found)
    _notes(console, [(one.run_id, one.note) for one in found.runs])
    _notes(console, [(one.replay, one.error or "") for one in found.runs if one.outcome != "same"])
    _not_replayed(console, found.not_replayed)
    if changed := [one for one in found.runs if one.outcome != "same"]:
        console.print(f"next: tfkit runs show {changed[0].replay}")


def _headline(found: Comparison) -> Any:
    from rich.text import Text

    by = f" by {harmless(model)}" if (model := _one_model(found)) else ""
    line = Text(f"{len(found.runs)} replayed{by}, {found.changed} with another outcome", "bold")
    for verdict in ORDER:
        if number := sum(one.outcome == verdict for one in found.runs):
            line.append(" · ", "not bold").append(f"{number} {verdict}", STYLES[verdict] or "not bold")
    return line


def _one_model(found: Comparison) -> str:
    """The model of all of them, then and now; empty where there were several."""
    models = {model for one in found.runs for model in (one.model_before, one.model)}
    return models.pop() if len(models) == 1 else ""


def _row(one: Compared, *, wide: bool, named: bool) -> dict[str, str]:
    """The cells by their column; `named` has one for the models."""
    rules = [f"+{rule}" for rule in one.findings_new] + [f"-{rule}" for rule in one.findings_gone]
    row = {
        "run": one.run_id,
        "outcome": one.outcome,
        "status": _arrow(one.status_before, one.status),
        "attempts": _arrow(str(one.attempts_before), str(one.attempts)),
        "findings": " ".join(rules),
        "cost": _arrow(dollars(one.cost_usd_before), dollars(one.cost_usd)),
    }
    if wide:
        row |= {
            "tokens": _arrow(count(one.tokens_before), count(one.tokens)),
            "took": f"{duration(one.seconds_before)} → {duration(one.seconds)}",
            "files": "same" if one.same_files else f"{len(one.files_differ)} differ",
            "replay": one.replay,
        }
    if named:
        row["model"] = _arrow(one.model_before, one.model)
    return {**row, "prompt": _short(one.prompt)}


def _sums(console: "Console", found: Comparison) -> None:
    before, after, runs = found.before, found.after, len(found.runs)
    console.print(
        f"of {runs}: ok {_arrow(str(before.ok), str(after.ok))}, at the first attempt "
        f"{_arrow(str(before.first_ok), str(after.first_ok))}; tokens "
        f"{_arrow(count(before.tokens), count(after.tokens))}; cost "
        f"{_arrow(dollars(before.cost_usd), dollars(after.cost_usd))}; time "
        f"{duration(before.seconds)} → {duration(after.seconds)}"
    )


def _notes(console: "Console", said: list[tuple[str, str]]) -> None:
    for run_id, note in said:
        if note:
            console.print(harmless(f"{run_id}: {' '.join(note.split())}"))


def _not_replayed(console: "Console", refused: list[NotReplayed]) -> None:
    from rich.text import Text

    for one in refused:
        console.print(Text(harmless(f"not replayed: {one.run_id}: {one.reason}"), "red"))


def _arrow(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _short(prompt: str) -> str:
    words = " ".join(prompt.split())
    return words if len(words) <= MAX_PROMPT else words[: MAX_PROMPT - 1] + "…"


class ReplayProgress:
    """How many are done and what each of the others does now, on stderr, for a person at a terminal."""

    def __init__(self, output: Output, total: int) -> None:
        self._output = output
        self._total = total
        self._over: set[str] = set()
        self._steps: dict[str, str] = {}
        self._live: Any = None
        self._started = time.monotonic()

    def __enter__(self) -> "ReplayProgress":
        """Start drawing, where there is somebody to see it."""
        if self._output.live:
            from rich.live import Live

            self._live = Live(
                console=self._output.progress_console(),
                get_renderable=self._draw,
                refresh_per_second=8,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the drawing away."""
        if self._live:
            self._live.stop()

    def step(self, run_id: str, _replay: str, step: str) -> None:
        """Take a step of a replay; an empty one says that it is over. Called by several threads."""
        if step:
            self._steps[run_id] = step
        else:
            self._steps.pop(run_id, None)
            self._over.add(run_id)

    def _draw(self) -> Any:
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        seconds = time.monotonic() - self._started
        lines: list[Any] = [Spinner("dots", Text(f" {len(self._over)} of {self._total} · {seconds:.0f} s"))]
        lines += [Text(harmless(f"  {run_id}  {step}")) for run_id, step in list(self._steps.items())]
        return Group(*lines)

"""An evaluation as people see it: live while it runs, then a table by difficulty and what did not pass."""

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from toolkit.cli.figures import dollars, duration, tokens
from toolkit.cli.output import Output
from toolkit.cli.text import harmless

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.evaluate.compare import Comparison
    from toolkit.evaluate.journal import Journal
    from toolkit.evaluate.report import Report, Row
    from toolkit.evaluate.task import Task

MAX_SHOWN = 12
"""Tasks that did not pass, unless all are asked for with -v."""

_REASON = 160


class EvalProgress:
    """How far an evaluation is, on stderr, for a person at a terminal."""

    def __init__(self, output: Output, journal: "Journal", tasks: "Sequence[Task]", name: str) -> None:
        self._output = output
        self._journal = journal
        self._tasks = tasks
        self._name = name
        self._live: Any = None
        self._lock = threading.Lock()
        self._doing: dict[str, tuple[str, float]] = {}
        self._started = time.monotonic()

    def __enter__(self) -> "EvalProgress":
        """Start drawing, where there is somebody to see it."""
        if self._output.live:
            from rich.live import Live

            self._live = Live(
                console=self._output.progress_console(),
                get_renderable=self._draw,
                refresh_per_second=4,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the drawing away; after Ctrl-C say how it goes on."""
        if self._live:
            self._live.stop()
        if kind is KeyboardInterrupt:
            path = self._journal.path
            self._output.note(f"what was judged is kept; go on with the same command and -o {path}")

    def step(self, task: str, doing: str) -> None:
        """Take what is being done about a task; nothing more is, where the text is empty."""
        with self._lock:
            if doing:
                began = self._doing.get(task, ("", time.monotonic()))[1]
                self._doing[task] = (doing, began)
            else:
                self._doing.pop(task, None)

    def _draw(self) -> Any:
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        with self._lock:
            doing = dict(self._doing)
        outcomes = [one for one in self._journal.outcomes if one.final]
        passed = sum(one.final is not None and one.final.passed for one in outcomes)
        seconds = duration(time.monotonic() - self._started)
        head = f" {self._name}: {len(outcomes)} of {len(self._tasks)} judged, {passed} pass · {seconds}"
        lines: list[Any] = [Spinner("dots", Text(harmless(head)))]
        for task, (text, began) in doing.items():
            lines.append(Text(harmless(f"   {task}  {text} · {duration(time.monotonic() - began)}"), "dim"))
        return Group(*lines)


def render_report(console: "Console", report: "Report", *, detailed: bool = False) -> None:
    """The table by difficulty, then each task that did not pass with the reason; `detailed` shows all."""
    from rich.text import Text

    from toolkit.evaluate.compare import ended

    about = report.evaluation
    tools = ", ".join(f"{tool.name} {tool.version}" for tool in about.tools)
    who = f"{about.model} ({about.author})" if about.model else "the reference answers"
    console.print(Text(harmless(f"{about.dataset} · {who} · judged by {tools}"), "bold"))
    _table(console, [*report.by_difficulty, report.total], reference=about.author == "reference")
    unmet = [one for one in report.tasks if one.failed or one.final is None or not one.final.passed]
    for one in unmet if detailed else unmet[:MAX_SHOWN]:
        text = " ".join(ended(one).split())
        console.print(harmless(f"  {one.task}  {text if detailed else text[:_REASON]}"))
    if len(unmet) > MAX_SHOWN and not detailed:
        console.print(f"  … and {len(unmet) - MAX_SHOWN} more: -v, --json or --html show all")
    overlooked = sum(bool(one.final and one.final.overlooked) for one in report.tasks)
    if overlooked:
        console.print(f"overlooked in {overlooked} tasks: versions and profiles of the author's machine")
    console.print(harmless(f"journal: {report.journal}"))
    if report.left:
        console.print(f"{report.left} tasks are not done; the same command with -o does them")


def _table(console: "Console", rows: "Sequence[Row]", *, reference: bool) -> None:
    """As many columns as the terminal has room for; `--json` and `--html` have them all."""
    from rich.table import Table

    columns = _columns(rows, reference)
    for name in _FIRST_TO_GO:
        if sum(max(map(len, column)) + 1 for column in columns) <= console.width:
            break
        columns = [column for column in columns if column[0] != name]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for name, *_ in columns:
        table.add_column(name, justify="left" if name == "difficulty" else "right", no_wrap=True)
    for number, row in enumerate(rows, 1):
        table.add_row(*(column[number] for column in columns), style="bold" if row is rows[-1] else "")
    console.print(table)


_FIRST_TO_GO = ("attempts", "in/out", "judged in", "took", "cost", "rule", "score", "tasks")


def _columns(rows: "Sequence[Row]", reference: bool) -> list[list[str]]:
    """Each column with its name in front; those that say nothing of these rows are not there."""
    columns = [
        ["difficulty", *(harmless(row.difficulty) for row in rows)],
        ["tasks", *(f"{row.tasks}" + (f" +{row.failed} failed" if row.failed else "") for row in rows)],
        ["plans", *(share(row.plans, row.tasks) for row in rows)],
    ]
    if any(row.ruled for row in rows):
        columns.append(["rule", *(f"{row.rules}/{row.ruled}" if row.ruled else "-" for row in rows)])
    if reference:
        columns.append(["pass", *(share(row.final, row.tasks) for row in rows)])
        columns.append(["judged in", *(duration(row.judge_seconds) for row in rows)])
    else:
        columns.append(["pass@1", *(share(row.first, row.tasks) for row in rows)])
        columns.append(["pass@N", *(share(row.final, row.tasks) for row in rows)])
        columns.append(["attempts", *(str(row.attempts) for row in rows)])
        columns.append(["in/out", *(tokens(row.input_tokens, row.output_tokens) or "-" for row in rows)])
        columns.append(["cost", *(dollars(row.cost_usd) for row in rows)])
        columns.append(["took", *(duration(row.seconds) for row in rows)])
    if any(row.score is not None for row in rows):
        columns.append(["score", *("-" if row.score is None else f"{row.score:.1f}" for row in rows)])
    return columns


def share(part: int, whole: int) -> str:
    """`7  70%`; a dash of nothing."""
    return f"{part} {100 * part / whole:3.0f}%" if whole else "-"


def render_comparison(console: "Console", comparison: "Comparison") -> None:
    """What flipped, gained first, and the totals of both."""
    from rich.text import Text

    console.print(harmless(f"a: {comparison.a}"))
    console.print(harmless(f"b: {comparison.b}"))
    for flip in sorted(comparison.flips, key=lambda flip: (flip.flip, flip.task)):
        gained = flip.flip == "gained"
        why = flip.before if gained else flip.after
        line = f"{'+' if gained else '-'} {flip.task}  {' '.join(why.split())[:_REASON]}"
        console.print(Text(harmless(line), "green" if gained else "red"))
    _table(console, [comparison.before, comparison.after], reference=False)
    gained = sum(flip.flip == "gained" for flip in comparison.flips)
    lost = len(comparison.flips) - gained
    console.print(
        f"of {comparison.common} tasks in both: {gained} gained, {lost} lost, {comparison.same} same"
    )
    if comparison.only:
        console.print(f"{comparison.only} tasks are in one of them alone, and were left out")

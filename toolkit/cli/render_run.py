"""A run as people see it: live while it works, then what came of it, with nothing claimed that was not seen."""

import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from toolkit.cli.output import Output
from toolkit.contracts import Attempt, Finding, RunRecord, RunResult

if TYPE_CHECKING:
    from rich.console import Console

MARKS = {"ok": ("✔", "green"), "findings": ("✘", "red"), "error": ("✘", "red"), "unsupported": ("?", "yellow"), "slow": ("?", "yellow")}
STATUS_STYLES = {"ok": "bold green", "not_converged": "bold yellow", "budget_exceeded": "bold yellow"}
MAX_FINDINGS = 12


def harmless(text: str) -> str:
    """Text of a model or a tool without control characters, which could repaint a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text.replace("\t", "    "))


class RunProgress:
    """What the run is doing now, on stderr, for a person at a terminal."""

    def __init__(self, output: Output, run_id: str) -> None:
        self._output = output
        self._run_id = run_id
        self._live: Any = None
        self._started = time.monotonic()
        self._record: RunRecord | None = None

    def __enter__(self) -> "RunProgress":
        """Start drawing, where there is somebody to see it."""
        if self._output.live:
            from rich.live import Live

            self._live = Live(
                console=self._output.progress_console(), get_renderable=self._draw, refresh_per_second=8, transient=True
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the drawing away; after Ctrl-C say that the run goes on."""
        if self._live:
            self._live.stop()
        if kind is KeyboardInterrupt:
            self._output.note(f"the run goes on without you: tfkit runs show {self._run_id}")

    def update(self, record: RunRecord) -> None:
        """Take the run's record as it is now."""
        self._record = record

    def _draw(self) -> Any:
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        seconds = time.monotonic() - self._started
        step = self._record.step if self._record else "waiting for the agent"
        lines: list[Any] = [Spinner("dots", Text(f" {harmless(step)} · {seconds:.0f} s"))]
        for attempt in self._record.attempts if self._record else []:
            lines.append(attempt_line(attempt))
        return Group(*lines)


def attempt_line(attempt: Attempt) -> Any:
    """`attempt 1  ✔ fmt  ✘ validate`."""
    from rich.text import Text

    line = Text(f"  attempt {attempt.n}  ")
    for name, status in sorted(attempt.validators.items()):
        mark, style = MARKS[status]
        line.append(f"{mark} {name}  ", style)
    return line


def render_result(console: "Console", result: RunResult, target: Path) -> None:
    """What came of the run, in the order in which a reader asks."""
    from rich.text import Text

    style = STATUS_STYLES.get(result.status, "bold red")
    cost = "no price known" if result.usage.cost_usd is None else f"${result.usage.cost_usd:.4f}"
    console.print(Text(f"{result.status}", style), end=" ")
    console.print(
        f"· {result.model} · {result.seconds:.1f} s · {result.usage.input_tokens:,} tokens in, "
        f"{result.usage.output_tokens:,} out · {cost} · run {result.run_id}"
    )
    if result.error:
        console.print(Text(harmless(result.error), "red"))
    for attempt in result.attempts:
        console.print(attempt_line(attempt))
    if result.attempts and result.status != "ok":
        _findings(console, result.attempts[-1].findings)
    if result.output:
        console.print(Text("\n" + harmless(result.output).strip() + "\n"))
    _files(console, result, target)
    _honesty(console, result)
    _next(console, result, target)


def _findings(console: "Console", findings: list[Finding]) -> None:
    for finding in findings[:MAX_FINDINGS]:
        where = f"{finding.file}:{finding.line}" if finding.file else "the files"
        console.print(f"    {harmless(where)} [{finding.validator}/{finding.rule}] {harmless(finding.message)}")
    if len(findings) > MAX_FINDINGS:
        console.print(f"    … and {len(findings) - MAX_FINDINGS} more: tfkit --json runs show")


def _files(console: "Console", result: RunResult, target: Path) -> None:
    if result.files:
        names = ", ".join(harmless(entry.path) for entry in result.files)
        console.print(f"files in {target}: {names}")


def _honesty(console: "Console", result: RunResult) -> None:
    checked = ", ".join(
        f"{check.validator} ({check.tool.name} {check.tool.version})" if check.tool else check.validator
        for check in result.checks
    )
    if checked:
        console.print(f"checked: {checked}; sandbox: {result.sandbox}")
    for skipped in result.skipped:
        console.print(f"not checked: {skipped.validator}: {skipped.reason}")
    for point in result.not_proven:
        console.print(f"not proven: {harmless(point)}")


def _next(console: "Console", result: RunResult, target: Path) -> None:
    if result.files and result.status == "ok":
        console.print(f"next: cd {target} && terraform init && terraform plan")
    console.print(f"      tfkit traces --run {result.run_id}")

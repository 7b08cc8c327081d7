"""A run as people see it: live while it works, then what came of it; nothing is claimed that was not seen."""

import shlex
import time
from collections import Counter
from pathlib import Path
from textwrap import TextWrapper
from types import TracebackType
from typing import TYPE_CHECKING, Any

from toolkit.cli.output import Output
from toolkit.cli.text import harmless, paragraph
from toolkit.contracts import SEVERITIES, Attempt, Finding, RunRecord, RunResult
from toolkit.errors import TfkitError

if TYPE_CHECKING:
    from rich.console import Console

MARKS = {
    "ok": ("✔", "green"),
    "findings": ("✘", "red"),
    "error": ("✘", "red"),
    "unsupported": ("?", "yellow"),
    "slow": ("?", "yellow"),
}
NOTED = ("!", "yellow")
"""Findings that leave the gate open."""

STATUS_STYLES = {"ok": "bold green", "not_converged": "bold yellow", "budget_exceeded": "bold yellow"}
MAX_FINDINGS = 12
LOST = "its function ended without a word, in the middle of this step"


class RunProgress:
    """What the run is doing now, on stderr, for a person at a terminal."""

    def __init__(self, output: Output, run_id: str) -> None:
        self._output = output
        self._run_id = run_id
        self._live: Any = None
        self._started = time.monotonic()
        self._record: RunRecord | None = None
        self._cut = ""

    def __enter__(self) -> "RunProgress":
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
        """Take the drawing away. Where it is the following that ended, by Ctrl-C or as the cloud cannot be
        reached, say how to go on: the same command again would be paid for again."""
        if self._live:
            self._live.stop()
        if error is not None and not isinstance(error, TfkitError):
            self._output.note(f"the run goes on without you: tfkit runs show {self._run_id}")

    def update(self, record: RunRecord) -> None:
        """Take the run's record as it is now."""
        self._record = record
        self._cut = ""

    def cut(self, error: Exception) -> None:
        """The connection is away; the run goes on, and so does the following. Said once each time."""
        if not self._cut:
            self._output.note(f"the connection is lost, and tried again: {error}")
        self._cut = str(error)

    def _draw(self) -> Any:
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        seconds = time.monotonic() - self._started
        step = self._record.step if self._record else "waiting for the agent"
        if self._cut:
            step = f"no connection; the last that was seen of the run: {step}"
        lines: list[Any] = [Spinner("dots", Text(f" {harmless(step)} · {seconds:.0f} s"))]
        for attempt in self._record.attempts if self._record else []:
            lines.append(attempt_line(attempt))
        return Group(*lines)


def attempt_line(attempt: Attempt, *, passed: bool = False, detailed: bool = False) -> Any:
    """`attempt 1  ✔ fmt  ✘ validate`; where it passed, findings did not count.

    In detail, `· 3f2a9c1b · closed by validate (2) · 1,234 tokens · 4.2 s` follows.
    """
    from rich.text import Text

    line = Text(f"  attempt {attempt.n}  ")
    for name, status in sorted(attempt.validators.items()):
        mark, style = NOTED if passed and status == "findings" else MARKS[status]
        line.append(f"{mark} {name}  ", style)
    line.rstrip()
    if detailed:
        line.append("".join(f" · {part}" for part in _details(attempt)))
    return line


def _details(attempt: Attempt) -> list[str]:
    """The tree by the beginning of its hash, what closed the gate, what it cost: as far as it is known."""
    details = [attempt.tree.removeprefix("sha256:")[:8]]
    if counts := Counter(finding.validator for finding in attempt.findings):
        closed = ", ".join(harmless(f"{name} ({count})") for name, count in sorted(counts.items()))
        details.append(f"closed by {closed}")
    if tokens := attempt.usage.input_tokens + attempt.usage.output_tokens:
        details.append(f"{tokens:,} tokens")
    if attempt.seconds:
        details.append(f"{attempt.seconds:.1f} s")
    return details


def render_result(
    console: "Console", result: RunResult, target: Path | None = None, *, detailed: bool = False
) -> None:
    """What came of the run, in the order in which a reader asks; `target` is where its files are now.

    `detailed` says more of each attempt.
    """
    render_outcome(console, result, detailed=detailed)
    _files(console, result, target)
    _honesty(console, result)
    _next(console, result, target)


def _who(result: "RunResult") -> str:
    """The model that was asked for, and who answered where that was another."""
    others = ", ".join(result.models)
    return result.model if others in ("", result.model) else f"{result.model} (answered by {others})"


def render_outcome(console: "Console", result: RunResult, *, detailed: bool = False) -> None:
    """How it ended, what the validators said, and the answer."""
    from rich.text import Text

    cost = "no price known" if result.usage.cost_usd is None else f"${result.usage.cost_usd:.4f}"
    headline = Text(result.status, STATUS_STYLES.get(result.status, "bold red"))
    headline.append(
        f" · {harmless(_who(result))} · {result.seconds:.1f} s · {result.usage.input_tokens:,} tokens in, "
        f"{result.usage.output_tokens:,} out · {cost} · run {result.run_id}",
        "not bold default",
    )
    paragraph(console, headline)
    if result.error:
        paragraph(console, Text(harmless(result.error, multiline=True), "red"), hanging=0)
    for attempt in result.attempts:
        line = attempt_line(attempt, passed=not attempt.findings, detailed=detailed)
        paragraph(console, line, hanging=4)
    if result.attempts and result.status != "ok":
        _findings(console, result)
    if result.output.strip():
        console.print()
        _prose(console, result.output.strip())
        console.print()


def render_unfinished(console: "Console", record: RunRecord, lost: bool) -> None:
    """A run that has not ended: how far it is. `lost` says that its lease ran out."""
    from rich.text import Text

    since = f" · since {record.started[:19]}Z" if record.started else ""
    headline = Text(record.status, "bold red" if lost else "bold cyan")
    headline.append(f" · {harmless(record.step)}{since} · run {record.run_id}", "not bold default")
    paragraph(console, headline)
    for attempt in record.attempts:
        paragraph(console, attempt_line(attempt, detailed=True), hanging=4)
    if lost:
        paragraph(console, Text(LOST, "red"))
    else:
        console.print(f"next: tfkit runs show {record.run_id}")


def _prose(console: "Console", text: str) -> None:
    """What the model said: a terminal gets it broken between words, never inside one."""
    from rich.text import Text

    for line in harmless(text, multiline=True).split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        wrap = TextWrapper(
            console.width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ).wrap
        for part in (wrap(line) if console.is_terminal else None) or [line]:
            console.print(Text(part))


def _findings(console: "Console", result: RunResult) -> None:
    findings = result.attempts[-1].findings
    for finding in findings[:MAX_FINDINGS]:
        where = f"{finding.file}:{finding.line}" if finding.file else "the files"
        said = f"    {where} [{finding.validator}/{finding.rule}] {finding.message}"
        paragraph(console, harmless(said), hanging=6)
    if len(findings) > MAX_FINDINGS:
        more = len(findings) - MAX_FINDINGS
        console.print(f"    … and {more} more: tfkit runs show {result.run_id} --json")


def _files(console: "Console", result: RunResult, target: Path | None) -> None:
    if result.files:
        names = ", ".join(harmless(entry.path) for entry in result.files)
        paragraph(console, f"files in {harmless(str(target))}: {names}" if target else f"files: {names}")


def _honesty(console: "Console", result: RunResult) -> None:
    checked = ", ".join(
        f"{check.validator} ({check.tool.name} {check.tool.version})" if check.tool else check.validator
        for check in result.checks
        if check.status in ("ok", "findings")
    )
    if checked:
        paragraph(console, harmless(f"checked: {checked}; sandbox: {result.sandbox}"))
    for name, noted in _noted(result).items():
        counts = Counter(finding.severity for finding in noted)
        said = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity])
        paragraph(console, f"noted, and not in the gate's way: {harmless(name)}: {said}")
    for check in result.checks:
        if check.status not in ("ok", "findings"):
            paragraph(console, harmless(f"not checked: {check.validator}: {check.status}, {check.detail}"))
    for skipped in result.skipped:
        paragraph(console, harmless(f"not checked: {skipped.validator}: {skipped.reason}"))
    for point in result.not_proven:
        paragraph(console, harmless(f"not proven: {point}"))


def _noted(result: RunResult) -> dict[str, list[Finding]]:
    """Findings on the last tree that did not keep the gate closed, by validator; `--json` has them whole."""
    closing = set(result.attempts[-1].findings if result.attempts else [])
    noted = {
        check.validator: [finding for finding in check.findings if finding not in closing]
        for check in result.checks
    }
    return {name: findings for name, findings in noted.items() if findings}


def _next(console: "Console", result: RunResult, target: Path | None) -> None:
    steps = [f"tfkit traces --run {result.run_id}"]
    if result.files and target is None:
        steps.insert(0, f"tfkit runs files {result.run_id}")
    elif result.files and result.status == "ok":
        steps.insert(0, f"cd {shlex.quote(str(target))} && terraform init && terraform plan")
    for number, step in enumerate(steps):
        console.print(f"{'      ' if number else 'next: '}{step}")


DIFF_STYLES = {"+++": "bold", "---": "bold", "@@": "cyan", "+": "green", "-": "red"}


def render_diff(console: "Console", text: str) -> None:
    """A unified diff in colours, where the reader has any: a pipe and NO_COLOR get the plain text."""
    from rich.text import Text

    for line in text.removesuffix("\n").split("\n") if text else ():
        style = next((style for sign, style in DIFF_STYLES.items() if line.startswith(sign)), "")
        console.print(Text(harmless(line), style))

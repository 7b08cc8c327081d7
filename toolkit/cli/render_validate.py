"""A report of `validate`, for people and as a document."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.checker.selection import Closed, Selection
    from toolkit.contracts import CheckReport, CheckResult

_MARKS = {"ok": ("✔", "green"), "findings": ("!", "yellow"), "error": ("✘", "bold red")}
_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "", "info": "dim"}


def document(
    report: "CheckReport", selection: "Selection", closed: "Sequence[Closed]", left_out: Sequence[str]
) -> dict[str, Any]:
    """The JSON of `validate`: `ok` and `findings` (DESIGN §7), and what makes an `ok` worth."""
    checks = [
        {
            "validator": result.validator,
            "status": result.status,
            "seconds": round(result.seconds, 3),
            "tool": result.tool,
            "detail": result.detail,
            "threshold": selection.threshold(result.validator),
            "required": result.validator not in selection.names or selection.of(result.validator).required,
        }
        for result in report.results
    ]
    return {
        "ok": not closed,
        "findings": report.findings,
        "checks": checks,
        "closed": closed,
        "skipped": [*report.skipped, *selection.skipped],
        "not_proven": unproven(report),
        "left_out": left_out,
        "tree": report.tree,
        "sandbox": report.sandbox,
    }


def unproven(report: "CheckReport") -> list[str]:
    """What all checks together did not look at."""
    from toolkit.checker.registry import not_proven

    ran = {result.validator for result in report.results}
    said = not_proven(sorted(ran))
    if "rehearse" not in ran:
        said.append("nothing was planned or applied: no rehearsal ran")
    return said


def render_report(
    console: "Console",
    report: "CheckReport",
    selection: "Selection",
    closed: "Sequence[Closed]",
    left_out: Sequence[str],
) -> None:
    """The findings, a line for each check, what did not run, and the verdict."""
    from rich.text import Text

    from toolkit.cli.text import harmless

    for finding in report.findings:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file or "."
        head = Text(f"{finding.severity:8} ", _STYLES[finding.severity])
        console.print(head + Text(harmless(f"{place}  {finding.validator} {finding.rule}"), "bold"))
        for line in (finding.message, finding.hint):
            if line:
                console.print(Text(f"         {harmless(' '.join(line.split()))}"))
    for result in report.results:
        mark, style = _MARKS.get(result.status, ("-", "yellow"))
        tool = f" ({result.tool.name} {result.tool.version})" if result.tool else ""
        detail = result.detail or _count(result)
        line = harmless(f" {result.validator}{tool}: {detail}, {result.seconds:.1f} s")
        console.print(Text(mark, style) + Text(line, "default"))
    for check in (*report.skipped, *selection.skipped):
        console.print(Text(harmless(f"- {check.validator}: not run, {check.reason}"), "dim"))
    for point in unproven(report):
        console.print(Text(harmless(f"- not proven: {point}"), "dim"))
    if left_out:
        console.print(Text(harmless(f"- left out: {', '.join(left_out)}"), "dim"))
    if not closed:
        console.print(Text("ok", "bold green"))
    for one in closed:
        console.print(Text(harmless(f"{one.validator}: {one.reason}"), "bold red"))


def _count(result: "CheckResult") -> str:
    number = len(result.findings)
    return f"{number} finding{'s' * (number > 1)}" if number else result.status

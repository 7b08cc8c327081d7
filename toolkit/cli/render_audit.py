"""The outcome of `audit verify` for people: the verdict, each problem with its place, the notes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.audit.report import Problem, Report

ACTIONS = {
    "checked": "all that {file} names (of {at}) was looked for",
    "written": "there was no {file}: it is written now; its SHA-256 is {sha256}",
    "refused": "{file} was not written: a digest of a record with problems would hide them",
}


def render_report(console: "Console", report: "Report", digest_file: Mapping[str, str]) -> None:
    """Print it; nothing is left out, however long."""
    from rich.text import Text

    from toolkit.cli.text import harmless

    mark, style = ("✔", "green") if report.ok else ("✘", "bold red")
    console.print(Text(f"{mark} {_verdict(report)}", style))
    console.print(Text(_counts(report)))
    for problem in report.problems:
        console.print(Text(harmless(f"  {problem.kind:18} {_place(problem)}"), "red"))
        console.print(Text(harmless(f"  {'':18} {problem.message}")))
    if digest_file:
        console.print(Text(harmless(ACTIONS[digest_file["action"]].format(**digest_file))))
    for note in report.notes:
        console.print(Text(harmless(f"note: {note}"), "yellow"))


def _verdict(report: "Report") -> str:
    if report.ok:
        return "the record is whole and unaltered"
    number = len(report.problems)
    return f"{number} problem{'' if number == 1 else 's'}"


def _counts(report: "Report") -> str:
    since = f"{report.window.since[:16].replace('T', ' ')} UTC" if report.window else ""
    parts = [f"since {since}: {report.runs} runs, {report.records} records in {report.objects} objects"]
    if report.running:
        parts.append(f"{len(report.running)} under way")
    if report.pending:
        parts.append(f"{len(report.pending)} waiting for Firehose")
    digests = report.digests
    if digests.last is None:
        parts.append("no signed digest yet")
    else:
        parts.append(f"{report.signed} in signed digests, the newest {digests.last} of {digests.at[:16]}Z")
    return " · ".join(parts)


def _place(problem: "Problem") -> str:
    line = f" line {problem.line}" if problem.line else ""
    parts = [f"run {problem.run_id}" if problem.run_id else "", f"{problem.object}{line}".strip()]
    return " · ".join(part for part in parts if part)

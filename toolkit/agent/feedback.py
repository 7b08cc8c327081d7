"""Findings as a model reads them: one a line, without repetition, capped in size."""

from collections.abc import Iterable

from toolkit.contracts import CheckReport, CheckResult, Finding

MAX_LINES = 40
MAX_CHARACTERS = 12_000
MAX_LINE = 2_000

GATE_OPENING = "The gate did not pass."


def line_of(finding: Finding) -> str:
    """`path:line: severity [validator/rule] message (hint: …)`, on one line of bounded length."""
    where = f"{finding.file or '.'}:{finding.line}"
    hint = f" (hint: {finding.hint})" if finding.hint else ""
    line = f"{where}: {finding.severity} [{finding.validator}/{finding.rule}] {finding.message}{hint}"
    line = " ".join(line.split())
    return line if len(line) <= MAX_LINE else line[:MAX_LINE] + " …"


def listing(findings: Iterable[Finding]) -> str:
    """The findings, each once, up to a size that does not flood the context; says what was left out."""
    lines = list(dict.fromkeys(line_of(finding) for finding in findings))
    shown: list[str] = []
    size = 0
    for line in lines[:MAX_LINES]:
        size += len(line)
        if size > MAX_CHARACTERS:
            break
        shown.append(line)
    if len(shown) < len(lines):
        shown.append(f"… and {len(lines) - len(shown)} more; mend these first")
    return "\n".join(shown)


def of_result(result: CheckResult) -> str:
    """A tool's answer to the model: `ok`, or the findings."""
    if result.status == "ok":
        return f"ok: {result.validator} found nothing"
    return listing(result.findings) or f"{result.validator} ended as {result.status}: {result.detail}"


def of_report(report: CheckReport) -> str:
    """The answer of `run_validators`."""
    if not report.clean:
        return _of_findings(report)
    found_nothing = [result.validator for result in report.results if result.status == "ok"]
    said = [f"ok: {', '.join(found_nothing)} found nothing"] if found_nothing else []
    return "\n".join(said + [of_result(result) for result in report.results if result.status != "ok"])


def follow_up(report: CheckReport) -> str:
    """The turn that follows a closed gate."""
    return (
        f"{GATE_OPENING} These are findings of the validators on the files as they are now. "
        f"Mend the files, check them, and answer when you are done.\n{_of_findings(report)}"
    )


def _of_findings(report: CheckReport) -> str:
    """The findings; where a validator gave none, what it said instead."""
    return listing(report.findings) or "\n".join(of_result(r) for r in report.results if r.status != "ok")

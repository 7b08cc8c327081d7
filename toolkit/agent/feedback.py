"""Findings as a model reads them: short, each once, with the lines of code that they speak of."""

from collections.abc import Iterable

from toolkit.agent.verdict import passes, to_mend
from toolkit.checker.selection import Selection
from toolkit.contracts import SEVERITIES, CheckReport, CheckResult, Finding, Tree

MAX_FINDINGS = 40
MAX_CHARACTERS = 12_000
MAX_LINE = 2_000

AROUND = 1
"""Lines of code before and after the one that a finding names."""

MAX_CODE_LINE = 160

GATE_OPENING = "The gate did not pass."
NOTHING_CHANGED = (
    "Your last answer changed nothing in the files, and they were refused for the same findings. "
    "An answer alone mends nothing: change the files with the tools, another way than before."
)


def line_of(finding: Finding) -> str:
    """`path:line: severity [validator/rule] message (hint: …)`, on one line of bounded length."""
    where = f"{finding.file or '.'}:{finding.line}"
    hint = f" (hint: {finding.hint})" if finding.hint else ""
    line = f"{where}: {finding.severity} [{finding.validator}/{finding.rule}] {finding.message}{hint}"
    return _cut(" ".join(line.split()), MAX_LINE)


def listing(findings: Iterable[Finding], tree: Tree) -> str:
    """The findings, the gravest first, each once and with its code; says how many were left out.

    A line of code is shown with the first finding that names it. The whole stays below `MAX_CHARACTERS`, so
    that it does not flood the context.
    """
    gravest_first = sorted(findings, key=lambda finding: -SEVERITIES.index(finding.severity))
    by_line = {line_of(finding): finding for finding in gravest_first}
    shown: list[str] = []
    places: set[tuple[str, int]] = set()
    size = 0
    for line, finding in list(by_line.items())[:MAX_FINDINGS]:
        place = (finding.file, finding.line)
        code = [] if place in places else code_at(tree, finding)
        text = "\n".join([line, *code])
        size += len(text) + 1
        if size > MAX_CHARACTERS:
            break
        places.add(place)
        shown.append(text)
    if len(shown) < len(by_line):
        shown.append(f"… and {len(by_line) - len(shown)} more; mend these first")
    return "\n".join(shown)


def code_at(tree: Tree, finding: Finding) -> list[str]:
    """The line that a finding names and those around it, numbered; none for a line that the tree lacks."""
    # Not splitlines(): what counts lines here counts line feeds.
    text = tree.files.get(finding.file, b"").decode("utf-8", "replace").removesuffix("\n")
    lines = text.split("\n") if text else []
    if not 1 <= finding.line <= len(lines):
        return []
    first, last = max(1, finding.line - AROUND), min(len(lines), finding.line + AROUND)
    return [
        _cut(
            f"  {number:>4}{'>' if number == finding.line else ' '}| {lines[number - 1].rstrip()}",
            MAX_CODE_LINE,
        )
        for number in range(first, last + 1)
    ]


def of_init(result: CheckResult, tree: Tree) -> str:
    """The answer of `terraform_init`: `ok`, or the findings."""
    if result.status == "ok":
        return f"ok: {result.validator} found nothing"
    return listing(result.findings, tree)


def of_report(report: CheckReport, tree: Tree, selection: Selection) -> str:
    """The answer of the tools that run validators: `ok` where the gate would open, else what to mend."""
    if not passes(report, selection):
        return listing(to_mend(report, selection), tree)
    nothing = [result.validator for result in report.results if result.status == "ok"]
    said = [f"ok: {', '.join(nothing)} found nothing" if nothing else "ok: there is nothing to mend"]
    return "\n".join(said + [_said(result) for result in report.results if result.status != "ok"])


def follow_up(report: CheckReport, tree: Tree, selection: Selection, *, changed: bool = True) -> str:
    """The turn that follows a closed gate. `changed` is false where the last such turn came to nothing."""
    again = "" if changed else f"{NOTHING_CHANGED} "
    return (
        f"{GATE_OPENING} {again}These are findings of the validators on the files as they are now. "
        f"Mend the files, check them, and answer when you are done.\n"
        f"{listing(to_mend(report, selection), tree)}"
    )


def _said(result: CheckResult) -> str:
    """A result that does not close the gate, in a line."""
    if result.status == "findings":
        return f"{result.validator}: {len(result.findings)} more to know of, none of which has to be mended"
    return f"{result.validator} ended as {result.status}: {result.detail}"


def _cut(line: str, limit: int) -> str:
    return line if len(line) <= limit else line[:limit] + " …"

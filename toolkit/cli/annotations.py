"""Findings as annotations of a GitHub workflow: commands on standard output.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

import contextlib
import secrets
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from toolkit.cli.source_root import joined
from toolkit.cli.text import harmless

if TYPE_CHECKING:
    from toolkit.checker.selection import Closed
    from toolkit.contracts import CheckReport, Finding

COMMANDS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice", "info": "notice"}
_GRAVEST_FIRST = ("critical", "high", "medium", "low", "info")


def inside_workflow(environment: Mapping[str, str]) -> bool:
    """Whether this runs in a GitHub workflow, which reads commands from the output."""
    return environment.get("GITHUB_ACTIONS") == "true"


@contextlib.contextmanager
def quoted(environment: Mapping[str, str]) -> Generator[None, None, None]:
    """What is printed inside is text: no line of it is a command, whatever it quotes from a tree."""
    if not inside_workflow(environment):
        yield
        return
    token = secrets.token_hex(16)
    click.echo(f"::stop-commands::{token}")
    try:
        yield
    finally:
        click.echo(f"::{token}::")


def annotations(report: "CheckReport", closed: "Sequence[Closed]", place: str) -> Iterator[str]:
    """A command for each finding, the gravest first (GitHub shows ten of a kind), and for each failure."""
    for one in closed:
        if one.failed:
            title = _property(f"{one.validator} failed")
            yield f"::error title={title}::{_data(one.reason)}"
    for finding in sorted(report.findings, key=lambda f: _GRAVEST_FIRST.index(f.severity)):
        yield _annotation(finding, place)


def _annotation(finding: "Finding", place: str) -> str:
    properties = {"title": f"{finding.validator} {finding.rule} ({finding.severity})"}
    if finding.file:
        properties = {"file": joined(place, finding.file), "line": str(max(1, finding.line)), **properties}
    named = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = finding.message + (f"\n{finding.hint}" if finding.hint else "")
    return f"::{COMMANDS[finding.severity]} {named}::{_data(text)}"


def _data(text: str) -> str:
    """As the runner takes it apart again; what it would take for a command of the older form is broken up."""
    plain = harmless(text, multiline=True).replace("##[", "# #[")
    return plain.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

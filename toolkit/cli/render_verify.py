"""The outcome of `verify` for people: the verdict, what differs, what was not proven."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.verifying import Verdict


def render_verdict(console: "Console", verdict: "Verdict", folder: str) -> None:
    """Print it; every file that differs is named."""
    from rich.text import Text

    from toolkit.cli.text import harmless

    mark, style = ("✔", "green") if verdict.ok else ("✘", "bold red")
    console.print(Text(harmless(f"{mark} {_headline(verdict, folder)}"), style))
    for problem in verdict.problems:
        console.print(Text(harmless(f"  {problem}")))
    for word, paths in (
        ("added", verdict.added),
        ("missing", verdict.missing),
        ("changed", verdict.changed),
        ("left out", verdict.left_out),
    ):
        for path in paths:
            console.print(Text(harmless(f"  {word:9} {path}")))
    for line in verdict.not_proven if verdict.ok else ():
        console.print(Text(harmless(f"  not proven: {line}"), "yellow"))
    if verdict.statement:
        console.print(Text(harmless(f"  statement {verdict.statement} · key {verdict.key}"), "dim"))


def _headline(verdict: "Verdict", folder: str) -> str:
    if not verdict.ok:
        return f"{folder} is not proven"
    count = len(verdict.uncompared)
    return (
        f"{folder} is what run {verdict.run_id} produced and signed: {verdict.model}, for {verdict.caller}, "
        f"{verdict.finished[:19]}Z"
        + (f", but {count} {'file was' if count == 1 else 'files were'} not compared" if count else "")
    )

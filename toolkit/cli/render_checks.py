"""Checks as people see them: what is well, what is not, and what mends it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.deploy.checks.check import Check


def render_checks(console: "Console", checks: "list[Check]") -> None:
    """A line a check, and below one that failed or warns the way to mend it."""
    from rich.text import Text

    from toolkit.cli.text import harmless

    width = max((len(check.name) for check in checks), default=0)
    for check in checks:
        mark, style = ("✘", "bold red") if not check.ok else ("!", "yellow") if check.fix else ("✔", "green")
        console.print(Text(mark, style) + Text(harmless(f" {check.name:{width}} {check.detail}"), "default"))
        if check.fix:
            console.print(Text(harmless(f"  {'':{width}} mend it: {check.fix}"), "yellow"))

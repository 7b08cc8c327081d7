"""Checks as people see them: what is well, what is not, and what mends it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.deploy.checks.check import Check

NARROW = 60
"""Below so many columns what follows a check's first line begins further left."""


def render_checks(console: "Console", checks: "list[Check]") -> None:
    """A line a check, and below one that failed or warns the way to mend it."""
    from rich.text import Text

    from toolkit.cli.text import harmless, paragraph

    width = max((len(check.name) for check in checks), default=0)
    hanging = width + 3 if console.width >= NARROW else 4
    for check in checks:
        mark, style = ("✘", "bold red") if not check.ok else ("!", "yellow") if check.fix else ("✔", "green")
        said = Text(harmless(f" {check.name:{width}} {check.detail}"), "default")
        paragraph(console, Text(mark, style) + said, hanging)
        if check.fix:
            console.print(Text(" " * hanging + harmless(f"mend it: {check.fix}"), "yellow"))

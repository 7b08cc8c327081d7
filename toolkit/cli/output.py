"""Where things are printed: data on stdout, progress on stderr, silence where nobody looks."""

import sys
from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.text import harmless, harmless_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

PIPED_WIDTH = 1000
"""The width for a reader that is no terminal: nothing is wrapped or cut for it."""


class Output:
    """How this invocation speaks. Rich is loaded only where something is drawn."""

    def __init__(self, *, json: bool = False, quiet: bool = False, verbose: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self.verbose = verbose

    @property
    def live(self) -> bool:
        """Whether progress is shown: only to a person at a terminal."""
        return sys.stderr.isatty() and not self.quiet and not self.json

    def document(self, data: Any) -> None:
        """The one JSON document of a command."""
        import msgspec

        text = msgspec.json.format(msgspec.json.encode(data), indent=2).decode()
        click.echo(harmless_json(text))

    def documents(self, items: "Iterable[Any]") -> None:
        """The one JSON document of a command that may have very many: a list, written as it is made."""
        import msgspec

        begun = False
        for item in items:
            text = harmless_json(msgspec.json.encode(item).decode())
            click.echo(f"{',' if begun else '['}\n  {text}", nl=False)
            begun = True
        click.echo("\n]" if begun else "[]")

    def say(self, text: str = "") -> None:
        """A line for people on stdout; nothing where JSON was asked for."""
        if not self.json:
            click.echo(harmless(text, multiline=True))

    def code(self, text: str) -> None:
        """Text for another program, byte for byte; only a terminal is spared what it would obey."""
        shown = harmless(text, multiline=True) if sys.stdout.isatty() else text
        click.echo(shown, nl=not shown.endswith("\n"), color=True)  # colour: Click takes nothing out

    def note(self, text: str) -> None:
        """A line about what is going on, on stderr."""
        if not self.quiet:
            click.echo(harmless(text, multiline=True), err=True)

    @property
    def can_ask(self) -> bool:
        """Whether there is a person at the terminal."""
        return self.live and sys.stdin.isatty()

    def agree(self, question: str) -> bool:
        """Ask the person at the terminal; without one the answer is no."""
        return self.can_ask and click.confirm(question, err=True)

    def where(self, target: str, account: str, region: str, stack: str) -> None:
        """The line that says which cloud is spoken to; always shown, also with --quiet."""
        click.echo(f"{target} · account {account} · {region} · stack {stack}", err=True)

    def console(self) -> "Console":
        """A Rich console on stdout; what a model wrote is never read as markup or as an emoji's name.

        Lines are not wrapped here: a terminal wraps them itself, so that an id or a path stays in one
        piece when it is copied.
        """
        from rich.console import Console

        width = None if sys.stdout.isatty() else PIPED_WIDTH
        return Console(markup=False, emoji=False, highlight=False, soft_wrap=True, width=width)

    def progress_console(self) -> "Console":
        """A Rich console on stderr."""
        from rich.console import Console

        return Console(stderr=True, markup=False, emoji=False, highlight=False)

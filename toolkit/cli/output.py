"""Where things are printed: data on stdout, progress on stderr, silence where nobody looks."""

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


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
        click.echo(text)

    def say(self, text: str = "") -> None:
        """A line for people on stdout; nothing where JSON was asked for."""
        if not self.json:
            click.echo(text)

    def note(self, text: str) -> None:
        """A line about what is going on, on stderr."""
        if not self.quiet:
            click.echo(text, err=True)

    def where(self, target: str, account: str, region: str, stack: str) -> None:
        """The line that says which cloud is spoken to; always shown, also with --quiet."""
        click.echo(f"{target} · account {account} · {region} · stack {stack}", err=True)

    def console(self) -> "Console":
        """A Rich console on stdout; what a model wrote is never read as markup."""
        from rich.console import Console

        return Console(markup=False, highlight=False, soft_wrap=False)

    def progress_console(self) -> "Console":
        """A Rich console on stderr."""
        from rich.console import Console

        return Console(stderr=True, markup=False, highlight=False)

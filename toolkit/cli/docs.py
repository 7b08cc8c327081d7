"""Writes `docs/cli.md` from the help of every command: `python -m toolkit.cli.docs`."""

from collections.abc import Iterator
from pathlib import Path

import click

from toolkit.cli.root import cli

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
COMMAND = "python -m toolkit.cli.docs"
HEAD = f"""\
# The command line

What `--help` says of each command. Written by `{COMMAND}`; a test fails when it is stale.
"""
WIDTH = 88


def page() -> str:
    """The whole page as it should be."""
    root = click.Context(cli, info_name="tfkit", terminal_width=WIDTH, color=False, **cli.context_settings)
    return HEAD + "".join(
        f"\n## {ctx.command_path}\n\n```text\n{ctx.get_help()}\n```\n" for ctx in _walk(root)
    )


def _walk(ctx: click.Context) -> Iterator[click.Context]:
    """The context of a command and of all below it, in the order of the help."""
    yield ctx
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            assert command is not None
            yield from _walk(click.Context(command, info_name=name, parent=ctx, **command.context_settings))


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")

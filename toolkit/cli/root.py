"""The root group: knows every command by name and one line, and loads one when it is called."""

import importlib

import click
from typing_extensions import override

from toolkit.cli.options import Group

# name → (module below toolkit.cli.commands, what its help says first); a test compares the lines.
COMMANDS = {
    "up": ("up", "Bring the platform up, or to what the settings say now."),
    "preview": ("up", "Show what `up` would do, and change nothing."),
    "status": ("status", "Show what runs where, what was changed behind tfkit's back, and how each part is."),
    "ask": ("ask", "Ask the agent for Terraform, and follow the run."),
    "verify": ("verify", "Say whether DIR is, byte for byte, what a run that was `ok` produced and signed."),
    "runs": ("runs", "Show past and present runs."),
    "stop": ("stop", "The brake: no new runs, running ones cancelled; `up` releases it."),
    "traces": ("traces", "Show what the agent did: runs as rows, one run as a waterfall."),
    "stats": ("stats", "Show what the runs came to: success by attempt, tokens, dollars, tools, findings."),
    "logs": ("logs", "Show the logs of the agent and of its checker."),
    "audit": ("audit", "Show what was signed of the record, and verify the record itself."),
    "models": ("models", "Show the models that the platform knows."),
    "validators": ("validators", "Show the validators that are installed, and which of them the gate asks."),
    "validate": ("validate", "Check the Terraform in DIR with the validators, as the gate of a run would."),
    "state": ("state", "Export, import or refresh the engine's state, or take its lock off."),
    "doctor": ("doctor", "Say what is missing on this machine, and how to mend it."),
    "down": ("down", "Take the platform down, and show the receipt."),
}


class LazyGroup(Group):
    """A group whose commands are imported when they are used, so that `--help` costs nothing."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which one uses them."""
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"toolkit.cli.commands.{COMMANDS[cmd_name][0]}")
        found = getattr(module, cmd_name)
        assert isinstance(found, click.Command)
        return found

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As Click does, with a suggestion from the table for a name that is not in it."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as unknown:
            raise click.exceptions.NoSuchCommand(
                unknown.command_name, possibilities=COMMANDS, ctx=ctx
            ) from None

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Here the global options are told in full."""
        click.Group.format_options(self, ctx, formatter)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _root() -> None:
    """An agent that writes Terraform in your own AWS account, and the platform around it.

    Without an account it runs on this machine, on an embedded emulator.
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


cli = LazyGroup(name="tfkit", callback=_root, help=_root.__doc__)

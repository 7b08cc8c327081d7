"""The root group: knows every command by name and one line, and loads one when it is called."""

import importlib
from typing import TYPE_CHECKING

import click
from typing_extensions import override

from toolkit.cli.options import Group

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# name → (module below toolkit.cli.commands, what its help says first); a test compares the lines.
COMMANDS = {
    "up": ("up", "Bring the platform up, or to what the settings say now."),
    "preview": ("up", "Show what `up` would do, and change nothing."),
    "status": ("status", "Show what runs where, what drifted, and how each part is."),
    "ask": ("ask", "Ask the agent for Terraform, and follow the run."),
    "chat": ("chat", "Talk with the agent: each line is a turn."),
    "verify": ("verify", "Say whether DIR is what an `ok` run produced and signed."),
    "replay": ("replay", "Run recorded prompts again, and compare what comes of them."),
    "eval": ("eval", "Run a set of prompts through the agent, and judge them."),
    "runs": ("runs", "Show past and present runs."),
    "stop": ("stop", "The brake: no new runs; running ones are cancelled."),
    "traces": ("traces", "Show what the agent did: runs as rows, one as a waterfall."),
    "stats": ("stats", "Show what the runs came to: success, tokens, dollars."),
    "logs": ("logs", "Show the logs of the agent and of its checker."),
    "audit": ("audit", "Show what was signed of the record, and verify it."),
    "models": ("models", "Show and change the models that the platform knows."),
    "validators": ("validators", "Show the validators, and which of them the gate asks."),
    "validate": ("validate", "Check the Terraform in DIR as the gate of a run would."),
    "state": ("state", "Export, import, refresh or unlock the engine's state."),
    "graph": ("graph", "Draw the platform: its components, resources and edges."),
    "completion": ("completion", "Print or install what completes tfkit's words in a shell."),
    "doctor": ("doctor", "Say what is missing on this machine, and how to mend it."),
    "down": ("down", "Take the platform down, and show the receipt."),
}

ELSEWHERE = {
    "apply": "up", "create": "up", "deploy": "up", "start": "up", "diff": "preview", "plan": "preview",
    "delete": "down", "destroy": "down", "undeploy": "down", "history": "runs", "check": "validate",
    "lint": "validate", "generate": "ask", "prompt": "ask", "show": "status", "info": "status",
}  # fmt: skip
"""What other tools call it; only ever suggested."""


class LazyGroup(Group):
    """A group whose commands are imported when they are used, so that `--help` costs nothing."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which one uses them."""
        return list(COMMANDS)

    @override
    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        """The commands from the table; the options as Click does."""
        from click.shell_completion import CompletionItem

        known = [CompletionItem(name, help=line) for name, (_, line) in COMMANDS.items()]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [item for item in known if item.value.startswith(incomplete)] + options

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
            raise _unknown(unknown.command_name, ctx) from None

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Here the global options are told in full."""
        click.Group.format_options(self, ctx, formatter)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _unknown(name: str, ctx: click.Context) -> click.exceptions.NoSuchCommand:
    """The error for a name that is not in the table, with those that may be meant."""
    error = click.exceptions.NoSuchCommand(name, possibilities=COMMANDS, ctx=ctx)
    meant = ELSEWHERE.get(name.lower(), name.lower())
    if meant in COMMANDS:
        assert error.possibilities is not None, "the close ones, be it none"
        error.possibilities[:] = [meant]
    return error


def _root() -> None:
    """An agent that writes Terraform in your own AWS account, and the platform around it.

    Without an account it runs on this machine, on an embedded emulator. A setting is taken from the line,
    else from TFKIT_* in the environment, else from ./tfkit.toml.

    \b
    Examples:
      tfkit up
      tfkit ask "an encrypted S3 bucket with a 30-day lifecycle"
      tfkit traces --since 1d
      tfkit down

    \b
    Exit codes:
      0 done    1 failed    2 wrong usage    3 the run did not converge
      4 nothing is deployed    5 a budget ran out    6 findings    130 interrupted
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


cli = LazyGroup(name="tfkit", callback=_root, help=_root.__doc__)

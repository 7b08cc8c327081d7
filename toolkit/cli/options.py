"""The global options, accepted before and after the command, and what a command makes of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

from toolkit import __version__
from toolkit.cli.completing import with_completion
from toolkit.cli.narrow_help import HelpContext
from toolkit.cli.output import Output

if TYPE_CHECKING:
    from toolkit.client import Client
    from toolkit.deploy.platform import Platform
    from toolkit.settings import Settings

SETTINGS = ("target", "engine", "stack", "region", "profile")
LONGEST = 200
"""Characters of a command's first line that a list of commands shows."""

CONTEXT = {"help_option_names": ["-h", "--help"]}


def _remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Keep a global option for the whole invocation; the one given last, after the command, wins."""
    if value is not None and value is not False and parameter.name:
        ctx.find_root().ensure_object(dict)[parameter.name] = value
    return value


class GlobalOption(click.Option):
    """An option of every command: it is kept in the context, and no command gets it as an argument."""

    def __init__(self, *names: str, **kwargs: Any) -> None:
        kwargs.setdefault("callback", _remember)
        super().__init__(names, expose_value=False, **kwargs)


def _version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:  # as for a Tab
        import json

        asked = ctx.find_root().ensure_object(dict)
        click.echo(json.dumps({"version": __version__}) if asked.get("json") else f"tfkit {__version__}")
        ctx.exit()


def global_options() -> list[click.Option]:
    """New instances of the options that every group and every command take."""
    return [
        GlobalOption(
            "--target", type=click.Choice(["local", "aws"]), help="Where the platform lives (local)."
        ),
        GlobalOption(
            "--engine", type=click.Choice(["embedded", "pulumi"]), help="Which Pulumi engine deploys."
        ),
        GlobalOption("--stack", metavar="NAME", help="Which platform (dev)."),
        GlobalOption("--region", metavar="REGION", help="AWS region (us-east-1)."),
        GlobalOption("--profile", metavar="NAME", help="Profile of the AWS configuration."),
        # Eager: known before anything else of the line is found to be wrong.
        GlobalOption(
            "--json", is_flag=True, is_eager=True, help="Print exactly one JSON document on stdout."
        ),
        GlobalOption("--quiet", is_flag=True, help="No progress on stderr."),
        GlobalOption("-v", "--verbose", is_flag=True, help="Show the traceback of an error."),
        GlobalOption("--version", is_flag=True, callback=_version, help="Show the version and exit."),
    ]


def _write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """The command's own options in full; the global ones by name only."""
    parameters = command.get_params(ctx)
    everywhere = [p for p in parameters if isinstance(p, GlobalOption)]
    own = [p.get_help_record(ctx) for p in parameters if p not in everywhere]
    with formatter.section("Options"):
        formatter.write_dl([record for record in own if record])
    with formatter.section("Everywhere"):
        formatter.write_text(" ".join(p.opts[-1] for p in everywhere))


class _Named(click.Command):
    """Click's command, with help for narrow screens and errors that know whose help to read."""

    context_class = HelpContext

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As Click does."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise


class Command(_Named):
    """A command that also takes the global options, listed apart in its help."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(global_options())
        with_completion(self)

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options, then the names of the global ones."""
        _write_options(self, ctx, formatter)


class Group(_Named, click.Group):
    """A group of commands that takes the global options, and that does something without a command."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, invoke_without_command=True, context_settings=CONTEXT, **kwargs)
        self.params.extend(global_options())
        with_completion(self)

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The group's own options, the names of the global ones, then the commands."""
        _write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, each with the whole of its first line: Click's own would cut it."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(LONGEST)) for name, each in found if each])


class Session:
    """One invocation: its settings, its output, and the platform that it speaks to."""

    def __init__(self, ctx: click.Context, flags: dict[str, Any]) -> None:
        given: dict[str, Any] = ctx.find_root().ensure_object(dict)
        self.output = Output(
            json=bool(given.get("json")), quiet=bool(given.get("quiet")), verbose=bool(given.get("verbose"))
        )
        self._flags = {**{name: given.get(name) for name in SETTINGS}, **flags}

    def settings(self) -> "Settings":
        """The settings, with this invocation's flags on top."""
        from toolkit.settings import load

        return load(self._flags)

    def platform(self, *, announce: bool = True, moving: bool = False) -> "Platform":
        """The platform; says on stderr where it is, before anything reaches a cloud.

        `moving` is for the commands that may bring it to another region.
        """
        from toolkit.deploy.platform import Platform

        platform = Platform(self.settings(), self.output.note, self.output.agree, moving=moving)
        if announce:
            settings = platform.settings
            self.output.where(settings.target, platform.account, settings.region, settings.stack)
        return platform

    def client(self) -> "Client":
        """The agent of the platform that is up. Raises `NothingDeployed` where there is none."""
        from toolkit.client import Client

        platform = self.platform()
        outputs = platform.outputs()
        return Client(platform.cloud, outputs)


def session(**flags: Any) -> Session:
    """The session of the command that is running; `flags` are settings that this command has as options."""
    return Session(click.get_current_context(), flags)


def command(name: str | None = None) -> Callable[[Callable[..., Any]], Command]:
    """Like `click.command`, for commands that take the global options."""
    return click.command(name, cls=Command, context_settings=CONTEXT)


def group() -> Callable[[Callable[..., Any]], Group]:
    """Like `click.group`, for groups that take the global options and list without a command."""
    return click.group(cls=Group)

"""The global options, accepted before and after the command, and what a command makes of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.output import Output

if TYPE_CHECKING:
    from toolkit.deploy.platform import Platform
    from toolkit.settings import Settings

SETTINGS = ("target", "engine", "stack", "region", "profile")


def _remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Keep a global option for the whole invocation; the one given last, after the command, wins."""
    if value is not None and value is not False and parameter.name:
        ctx.find_root().ensure_object(dict)[parameter.name] = value
    return value


def global_options() -> list[click.Option]:
    """New instances of the options that the group and every command take."""

    def option(*names: str, **kwargs: Any) -> click.Option:
        return click.Option(names, expose_value=False, callback=_remember, **kwargs)

    return [
        option("--target", type=click.Choice(["local", "aws"]), help="Where the platform lives (local)."),
        option("--engine", type=click.Choice(["embedded", "pulumi"]), help="Which Pulumi engine deploys."),
        option("--stack", metavar="NAME", help="Which platform (dev)."),
        option("--region", metavar="REGION", help="AWS region (us-east-1)."),
        option("--profile", metavar="NAME", help="Profile of the AWS configuration."),
        option("--json", is_flag=True, help="Print exactly one JSON document on stdout."),
        option("--quiet", is_flag=True, help="No progress on stderr."),
        option("-v", "--verbose", is_flag=True, help="Say more; show tracebacks."),
    ]


class Command(click.Command):
    """A command that also takes the global options, listed apart in its help."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._own = len(self.params)
        self.params.extend(global_options())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options in full; the global ones by name only."""
        own = [p.get_help_record(ctx) for p in self.params[: self._own]]
        own.append(("-h, --help", "Show this message and exit."))
        with formatter.section("Options"):
            formatter.write_dl([record for record in own if record])
        with formatter.section("Everywhere"):
            formatter.write_text(" ".join(p.opts[-1] for p in self.params[self._own :]))


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

    def platform(self, *, announce: bool = True) -> "Platform":
        """The platform; says on stderr where it is, before anything reaches a cloud."""
        from toolkit.deploy.platform import Platform

        platform = Platform(self.settings())
        if announce:
            settings = platform.settings
            self.output.where(settings.target, platform.account, settings.region, settings.stack)
        return platform


def session(**flags: Any) -> Session:
    """The session of the command that is running; `flags` are settings that this command has as options."""
    return Session(click.get_current_context(), flags)


def command(name: str | None = None) -> Callable[[Callable[..., Any]], Command]:
    """Like `click.command`, for commands that take the global options."""
    return click.command(name, cls=Command, context_settings=CONTEXT)


CONTEXT = {"help_option_names": ["-h", "--help"]}

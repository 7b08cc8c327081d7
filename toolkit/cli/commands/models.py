"""`tfkit models`: list, check, add, remove, and choose the default."""

from typing import TYPE_CHECKING

import click

from toolkit.cli.options import CONTEXT, Command, Session, group, session
from toolkit.errors import NothingDeployed, UsageError

if TYPE_CHECKING:
    from toolkit.deploy.checks.check import Check
    from toolkit.deploy.checks.examine import Deployed
    from toolkit.registry_change import Change

# Not from `contracts`, whose import `--help` would pay for; a test compares them.
PROVIDERS = ("bedrock", "mistral")


@group()
def models() -> None:
    """Show and change the models that the platform knows.

    \b
    Examples:
      tfkit models
      tfkit models check
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_models)


@models.command("list", cls=Command, context_settings=CONTEXT)
def list_models() -> None:
    """List the models of the registry, with their prices.

    \b
    Examples:
      tfkit models list
      tfkit --json models list
    """
    from toolkit.cli.render_models import as_document, render_registry

    run = session()
    registry = run.client().registry()
    if run.output.json:
        run.output.document(as_document(registry))
    else:
        render_registry(run.output.console(), registry)


@models.command("check", cls=Command, context_settings=CONTEXT)
@click.argument("names", nargs=-1, metavar="[NAME]...")
def check_models(names: tuple[str, ...]) -> None:
    """Ask each model, or those named, for one token, as a run would.

    Mistral is asked for its list of models instead, which costs nothing. A model whose terms nobody has
    accepted is not asked, because that would accept them. The exit code is 1 if a named model, or without
    names the default one, cannot be used.

    \b
    Examples:
      tfkit models check
      tfkit models check haiku
    """
    from toolkit.cli.render_checks import render_checks

    run = session()
    deployed = _deployed(run)
    checks = _check(run, deployed, names or tuple(sorted(deployed.registry.models)))
    if run.output.json:
        run.output.document({"models": checks})
    else:
        render_checks(run.output.console(), checks)
    needed = names or (deployed.registry.default,)
    failed = any(not check.ok for check in checks if check.name in needed)
    click.get_current_context().exit(1 if failed else 0)


@models.command("default", cls=Command, context_settings=CONTEXT)
@click.argument("name")
def default_model(name: str) -> None:
    """Take NAME where `ask` names no model.

    It holds for everybody who uses the platform, at once, and the next `up` keeps it.

    \b
    Examples:
      tfkit models default mistral-large
    """
    from toolkit.registry_edit import choosing

    _changed(session(), choosing(name), f"{name} is the default now")


@models.command("add", cls=Command, context_settings=CONTEXT)
@click.argument("name")
@click.option(
    "--provider", type=click.Choice(PROVIDERS), default="bedrock", show_default=True, help="Who serves it."
)
@click.option("--id", "model_id", required=True, metavar="ID", help="The provider's own name of the model.")
@click.option("--endpoint", metavar="URL", help="Another address of Mistral's API, asked without a key.")
@click.option("--context", type=click.IntRange(min=1), metavar="TOKENS", help="The size of its window.")
@click.option(
    "--max-tokens", type=click.IntRange(min=0), metavar="TOKENS", help="The most of one answer; 0 sets none."
)
@click.option("--price-in", type=click.FloatRange(min=0), metavar="USD", help="A million tokens of input.")
@click.option("--price-out", type=click.FloatRange(min=0), metavar="USD", help="A million tokens of output.")
@click.option("--temperature", metavar="T", help="Sent with each request (0); `none` for a model without.")
@click.option("--cache/--no-cache", default=None, help="Whether its prompt cache is used.")
@click.option("--images/--no-images", default=None, help="Whether it takes images beside texts.")
@click.option(
    "--fallback",
    "fallbacks",
    multiple=True,
    metavar="NAME",
    help="Who answers where it cannot; again for more, in this order.",
)
def add_model(
    name: str,
    provider: str,
    model_id: str,
    endpoint: str | None,
    context: int | None,
    max_tokens: int | None,
    price_in: float | None,
    price_out: float | None,
    temperature: str | None,
    cache: bool | None,
    images: bool | None,
    fallbacks: tuple[str, ...],
) -> None:  # fmt: skip
    """Add a model to the registry; it can be used at once.

    What is not said is as for the model of the same id, where there is one. A Bedrock model of a new id needs
    an inference profile, which the next `up` makes; `models check` says so.

    \b
    Examples:
      tfkit models add patient --id us.anthropic.claude-haiku-4-5-20251001-v1:0 --fallback mistral-large
      tfkit models add codestral --provider mistral --id codestral-latest --price-in 0.3 --price-out 0.9
    """
    from toolkit.registry_edit import Wanted, adding

    wanted = Wanted(
        provider=provider,
        id=model_id,
        endpoint=endpoint,
        context=context,
        max_tokens=max_tokens,
        price=_price(price_in, price_out),
        temperature=temperature,
        caches=cache,
        images=images,
        fallbacks=fallbacks,
    )
    _changed(
        session(),
        adding(name, wanted),
        f"{name} is added; see whether it can be used: tfkit models check {name}",
    )


@models.command("remove", cls=Command, context_settings=CONTEXT)
@click.argument("name")
def remove_model(name: str) -> None:
    """Take a model out of the registry that was added to it.

    \b
    Examples:
      tfkit models remove mine
    """
    from toolkit.registry_edit import removing

    _changed(session(), removing(name), f"{name} is removed")


def _price(price_in: float | None, price_out: float | None) -> tuple[float, float] | None:
    if price_in is None and price_out is None:
        return None
    if price_in is None or price_out is None:
        raise UsageError("a price has two parts", "give both: --price-in USD --price-out USD")
    return price_in, price_out


def _changed(run: Session, how: "Change", said: str) -> None:
    """Make the change where the registry is, remember it on this machine, and say so."""
    from toolkit.cli.render_models import as_document
    from toolkit.deploy.remembered import keep_registry
    from toolkit.registry_change import change

    platform = run.platform()
    outputs = platform.outputs()
    registry, theirs = change(platform.cloud.client("ssm"), outputs.registry_parameter, how)
    keep_registry(platform.folder, registry)
    if theirs:
        run.output.note("somebody else changed the registry at the same time; both changes are in it")
    if run.output.json:
        run.output.document(as_document(registry))
    else:
        run.output.say(said)


def _check(run: Session, deployed: "Deployed", names: tuple[str, ...]) -> "list[Check]":
    """Each model, side by side. Raises `UsageError` for a name that the registry has not."""
    from functools import partial

    from toolkit.deploy.checks.check import run_checks
    from toolkit.deploy.checks.models import usable

    known = deployed.registry.models
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"unknown model {unknown[0]!r}", "known are: " + ", ".join(sorted(known)))
    settings = run.settings()
    return run_checks({name: partial(usable, deployed, name, settings) for name in names})


def _deployed(run: Session) -> "Deployed":
    """The platform that is up; on AWS, before there is one, what it would be made with."""
    from toolkit.client import Client
    from toolkit.contracts import default_registry
    from toolkit.deploy.checks.examine import Deployed

    platform = run.platform()
    try:
        outputs = platform.outputs()
    except NothingDeployed:
        if platform.settings.target == "local":
            raise
        return Deployed(platform.cloud, None, default_registry(platform.settings.region))
    return Deployed(platform.cloud, outputs, Client(platform.cloud, outputs).registry())

"""`tfkit models`: list, and check."""

from typing import TYPE_CHECKING

import click

from toolkit.cli.options import CONTEXT, Command, Session, group, session
from toolkit.errors import NothingDeployed, UsageError

if TYPE_CHECKING:
    from toolkit.deploy.checks.check import Check
    from toolkit.deploy.checks.examine import Deployed


@group()
def models() -> None:
    """Show the models that the platform knows."""
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_models)


@models.command("list", cls=Command, context_settings=CONTEXT)
def list_models() -> None:
    """List the models of the registry, with their prices."""
    from toolkit.cli.listing import render_rows

    run = session()
    registry = run.client().registry()
    if run.output.json:
        run.output.document(registry)
        return
    rows = []
    for name, entry in sorted(registry.models.items()):
        price = f"{entry.price.input} / {entry.price.output}" if entry.price else "as genai-prices has it"
        rows.append((name, "yes" if name == registry.default else "", entry.id, price))
    render_rows(run.output.console(), ("model", "default", "id", "$ per million in / out"), rows)


@models.command("check", cls=Command, context_settings=CONTEXT)
@click.argument("names", nargs=-1, metavar="[NAME]...")
def check_models(names: tuple[str, ...]) -> None:
    """Ask each model, or those named, for one token, as a run would.

    A model whose terms nobody has accepted is not asked, because that would accept them. The exit code is 1
    if a named model, or without names the default one, cannot be used.
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


def _check(run: Session, deployed: "Deployed", names: tuple[str, ...]) -> "list[Check]":
    """Each model, side by side. Raises `UsageError` for a name that the registry has not."""
    from functools import partial

    from toolkit.deploy.checks.bedrock import usable
    from toolkit.deploy.checks.check import run_checks

    known = deployed.registry.models
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"unknown model {unknown[0]!r}", "known are: " + ", ".join(sorted(known)))
    settings, role = run.settings(), deployed.agent_role_arn
    return run_checks(
        {name: partial(usable, deployed.cloud, role, name, known[name], settings) for name in names}
    )


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

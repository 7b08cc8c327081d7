"""`tfkit validators`: list, and install a tool that one needs."""

from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.options import CONTEXT, Command, group, session

if TYPE_CHECKING:
    from toolkit.checker.registry import Installed
    from toolkit.checker.selection import Selection


@group()
def validators() -> None:
    """Show the validators, and which of them the gate asks.

    \b
    Examples:
      tfkit validators
      tfkit validators install tflint
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_validators)


@validators.command("list", cls=Command, context_settings=CONTEXT)
def list_validators() -> None:
    """List the validators, with their tools, thresholds and origins.

    \b
    Examples:
      tfkit validators list
      tfkit validators list --json
    """
    from toolkit.checker.registry import installed_validators
    from toolkit.cli.listing import render_rows
    from toolkit.cli.validating import selection_of

    run = session()
    selection = selection_of(run.settings(), None)
    known = [_described(one, selection) for one in installed_validators()]
    if run.output.json:
        run.output.document({"validators": known})
        return
    rows = [
        (
            one["name"],
            _role(one),
            f"{one['tool']} {one['version']}".strip() or "not installed",
            one["threshold"],
            f"{one['distribution']} {one['distribution_version']}",
            one["detail"],
        )
        for one in known
    ]
    columns = ("validator", "runs", "tool", "closes at", "from", "note")
    render_rows(run.output.console(), columns, rows)


def _described(one: "Installed", selection: "Selection") -> dict[str, Any]:
    from toolkit.checker.registry import tool_of

    tool, chosen = tool_of(one.name), one.name in selection.names
    skipped = {check.validator: check.reason for check in selection.skipped}
    return {
        "name": one.name,
        "tool": tool.name if tool else "",
        "version": tool.version if tool else "",
        "selected": chosen,
        "required": chosen and selection.of(one.name).required,
        "threshold": selection.threshold(one.name),
        "deadline_s": selection.of(one.name).deadline_s,
        "distribution": one.distribution,
        "distribution_version": one.version,
        "detail": "" if chosen else skipped.get(one.name, "runs when it is named"),
    }


def _role(one: dict[str, Any]) -> str:
    if not one["selected"]:
        return "no"
    return "required" if one["required"] else "optional"


@validators.command("install", cls=Command, context_settings=CONTEXT)
@click.argument("name", metavar="NAME")
def install(name: str) -> None:
    """Install the tool of a validator, tflint or checkov, for this user.

    It goes below TFKIT_HOME, in the version that tfkit was tried with: checkov with pip into an environment
    of its own, tflint with Go where there is one, else from its publisher's release, checksums verified.

    \b
    Examples:
      tfkit validators install tflint
      tfkit validators install checkov
    """
    from toolkit.checker.tools_install import install_tool
    from toolkit.cli.validating import use_tools

    run = session()
    path = install_tool(name, use_tools(run.settings()), run.output.note)
    if run.output.json:
        run.output.document({"name": name, "path": str(path)})
    else:
        run.output.say(f"{name} is at {path}")

"""`tfkit status`."""

from typing import TYPE_CHECKING

import click

from toolkit.cli.options import command, session

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.deploy.checks.check import Check
    from toolkit.deploy.engine import Drift


@command()
@click.option("--no-drift", is_flag=True, help="Do not look for drift, which reads every resource.")
def status(no_drift: bool) -> None:
    """Show what runs where, what drifted, and how each part is.

    Drift is what was changed behind tfkit's back. Nothing is started: of a local platform whose emulator is
    stopped it says only that.

    \b
    Examples:
      tfkit status
      tfkit status --no-drift --json
    """
    import msgspec

    run = session()
    platform = run.platform()
    outputs = platform.outputs()
    endpoint = platform.target.endpoint
    drift: list[Drift] | None = None
    checks: list[Check] = []
    if endpoint is not None:
        from toolkit.deploy.checks.check import run_checks
        from toolkit.deploy.checks.deployed import parts

        checks = run_checks(parts(platform.cloud, outputs))
        drift = None if no_drift else platform.drift()
    if run.output.json:
        run.output.document(
            {
                **platform.where,
                "version": outputs.version,
                "emulator": endpoint or "",
                "outputs": msgspec.to_builtins(outputs),
                "drift": None if drift is None else msgspec.to_builtins(drift),
                "health": msgspec.to_builtins(checks),
            }
        )
        return
    run.output.say(f"version {outputs.version}, {platform.settings.engine} engine")
    if endpoint is None:
        run.output.say("the emulator is stopped; the next command that needs it brings it back")
    elif endpoint:
        run.output.say(f"the emulator runs at {endpoint}")
    from toolkit.cli.text import harmless, labelled

    console = run.output.console()
    _render(console, checks, drift)
    for name, value in msgspec.to_builtins(outputs).items():
        lines = [f"{key}  {arn}" for key, arn in value.items()] if isinstance(value, dict) else [value]
        for line in filter(None, lines):
            labelled(console, name, harmless(str(line)), 24)


def _render(console: "Console", checks: "list[Check]", drift: "list[Drift] | None") -> None:
    from rich.text import Text

    from toolkit.cli.render_checks import render_checks
    from toolkit.cli.text import harmless, paragraph

    render_checks(console, checks)
    if drift == []:
        console.print("no drift: everything is as `up` made it")
    for each in drift or []:
        what = "is gone" if each.gone else f"differs in {', '.join(each.changed)}"
        paragraph(console, Text(harmless(f"drift: {each.name} ({each.type}) {what}"), "yellow"))
    if drift:
        paragraph(console, "`tfkit state refresh` takes this over into the state; `tfkit up` puts it right")

"""`tfkit state`: the engine's own record of what it made, for whoever has to put it right."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.options import CONTEXT, Command, group, session
from toolkit.errors import NothingDeployed

if TYPE_CHECKING:
    from toolkit.deploy.platform import Platform


@group()
def state() -> None:
    """Export, import, refresh or unlock the engine's state.

    The format is Pulumi's own (deployment version 3), so that a stack can change its engine, or leave tfkit.

    \b
    Examples:
      tfkit state export -o before.json
      tfkit state refresh
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@state.command("export", cls=Command, context_settings=CONTEXT)
@click.option("-o", "file", type=click.Path(path_type=Path), help="Write it there instead of on stdout.")
def export_state(file: Path | None) -> None:
    """Print the state. Secrets in it stay encrypted.

    \b
    Example:
      tfkit state export -o before.json
    """
    import msgspec

    from toolkit.deploy.state import write_atomically

    run = session()
    document = _platform().export_state()
    text = msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
    if file is None:
        sys.stdout.buffer.write(text)
        return
    if file.exists() and not (file.is_file() and not file.is_symlink()):
        file.write_bytes(text)  # a pipe or a device is written to, and not replaced
    else:
        write_atomically(file, text)
    run.output.note(f"written to {file}")


@state.command("import", cls=Command, context_settings=CONTEXT)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also in place of a state that has resources.")
def import_state(file: Path, force: bool) -> None:
    """Put the state of a file in place of the stack's own.

    \b
    Example:
      tfkit state import before.json --force
    """
    from toolkit.deploy.imported import read_document

    run = session()
    document = read_document(file)
    platform = run.platform()
    platform.import_state(document, force=force)
    run.output.note(f"the state of {platform.settings.stack} is that of {file}")
    if run.output.json:
        run.output.document({"imported": str(file)})


@state.command("refresh", cls=Command, context_settings=CONTEXT)
def refresh() -> None:
    """Take over into the state what the cloud says of every resource.

    Changes nothing in the cloud; `tfkit up` then puts right what differs.

    \b
    Example:
      tfkit state refresh
    """
    from toolkit.cli.commands.up import deployment_document
    from toolkit.cli.render_deploy import Progress, counts

    run = session()
    platform = run.platform()
    if not platform.exists:
        platform.outputs()  # says that there is nothing, and what to do
    with Progress(run.output) as progress:
        summary = platform.refresh(progress.event)
    if run.output.json:
        run.output.document(deployment_document(platform, summary))
    else:
        run.output.say(f"refreshed: {counts(summary.changes)}")


@state.command("cancel", cls=Command, context_settings=CONTEXT)
def cancel() -> None:
    """Take the lock of an update off that is known to be dead.

    Two updates at once lose resources: make sure that none is running, on any machine.

    \b
    Example:
      tfkit state cancel --target aws --stack prod
    """
    run = session()
    _platform().cancel()
    if run.output.json:
        run.output.document({"cancelled": True})
    run.output.say("no lock is on the stack any more")


def _platform() -> "Platform":
    platform = session().platform()
    if not platform.exists:
        raise NothingDeployed(f"the stack {platform.settings.stack!r} has no state", "bring it up: tfkit up")
    return platform

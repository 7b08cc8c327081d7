"""`tfkit runs`: list, show and files."""

from datetime import UTC, datetime, timedelta

import click

from toolkit.cli.options import CONTEXT, Command, global_options, session
from toolkit.errors import TfkitError


@click.group(invoke_without_command=True, context_settings=CONTEXT, params=global_options())
def runs() -> None:
    """Show past and present runs."""
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_runs, days=7)


@runs.command("list", cls=Command, context_settings=CONTEXT)
@click.option("--days", type=click.IntRange(1, 90), default=7, help="How many days back (7).")
def list_runs(days: int) -> None:
    """List the runs, newest first."""
    from rich.table import Table

    from toolkit.client import Client

    run = session()
    platform = run.platform()
    client = Client(platform.cloud, platform.outputs())
    today = datetime.now(UTC).date()
    found = client.runs([(today - timedelta(days=n)).isoformat() for n in range(days)])
    if run.output.json:
        run.output.document(found)
        return
    if not found:
        run.output.say('no runs yet: tfkit ask "…"')
        return
    table = Table("run", "started", "status", "model", "prompt", box=None, pad_edge=False)
    for record in found:
        prompt = " ".join(record.prompt.split())
        table.add_row(record.run_id, record.started[:19], record.status, record.model, prompt[:60])
    run.output.console().print(table)


@runs.command("show", cls=Command, context_settings=CONTEXT)
@click.argument("run_id")
def show(run_id: str) -> None:
    """Show what came of a run; waits for nothing."""
    from pathlib import Path

    from toolkit.cli.render_run import render_result
    from toolkit.client import Client

    run = session()
    platform = run.platform()
    client = Client(platform.cloud, platform.outputs())
    result = client.result(run_id)
    if run.output.json:
        run.output.document(result)
    else:
        render_result(run.output.console(), result, Path("tfkit-runs") / run_id)


@runs.command("files", cls=Command, context_settings=CONTEXT)
@click.argument("run_id")
@click.option("-o", "--output", "folder", type=click.Path(), metavar="DIR", help="Put them here (./tfkit-runs/RUN_ID).")
def files(run_id: str, folder: str | None) -> None:
    """Fetch the files of a run into a new or empty folder."""
    from pathlib import Path

    from toolkit.client import Client

    run = session()
    platform = run.platform()
    client = Client(platform.cloud, platform.outputs())
    result = client.result(run_id)
    if not result.files:
        raise TfkitError(f"run {run_id} made no files: it ended as {result.status}")
    target = Path(folder) if folder else Path("tfkit-runs") / run_id
    client.download(result, target)
    run.output.document(result.files) if run.output.json else run.output.say(f"{len(result.files)} files in {target}")

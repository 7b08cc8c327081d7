"""`tfkit runs`: list, show, files and cancel."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from toolkit.cli.options import CONTEXT, Command, Session, group, session
from toolkit.cli.statement_file import save_statement
from toolkit.errors import TfkitError

if TYPE_CHECKING:
    from toolkit.contracts import RunRecord


@group()
def runs() -> None:
    """Show past and present runs.

    \b
    Examples:
      tfkit runs
      tfkit runs show RUN_ID
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_runs)


@runs.command("list", cls=Command, context_settings=CONTEXT)
@click.option("--days", type=click.IntRange(1, 90), default=7, help="How many days back (7).")
def list_runs(days: int) -> None:
    """List the runs, newest first.

    \b
    Examples:
      tfkit runs list --days 30
      tfkit --json runs list
    """
    from toolkit.cli.listing import render_rows

    run = session()
    today = datetime.now(UTC).date()
    found = run.client().runs([(today - timedelta(days=n)).isoformat() for n in range(days)])
    if run.output.json:
        run.output.document(found)
    elif not found:
        run.output.say('no runs yet: tfkit ask "…"')
    else:
        rows = [(r.run_id, f"{r.started[:19]}Z", r.status, r.model, _short(r.prompt)) for r in found]
        render_rows(run.output.console(), ("run", "started", "status", "model", "prompt"), rows)


def _short(prompt: str) -> str:
    words = " ".join(prompt.split())
    return words if len(words) <= 60 else words[:59] + "…"


@runs.command("show", cls=Command, context_settings=CONTEXT)
@click.argument("run_id")
@click.option("-f", "--follow", is_flag=True, help="Wait until it has ended.")
def show(run_id: str, follow: bool) -> None:
    """Show what came of a run, or how far it is.

    \b
    Examples:
      tfkit runs show RUN_ID
      tfkit runs show RUN_ID --follow
    """

    from toolkit.cli.render_run import RunProgress, render_result

    run = session()
    client = run.client()
    record = client.latest(run_id)
    if record and not record.ended and follow:
        with RunProgress(run.output, run_id) as progress:
            record = client.follow(run_id, progress.update, on_cut=progress.cut)
    if record and not record.ended:
        _show_unfinished(run, record)
        return
    result = client.result(run_id)
    if run.output.json:
        run.output.document(result)
    else:
        render_result(run.output.console(), result, detailed=True)


def _show_unfinished(run: Session, record: "RunRecord") -> None:
    """How far it is. A run whose lease ran out has died, whatever its row says."""
    from toolkit.cli.render_run import LOST, render_unfinished
    from toolkit.contracts import RunResult

    lost = record.lost(datetime.now(UTC).timestamp())
    if not run.output.json:
        render_unfinished(run.output.console(), record, lost)
        return
    run.output.document(
        RunResult(
            run_id=record.run_id,
            status="error" if lost else record.status,
            model=record.model,
            prompt=record.prompt,
            output="",
            attempts=record.attempts,
            error=f"{LOST}: {record.step}" if lost else None,
        )
    )


@runs.command("files", cls=Command, context_settings=CONTEXT)
@click.argument("run_id")
@click.option(
    "-o", "--output", "folder", type=click.Path(), metavar="DIR", help="Put them here (./tfkit-runs/RUN_ID)."
)
def files(run_id: str, folder: str | None) -> None:
    """Fetch the files of a run, and its statement.

    The files go into a new or empty folder, the statement beside it (DIR.tfkit.json).

    \b
    Examples:
      tfkit runs files RUN_ID -o bucket
    """
    from pathlib import Path

    from toolkit.client import refuse_used

    target = Path(folder) if folder else Path("tfkit-runs") / run_id
    refuse_used(target)
    run = session()
    client = run.client()
    result = client.result(run_id)
    if not result.files:
        raise TfkitError(f"run {run_id} made no files: it ended as {result.status}")
    client.download(result, target)
    save_statement(run, client, result, target)
    run.output.document(result.files) if run.output.json else run.output.say(
        f"{len(result.files)} files in {target}"
    )


@runs.command("cancel", cls=Command, context_settings=CONTEXT)
@click.argument("run_id")
def cancel(run_id: str) -> None:
    """Cancel a run, whether it runs or waits to be started.

    Waits up to eight seconds for its worker to store what there is. The exit code is 0 when the run is
    cancelled now, 1 where it is unknown or had ended otherwise.

    \b
    Examples:
      tfkit runs cancel RUN_ID
    """
    from toolkit.cli.commands.stop import HOW

    run = session()
    cancelled = run.client().cancel(run_id)
    if run.output.json:
        run.output.document({"run_id": run_id, "status": "cancelled", "how": cancelled.how})
    else:
        run.output.say(f"run {run_id} is cancelled: {HOW[cancelled.how]}")

"""`tfkit traces`."""

from typing import TYPE_CHECKING

import click

from toolkit.cli.options import Session, command, session

if TYPE_CHECKING:
    from toolkit.traces import Traces


@command()
@click.option("--since", default="1d", metavar="WHEN", help="1d, 12h, 30m, 2w, or a date (1d).")
@click.option("--until", default="", metavar="WHEN", help="As --since; now, when left out.")
@click.option("--run", "run_id", metavar="ID", help="One run as a waterfall.")
@click.option("--errors", is_flag=True, help="Only runs that did not end as ok.")
def traces(since: str, until: str, run_id: str | None, errors: bool) -> None:
    """Show what the agent did: runs as rows, one run as a waterfall.

    They are read from the audit bucket; what was read once is kept in an index on this machine.

    \b
    Examples:
      tfkit traces --since 1d
      tfkit --json traces --since 2w --errors
      tfkit traces --run RUN_ID
    """
    from datetime import UTC, datetime

    from toolkit.traces import Traces, parse_time

    now = datetime.now(UTC)
    start = parse_time(since, now)
    end = parse_time(until, now) if until else now
    run = session()
    platform = run.platform()
    outputs = platform.outputs()
    reader = Traces(platform.cloud, outputs.audit_bucket, outputs.runs_bucket, platform.index_path)
    refreshed = reader.refresh(start, end)
    for problem in refreshed.problems:
        run.output.note(f"warning: {problem}")
    if run_id:
        _show_run(run, reader, run_id)
        return
    rows = reader.list(start, end, errors)
    if run.output.json:
        run.output.document(rows)
        return
    from toolkit.cli.render_traces import render_list

    if not rows:
        run.output.say(f"no runs since {start:%Y-%m-%d %H:%M} UTC")
        return
    render_list(rows, run.output.console(), reader.pending())


def _show_run(run: Session, reader: "Traces", run_id: str) -> None:
    import msgspec

    from toolkit.cli.render_traces import render_list, render_waterfall
    from toolkit.traces.waterfall import waterfall

    trace = reader.run(run_id, texts=run.output.json)
    if run.output.json:
        spans = [span._asdict() for span in trace.spans]
        document = {
            **msgspec.to_builtins(trace.summary),
            "complete": trace.complete,
            "pending": trace.pending,
        }
        run.output.document({**document, "span_list": spans})
        return
    console = run.output.console()
    render_list([trace.summary], console, {run_id} if trace.pending else set())
    render_waterfall(waterfall(trace.spans), console)

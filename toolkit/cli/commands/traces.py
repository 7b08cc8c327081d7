"""`tfkit traces`: list, one run, SQL, a page, and `traces export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.options import CONTEXT, Command, Group, Session, session
from toolkit.cli.traces_shown import follow_runs, show_list, show_run, show_schema, show_table
from toolkit.errors import TfkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from toolkit.contracts import TraceSummary
    from toolkit.traces import Traces
    from toolkit.traces.query import Filters

STATUSES = ("queued", "running", "ok", "not_converged", "budget_exceeded", "cancelled", "error")


@click.group(cls=Group)
@click.option("--since", default="1d", metavar="WHEN", help="1d, 12h, 30m, 2w, or a date (1d).")
@click.option("--until", default="", metavar="WHEN", help="As --since; now, when left out.")
@click.option("--run", "run_id", metavar="ID", help="One run: waterfall, tools, findings; -v in full.")
@click.option("--errors", is_flag=True, help="Only runs that did not end as ok.")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(STATUSES), help="Only these; repeatable."
)
@click.option("--model", "models", multiple=True, metavar="NAME", help="Only runs of this model; repeatable.")
@click.option("--min-cost", type=click.FloatRange(min=0), metavar="USD", help="Only runs that cost so much.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The newest N; with --sql the first.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--follow", "-f", is_flag=True, help="Go on with runs as they come and end, until Ctrl-C.")
@click.option(
    "--sql", "query", metavar="QUERY", help="Ask the views runs, spans, attempts; .schema tells them."
)
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    metavar="S",
    help="Seconds that --sql may take (30).",
)
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the runs, or the one of --run, as a page for a browser.",
)
def traces(
    since: str,
    until: str,
    run_id: str | None,
    query: str | None,
    as_csv: bool,
    follow: bool,
    seconds: float,
    page: Path | None,
    **filters: Any,
) -> None:
    """Show what the agent did: runs as rows, one as a waterfall.

    They are read from the audit bucket; what was read once is kept in an index on this machine.

    \b
    Examples:
      tfkit traces --since 1d
      tfkit --json traces --since 2w --errors
      tfkit traces --run RUN_ID
      tfkit traces --since 30d --sql "SELECT model, sum(cost_usd) FROM runs GROUP BY model"
      tfkit traces --since 7d --html traces.html
      tfkit traces export DIR --since 30d
    """
    if click.get_current_context().invoked_subcommand:
        return
    run = session()
    _refuse_contradictions(run, run_id, query, as_csv, follow, until, page)
    if query is not None and query.strip() == ".schema":
        show_schema(run, as_csv)
        return
    wanted = _filters(**filters)
    if run_id:
        since, until = _when_of(run_id) or (since, until)
    try:
        reader, start, end = open_traces(run, since, until)
    except TfkitError as large:
        _ask_athena(run, large, (since, until), query, seconds, wanted, as_csv, run_id or follow or page)
        return
    if query is not None:
        show_table(run, reader.sql(query, seconds, wanted.limit), as_csv)
    elif page:
        rows = [reader.run(run_id, texts=False).summary] if run_id else reader.list(start, end, wanted)
        _write_page(run, reader, rows, page, "" if run_id else f"since {start:%Y-%m-%d %H:%M} UTC")
    elif run_id:
        show_run(run, reader, run_id)
    elif follow:
        follow_runs(run, reader, start, wanted, as_csv)
    else:
        show_list(run, start, reader.list(start, end, wanted), reader.pending(), as_csv)


@traces.command("export", cls=Command, context_settings=CONTEXT)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@click.option("--since", default="30d", metavar="WHEN", help="30d, 2w, or a date (30d).")
@click.option("--until", default="", metavar="WHEN", help="As --since; now, when left out.")
def export(folder: Path, since: str, until: str) -> None:
    """Write Parquet by day into DIR, with DuckDB views over it.

    Each day of the window is written whole, in place of what was exported of it before. The views are
    those of `tfkit traces --sql .schema`; open them with: duckdb DIR/traces.duckdb

    \b
    Examples:
      tfkit traces export parquet
      tfkit traces export parquet --since 90d --until 30d
    """
    from toolkit.traces.export import DATABASE, duckdb

    duckdb()  # its absence is told before anything is fetched
    run = session()
    reader, start, end = open_traces(run, since, until)
    done = reader.export(folder, start, end)
    if run.output.json:
        run.output.document({"folder": str(folder), **done._asdict()})
        return
    if not done.days:
        run.output.say(f"no runs since {start:%Y-%m-%d}: nothing was written")
        return
    rows = ", ".join(f"{count:,} {view}" for view, count in done.rows.items())
    run.output.say(f"wrote {len(done.days)} days to {folder}: {rows}")
    run.output.say(f"  duckdb {folder / DATABASE}")


def open_traces(run: Session, since: str, until: str) -> "tuple[Traces, datetime, datetime]":
    """The traces of the platform that is up, brought up to date for the window, and the window."""
    from datetime import UTC, datetime

    from toolkit.traces import Traces

    start, end = _window(since, until, datetime.now(UTC))
    platform = run.platform()
    outputs, settings = platform.outputs(), platform.settings
    limit = settings.traces_local_mb * 1_000_000 if settings.target == "aws" else None
    reader = Traces(
        platform.cloud, outputs.audit_bucket, outputs.runs_bucket, platform.index_path, limit_bytes=limit
    )
    for problem in reader.refresh(start, end).problems:
        run.output.note(f"warning: {problem}")
    return reader, start, end


def _window(since: str, until: str, now: "datetime") -> "tuple[datetime, datetime]":
    from toolkit.traces import parse_time

    return parse_time(since, now), parse_time(until, now) if until else now


def _ask_athena(
    run: Session,
    large: TfkitError,
    window: tuple[str, str],
    query: str | None,
    seconds: float,
    wanted: "Filters",
    as_csv: bool,
    other: object,
) -> None:
    """Let Athena answer where the window is too large for this machine; every other error goes on its way."""
    from datetime import UTC, datetime

    from toolkit.traces import TooLarge

    if not isinstance(large, TooLarge) or other:
        raise large
    from toolkit.traces.athena import Athena

    run.output.note(f"{large.message}: Athena answers, without what is not delivered yet")
    start, end = _window(*window, datetime.now(UTC))
    platform = run.platform(announce=False)
    outputs = platform.outputs()
    athena = Athena(platform.cloud, outputs.glue_database, outputs.glue_table, outputs.runs_bucket)
    if query is not None:
        show_table(run, athena.sql(query, start, end, seconds, wanted.limit), as_csv)
    else:
        show_list(run, start, athena.list(start, end, wanted), frozenset(), as_csv)


def _when_of(run_id: str) -> tuple[str, str] | None:
    """The window in which the records of a run are, by the time in its id; None for an id that has none."""
    from datetime import UTC, datetime, timedelta

    from toolkit.tables import minted_at

    if not (minted := minted_at(run_id)):
        return None
    begun = datetime.fromtimestamp(minted, UTC)
    return begun.isoformat(), (begun + timedelta(days=1)).isoformat()


def _filters(
    errors: bool,
    statuses: "Sequence[str]",
    models: "Sequence[str]",
    min_cost: float | None,
    limit: int | None,
) -> "Filters":
    from toolkit.traces.query import Filters

    return Filters(models, statuses, errors, min_cost, limit)


def _refuse_contradictions(
    run: Session,
    run_id: str | None,
    query: str | None,
    as_csv: bool,
    follow: bool,
    until: str,
    page: Path | None,
) -> None:
    """One thing is shown at a time, and in one form."""
    chosen = {"--run": run_id, "--sql": query, "--follow": follow}
    given = [name for name, value in chosen.items() if value not in (None, False)]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} do not go together", "leave one of them out")
    for name, value, other in (
        ("--json", run.output.json, as_csv),
        ("--html", page, as_csv or follow or query),
    ):
        if value and other:
            what = "--csv" if as_csv else "--follow" if follow else "--sql"
            raise UsageError(f"{name} and {what} do not go together", "leave one of them out")
    if follow and run.output.json:
        raise UsageError("--follow has no end, and --json prints one document", "leave one of them out")
    if follow and until:
        raise UsageError("--follow has no end, and --until is one", "leave one of them out")
    if run_id and as_csv:
        raise UsageError(
            "one run is no table for --csv", 'its spans are: --csv --sql "SELECT * FROM spans …"'
        )


def _write_page(
    run: Session, reader: "Traces", rows: "Sequence[TraceSummary]", page: Path, window: str
) -> None:
    from toolkit.cli.traces_page import write_runs

    write_runs(run, run.platform(announce=False), reader, rows, page, window)

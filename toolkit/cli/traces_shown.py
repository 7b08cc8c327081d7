"""What `tfkit traces` prints: the list, one run, runs as they come, a table; as text, JSON or CSV."""

from typing import TYPE_CHECKING

import click

from toolkit.cli.options import Session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from toolkit.contracts import TraceSummary
    from toolkit.traces import Traces
    from toolkit.traces.query import Filters
    from toolkit.traces.sql import Table

FOLLOW_SECONDS = 2.0
"""Between two looks for new runs."""


def show_list(
    run: Session,
    start: "datetime",
    rows: "Sequence[TraceSummary]",
    pending: "frozenset[str]",
    as_csv: bool,
) -> None:
    """Print the runs; those whose id is in `pending` are marked."""
    if run.output.json:
        run.output.document(rows)
        return
    if as_csv:
        _write_csv(rows, head=True)
        return
    if not rows:
        run.output.say(f"no runs since {start:%Y-%m-%d %H:%M} UTC")
        return
    _show_rows(run, rows, pending)


def _show_rows(run: Session, rows: "Sequence[TraceSummary]", pending: "frozenset[str]") -> None:
    """The list; Rich is loaded only where there is more to draw than plain lines."""
    import shutil
    import sys

    from toolkit.cli.figures import plain_list, styled
    from toolkit.cli.output import PIPED_WIDTH

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPED_WIDTH
    some_pending = any(row.run_id in pending for row in rows)
    lines = None if some_pending else plain_list(rows, pending, width)
    if lines is not None:
        click.echo("\n".join(lines), color=styled())
        return
    from toolkit.cli.render_traces import render_list

    render_list(rows, run.output.console(), pending)


def _write_csv(rows: "Sequence[TraceSummary]", *, head: bool) -> None:
    import msgspec

    from toolkit.cli.csv_rows import write_csv
    from toolkit.contracts import TraceSummary

    write_csv(map(msgspec.structs.astuple, rows), TraceSummary.__struct_fields__ if head else ())


def show_run(run: Session, reader: "Traces", run_id: str) -> None:
    """Print one run: its row, the waterfall, what the gate found."""
    import msgspec

    from toolkit.traces.waterfall import waterfall

    trace = reader.run(run_id)
    if run.output.json:
        document = {
            **msgspec.to_builtins(trace.summary),
            "complete": trace.complete,
            "pending": trace.pending,
            "attempts": [attempt._asdict() for attempt in trace.attempts],
            "span_list": [span._asdict() for span in trace.spans],
        }
        run.output.document(document)
        return
    from toolkit.cli.render_traces import render_attempts, render_list, render_waterfall

    console = run.output.console()
    render_list([trace.summary], console, {run_id} if trace.pending else set())
    render_waterfall(waterfall(trace.spans), console, full=run.output.verbose)
    render_attempts(trace.attempts, console, full=run.output.verbose)


def follow_runs(run: Session, reader: "Traces", start: "datetime", filters: "Filters", as_csv: bool) -> None:
    """Print each run when it is first seen, and again when it has ended; the window grows with the time."""
    import time
    from datetime import UTC, datetime

    from toolkit.cli.render_traces import line_of

    console = run.output.console()
    seen: dict[str, str] = {}
    head = True
    while True:
        rows = reader.list(start, datetime.now(UTC), filters)
        new = [row for row in reversed(rows) if seen.get(row.run_id) != row.status]
        seen.update((row.run_id, row.status) for row in new)
        if as_csv:
            _write_csv(new, head=head)
        else:
            pending = reader.pending()
            for row in new:
                console.print(line_of(row, row.run_id in pending))
        head = False
        time.sleep(FOLLOW_SECONDS)
        for problem in reader.refresh(start, datetime.now(UTC)).problems:
            run.output.note(f"warning: {problem}")


def show_schema(run: Session, as_csv: bool) -> None:
    """Print the views and their columns."""
    from toolkit.traces.sql import schema

    show_table(run, schema(), as_csv)


def show_table(run: Session, table: "Table", as_csv: bool) -> None:
    """Print the answer to a query."""
    if table.cut:
        run.output.note(f"only the first {len(table.rows):,} rows: see --limit")
    if run.output.json:
        run.output.documents(dict(zip(table.columns, map(_plain, row), strict=True)) for row in table.rows)
    elif as_csv:
        from toolkit.cli.csv_rows import write_csv

        write_csv(table.rows, table.columns)
    elif not table.rows:
        run.output.say("no rows")
    else:
        from toolkit.cli.listing import render_rows

        rows = [["" if value is None else str(_plain(value)) for value in row] for row in table.rows]
        render_rows(run.output.console(), table.columns, rows)


def _plain(value: object) -> object:
    """What SQLite has and JSON has not: bytes become hex digits."""
    return value.hex() if isinstance(value, bytes) else value

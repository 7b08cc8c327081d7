"""`tfkit stats`."""

import click

from toolkit.cli.options import command, session


@command()
@click.option("--since", default="30d", metavar="WHEN", help="30d, 12h, 2w, or a date (30d).")
@click.option("--until", default="", metavar="WHEN", help="As --since; now, when left out.")
def stats(since: str, until: str) -> None:
    """Show what the runs came to: success, tokens, dollars.

    Success is told by attempt; the slowest tools and the most frequent findings follow.

    \b
    Examples:
      tfkit stats
      tfkit --json stats --since 7d
    """
    from toolkit.cli.commands.traces import open_traces

    run = session()
    reader, start, end = open_traces(run, since, until)
    found = reader.stats(start, end)
    if run.output.json:
        run.output.document(found)
    elif not found.runs:
        run.output.say(f"no runs since {start:%Y-%m-%d %H:%M} UTC")
    else:
        from toolkit.cli.render_stats import render_stats

        render_stats(found, run.output.console())

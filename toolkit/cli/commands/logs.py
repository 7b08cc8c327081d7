"""`tfkit logs`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from toolkit.cli.options import Session, command, session
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.function_logs import Line

METRICS = '{"_aws":'
"""How a line begins that is for CloudWatch's metrics, and no reading for people."""


@command()
@click.option("--since", default="1h", metavar="WHEN", help="1h, 30m, 1d, 2w, or a date (1h).")
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--run", "run_id", default="", metavar="ID", help="Only the lines of one run.")
def logs(since: str, follow: bool, run_id: str) -> None:
    """Show the logs of the agent and of its checker.

    Secrets are taken out of them before they are written. What was said to and by the model is not in
    them: see `tfkit traces`.

    \b
    Examples:
      tfkit logs --since 30m
      tfkit logs --follow
      tfkit --json logs --run RUN_ID
    """
    from datetime import UTC, datetime

    from toolkit.contracts import RUN_ID
    from toolkit.function_logs import FunctionLogs
    from toolkit.traces import parse_time

    run = session()
    if follow and run.output.json:
        raise UsageError("--follow has no end, and --json prints one document", "leave one of them out")
    if run_id and not RUN_ID.match(run_id):
        raise UsageError(f"{run_id!r} is no id of a run", "`tfkit runs` lists them")
    start = int(parse_time(since, datetime.now(UTC)).timestamp() * 1000)
    platform = run.platform()
    outputs = platform.outputs()
    groups = {"agent": outputs.log_group}
    if outputs.checker_function:
        groups["checker"] = f"/aws/lambda/{outputs.checker_function}"
    found = FunctionLogs(platform.cloud, groups, run_id)
    if run.output.json:
        run.output.documents(_as_data(line) for line in found.lines(start))
    else:
        _show(run, found.follow(start) if follow else found.lines(start))


def _show(run: Session, lines: "Iterable[Line]") -> None:
    shown = False
    for line in lines:
        if run.output.verbose or not line.message.startswith(METRICS):
            run.output.say(f"{_moment(line)}  {line.source:7}  {line.message}")
            shown = True
    if not shown:
        run.output.note("no lines: see --since")


def _as_data(line: "Line") -> dict[str, str]:
    return {"time": _moment(line), "source": line.source, "stream": line.stream, "message": line.message}


def _moment(line: "Line") -> str:
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(line.moment_ms / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{line.moment_ms % 1000:03d}Z"

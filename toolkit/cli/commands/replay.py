"""`tfkit replay`: recorded prompts again, compared with what came of them then."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from toolkit.cli.options import Session, command, session
from toolkit.errors import BudgetExceeded, Interrupted, TfkitError, UsageError

if TYPE_CHECKING:
    from toolkit.client import Client
    from toolkit.replay.recorded import NotReplayed, Recorded
    from toolkit.replay.runner import Replayed

# Not from `contracts`, whose import `--help` would pay for; a test compares them.
ENDED = ("ok", "not_converged", "budget_exceeded", "cancelled", "error")
LIMIT = 20


@command()
@click.argument("run_ids", metavar="[RUN]...", nargs=-1)
@click.option("--since", metavar="WHEN", help="Runs begun since: 30d, 12h, 2w, or a date; replays left out.")
@click.option("--until", metavar="WHEN", help="As --since; now, when left out.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(ENDED),
    help="With --since, only runs that ended so; repeatable (all but cancelled).",
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help=f"With --since, the newest N ({LIMIT})."
)
@click.option("-m", "--model", default="", metavar="MODEL", help="By this model (the one that each run had).")
@click.option(
    "--concurrency", type=click.IntRange(1, 32), default=4, metavar="N", help="How many at once (4)."
)
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0, min_open=True),
    metavar="USD",
    help="Begin no further one when all together have cost this.",
)
@click.option("--dry-run", is_flag=True, help="List what would be run and what it cost then; ask nothing.")
def replay(
    run_ids: tuple[str, ...],
    since: str | None,
    until: str | None,
    statuses: tuple[str, ...],
    limit: int | None,
    model: str,
    concurrency: int,
    max_cost: float | None,
    dry_run: bool,
) -> None:
    """Run recorded prompts again, and compare what comes of them.

    Each has the prompt, the starting files, the attachments and the budgets that it had then, and meets the
    platform as it is now. `same` is an outcome with the same status, the same findings and as many attempts.
    The exit code is 1 if a run could not be done again (its files are kept for 90 days), 5 if --max-cost ran
    out, and 0 otherwise, whatever has changed. Ctrl-C cancels those under way and compares the others.

    \b
    Examples:
      tfkit replay RUN_ID
      tfkit replay --since 30d --model haiku --dry-run
      tfkit --json replay --since 2026-11-01 --status ok --max-cost 5
    """
    run = session()
    _refuse_contradictions(run_ids, since, bool(until or statuses or limit))
    client = run.client()
    _refuse_unknown(client, model)
    if since:
        found, refused = _of_time(run, client, since, until, statuses, limit or LIMIT)
    else:
        found, refused = _by_name(client, run_ids)
    if dry_run:
        _list(run, client, found, refused, model)
        return
    ended = _run(run, client, found, model, concurrency, max_cost)
    _show(run, ended, refused)


def _refuse_contradictions(run_ids: tuple[str, ...], since: str | None, narrowed: bool) -> None:
    if bool(run_ids) == bool(since):
        raise UsageError(
            "say which runs", "by their ids: tfkit replay RUN…, or by time: tfkit replay --since 7d"
        )
    if run_ids and narrowed:
        raise UsageError("--until, --status and --limit go with --since", "leave them out, or the ids")


def _refuse_unknown(client: "Client", model: str) -> None:
    if model and model not in (known := client.registry().models):
        raise UsageError(f"unknown model {model!r}", "known are: " + ", ".join(sorted(known)))


def _by_name(client: "Client", run_ids: tuple[str, ...]) -> "tuple[list[Recorded], list[NotReplayed]]":
    from toolkit.replay.recorded import collect

    unique = list(dict.fromkeys(run_ids))
    return collect(client, unique, len(unique))


def _of_time(
    run: Session, client: "Client", since: str, until: str | None, statuses: tuple[str, ...], limit: int
) -> "tuple[list[Recorded], list[NotReplayed]]":
    """The newest runs of the time; a replay among them would only be compared with itself."""
    from toolkit.replay.recorded import COMPARABLE, collect, ended_between
    from toolkit.traces.since import parse_time

    now = datetime.now(UTC)
    start, end = parse_time(since, now), parse_time(until, now) if until else now
    if start > end:
        raise UsageError("--since is after --until", "exchange them")
    ids = [record.run_id for record in ended_between(client, start, end, statuses or COMPARABLE)]
    found, refused = collect(client, ids, limit, replays=False)
    if len(found) == limit and found[-1].request.run_id != ids[-1]:
        run.output.note(f"only the newest {limit} are taken; more with --limit")
    return found, refused


def _list(
    run: Session, client: "Client", found: "list[Recorded]", refused: "list[NotReplayed]", model: str
) -> None:
    """`--dry-run`: the runs, with what they had and cost; what cannot be had any more is found out here."""
    from toolkit.cli.render_replay import planned, render_planned
    from toolkit.replay.recorded import NotReplayed

    rows: list[Recorded] = []
    for one in found:
        try:
            client.given_to(one.request)
            rows.append(one)
        except TfkitError as error:
            refused.append(NotReplayed(run_id=one.request.run_id, reason=error.message))
    document = planned(rows, refused, model)
    if run.output.json:
        run.output.document(document)
    else:
        render_planned(run.output.console(), document)
    click.get_current_context().exit(TfkitError.exit_code if refused else 0)


def _run(
    run: Session,
    client: "Client",
    found: "list[Recorded]",
    model: str,
    concurrency: int,
    max_cost: float | None,
) -> "Replayed":
    from toolkit.cli.render_replay import ReplayProgress
    from toolkit.replay.compare import totals
    from toolkit.replay.runner import Runner

    then = totals([one.result for one in found]).cost_usd
    cost = "" if then is None else f"; they cost ${then:.4f} then"
    run.output.note(f"running {len(found)} again, at most {concurrency} at once{cost}")
    with ReplayProgress(run.output, len(found)) as progress:
        runner = Runner(
            client,
            model=model,
            at_once=concurrency,
            max_cost_usd=max_cost,
            budget_usd=run.settings().budget_usd,
            on_step=progress.step,
        )
        return runner.run(found)


def _show(run: Session, ended: "Replayed", refused: "list[NotReplayed]") -> None:
    from toolkit.cli.render_replay import render_comparison
    from toolkit.replay.compare import summed

    not_replayed = [*ended.not_replayed, *refused]
    comparison = summed(ended.done, not_replayed, interrupted=ended.interrupted)
    if run.output.json:
        run.output.document(comparison)
    else:
        render_comparison(run.output.console(), comparison)
    code = TfkitError.exit_code if not_replayed else 0
    if ended.out_of_budget:
        code = BudgetExceeded.exit_code
    click.get_current_context().exit(Interrupted.exit_code if ended.interrupted else code)

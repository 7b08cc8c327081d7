"""`tfkit up` and `tfkit preview`."""

from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.options import Session, command, session

if TYPE_CHECKING:
    from toolkit.contracts import ResourceEvent
    from toolkit.deploy.engine import Summary
    from toolkit.deploy.platform import Platform


def deployment_document(platform: "Platform", summary: "Summary") -> dict[str, object]:
    """What `up`, `preview` and `down` print as JSON."""
    import msgspec

    return {
        **platform.where,
        "changes": msgspec.to_builtins(summary.changes),
        "outputs": _known(summary.outputs),
        "seconds": round(summary.seconds, 3),
    }


def _known(value: object) -> object:
    """The outputs with null for what only a deployment will tell."""
    from toolkit.deploy.wire import UNKNOWN

    if isinstance(value, dict):
        return {name: _known(inner) for name, inner in value.items()}
    return None if value == UNKNOWN else value


@command()
@click.option("--yes", is_flag=True, help="Do not ask before changing a real account.")
@click.option(
    "--llm", metavar="URL", help="An OpenAI-compatible server for the local target; `none` takes it away."
)
@click.option("--llm-model", metavar="NAME", help="The model's name on that server.")
@click.option("--email", metavar="ADDRESS", help="Where alarms are sent.")
@click.option(
    "--validators", metavar="A,B", help="Runs are checked by exactly these; `none` goes back to the default."
)
@click.option(
    "--unsandboxed", is_flag=True, help="Check a run's code also on a machine that has no sandbox for it."
)
@click.option(
    "--compliance-days",
    type=click.IntRange(1),
    metavar="N",
    help="With lock_mode COMPLIANCE: the days, typed back, for which nobody can delete a record.",
)
def up(yes: bool, compliance_days: int | None, **chosen: Any) -> None:
    """Bring the platform up, or to what the settings say now.

    In a real account it shows first what will change and what that costs, and asks. Run again it finds
    nothing to do. Ctrl-C leaves a consistent state; the next `up` goes on from there. It also releases
    what `tfkit stop` held.

    \b
    Examples:
      tfkit up
      tfkit up --llm http://127.0.0.1:11434/v1 --llm-model qwen2.5-coder
      tfkit up --target aws --profile sandbox --email me@example.com
    """
    from toolkit.cli.render_deploy import Progress, render_summary

    run = _session(**chosen)
    platform = run.platform(moving=True)
    platform.ready()
    _confirm(run, platform, yes=yes, compliance_days=compliance_days)
    with Progress(run.output) as progress:
        summary = platform.up(progress.event, progress.line)
    if run.output.json:
        run.output.document(deployment_document(platform, summary))
    else:
        render_summary(run.output.console(), summary, "up")
        run.output.say('next: tfkit ask "an encrypted S3 bucket with a 30-day lifecycle"')


@command()
@click.option("--llm", metavar="URL", help="As with `up`.")
@click.option("--llm-model", metavar="NAME", help="As with `up`.")
@click.option("--email", metavar="ADDRESS", help="As with `up`.")
@click.option("--validators", metavar="A,B", help="As with `up`.")
@click.option("--unsandboxed", is_flag=True, help="As with `up`.")
def preview(**chosen: Any) -> None:
    """Show what `up` would do, and change nothing.

    For a real account it also shows what the platform costs in a month in which nobody uses it.

    \b
    Examples:
      tfkit preview
      tfkit preview --target aws --profile sandbox
      tfkit preview --json
    """
    import msgspec

    from toolkit.cli.render_deploy import render_costs
    from toolkit.deploy.cost import total

    run = _session(**chosen)
    platform = run.platform(moving=True)
    summary, events = _plan(run, platform)
    costs = platform.costs(events) if platform.target.asks else []
    if run.output.json:
        document = deployment_document(platform, summary)
        if platform.target.asks:
            document["idle_usd_per_month"] = total(costs)
            document["idle"] = msgspec.to_builtins(costs)
        run.output.document(document)
    elif costs:
        render_costs(run.output.console(), costs)


def _session(
    llm: str | None, llm_model: str | None, email: str | None, validators: str | None, unsandboxed: bool
) -> Session:
    """The options of `up` and `preview` as settings. Raises `UsageError` where no validators are named."""
    from toolkit.checker.selection import parse_names

    return session(
        llm=llm,
        llm_model=llm_model,
        email=email,
        validator_names=None if validators is None else list(parse_names(validators)),
        unsandboxed=unsandboxed or None,
    )


def _plan(run: Session, platform: "Platform") -> "tuple[Summary, list[ResourceEvent]]":
    """Preview, and show it to a person."""
    from toolkit.cli.render_deploy import Progress, render_changes, render_summary

    platform.ready()
    with Progress(run.output) as progress:
        summary = platform.preview(progress.event)
    if platform.moves:
        lost = (
            "`up` refuses it as long as there is data in the old buckets"
            if platform.target.asks
            else "the records and files of its runs go with the old buckets, their traces stay here"
        )
        run.output.note(f"{platform.moves} changes, which replaces the platform: {lost}")
    if not run.output.json:
        render_changes(run.output.console(), progress.events)
        render_summary(run.output.console(), summary, "preview")
    return summary, progress.events


def _confirm(run: Session, platform: "Platform", *, yes: bool, compliance_days: int | None) -> None:
    """See to it that whoever answers for a real account knows what is coming.

    Raises `UsageError` where nobody is there to agree, and `Interrupted` where the answer is no.
    """
    if platform.target.asks:
        from toolkit.cli.agreement import agree_to_lock, agree_to_plan

        agree_to_lock(run.output, platform.settings, compliance_days)
        if not yes:
            agree_to_plan(run.output, lambda: _costly(run, platform), "deploy this")
    if platform.moves and (yes or not platform.target.asks):
        _plan(run, platform)  # announced, before it happens


def _costly(run: Session, platform: "Platform") -> None:
    from toolkit.cli.render_deploy import render_costs

    _, events = _plan(run, platform)
    render_costs(run.output.console(), platform.costs(events))

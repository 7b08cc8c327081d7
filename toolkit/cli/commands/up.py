"""`tfkit up` and `tfkit preview`."""

from typing import TYPE_CHECKING

import click

from toolkit.cli.options import command, session

if TYPE_CHECKING:
    from toolkit.deploy.engine import Summary
    from toolkit.deploy.platform import Platform


def deployment_document(platform: "Platform", summary: "Summary") -> dict[str, object]:
    """What `up`, `preview` and `down` print as JSON."""
    import msgspec

    settings = platform.settings
    return {
        "target": settings.target,
        "account": platform.account,
        "region": settings.region,
        "stack": settings.stack,
        "changes": msgspec.to_builtins(summary.changes),
        "outputs": summary.outputs,
        "seconds": round(summary.seconds, 3),
    }


@command()
@click.option("--yes", is_flag=True, expose_value=False, help="Do not ask before changing a real account.")
@click.option(
    "--llm", metavar="URL", help="An OpenAI-compatible server for the local target; `none` takes it away."
)
@click.option("--llm-model", metavar="NAME", help="The model's name on that server.")
@click.option("--email", metavar="ADDRESS", help="Where alarms are sent.")
def up(llm: str | None, llm_model: str | None, email: str | None) -> None:
    """Bring the platform up, or to what the settings say now.

    Run again it finds nothing to do. Ctrl-C leaves a consistent state; the next `up` goes on from there.

    \b
    Examples:
      tfkit up
      tfkit up --llm http://127.0.0.1:11434/v1 --llm-model qwen2.5-coder
    """
    from toolkit.cli.render_deploy import Progress, render_summary

    run = session(llm=llm, llm_model=llm_model, email=email)
    platform = run.platform()
    with Progress(run.output) as progress:
        summary = platform.up(progress.event)
    if run.output.json:
        run.output.document(deployment_document(platform, summary))
    else:
        render_summary(run.output.console(), summary, "up")
        run.output.say('next: tfkit ask "an encrypted S3 bucket with a 30-day lifecycle"')


@command()
@click.option("--llm", metavar="URL", help="As with `up`.")
@click.option("--llm-model", metavar="NAME", help="As with `up`.")
@click.option("--email", metavar="ADDRESS", help="As with `up`.")
def preview(llm: str | None, llm_model: str | None, email: str | None) -> None:
    """Show what `up` would do, and change nothing."""
    from toolkit.cli.render_deploy import Progress, render_changes, render_summary

    run = session(llm=llm, llm_model=llm_model, email=email)
    platform = run.platform()
    with Progress(run.output) as progress:
        summary = platform.preview(progress.event)
    if run.output.json:
        run.output.document(deployment_document(platform, summary))
    else:
        render_changes(run.output.console(), progress.events)
        render_summary(run.output.console(), summary, "preview")

"""`tfkit down`."""

from typing import TYPE_CHECKING

import click

from toolkit.cli.options import Session, command, session

if TYPE_CHECKING:
    from toolkit.deploy.engine import Summary
    from toolkit.deploy.platform import Platform
    from toolkit.deploy.receipt import Receipt


@command()
@click.option("--yes", is_flag=True, help="Do not ask before deleting in a real account.")
@click.option("--keep-data", is_flag=True, help="Keep the audit and runs buckets, and their key.")
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
def down(yes: bool, keep_data: bool, dry_run: bool) -> None:
    """Take the platform down, and show the receipt.

    Nothing that the platform did not make is touched, and what is left is found by listing the stack's
    tag again. Records under Object Lock stay until their date, with their bucket and its key; the next
    `up` goes on with them, and a later `down` takes them away. On the local target the emulator is
    stopped and what it kept on disk is removed. Run again it says that there is nothing.

    \b
    Examples:
      tfkit down --dry-run
      tfkit down
      tfkit down --target aws --keep-data
    """
    from toolkit.cli.agreement import agree_to_plan
    from toolkit.cli.render_deploy import Progress, render_receipt, render_summary

    run = session()
    platform = run.platform()
    if not platform.exists:
        _nothing(run, platform, dry_run=dry_run)
        return
    platform.ready()
    if dry_run:
        summary, receipt = _plan(run, platform, keep_data=keep_data)
        if run.output.json:
            _document(run, platform, summary, receipt)
        return
    if platform.target.asks and not yes:
        agree_to_plan(run.output, lambda: _plan(run, platform, keep_data=keep_data), "delete this")
    with Progress(run.output) as progress:
        summary, receipt = platform.destroy(progress.event, keep_data=keep_data)
    # The receipt first: it is true whatever becomes of the rest.
    if run.output.json:
        _document(run, platform, summary, receipt)
    else:
        render_summary(run.output.console(), summary, "down")
        render_receipt(run.output.console(), receipt)
    platform.close()


def _nothing(run: Session, platform: "Platform", *, dry_run: bool) -> None:
    from toolkit.contracts import Changes
    from toolkit.deploy.engine import Summary
    from toolkit.deploy.receipt import Receipt

    if not dry_run:
        platform.end()
    if run.output.json:
        _document(run, platform, Summary(changes=Changes()), Receipt())
    run.output.say(f"nothing is deployed under the name {platform.settings.stack!r}: nothing to do")


def _plan(run: Session, platform: "Platform", *, keep_data: bool) -> "tuple[Summary, Receipt]":
    from toolkit.cli.render_deploy import Progress, render_changes, render_kept, render_summary

    with Progress(run.output) as progress:
        summary, receipt = platform.plan_down(progress.event, keep_data=keep_data)
    if not run.output.json:
        render_changes(run.output.console(), progress.events)
        render_kept(run.output.console(), receipt)
        render_summary(run.output.console(), summary, "preview")
    return summary, receipt


def _document(run: Session, platform: "Platform", summary: "Summary", receipt: "Receipt") -> None:
    import msgspec

    from toolkit.cli.commands.up import deployment_document

    run.output.document({**deployment_document(platform, summary), "receipt": msgspec.to_builtins(receipt)})

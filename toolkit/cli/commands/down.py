"""`tfkit down`."""

import click

from toolkit.cli.options import command, session


@command()
@click.option("--yes", is_flag=True, expose_value=False, help="Do not ask before deleting in a real account.")
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
def down(dry_run: bool) -> None:
    """Take the platform down, and show the receipt.

    What is left is found by listing the stack's tag again. On the local target the emulator is stopped
    and what it kept on disk is removed. Run again it says that there is nothing.
    """
    import msgspec

    from toolkit.cli.commands.up import deployment_document
    from toolkit.cli.render_deploy import Progress, render_changes, render_receipt, render_summary
    from toolkit.contracts import Changes
    from toolkit.deploy.engine import Summary
    from toolkit.deploy.receipt import Receipt

    run = session()
    platform = run.platform()
    if not platform.exists:
        platform.stop()
        if run.output.json:
            nothing = Summary(changes=Changes())
            run.output.document(
                {**deployment_document(platform, nothing), "receipt": msgspec.to_builtins(Receipt())}
            )
        run.output.say(f"nothing is deployed under the name {platform.settings.stack!r}: nothing to do")
        return
    with Progress(run.output) as progress:
        if dry_run:
            summary, receipt = platform.plan_down(progress.event), Receipt()
        else:
            summary, receipt = platform.destroy(progress.event)
            platform.stop()
    if run.output.json:
        run.output.document(
            {**deployment_document(platform, summary), "receipt": msgspec.to_builtins(receipt)}
        )
        return
    console = run.output.console()
    if dry_run:
        render_changes(console, progress.events)
        render_summary(console, summary, "preview")
    else:
        render_summary(console, summary, "down")
        render_receipt(console, receipt)

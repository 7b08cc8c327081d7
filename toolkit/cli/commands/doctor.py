"""`tfkit doctor`: what is missing on this machine or in an account, and the command that mends it."""

from typing import TYPE_CHECKING

import click

from toolkit.cli.options import command, session

if TYPE_CHECKING:
    from toolkit.cloud import Cloud


@command()
def doctor() -> None:
    """Say what is missing on this machine, and how to mend it.

    With --target aws also what is missing in the account, where each model that the account has access to is
    asked for one token. Starts nothing and changes nothing. The exit code is 1 if a check fails; a line that
    begins with ! is a warning.

    \b
    Examples:
      tfkit doctor
      tfkit doctor --target aws --profile sandbox
    """
    from toolkit.cli.render_checks import render_checks
    from toolkit.deploy.checks.examine import examine

    run = session()
    settings = run.settings()

    def announce(cloud: "Cloud") -> None:
        run.output.where(settings.target, cloud.account, cloud.region, settings.stack)

    checks = examine(settings, announce)
    if run.output.json:
        run.output.document({"checks": checks})
    else:
        render_checks(run.output.console(), checks)
    click.get_current_context().exit(0 if all(check.ok for check in checks) else 1)

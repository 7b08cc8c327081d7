"""What a person agrees to before a real account is changed."""

from collections.abc import Callable

import click

from toolkit.cli.output import Output
from toolkit.errors import Interrupted, UsageError
from toolkit.settings import Settings


def agree_to_plan(output: Output, show: Callable[[], object], what: str) -> None:
    """Show a plan and ask. Raises `UsageError` where nobody can answer, `Interrupted` for a no."""
    if not output.can_ask:
        raise UsageError("this changes a real account, and nobody is here to agree", "add --yes")
    show()
    if not output.agree(f"{what}?"):
        raise Interrupted("not agreed to; nothing was changed", "run it again, and answer with y")


def agree_to_lock(output: Output, settings: Settings, typed: int | None) -> None:
    """For lock mode COMPLIANCE: have the days typed back, because nobody can take such a lock off, ever.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html#object-lock-retention-modes
    """
    if settings.lock_mode != "COMPLIANCE":
        return
    days = settings.lock_days
    if typed is None and output.can_ask:
        output.note(f"lock_mode is COMPLIANCE: nobody, not even root, can delete a record for {days} days")
        typed = click.prompt("type the number of days to go on", type=int, err=True)
    if typed != days:
        raise UsageError(
            f"lock_mode is COMPLIANCE and the {days} days of lock_days were not typed back",
            f"agree with --compliance-days {days}, or set lock_mode to GOVERNANCE",
        )

"""`tfkit stop`."""

from toolkit.cli.options import command, session

HOW = {
    "ended": "what there was is stored",
    "closed": "its worker did not answer; what it may still store says the same",
    "never began": "it had not begun",
    "before": "it was already",
}
"""What people read of `toolkit.cancelling.How`."""


@command()
def stop() -> None:
    """The brake: no new runs; running ones are cancelled.

    Asks nothing, and takes ten seconds at most; `up` releases it. A request that waits to be started is
    refused when its turn comes, also after the release.

    \b
    Examples:
      tfkit stop
      tfkit stop --target aws --stack prod --json
    """
    run = session()
    platform = run.platform()
    stopped = platform.stop()
    if run.output.json:
        run.output.document(
            {
                **platform.where,
                "stopped": True,
                "cancelled": [each.run_id for each in stopped.cancelled],
                "seconds": stopped.seconds,
            }
        )
        return
    ran = len(stopped.cancelled)
    said = f"{ran} {'run' if ran == 1 else 'runs'} cancelled" if ran else "nothing was running"
    run.output.say(f"is stopped: no run begins, {said} · {stopped.seconds:.1f} s")
    for each in stopped.cancelled:
        run.output.say(f"  cancelled  {each.run_id}  {HOW[each.how]}")
    run.output.say("next: tfkit up releases it")

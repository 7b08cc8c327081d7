"""`tfkit chat`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.options import command, session

if TYPE_CHECKING:
    from toolkit.contracts import RehearseDepth


@command()
@click.option(
    "--conversation", "earlier", metavar="ID", help="Go on with this conversation, or with that of this run."
)
@click.option("-m", "--model", default="", metavar="MODEL", help="A model of the registry (its default).")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the files go after each turn that is `ok` (./tfkit-runs/CONVERSATION).",
)
@click.option(
    "--rehearse",
    type=click.Choice(("off", "plan", "apply")),
    help="How far the real provider goes against a throwaway emulator before a turn is `ok` (plan).",
)
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0, min_open=True),
    metavar="USD",
    help="What the turns of this chat may cost together.",
)
def chat(
    earlier: str | None,
    model: str,
    folder: Path | None,
    rehearse: "RehearseDepth | None",
    max_cost: float | None,
) -> None:
    """Talk with the agent: each line is a turn.

    A turn goes on from the files of the last one.

    Lines come from the terminal, or from standard input, one a turn. It ends with Ctrl-D, /quit, or when the
    model takes a goodbye for the end; Ctrl-C cancels the turn that is under way. What this chat wrote to the
    folder is replaced by the files of each turn that is `ok`, and nothing else there is touched.

    The exit code is that of the last turn, as of `ask`. --json prints one document at the end: conversation,
    turns (what `ask --json` prints), terminate.

    \b
    Examples:
      tfkit chat
      tfkit chat --conversation 0abcdefgh1234567 -o infra
      printf 'an SQS queue\\nadd a dead-letter queue\\nbye\\n' | tfkit chat --json
    """
    from toolkit.cli.talking import Talk, lines

    run = session()
    talk = Talk.begin(run, earlier, model, folder, rehearse, max_cost)
    try:
        for line in lines(run.output):
            talk.turn(line)
            if talk.over:
                break
    finally:
        talk.say_goodbye()
    click.get_current_context().exit(talk.exit_code)

"""`tfkit completion`: print, install and take away what completes tfkit's words in a shell."""

import os
from typing import TYPE_CHECKING

import click

from toolkit.cli.options import CONTEXT, Command, Session, group, session

if TYPE_CHECKING:
    from toolkit.cli.shells import Change, Shell

# Not from `shells`, which `--help` does not need; a test compares them.
SHELLS = ("bash", "zsh", "fish")
DONE = {"same": "already there", "write": "written", "change": "changed", "remove": "removed"}
WOULD = {**DONE, "write": "would be written", "change": "would be changed", "remove": "would be removed"}


@group()
def completion() -> None:
    """Print or install what completes tfkit's words in a shell.

    Tab then offers commands, options and values, and of what this machine knows runs, models and stacks; no
    cloud is asked. Without a command the script for your shell is printed.

    \b
    Examples:
      tfkit completion install
      tfkit completion zsh
    """
    if click.get_current_context().invoked_subcommand is None:
        from toolkit.cli.shells import shell_of

        _print(shell_of(os.environ))


@completion.command("bash", cls=Command, context_settings=CONTEXT)
def bash() -> None:
    """Print the script for bash, from 4.4 on.

    \b
    Example:
      eval "$(tfkit completion bash)"
    """
    _print("bash")


@completion.command("zsh", cls=Command, context_settings=CONTEXT)
def zsh() -> None:
    """Print the script for zsh.

    \b
    Example:
      eval "$(tfkit completion zsh)"
    """
    _print("zsh")


@completion.command("fish", cls=Command, context_settings=CONTEXT)
def fish() -> None:
    """Print the script for fish.

    \b
    Example:
      tfkit completion fish | source
    """
    _print("fish")


@completion.command("install", cls=Command, context_settings=CONTEXT)
@click.option("--shell", type=click.Choice(SHELLS), help="Which shell (the one that SHELL names).")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
def install(shell: "Shell | None", dry_run: bool) -> None:
    """Install the script for this user.

    bash and fish find the file by themselves; for zsh a marked block at the end of .zshrc loads it. XDG
    folders and ZDOTDIR are heeded. A file that tfkit did not write is never touched, and what is there
    already stays as it is.

    \b
    Examples:
      tfkit completion install
      tfkit completion install --shell fish --dry-run
    """
    from toolkit.cli import shells

    run = session()
    chosen = shell or shells.shell_of(os.environ)
    changes = shells.install(chosen, os.environ)
    _make(run, changes, dry_run=dry_run, then=shells.activation(chosen, os.environ))


@completion.command("uninstall", cls=Command, context_settings=CONTEXT)
@click.option("--shell", type=click.Choice(SHELLS), help="Only from this shell (all three).")
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
def uninstall(shell: "Shell | None", dry_run: bool) -> None:
    """Take away what `install` wrote, and nothing else.

    \b
    Examples:
      tfkit completion uninstall
      tfkit completion uninstall --shell zsh --dry-run
    """
    from toolkit.cli import shells

    run = session()
    chosen = (shell,) if shell else shells.SHELLS
    changes = [change for each in chosen for change in shells.uninstall(each, os.environ)]
    _make(run, changes, dry_run=dry_run, then="")
    if not changes:
        run.output.say("nothing of tfkit's is there")


def _print(shell: "Shell") -> None:
    from toolkit.cli.shells import script

    run = session()
    if run.output.json:
        run.output.document({"shell": shell, "script": script(shell)})
    else:
        run.output.code(script(shell))


def _make(run: Session, changes: "list[Change]", *, dry_run: bool, then: str) -> None:
    """Make the changes, say what was done, and what is left to do."""
    for change in changes if not dry_run else ():
        change.make()
    if run.output.json:
        files = [{"path": str(change.path), "action": change.action} for change in changes]
        run.output.document({"files": files, "dry_run": dry_run, "next": then})
        return
    for change in changes:
        run.output.say(f"{(WOULD if dry_run else DONE)[change.action]}: {change.path}")
    if then and not dry_run:
        run.output.say(f"next: {then}")

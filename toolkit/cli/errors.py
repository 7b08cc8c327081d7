"""What went wrong, for the reader: `error:`, then `hint:`, and an exit code that scripts can rely on."""

import json
import sys
import traceback
from collections.abc import Sequence

import click

from toolkit.errors import Interrupted, TfkitError


def run(group: click.Group, arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code. Only `-v` shows a traceback."""
    try:
        answer = group.main(list(arguments), prog_name="tfkit", standalone_mode=False)
        return answer if isinstance(answer, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.UsageError as error:
        context = f"see: {error.ctx.command_path} --help" if error.ctx else ""
        return _report(arguments, error.format_message(), context, error.exit_code)
    except click.ClickException as error:
        return _report(arguments, error.format_message(), "", error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _report(arguments, "interrupted", "what was done is kept; the command goes on from there", 130)
    except Interrupted as error:
        return _report(arguments, error.message, error.hint, error.exit_code)
    except TfkitError as error:
        _trace(arguments)
        return _report(arguments, error.message, error.hint, error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; nothing is left to say
        return 1
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback reaches a user without -v
        _trace(arguments)
        return _report(arguments, f"{type(error).__name__}: {error}", "run it again with -v and report this", 1)


def _report(arguments: Sequence[str], message: str, hint: str, code: int) -> int:
    click.echo(f"error: {message}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
    if "--json" in arguments:
        click.echo(json.dumps({"error": message, "hint": hint}))
    return code


def _trace(arguments: Sequence[str]) -> None:
    if "-v" in arguments or "--verbose" in arguments:
        traceback.print_exc()

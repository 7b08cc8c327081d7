"""What went wrong, for the reader: `error:`, then `hint:`, and an exit code that scripts can rely on."""

import io
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from toolkit.cli.text import harmless
from toolkit.errors import Interrupted, TfkitError

KINDS = {
    "float range": "number", "float": "number", "integer range": "whole number", "integer": "whole number",
}  # fmt: skip
"""What Click says of a value that is none, and what a reader does."""


def run(group: click.Group, arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code. Only `-v` shows a traceback."""
    _never_fail_to_print()
    try:
        return _run(group, arguments)
    except BrokenPipeError:  # in the report of an error; Click sees to the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(group: click.Group, arguments: Sequence[str]) -> int:
    given: dict[str, Any] = {}  # the global options, as they are met: see `options`
    try:
        answer = group.main(list(arguments), prog_name="tfkit", standalone_mode=False, obj=given)
        return answer if isinstance(answer, int) else 0
    except click.ClickException as error:
        return _report(_guess(given, arguments), *_in_our_words(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _report(given, "interrupted", "what was done is kept; the command goes on from there", 130)
    except Interrupted as error:
        return _report(given, error.message, error.hint, error.exit_code)
    except TfkitError as error:
        _trace(given)
        return _report(given, error.message, error.hint, error.exit_code)
    except SystemExit as gone:  # Click and Rich end so where whoever read our output has gone
        return gone.code if isinstance(gone.code, int) else 1
    except OSError as error:
        _trace(given)
        where = f"{error.filename}: " if error.filename else ""
        hint = "look whether the folder exists, whether you may write there, and whether the disk is full"
        return _report(given, f"{where}{error.strerror or error}", hint, 1)
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback reaches a user without -v
        _trace(given)
        if type(error).__module__.startswith("botocore"):
            from toolkit.deploy.aws_identity import refused

            known = refused(error)
            return _report(given, known.message, known.hint, known.exit_code)
        return _report(given, f"{type(error).__name__}: {error}", "run it again with -v and report this", 1)


def _report(given: dict[str, Any], message: str, hint: str, code: int) -> int:
    click.echo(f"error: {harmless(message, multiline=True)}", err=True)
    if hint:
        click.echo(f"hint: {harmless(hint, multiline=True)}", err=True)
    if given.get("json"):
        import json

        click.echo(json.dumps({"error": message, "hint": hint}))
    return code


def _trace(given: dict[str, Any]) -> None:
    if given.get("verbose"):
        import traceback  # here, as json above: milliseconds that a Tab need not pay

        traceback.print_exc()


def _guess(given: dict[str, Any], arguments: Sequence[str]) -> dict[str, Any]:
    """The options of a line that could not be read to its end; what follows `--` is never an option."""
    options = list(arguments)
    options = options[: options.index("--")] if "--" in options else options
    return {**given, "json": given.get("json") or "--json" in options}


def _in_our_words(error: click.ClickException) -> tuple[str, str]:
    """Message and hint of an error of Click's."""
    hints: list[str] = []
    message = error.format_message()
    if isinstance(error, (click.exceptions.NoSuchCommand, click.exceptions.NoSuchOption)):
        message = error.message
        if error.possibilities:
            *others, last = sorted(error.possibilities)
            hints.append(f"did you mean {', '.join(others)}{' or ' if others else ''}{last}?")
    if isinstance(error, click.UsageError) and error.ctx:
        hints.append(f"see: {error.ctx.command_path} --help")
    for theirs, ours in KINDS.items():
        message = message.replace(f"is not a valid {theirs}.", f"is no {ours}")
    return message[:1].lower() + message[1:].removesuffix("."), " ".join(hints)


def _never_fail_to_print() -> None:
    """A character that the terminal's encoding does not have is replaced; it ends no command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")

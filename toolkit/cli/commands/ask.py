"""`tfkit ask`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.options import Session, command, session
from toolkit.cli.statement_file import save_statement
from toolkit.errors import BudgetExceeded, NotConverged, TfkitError, UsageError

if TYPE_CHECKING:
    from toolkit.client import Client
    from toolkit.contracts import AskRequest, RehearseDepth, RunResult

MAX_PROMPT = 100_000
# Not from `contracts`, whose import `--help` would pay for; a test compares them.
DEPTHS = ("off", "plan", "apply")
EXIT_BY_STATUS = {
    "not_converged": NotConverged.exit_code,
    "budget_exceeded": BudgetExceeded.exit_code,
    "cancelled": TfkitError.exit_code,
    "error": TfkitError.exit_code,
}


@command()
@click.argument("prompt", required=False)
@click.option(
    "--prompt-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the prompt from a file.",
)
@click.option("-m", "--model", default="", metavar="MODEL", help="A model of the registry (its default).")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the files go (./tfkit-runs/RUN_ID); new or empty.",
)
@click.option("-x", "--extract", is_flag=True, help="Print only the code.")
@click.option("--detach", is_flag=True, help="Print the run id and do not wait.")
@click.option("--run-id", metavar="ID", help="Choose the run's id; the same id and request do nothing twice.")
@click.option(
    "--rehearse",
    type=click.Choice(DEPTHS),
    help="How far the real provider goes against a throwaway emulator before it is `ok` (plan).",
)
@click.option(
    "--max-cost", type=click.FloatRange(min=0, min_open=True), metavar="USD", help="Stop when this is spent."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    metavar="S",
    help="Seconds that the run may take (600).",
)
def ask(
    prompt: str | None,
    prompt_file: Path | None,
    model: str,
    folder: Path | None,
    extract: bool,
    detach: bool,
    run_id: str | None,
    rehearse: "RehearseDepth | None",
    max_cost: float | None,
    timeout: float | None,
) -> None:  # fmt: skip
    """Ask the agent for Terraform, and follow the run.

    PROMPT is a text, or `-` for standard input. The files go to a folder of their own. The exit code is 0
    only if every required validator found the files clean; 3 if not, 5 if a budget ran out.

    \b
    Examples:
      tfkit ask "an encrypted S3 bucket with a 30-day lifecycle"
      tfkit --json ask "an SQS queue with a dead-letter queue" -o queue
      echo "a DynamoDB table for sessions with TTL" | tfkit ask - -x
    """
    from toolkit.client import new_run_id, refuse_used
    from toolkit.contracts import RUN_ID, AskRequest

    text = _prompt(prompt, prompt_file)
    if detach and folder:
        raise UsageError(
            "--detach writes no files", "leave -o out, and fetch them later: tfkit runs files ID -o DIR"
        )
    if run_id and not RUN_ID.fullmatch(run_id):
        raise UsageError(
            f"{run_id!r} cannot be a run id", "use 8 to 48 lower-case letters, digits and hyphens"
        )
    run_id = run_id or new_run_id()
    target = folder or Path("tfkit-runs") / run_id
    if not detach and (folder or not extract):
        refuse_used(target)
    run = session()
    client = run.client()
    chosen = _model(client, model)
    settings = run.settings()
    request = AskRequest(
        run_id=run_id,
        prompt=text,
        model=chosen,
        caller=client.caller(),
        rehearse=rehearse or settings.rehearse,
        max_cost_usd=max_cost or settings.budget_usd,
        timeout_s=timeout or settings.budget_seconds,
        max_turns=settings.budget_turns,
        max_tool_calls=settings.budget_tool_calls,
        max_tokens=settings.budget_tokens,
    )
    client.submit(request)
    if detach:
        _detached(run, run_id)
        return
    result = _follow(run, client, request)
    statement = None
    if result.files and (folder or not extract):
        client.download(result, target)
        statement = save_statement(run, client, result, target)
    _show(run, client, result, target, extract)
    if statement and not extract:
        run.output.say(f"signed: {statement.name} beside it; check it with: tfkit verify {target}")
    click.get_current_context().exit(EXIT_BY_STATUS.get(result.status, 0))


def _detached(run: Session, run_id: str) -> None:
    if run.output.json:
        run.output.document({"run_id": run_id, "status": "queued"})
    else:
        run.output.say(f"{run_id}\nfollow it: tfkit runs show {run_id}")


def _prompt(prompt: str | None, prompt_file: Path | None) -> str:
    if (prompt is None) == (prompt_file is None):
        raise UsageError(
            "say what you need, once", 'tfkit ask "…", or `-` for standard input, or --prompt-file FILE'
        )
    if prompt_file:
        text = prompt_file.read_text("utf-8-sig", "replace")
    elif prompt == "-":
        text = sys.stdin.buffer.read().decode("utf-8-sig", "replace")
    else:  # what was no UTF-8 on the command line arrives as surrogates
        text = (prompt or "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if not text.strip():
        raise UsageError("the prompt is empty", 'say what you need: tfkit ask "an encrypted S3 bucket"')
    if len(text) > MAX_PROMPT:
        raise UsageError(f"the prompt has {len(text)} characters; {MAX_PROMPT} are allowed", "shorten it")
    return text.strip()


def _model(client: "Client", name: str) -> str:
    """The registry's name of the model; said here so that a typing mistake costs no run."""
    registry = client.registry()
    if name and name not in registry.models:
        raise UsageError(f"unknown model {name!r}", "known are: " + ", ".join(sorted(registry.models)))
    return name or registry.default


def _follow(run: Session, client: "Client", request: "AskRequest") -> "RunResult":
    from toolkit.cli.render_run import RunProgress

    with RunProgress(run.output, request.run_id) as progress:
        client.follow(request.run_id, progress.update)
    return client.result(request.run_id)


def _show(run: Session, client: "Client", result: "RunResult", target: Path, extract: bool) -> None:
    from toolkit.cli.render_run import render_result

    if run.output.json:
        run.output.document(result)
    elif extract:
        for entry in result.files:
            run.output.code(f"# {entry.path}\n{client.file(result.run_id, entry.path)}")
        if result.status != "ok":
            run.output.note(f"error: {result.error or result.status}\n{result.output}")
    else:
        render_result(run.output.console(), result, target, detailed=run.output.verbose)

"""`tfkit ask`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.options import Session, command, session
from toolkit.cli.pulling import Pulling, PullOptions, pull_options
from toolkit.cli.statement_file import save_statement
from toolkit.errors import BudgetExceeded, NotConverged, TfkitError, UsageError

if TYPE_CHECKING:
    from toolkit.client import Client
    from toolkit.contracts import AskRequest, ModelEntry, RehearseDepth, RunResult

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
@click.option(
    "--dir",
    "existing",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Start from the files in DIR, and show what the run changed of them.",
)
@click.option("--write", is_flag=True, help="Make the changes in --dir, where the run is `ok`.")
@click.option("--dry-run", is_flag=True, help="List what of --dir would go and what stays home; ask nothing.")
@click.option(
    "--attach",
    "attached",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="An image or a text to go with the prompt; again for more.",
)
@click.option("-x", "--extract", is_flag=True, help="Print only the code; with --dir, only the diff.")
@click.option(
    "--continue",
    "earlier",
    is_flag=False,
    flag_value="",
    metavar="[ID]",
    help="Go on with your last conversation, or that of a run: what was said, and its files.",
)
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
    "--temperature",
    type=click.FloatRange(min=0),
    metavar="T",
    help="How freely the model chooses its words, where it takes that (the registry's, usually 0).",
)
@click.option(
    "--max-tokens",
    "answer_tokens",
    type=click.IntRange(min=1),
    metavar="N",
    help="The most tokens of one answer of the model (the registry's).",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    metavar="S",
    help="Seconds that the run may take (600).",
)
@pull_options
def ask(
    prompt: str | None,
    prompt_file: Path | None,
    model: str,
    folder: Path | None,
    existing: Path | None,
    write: bool,
    dry_run: bool,
    attached: tuple[Path, ...],
    extract: bool,
    earlier: str | None,
    detach: bool,
    run_id: str | None,
    rehearse: "RehearseDepth | None",
    max_cost: float | None,
    temperature: float | None,
    answer_tokens: int | None,
    timeout: float | None,
    pull: PullOptions,
) -> None:  # fmt: skip
    """Ask the agent for Terraform, and follow the run.

    PROMPT is a text, or `-` for standard input. The files go to a folder of their own. The exit code is 0
    only if every required validator found the files clean; 3 if not, 5 if a budget ran out.

    With --dir the run starts from files of yours. What git ignores, secrets, states and whatever begins with
    a dot stay home; --dry-run lists both. The answer is a diff; --write applies it, all or nothing, unless
    the files changed meanwhile.

    With --continue it is told what was said in earlier runs, and starts from the files of the last one, or
    from --dir.

    With --pr the changes become a commit on a new branch and a pull request; the folder, the index and HEAD
    stay as they are. HEAD must be on the remote. The token comes from GH_TOKEN, GITHUB_TOKEN or `gh`.

    \b
    Examples:
      tfkit ask "an encrypted S3 bucket with a 30-day lifecycle"
      tfkit --json ask "an SQS queue with a dead-letter queue" -o queue
      echo "a DynamoDB table for sessions with TTL" | tfkit ask - -x
      tfkit ask --continue "now encrypt it with KMS"
      tfkit ask --dir infra --dry-run
      tfkit ask "add a dead-letter queue for the orders" --dir infra --write
      tfkit ask "add a dead-letter queue for the orders" --dir infra --pr --draft
    """
    from toolkit.cli.conversing import going_on, meant
    from toolkit.cli.starting import Starting, attachments, list_home
    from toolkit.client import new_run_id, refuse_used
    from toolkit.contracts import RUN_ID, AskRequest, Tree

    run = session()
    if dry_run:
        list_home(run, existing)
        return
    prompt, earlier = meant(prompt, prompt_file, earlier)
    text = _prompt(prompt, prompt_file)
    if write and (existing is None or detach):
        raise UsageError("--write needs --dir, and a run that is followed", 'tfkit ask "…" --dir DIR --write')
    pull.refuse_mixed(existing, write=write, detach=detach)
    if detach and folder:
        raise UsageError(
            "--detach writes no files", "leave -o out, and fetch them later: tfkit runs files ID -o DIR"
        )
    if run_id and not RUN_ID.fullmatch(run_id):
        raise UsageError(
            f"{run_id!r} cannot be a run id", "use 8 to 48 lower-case letters, digits and hyphens"
        )
    run_id = run_id or new_run_id()
    target = folder or (None if extract or existing else Path("tfkit-runs") / run_id)
    if not detach and target:
        refuse_used(target)
    start = Starting.from_folder(run, existing) if existing else None
    client = run.client()
    caller = client.caller()
    before = going_on(run.output, client, caller, earlier) if earlier is not None else None
    if start and before and pull.wanted:  # the next commit of a pull request goes on from the one before
        start = start._replace(tree=before.start)
    from_files = before.start if before and (pull.wanted or not existing) else None
    pulling = (
        Pulling.prepare(run, existing, pull, before.runs if before else ())
        if existing and pull.wanted
        else None
    )
    chosen, entry = _model(client, model, temperature, answer_tokens)
    beside = attachments(attached, chosen, entry)
    tree = from_files if from_files is not None else start.tree if start else Tree()
    settings = run.settings()
    request = AskRequest(
        run_id=run_id,
        prompt=text,
        model=chosen,
        caller=caller,
        rehearse=rehearse or settings.rehearse,
        max_cost_usd=max_cost or settings.budget_usd,
        temperature=temperature,
        answer_tokens=answer_tokens,
        timeout_s=timeout or settings.budget_seconds,
        max_turns=settings.budget_turns,
        max_tool_calls=settings.budget_tool_calls,
        max_tokens=settings.budget_tokens,
        start=tree.hash if tree.files else "",
        attached=beside.hash if beside.files else "",
        conversation=before.conversation if before else run_id,
        follows=before.follows if before and from_files is not None else "",
    )
    client.submit(request, tree, beside)
    if detach:
        _detached(run, run_id)
        return
    result = _follow(run, client, request)
    statement = None
    if result.files and target:
        client.download(result, target)
        statement = save_statement(run, client, result, target)
    if start:
        start.answer(run, client, result, target, extract=extract, write=write, pulling=pulling)
    else:
        _show(run, client, result, target, extract)
    if statement and not extract:
        run.output.say(f"signed: {statement.name} beside it; check it with: tfkit verify {target}")
    refused = pulling.exit_code if pulling else 0
    click.get_current_context().exit(EXIT_BY_STATUS.get(result.status, refused))


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


def _model(
    client: "Client", name: str, temperature: float | None, answer_tokens: int | None
) -> "tuple[str, ModelEntry]":
    """The registry's name and entry of the model.

    What it cannot give is said here, so that a mistake costs no run.
    """
    from toolkit.registry import asked_of, chain

    return asked_of(chain(client.registry(), name)[0], temperature, answer_tokens)


def _follow(run: Session, client: "Client", request: "AskRequest") -> "RunResult":
    from toolkit.cli.render_run import RunProgress

    with RunProgress(run.output, request.run_id) as progress:
        return client.await_result(request.run_id, progress.update, on_cut=progress.cut)


def _show(run: Session, client: "Client", result: "RunResult", target: Path | None, extract: bool) -> None:
    from toolkit.cli.render_run import render_diff, render_result

    if run.output.json:
        run.output.document(result)
    elif extract:
        for entry in result.files:
            run.output.code(f"# {entry.path}\n{client.file(result.run_id, entry.path)}")
        if result.status != "ok":
            run.output.note(f"error: {result.error or result.status}\n{result.output}")
    else:
        console = run.output.console()
        render_result(console, result, target, detailed=run.output.verbose)
        render_diff(console, result.diff)

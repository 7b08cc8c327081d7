"""Which conversation `ask --continue` and `chat` go on with, and where it stands."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from toolkit.cli.output import Output
from toolkit.errors import TfkitError, UsageError

if TYPE_CHECKING:
    from toolkit.client import Client
    from toolkit.contracts import Tree
    from toolkit.conversations import Conversation


class GoingOn(NamedTuple):
    """Where a conversation stands: its id, the run that the next one follows, and that one's files.

    `follows` is empty where nothing of it is remembered. `runs` are those of it, the newest first; `ok_run`
    is the last that was `ok`, empty for none.
    """

    conversation: str
    follows: str
    start: "Tree"
    runs: tuple[str, ...]
    ok_run: str = ""


def meant(prompt: str | None, prompt_file: Path | None, earlier: str | None) -> tuple[str | None, str | None]:
    """The prompt, and what is gone on with: in `--continue "encrypt it"` the word after it is the prompt."""
    if earlier and prompt is None and prompt_file is None:
        return earlier, ""
    return prompt, earlier


def going_on(output: Output, client: "Client", caller: str, wanted: str) -> GoingOn:
    """Find the conversation and say which it is: the caller's last one, or that of an id, also a run's.

    Raises `UsageError` where there is none, where it is another caller's, and while another run goes on with
    it.
    """
    head = _last(client, caller) if not wanted else client.conversation(wanted) or _of_run(client, wanted)
    if head is None:
        return _without(output, client, wanted)
    if head.caller != caller:
        raise UsageError(f"the conversation {head.id} belongs to {head.caller}", "go on with one of your own")
    record = client.latest(head.claim) if head.claim else None
    if record is not None and not record.ended:
        raise UsageError(
            f"run {head.claim} goes on with the conversation {head.id} at this moment",
            f"wait until it has ended, or end it: tfkit runs cancel {head.claim}",
        )
    output.note(f"goes on with: {head.title} ({head.id}, {head.turns} turns)")
    runs = tuple(client.runs_of(head.id))
    return GoingOn(head.id, head.run, _files(client, head.run), runs, head.ok_run)


def _last(client: "Client", caller: str) -> "Conversation":
    found = client.conversations(caller)
    if not found:
        raise UsageError("there is no conversation of yours to go on with", 'begin one: tfkit ask "…"')
    return found[0]


def _of_run(client: "Client", run_id: str) -> "Conversation | None":
    """The conversation that a run was a turn of; None where it was of none, or that is forgotten."""
    record = client.record(run_id)
    if record is None:
        raise TfkitError(f"no conversation and no run has the id {run_id}", "list the runs: tfkit runs")
    return client.conversation(record.conversation) if record.conversation else None


def _without(output: Output, client: "Client", run_id: str) -> GoingOn:
    """A run that nothing is remembered of: the conversation begins with its prompt, answer and files."""
    output.note(f"goes on with run {run_id}, of which only prompt, answer and files are known")
    return GoingOn(run_id, run_id, _files(client, run_id), (run_id,))


def _files(client: "Client", run_id: str) -> "Tree":
    from toolkit.contracts import Tree

    return client.tree(client.result(run_id), Tree()) if run_id else Tree()

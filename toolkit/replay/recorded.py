"""What is known of past runs that it takes to do them again, and which of them are meant."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from toolkit.contracts import AskRequest, RunRecord, RunResult, RunStatus, Shape
from toolkit.errors import TfkitError
from toolkit.tables import KEEP_DAYS

if TYPE_CHECKING:
    from toolkit.client import Client

COMPARABLE: tuple[RunStatus, ...] = ("ok", "not_converged", "budget_exceeded", "error")
"""How a run ended that says something of its prompt; one that somebody cancelled does not."""

NOT_KEPT = "its request was not kept: prompt, model and starting files as they were, all else as by default"
NOT_REMEMBERED = (
    "it went on with a conversation: what was said before in it is not said again, and of its starting files "
    "none counts as the user's own"
)


class NotReplayed(Shape, frozen=True):
    """A run that was not done again, and why."""

    run_id: str
    reason: str


class Recorded(Shape, frozen=True):
    """A past run: what was asked, and what came of it. `note` says what is not as it was."""

    request: AskRequest
    result: RunResult
    note: str = ""


def collect(
    client: "Client", run_ids: Iterable[str], limit: int, *, replays: bool = True
) -> tuple[list[Recorded], list[NotReplayed]]:
    """The first `limit` of these runs that can be done again, and the others on the way there, with why not.

    Without `replays`, runs that are replays themselves count for nothing.
    """
    found: list[Recorded] = []
    refused: list[NotReplayed] = []
    for run_id in run_ids:
        if len(found) == limit:
            break
        try:
            one = recorded(client, run_id)
        except TfkitError as error:
            refused.append(NotReplayed(run_id=run_id, reason=error.message))
        except msgspec.MsgspecError as error:
            refused.append(NotReplayed(run_id=run_id, reason=f"its outcome cannot be read: {error}"))
        else:
            if replays or not one.request.replays:
                found.append(one)
    return found, refused


def recorded(client: "Client", run_id: str) -> Recorded:
    """A past run by its id. Raises `TfkitError` where it has not ended, or is not known well enough."""
    record = client.record(run_id)
    if record is not None and not record.ended:
        raise TfkitError(f"it has not ended: it is {record.status}")
    result = client.result(run_id)
    if record is not None and (request := client.request(record)):
        note = "" if request.conversation in ("", run_id) else NOT_REMEMBERED
        return Recorded(request=request, result=result, note=note)
    if not result.trace_id:  # made up from the row, which does not name the files that it started from
        raise TfkitError("neither its request nor its outcome was kept")
    request = AskRequest(run_id=run_id, prompt=result.prompt, model=result.model, start=result.start)
    return Recorded(request=request, result=result, note=NOT_KEPT)


def ended_between(
    client: "Client", since: datetime, until: datetime, statuses: Collection[str]
) -> Iterator[RunRecord]:
    """The runs that began between two moments (UTC) and ended in one of these ways, newest first."""
    first = max(since, until - timedelta(days=KEEP_DAYS + 1)).date()
    days = [(first + timedelta(days=n)).isoformat() for n in range((until.date() - first).days + 1)]
    for record in client.runs(days):
        began = datetime.fromisoformat(record.started)
        if since <= began <= until and record.status in statuses:
            yield record


def again(before: Recorded, run_id: str, caller: str, model: str = "") -> AskRequest:
    """The request of the replay: as it was, under another id, by whoever asks now and by the model named.

    It belongs to no conversation: nobody's is to go on with what it says.
    """
    return msgspec.structs.replace(
        before.request,
        run_id=run_id,
        caller=caller,
        model=model or before.request.model or before.result.model,
        replays=before.request.run_id,
        conversation="",
        chat=False,
    )

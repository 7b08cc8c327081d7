"""What was said in earlier runs of a conversation: read before the work, added to after it.

    open ─▶ the head is claimed for this run ─▶ turns, newest first ─▶ window ─▶ history
    save ─▶ the head counts one turn more, if it is still ours ─▶ the turn's row

One run at a time goes on with a conversation: who finds it claimed by a run that is under way is refused,
before anything is spent. The claim of a run that has ended, or died, is void. A turn that is larger than a
row may be is remembered as its prompt and its answer; one that cannot be saved ends no run, and the result
says so.
"""

import logging
import time
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from opentelemetry.trace import Tracer
from pydantic_ai import ModelMessage, ModelMessagesTypeAdapter
from pydantic_core import ValidationError

from toolkit.agent.ending import Ending
from toolkit.agent.store import Store
from toolkit.agent.window import PART_OF_CONTEXT, Turn, exchange, gist, lean, window
from toolkit.contracts import RUN_ID, AskRequest, Tree
from toolkit.conversations import MAX_TITLE, Conversation, head_item, head_of
from toolkit.errors import PlatformError, TfkitError, UsageError
from toolkit.tables import Item, chat_key, condition_failed, from_item, now, run_key

log = logging.getLogger(__name__)

KEEP_DAYS = 30
"""What was said is forgotten after these, turn by turn, and the conversation with its last turn.

A turn's row is written once: to renew it with each later run would cost as much as to write it again, and by
then the window shows little of it.
"""

MAX_TURN_BYTES = 350_000
"""Of a turn, compressed. A row may have 400 KB:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""

MAX_TURN_TEXT = 8_000_000
"""Of a turn before it is compressed: reading it back must not fill the function's memory."""

Stores = Callable[[str], Store]
"""Makes the store of a run, by its id."""

YOURS_GONE = (
    "which files were yours when the conversation began: they are kept no longer, so every finding counts"
)

MOST_TURNS = 50
"""No more of them are read; the window is full long before."""


class Memory:
    """The conversation that a run is a turn of; one without a conversation remembers nothing.

    `problems` is what of the conversation could not be read, and why this run's turn will not be remembered;
    empty where all is well.
    """

    def __init__(self, dynamodb: Any, table: str, request: AskRequest, tracer: Tracer) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._request = request
        self._tracer = tracer
        self._head: Conversation | None = None
        self._turns: list[Turn] = []
        self._seed: Turn = []  # of the run before the first turn, and stored with that
        self.problems: list[str] = []

    def open(self, store: Store) -> None:
        """Claim the conversation for this run, and read what was said in it.

        `store` is that of the run that this one follows. Raises `UsageError` for a conversation of somebody
        else's, or that another run goes on with; `PlatformError` where the table cannot be read or written.
        """
        request = self._request
        if not request.conversation:
            return
        if not RUN_ID.fullmatch(request.conversation):
            raise UsageError(f"{request.conversation!r} cannot be a conversation", "leave --continue out")
        with self._tracer.start_as_current_span("memory load") as span, _as_platform_error("read"):
            found = head_of(self._row(chat_key(request.conversation)))
            if found is None:
                self._head = self._begin(store)
            else:
                self._head = self._claim(found)
                self._turns = self._read()
            span.set_attributes({"tfkit.conversation": request.conversation, "tfkit.turns": len(self._turns)})

    def brought(self, stores: Stores, start: Tree) -> Tree:
        """The files of the user's own that this conversation began with; `start` are those of this run.

        What the agent wrote in an earlier turn is not the user's: it gets no more trust than before. A
        conversation may outlive these files, which the runs bucket keeps for a time; then nothing of what is
        there counts as the user's, and `problems` says so. Raises `PlatformError` where they cannot be read.
        """
        if not self._request.follows:
            return start
        if self._head is None or not self._head.brought:
            return Tree()
        try:
            return stores(self._head.brought_run).start(self._head.brought)
        except PlatformError as error:
            if not _gone(error):
                raise
            self.problems.append(YOURS_GONE)
            return Tree()

    def history(self, context: int) -> list[ModelMessage]:
        """What is shown of it to a model that takes `context` tokens. Always the same in one run."""
        if not self._turns:
            return []
        with self._tracer.start_as_current_span("memory window") as span:
            shown = window(self._turns, context // PART_OF_CONTEXT)
            span.set_attributes(
                {
                    "tfkit.memory.tokens": shown.tokens,
                    "tfkit.memory.turns": shown.kept,
                    "tfkit.memory.shortened": shown.shortened,
                    "tfkit.memory.dropped": len(self._turns) - shown.kept,
                }
            )
        return shown.messages

    def save(self, ending: Ending, messages: list[ModelMessage]) -> None:
        """Remember this run, as far as it came to something. Never raises.

        `messages` are those of the run alone.
        """
        if self._head is None or not _worth(ending):
            return
        try:
            with _as_platform_error("written"):
                log.info("the turn is remembered, in %d bytes", self._save(self._head, ending, messages))
        except Exception as error:  # whatever it is: the run has come to its end, and that is to be stored
            said = error.message if isinstance(error, TfkitError) else f"{type(error).__name__}: {error}"
            self.problems.append(f"that the next turn knows of this one: {said}")
            log.warning("the turn is not remembered: %s", said, exc_info=error)

    # -- reading -----------------------------------------------------------------------------------

    def _row(self, key: Item) -> Item | None:
        found: Item | None = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get(
            "Item"
        )
        return found

    def _read(self) -> list[Turn]:
        """The turns, the oldest first. One that this version cannot read is passed over."""
        pages = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :turn)",
            ExpressionAttributeValues={
                ":pk": chat_key(self._request.conversation)["pk"],
                ":turn": {"S": "TURN#"},
            },
            ScanIndexForward=False,
            Limit=MOST_TURNS,
            ConsistentRead=True,
        )
        return [turn for item in reversed(pages["Items"]) if (turn := _unpacked(item))]

    # -- the claim ---------------------------------------------------------------------------------

    def _begin(self, store: Store) -> Conversation:
        """A new conversation; one that follows a run without one begins with that run's prompt and answer."""
        request = self._request
        head = Conversation(
            id=request.conversation,
            caller=request.caller,
            title=" ".join(request.prompt.split())[:MAX_TITLE],
            updated=now(),
            claim=request.run_id,
            brought_run=request.run_id if request.start and not request.follows else "",
            brought="" if request.follows else request.start,
            expires=_in_days(KEEP_DAYS),
        )
        if request.follows:
            before = store.earlier()
            self._seed = exchange(before.prompt, before.output or before.status)
            self._turns = [self._seed]
            theirs = before.start if not before.conversation else ""
            run = request.follows if theirs else ""
            head = msgspec.structs.replace(head, brought_run=run, brought=theirs)
        self._put(head, "attribute_not_exists(pk)", {})
        return head

    def _claim(self, found: Conversation) -> Conversation:
        request = self._request
        if found.caller != request.caller:
            raise UsageError(
                f"the conversation {found.id} belongs to {found.caller}", "begin one of your own"
            )
        if found.claim not in ("", request.run_id) and self._under_way(found.claim):
            raise _busy(found.id, found.claim)
        head = msgspec.structs.replace(
            found, claim=request.run_id, updated=now(), expires=_in_days(KEEP_DAYS)
        )
        if request.start and not request.follows:
            head = msgspec.structs.replace(head, brought_run=request.run_id, brought=request.start)
        self._put(head, "claim = :was AND turns = :turns", _held(found))
        return head

    def _under_way(self, run_id: str) -> bool:
        item = self._row(run_key(run_id))
        if item is None:
            return False
        record = from_item(item)
        return not record.ended and not record.lost(time.time())

    def _put(self, head: Conversation, condition: str, values: Item) -> None:
        """Write the head where the condition holds. Raises `UsageError` where another run was quicker."""
        held = {"ExpressionAttributeValues": values} if values else {}
        try:
            self._dynamodb.put_item(
                TableName=self._table, Item=head_item(head), ConditionExpression=condition, **held
            )
        except ClientError as error:
            if not condition_failed(error):
                raise
            if (there := head_of(self._row(chat_key(head.id)))) == head:
                return  # our own write, whose answer was lost on the way
            raise _busy(head.id, there.claim if there else "") from error

    # -- adding ------------------------------------------------------------------------------------

    def _save(self, head: Conversation, ending: Ending, messages: list[ModelMessage]) -> int:
        """The head first: whoever counted the turn owns its row. Returns the turn's size in bytes."""
        request = self._request
        said = messages or exchange(request.prompt, ending.output or ending.error or ending.status)
        turn = lean([*self._seed, *said])
        packed = _packed(turn)
        counted = msgspec.structs.replace(
            head,
            run=request.run_id,
            ok_run=request.run_id if ending.status == "ok" else head.ok_run,
            turns=head.turns + 1,
            updated=now(),
            expires=_in_days(KEEP_DAYS),
        )
        self._put(counted, "claim = :was AND turns = :turns", _held(head))
        self._dynamodb.put_item(
            TableName=self._table,
            Item={
                **chat_key(head.id, counted.turns),
                "run": {"S": request.run_id},
                "messages": {"B": packed},
                "expires": {"N": str(counted.expires)},
            },
        )
        return len(packed)


def _worth(ending: Ending) -> bool:
    """Whether the next turn goes on from this one; one that was cancelled or failed is as if it were not."""
    if ending.status in ("ok", "not_converged"):
        return True
    return ending.status == "budget_exceeded" and bool(ending.tree.files)


def _held(head: Conversation) -> Item:
    return {":was": {"S": head.claim}, ":turns": {"N": str(head.turns)}}


def _busy(conversation: str, run_id: str) -> UsageError:
    other = f"run {run_id}" if run_id else "another run"
    return UsageError(
        f"{other} goes on with the conversation {conversation} at this moment",
        f"wait until it has ended, or end it: tfkit runs cancel {run_id or 'ID'}",
    )


def _gone(error: PlatformError) -> bool:
    """Whether it is about an object that is not there; the agent's role may list, so it is told."""
    refused = error.__cause__
    return isinstance(refused, ClientError) and refused.response["Error"]["Code"] == "NoSuchKey"


def _in_days(days: int) -> int:
    return int(time.time()) + days * 86_400


def _packed(turn: Turn) -> bytes:
    """The turn as it is stored; one that is too large comes down to its prompt and its answer."""
    for smaller in (turn, gist(turn), exchange("(too long to be remembered)", "(see the run)")):
        text = ModelMessagesTypeAdapter.dump_json(smaller)
        packed = zlib.compress(text)
        if len(text) <= MAX_TURN_TEXT and len(packed) <= MAX_TURN_BYTES:
            break
    return packed


def _unpacked(item: Item) -> Turn:
    try:
        text = zlib.decompressobj().decompress(bytes(item["messages"]["B"]), MAX_TURN_TEXT)
        return ModelMessagesTypeAdapter.validate_json(text)
    except (KeyError, zlib.error, ValidationError) as error:
        log.warning("a turn of the conversation cannot be read: %s", error)
        return []


@contextmanager
def _as_platform_error(what: str) -> Generator[None, None, None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise PlatformError(f"the conversation cannot be {what}: {error}") from error

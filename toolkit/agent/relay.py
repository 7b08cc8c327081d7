"""A run that takes longer than a function may: the next invocation takes it over where this one stood.

    the function's time is nearly over ──▶ back to the last whole step ──▶ baton into the bucket
        ──▶ the row is given away ──▶ the function invokes itself with a `HandedOver`, which names it by hash

What a step began and did not end is not carried: a request that had no answer is sent again, and the files
are those from before the tools of an answer ran. What it cost stays counted.
"""

import base64
import time
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import anyio
import msgspec
from pydantic_ai import ModelMessage, ModelMessagesTypeAdapter

from toolkit.agent.attempts import Attempts, SoFar
from toolkit.agent.deadline import Deadline
from toolkit.agent.ledger import Spent
from toolkit.agent.workspace import Workspace
from toolkit.contracts import AskRequest, CheckReport, HandedOver, Shape
from toolkit.dsse import signature, signed_by
from toolkit.errors import PlatformError, UsageError
from toolkit.telemetry.run import Carried

MOST_PARTS = 12
"""Lambda ends a chain of about sixteen invocations of which each made the next:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html"""

EARLY = 0.15
"""The part of the function's time, at its end, in which no further step is begun."""


RESERVE_SECONDS = 20.0
"""What is kept back of the function's own time, to store everything before Lambda ends it."""


BATON = "application/vnd.tfkit.baton"
"""What a baton is called where its hash is signed: nobody but the function itself makes a run go on."""


class HandOver(Exception):
    """The invocation's time is nearly over, and the run is not. No failure: what stood is in the relay."""


class Standing(Shape, frozen=True):
    """Where a conversation stands. `messages` ends with what is to be sent to the model, unless it has
    answered: then `answer` is what it said last, and the gate is next. `files` are as they were then,
    and `seen` those of them that the model has read; `so_far` are the attempts."""

    messages: list[ModelMessage]
    files: dict[str, bytes]
    seen: frozenset[str]
    so_far: SoFar
    answer: str | None = None

    @classmethod
    def of(
        cls, messages: list[ModelMessage], workspace: Workspace, attempts: Attempts, answer: str | None = None
    ) -> "Standing":
        """As it is now; what is added to any of them later does not change it."""
        return cls(
            messages=list(messages),
            files=workspace.tree.files,
            seen=workspace.seen,
            so_far=attempts.so_far,
            answer=answer,
        )


class Relay:
    """When this invocation has to hand over, and what it hands over then.

    `at` is a moment of `time.monotonic`, and None for an invocation that sees its run to the end; `early_s`
    seconds before it, what would begin a step hands over instead.
    """

    def __init__(self, at: float | None = None, early_s: float = 0.0) -> None:
        self._at = at
        self._early_s = early_s
        self._scope: anyio.CancelScope | None = None
        self._between = False
        self.steps = 0
        self.standing: Standing | None = None

    @property
    def handing_over(self) -> bool:
        """Whether what is going on is being cut off, for the next invocation to go on with."""
        return bool(self._scope and self._scope.cancel_called)

    @property
    def cut(self) -> bool:
        """Whether a request to the model was under way, which has its answer nowhere now."""
        asked = self.standing is not None and self.standing.answer is None
        return self.handing_over and not self._between and asked

    @contextmanager
    def watch(self) -> Generator[None, None, None]:
        """Raise `HandOver` in place of whatever is awaited inside when the moment comes."""
        if self._at is None:
            yield
            return
        deadline = anyio.current_time() + max(0.0, self._at - time.monotonic())
        with anyio.CancelScope(deadline=deadline) as self._scope:
            yield
        if self._scope.cancelled_caught:
            raise HandOver

    async def step(self, standing: Standing) -> None:
        """Remember a whole step; inside `watch`. Does not return where no further one is to be begun.

        Each invocation makes one at least, so that a run does not travel for ever.
        """
        self.standing = standing
        self.steps += 1
        if self._scope is None or self._at is None or self.steps == 1:
            return
        if time.monotonic() > self._at - self._early_s:
            self._between = True
            self._scope.cancel()
            await anyio.sleep_forever()


class Baton(Shape, frozen=True):
    """All that the next invocation needs. `cut` counts the requests to the model that were cut off so far.

    `baseline` and `report` are None where there is none.
    """

    request: AskRequest
    part: int
    model: str
    messages: bytes
    files: dict[str, bytes]
    seen: frozenset[str]
    so_far: SoFar
    answer: str | None
    spent: Spent
    carried: Carried
    cut: int = 0
    baseline: CheckReport | None = None
    report: CheckReport | None = None

    @property
    def ago_s(self) -> float:
        """Seconds since the run began, the waiting between its parts included."""
        return max(0.0, time.time() - self.carried.started_ns / 1e9)

    @property
    def standing(self) -> Standing:
        """Where the conversation stands."""
        return Standing(
            messages=ModelMessagesTypeAdapter.validate_json(self.messages),
            files=self.files,
            seen=self.seen,
            so_far=self.so_far,
            answer=self.answer,
        )


def pack(baton: Baton) -> tuple[bytes, HandedOver]:
    """The baton as it is stored, and the event that names it; it is still to be signed."""
    content = msgspec.msgpack.encode(baton)
    named = HandedOver(run_id=baton.request.run_id, part=baton.part, baton_sha256=sha256(content).hexdigest())
    return content, named


def unpack(content: bytes, named: HandedOver) -> Baton:
    """The baton that an event names. Raises `PlatformError` for one that is not it."""
    if sha256(content).hexdigest() != named.baton_sha256:
        raise PlatformError(f"part {named.part} of run {named.run_id} is not what was handed over")
    try:
        baton = msgspec.msgpack.decode(content, type=Baton)
    except msgspec.MsgspecError as error:
        raise PlatformError(
            f"run {named.run_id} was handed over by another version: {error}", "ask again"
        ) from error
    if (baton.request.run_id, baton.part) != (named.run_id, named.part):
        raise PlatformError(f"part {named.part} of run {named.run_id} is one of another run")
    return baton


def sign(kms: Any, key_arn: str, named: HandedOver) -> HandedOver:
    """The event with the agent's signature. Raises what boto3 raises."""
    return msgspec.structs.replace(named, signature=signature(kms, key_arn, BATON, _said(named)).sig)


def refuse_forged(kms: Any, key_arn: str, named: HandedOver) -> None:
    """Raise `UsageError` for an event that no invocation of the agent's has made.

    Whoever may invoke the agent may send one, and whoever has its role elsewhere may write a baton; neither
    may sign. Raises what boto3 raises.
    """
    try:
        signed = base64.b64decode(named.signature, validate=True)
    except ValueError:
        signed = b""
    if not signed or not signed_by(kms, key_arn, BATON, _said(named), signed):
        raise UsageError(f"not a request: part {named.part} of run {named.run_id} is not signed by the agent")


def _said(named: HandedOver) -> bytes:
    return f"{named.run_id} {named.part} {named.baton_sha256}".encode()


def deadline_of_function(started: float) -> Deadline:
    """Now, as the moment at which the function's own time was over."""
    now = time.monotonic()
    return Deadline(now, now - started, of_function=True)


def moments(
    started: float, timeout_s: float, remaining_s: float, part: int, *, goes_on: bool
) -> tuple[Deadline, Relay]:
    """When the run has to be over, and when another invocation has to go on with it, if one may.

    `started` is when the run began, in seconds of `time.monotonic`; `remaining_s` is the function's own time.
    """
    latest = time.monotonic() + remaining_s - RESERVE_SECONDS
    if not goes_on or part >= MOST_PARTS or started + timeout_s <= latest:
        return Deadline.earliest(started, timeout_s, latest), Relay()
    return Deadline(started + timeout_s, timeout_s), Relay(latest, remaining_s * EARLY)

"""The row of a run in DynamoDB: a lease, so that a repeated delivery does nothing twice.

Lambda delivers an asynchronous event at least once (AWS Lambda Developer Guide, "Asynchronous
invocation"). Who creates the row holds the run; who finds it, finds out why it is there.
"""

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from toolkit.contracts import AskRequest, Attempt, RunRecord, RunStatus
from toolkit.errors import PlatformError, TfkitError, UsageError
from toolkit.tables import (
    QUEUED_AT_MOST_SECONDS,
    STOP_KEY,
    closing,
    condition_failed,
    from_item,
    now,
    run_key,
    setting,
    stop_of,
    to_item,
)
from toolkit.telemetry.otlp import clean

LEASE_SECONDS = 90
HEARTBEAT_SECONDS = 20.0
"""The lease is renewed at each step and, as one request to a model may take minutes, in between too."""

LOOK_SECONDS = 2.0
"""How often the row is read for the wish that the run should end."""

MAX_ERROR = 4_000
CANCELLED = "cancelled on request"


class Cancelled(TfkitError):
    """Somebody wants the run to end, or has ended it; it is over, and nothing has failed."""


class RunTable:
    """One run's row, held by this process."""

    def __init__(self, dynamodb: Any, table: str, run_id: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._run_id = run_id
        self._owner = str(uuid.uuid4())

    def take(self, request: AskRequest, model: str) -> bool:
        """Take the run. False where another delivery has done it, does it, or died doing it.

        A run whose lease ran out is closed as `error`, so that a crash shows. Raises `UsageError` where
        the id belongs to another request.
        """
        started = now()
        record = RunRecord(
            run_id=request.run_id,
            status="running",
            request_sha256=request.sha256,
            prompt=request.prompt,
            model=model,
            caller=request.caller,
            conversation=request.conversation,
            started=started,
            updated=started,
            owner=self._owner,
            lease_until=int(time.time()) + LEASE_SECONDS,
            step="started",
        )
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=to_item(record),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except (ClientError, BotoCoreError) as error:
            if not condition_failed(error):
                raise PlatformError(f"the run's record cannot be written: {error}") from error
            return self._found(request)
        return True

    def give_away(self, token: str, part: int) -> None:
        """Leave the run to the invocation that makes its next part, and takes it by the token.

        The lease runs for as long as Lambda may keep the event. Raises what `progress` raises.
        """
        lease = int(time.time() + QUEUED_AT_MOST_SECONDS)
        self._update({"step": f"waiting for invocation {part}", "lease_until": lease, "owner": token})

    def take_over(self, token: str) -> bool:
        """Take the run that an invocation has given away, this one too. False where another one has.

        One that was cancelled while it waited is taken as well: what it had made is still to be stored.
        """
        lease = {"owner": self._owner, "lease_until": int(time.time()) + LEASE_SECONDS}
        return self._take({"owner": token, "status": "running"}, lease) or self._take(
            {"owner": token, "status": "cancelled"}, {"owner": self._owner}
        )

    def _take(self, expected: dict[str, Any], values: dict[str, Any]) -> bool:
        try:
            self._write(values, expected)
        except (ClientError, BotoCoreError) as error:
            if not condition_failed(error):
                raise PlatformError(f"the run's record cannot be written: {error}") from error
            return self._read().owner == self._owner  # our own write, whose answer was lost on the way
        return True

    def progress(self, step: str, attempts: list[Attempt]) -> None:
        """Write the step, and renew the lease.

        Raises `Cancelled` where somebody has ended the run, `PlatformError` where it is no longer ours.
        """
        short = [msgspec.structs.replace(attempt, findings=[], diff="") for attempt in attempts]
        self._update(
            {
                "step": step,
                "attempt": len(attempts),
                "attempts": msgspec.json.encode(short).decode(),
                "lease_until": int(time.time()) + LEASE_SECONDS,
            }
        )

    def refuse_stopped(self) -> None:
        """Raise `Cancelled` where the run was asked for before the platform was stopped, or while it is.

        Lambda keeps requests that it may not start, and would start them when the brake is released.
        """
        try:
            answer = self._dynamodb.get_item(TableName=self._table, Key=STOP_KEY, ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise PlatformError(f"whether the platform is stopped cannot be read: {error}") from error
        stop = stop_of(answer.get("Item"))
        if stop and (why := stop.refusal(self._run_id, time.time())):
            raise Cancelled(why)

    @contextmanager
    def heartbeat(self, on_cancel: Callable[[], object] = lambda: None) -> Generator[None, None, None]:
        """Renew the lease in the background for as long as this process works on the run.

        `on_cancel` is called in that thread, at each look at the row while somebody wants the run's end.
        """
        done = threading.Event()

        def beat() -> None:
            renewed = time.monotonic()
            while not done.wait(min(LOOK_SECONDS, HEARTBEAT_SECONDS)):
                with contextlib.suppress(ClientError, BotoCoreError):
                    if self._cancel_wanted():
                        on_cancel()
                if time.monotonic() - renewed < HEARTBEAT_SECONDS:
                    continue
                renewed = time.monotonic()
                # Whether the run is still ours is found out, and said, by the next step.
                with contextlib.suppress(ClientError, BotoCoreError):
                    self._renew()

        beating = threading.Thread(target=beat, name="lease", daemon=True)
        beating.start()
        try:
            yield
        finally:
            done.set()
            beating.join()

    def _cancel_wanted(self) -> bool:
        """One look at the row; a read that is a moment behind will do, as there is a next one."""
        answer = self._dynamodb.get_item(
            TableName=self._table,
            Key=run_key(self._run_id),
            ProjectionExpression="cancel_requested, #status",
            ExpressionAttributeNames={"#status": "status"},
        )
        row = answer.get("Item", {})
        return bool(row.get("cancel_requested", {}).get("S")) or row.get("status") == {"S": "cancelled"}

    def _renew(self) -> None:
        self._write(
            {"lease_until": int(time.time()) + LEASE_SECONDS}, {"owner": self._owner, "status": "running"}
        )

    def finish(self, status: RunStatus, error: str | None) -> None:
        """The last word on the run; nothing is written over one that is there already.

        Raises `Cancelled`, in the row's own words, where somebody did not wait for the run's.
        """
        self._update(
            {
                "status": status,
                "error": error and clean(error[:MAX_ERROR]),
                "step": "finished",
                "lease_until": 0,
            }
        )

    def _found(self, request: AskRequest) -> bool:
        record = self._read()
        if record.status == "cancelled" and not record.request_sha256:
            return False  # before anybody took it, so that the row knows the id alone
        if record.request_sha256 != request.sha256:
            raise UsageError(f"the run id {self._run_id} belongs to another request", "leave --run-id out")
        if record.owner == self._owner:
            return True  # our own write, whose answer was lost on the way
        if not record.ended and record.lease_until < time.time():
            self._close(record)
        return False

    def _close(self, dead: RunRecord) -> None:
        """Close a run whose worker is gone; in its own name no more, so that it cannot come back."""
        try:
            self._dynamodb.update_item(
                TableName=self._table, Key=run_key(self._run_id), **closing(dead, self._owner)
            )
        except (ClientError, BotoCoreError) as error:
            if not condition_failed(error):
                raise PlatformError(f"the run's record cannot be written: {error}") from error

    def _read(self) -> RunRecord:
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=run_key(self._run_id), ConsistentRead=True
        )
        return from_item(answer["Item"])

    def _update(self, values: dict[str, Any]) -> None:
        """Write into the row as long as it is ours and the run goes on."""
        try:
            self._write(values, {"owner": self._owner, "status": "running"})
        except (ClientError, BotoCoreError) as error:
            if not condition_failed(error):
                raise PlatformError(f"the run's record cannot be written: {error}") from error
            record = self._read()
            if (record.updated, record.owner) == (values["updated"], values.get("owner", self._owner)):
                return  # it is our own write, whose answer was lost
            if record.owner != self._owner:
                raise PlatformError("the run was taken over by another delivery") from error
            if record.status == "cancelled":
                raise Cancelled(record.error or CANCELLED) from error
            raise PlatformError(f"the run has ended as {record.status}") from error

    def _write(self, values: dict[str, Any], expected: dict[str, Any]) -> None:
        """Set values where the row holds what is expected. Raises what boto3 raises."""
        values["updated"] = now()
        self._dynamodb.update_item(
            TableName=self._table, Key=run_key(self._run_id), **setting(values, expected)
        )

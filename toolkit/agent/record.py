"""The row of a run in DynamoDB: a lease, so that a repeated delivery does nothing twice.

Lambda delivers an asynchronous event at least once (AWS Lambda Developer Guide, "Asynchronous
invocation"). Who creates the row holds the run; who finds it, finds out why it is there.
"""

import contextlib
import threading
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from toolkit.contracts import AskRequest, Attempt, RunRecord, RunStatus
from toolkit.errors import PlatformError, UsageError
from toolkit.telemetry.otlp import clean

LEASE_SECONDS = 90
HEARTBEAT_SECONDS = 20.0
"""The lease is renewed at each step and, as one request to a model may take minutes, in between too."""

MAX_ERROR = 4_000
KEEP_DAYS = 90


def key_of(run_id: str) -> dict[str, Any]:
    """The primary key of a run's row."""
    return {"pk": {"S": f"RUN#{run_id}"}, "sk": {"S": "RECORD"}}


def from_item(item: dict[str, Any]) -> RunRecord:
    """A row as a record; the keys of the table are left out."""
    plain = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
    fields = {name: plain[name] for name in RunRecord.__struct_fields__ if name in plain}
    for number in ("lease_until", "attempt"):
        fields[number] = int(fields.get(number, 0))
    fields["attempts"] = msgspec.json.decode(fields.get("attempts", "[]"))
    return msgspec.convert(fields, RunRecord)


def now() -> str:
    """The time in UTC, RFC 3339."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


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
            started=started,
            updated=started,
            owner=self._owner,
            lease_until=int(time.time()) + LEASE_SECONDS,
            step="started",
        )
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=_item(record),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except (ClientError, BotoCoreError) as error:
            if not _condition_failed(error):
                raise PlatformError(f"the run's record cannot be written: {error}") from error
            return self._found(request)
        return True

    def progress(self, step: str, attempts: list[Attempt]) -> None:
        """Write the step, and renew the lease. Raises `PlatformError` where the run is no longer ours."""
        short = [msgspec.structs.replace(attempt, findings=[]) for attempt in attempts]
        self._update(
            {
                "step": step,
                "attempt": len(attempts),
                "attempts": msgspec.json.encode(short).decode(),
                "lease_until": int(time.time()) + LEASE_SECONDS,
            }
        )

    @contextmanager
    def heartbeat(self) -> Generator[None, None, None]:
        """Renew the lease in the background for as long as this process works on the run."""
        done = threading.Event()

        def beat() -> None:
            while not done.wait(HEARTBEAT_SECONDS):
                # Whether the run is still ours is found out, and said, by the next step.
                with contextlib.suppress(ClientError, BotoCoreError):
                    self._write(
                        {"lease_until": int(time.time()) + LEASE_SECONDS},
                        {"owner": self._owner, "status": "running"},
                    )

        beating = threading.Thread(target=beat, name="lease", daemon=True)
        beating.start()
        try:
            yield
        finally:
            done.set()
            beating.join()

    def finish(self, status: RunStatus, error: str | None) -> None:
        """The last word on the run; nothing is written over one that is there already."""
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
        if record.request_sha256 != request.sha256:
            raise UsageError(f"the run id {self._run_id} belongs to another request", "leave --run-id out")
        if record.owner == self._owner:
            return True  # our own write, whose answer was lost on the way
        if not record.ended and record.lease_until < time.time():
            self._close(record)
        return False

    def _close(self, dead: RunRecord) -> None:
        """Close a run whose worker is gone; in its own name no more, so that it cannot come back."""
        why = "the function ended in the middle of the run (its lease ran out)"
        values = {"status": "error", "error": why, "step": "finished", "lease_until": 0, "owner": self._owner}
        try:
            self._write(values, {"owner": dead.owner, "status": dead.status, "lease_until": dead.lease_until})
        except (ClientError, BotoCoreError) as error:
            if not _condition_failed(error):
                raise PlatformError(f"the run's record cannot be written: {error}") from error

    def _read(self) -> RunRecord:
        answer = self._dynamodb.get_item(TableName=self._table, Key=key_of(self._run_id), ConsistentRead=True)
        return from_item(answer["Item"])

    def _update(self, values: dict[str, Any]) -> None:
        """Write into the row as long as it is ours and the run goes on."""
        try:
            self._write(values, {"owner": self._owner, "status": "running"})
        except (ClientError, BotoCoreError) as error:
            if not _condition_failed(error):
                raise PlatformError(f"the run's record cannot be written: {error}") from error
            record = self._read()
            if record.owner != self._owner:
                raise PlatformError("the run was taken over by another delivery") from error
            if record.updated != values["updated"]:  # else it is our own write, whose answer was lost
                raise PlatformError(f"the run has ended as {record.status}") from error

    def _write(self, values: dict[str, Any], expected: dict[str, Any]) -> None:
        """Set values where the row holds what is expected. Raises what boto3 raises."""
        values["updated"] = now()
        given = {f":{name}": value for name, value in values.items()}
        given |= {f":was_{name}": value for name, value in expected.items()}
        self._dynamodb.update_item(
            TableName=self._table,
            Key=key_of(self._run_id),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ConditionExpression=" AND ".join(f"#{name} = :was_{name}" for name in expected),
            ExpressionAttributeNames={f"#{name}": name for name in (*values, *expected)},
            ExpressionAttributeValues={k: TypeSerializer().serialize(v) for k, v in given.items()},
        )


def _condition_failed(error: ClientError | BotoCoreError) -> bool:
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else ""
    return code == "ConditionalCheckFailedException"


def _item(record: RunRecord) -> dict[str, Any]:
    plain = msgspec.to_builtins(record)
    plain["attempts"] = "[]"
    keys = {
        "gsi1pk": f"RUNS#{record.started[:10]}",
        "gsi1sk": f"{record.started}#{record.run_id}",
        "expires": int(time.time()) + KEEP_DAYS * 86_400,
    }
    item = {name: TypeSerializer().serialize(value) for name, value in {**plain, **keys}.items()}
    return {**key_of(record.run_id), **item}

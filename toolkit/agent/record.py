"""The row of a run in DynamoDB: a lease, so that a repeated delivery does nothing twice.

Lambda delivers an asynchronous event at least once (AWS Lambda Developer Guide, "Asynchronous
invocation"). Who creates the row holds the run; who finds it, finds out why it is there.
"""

import time
import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from toolkit.contracts import AskRequest, Attempt, RunRecord, RunStatus
from toolkit.errors import PlatformError, UsageError

LEASE_SECONDS = 180
KEEP_DAYS = 90
ENDED: frozenset[RunStatus] = frozenset({"ok", "not_converged", "budget_exceeded", "cancelled", "error"})


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
        except ClientError as error:
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

    def finish(self, status: RunStatus, error: str | None) -> None:
        """The last word on the run."""
        self._update({"status": status, "error": error, "step": "finished", "lease_until": 0})

    def _found(self, request: AskRequest) -> bool:
        answer = self._dynamodb.get_item(TableName=self._table, Key=key_of(self._run_id), ConsistentRead=True)
        record = from_item(answer["Item"])
        if record.request_sha256 != request.sha256:
            raise UsageError(f"the run id {self._run_id} belongs to another request", "leave --run-id out")
        if record.status not in ENDED and record.lease_until < time.time():
            self._owner = record.owner
            self.finish("error", "the function ended in the middle of the run (its lease ran out)")
        return False

    def _update(self, values: dict[str, Any]) -> None:
        values["updated"] = now()
        names = {f"#{name}": name for name in values}
        given = {f":{name}": TypeSerializer().serialize(value) for name, value in values.items()}
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=key_of(self._run_id),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression="#owner = :me",
                ExpressionAttributeNames={**names, "#owner": "owner"},
                ExpressionAttributeValues={**given, ":me": {"S": self._owner}},
            )
        except ClientError as error:
            if _condition_failed(error):
                raise PlatformError("the run was taken over by another delivery") from error
            raise PlatformError(f"the run's record cannot be written: {error}") from error


def _condition_failed(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException"


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

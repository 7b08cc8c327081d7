"""Calls the deployed agent and follows a run. Knows a platform by its outputs only.

The run goes on whether or not anyone follows: the request is delivered asynchronously, and the record in
the table says how far it is.
"""

import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from toolkit.cloud import Cloud
from toolkit.contracts import AskRequest, Registry, RunRecord, RunResult, StackOutputs, to_json
from toolkit.errors import PlatformError, TfkitError, UsageError

START_SECONDS = 90.0
LOOK_AGAIN_SECONDS = 4.0
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's, without i, l, o, u


def new_run_id() -> str:
    """A run id that sorts by time: 9 characters of milliseconds, then 7 random ones."""
    milliseconds = time.time_ns() // 1_000_000
    stamp = "".join(ALPHABET[milliseconds >> shift & 31] for shift in range(40, -1, -5))
    return stamp + "".join(secrets.choice(ALPHABET) for _ in range(7))


def minted_at(run_id: str) -> float:
    """When `new_run_id` made this id, in seconds since 1970; 0 for an id of another form."""
    if len(run_id) != 16 or any(letter not in ALPHABET for letter in run_id):
        return 0.0
    milliseconds = 0
    for letter in run_id[:9]:
        milliseconds = milliseconds << 5 | ALPHABET.index(letter)
    return milliseconds / 1000


class Client:
    """One platform's agent, as its user sees it."""

    def __init__(self, cloud: Cloud, outputs: StackOutputs) -> None:
        self._cloud = cloud
        self._outputs = outputs
        self._asked: dict[str, str] = {}

    def registry(self) -> Registry:
        """The models that the platform knows."""
        answer = self._cloud.client("ssm").get_parameter(Name=self._outputs.registry_parameter)
        return msgspec.json.decode(answer["Parameter"]["Value"], type=Registry)

    def submit(self, request: AskRequest) -> None:
        """Hand the request to the agent, which works on its own from then on.

        Raises `UsageError` where the run id belongs to another request.
        """
        self._asked[request.run_id] = request.sha256
        self._refuse_foreign(self.record(request.run_id))
        self._cloud.client("lambda").invoke(
            FunctionName=self._outputs.function_name, InvocationType="Event", Payload=to_json(request)
        )

    def record(self, run_id: str) -> RunRecord | None:
        """The run's record as it is now; None where there is none (yet)."""
        answer = self._table().get_item(
            TableName=self._outputs.runs_table,
            Key={"pk": {"S": f"RUN#{run_id}"}, "sk": {"S": "RECORD"}},
            ConsistentRead=True,
        )
        return _record(answer["Item"]) if "Item" in answer else None

    def latest(self, run_id: str) -> RunRecord | None:
        """As `record`, but a run that was asked for a moment ago and has left nothing yet is `queued`."""
        record = self.record(run_id)
        if record is not None or not 0 <= time.time() - minted_at(run_id) < START_SECONDS:
            return record
        try:
            self.result(run_id)
        except TfkitError:
            return RunRecord(
                run_id=run_id, status="queued", request_sha256="", prompt="", step="waiting for the agent"
            )
        return None

    def runs(self, days: list[str]) -> list[RunRecord]:
        """The runs of the given days (`YYYY-MM-DD`, UTC), newest first."""
        pages = self._table().get_paginator("query")
        found = [
            _record(item)
            for day in days
            for page in pages.paginate(
                TableName=self._outputs.runs_table,
                IndexName="gsi1",
                KeyConditionExpression="gsi1pk = :day",
                ExpressionAttributeValues={":day": {"S": f"RUNS#{day}"}},
            )
            for item in page["Items"]
        ]
        return sorted(found, key=lambda record: record.started, reverse=True)

    def follow(
        self, run_id: str, on_update: Callable[[RunRecord], None], interval_s: float = 0.25
    ) -> RunRecord:
        """Wait until the run has ended, reporting each change of its record.

        Raises `PlatformError` where the run never started or where the function died in the middle, and
        `UsageError` where another request was quicker to take the id of the one that was submitted here.
        """
        waiting_since = time.monotonic()
        seen = ""
        looks = 0
        while True:
            record = self.record(run_id)
            self._refuse_foreign(record)
            if record is None:
                waited = time.monotonic() - waiting_since
                if waited > LOOK_AGAIN_SECONDS * (looks + 1):
                    looks += 1
                    self._raise_if_dead(run_id)
                if waited > START_SECONDS:
                    raise PlatformError(
                        f"the agent did not start run {run_id} within {START_SECONDS:.0f} s",
                        "see the function's log: " + self._outputs.log_group,
                    )
            elif record.updated != seen:
                seen = record.updated
                on_update(record)
                if record.ended:
                    return record
            if record is not None and record.lost(time.time()):
                raise PlatformError(
                    f"run {run_id} stopped in the middle of: {record.step}",
                    "the function ended without a word; see its log: " + self._outputs.log_group,
                )
            time.sleep(interval_s)

    def _refuse_foreign(self, record: RunRecord | None) -> None:
        """The outcome of another request must never pass for the one that was asked for here."""
        if record and record.request_sha256 != self._asked.get(record.run_id, record.request_sha256):
            raise UsageError(f"the run id {record.run_id} belongs to another request", "leave --run-id out")

    def _raise_if_dead(self, run_id: str) -> None:
        """Raise `PlatformError` with the function's own words where Lambda gave the request up.

        Messages are looked at and left in the queue (visibility 0).
        """
        answer = self._cloud.client("sqs").receive_message(
            QueueUrl=self._outputs.dead_letter_queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        for message in answer.get("Messages", []):
            letter = json.loads(message["Body"])
            if letter.get("requestPayload", {}).get("run_id") == run_id:
                why = letter.get("responsePayload", {}).get("errorMessage", "no reason given")
                raise PlatformError(
                    f"the function could not take run {run_id}: {why}",
                    "see the function's log: " + self._outputs.log_group,
                )

    def result(self, run_id: str) -> RunResult:
        """The stored outcome. Raises `TfkitError` for a run that is unknown or has not ended."""
        s3 = self._cloud.client("s3")
        try:
            body = s3.get_object(Bucket=self._outputs.runs_bucket, Key=f"runs/{run_id}/result.json")[
                "Body"
            ].read()
        except s3.exceptions.NoSuchKey as missing:
            record = self.record(run_id)
            if record is None:
                raise TfkitError(f"no run has the id {run_id}", "list them: tfkit runs") from missing
            raise TfkitError(
                f"run {run_id} has no result: it is {record.status} ({record.error or record.step})",
                "list the runs: tfkit runs",
            ) from missing
        return msgspec.json.decode(body, type=RunResult)

    def download(self, result: RunResult, folder: Path) -> None:
        """Put the run's files into a folder that is new or empty: all of them, or none.

        Raises `TfkitError` where a file is not what the result says or cannot be written, `UsageError` where
        the folder is in use.
        """
        refuse_used(folder)
        try:
            self._download(result, folder)
        except OSError as error:
            raise TfkitError(
                f"the files cannot be written to {folder}: {error.strerror or error}",
                f"put them elsewhere: tfkit runs files {result.run_id} -o DIR",
            ) from error

    def _download(self, result: RunResult, folder: Path) -> None:
        exists = folder.exists()  # it may be the working folder, which cannot be replaced
        if not exists:
            folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=folder if exists else folder.parent, prefix=".tfkit-"))
        try:
            for entry in result.files:
                content = self._file(result.run_id, entry.path)
                if sha256(content).hexdigest() != entry.sha256:
                    raise TfkitError(f"{entry.path} was changed after run {result.run_id} had stored it")
                target = staging.joinpath(*_safe_parts(entry.path))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            staging.chmod(0o755)
            if exists:
                for path in staging.iterdir():
                    path.replace(folder / path.name)
                staging.rmdir()
            else:
                staging.replace(folder)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise

    def file(self, run_id: str, path: str) -> str:
        """The text of one file of a run."""
        return self._file(run_id, path).decode("utf-8", "replace")

    def _file(self, run_id: str, path: str) -> bytes:
        s3 = self._cloud.client("s3")
        key = f"runs/{run_id}/workspace/{path}"
        try:
            content: bytes = s3.get_object(Bucket=self._outputs.runs_bucket, Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey as missing:
            raise TfkitError(f"{path} of run {run_id} is no longer in the bucket") from missing
        return content

    def _table(self) -> Any:
        return self._cloud.client("dynamodb")


def refuse_used(folder: Path) -> None:
    """Raise `UsageError` where the folder holds something, or cannot be made: nothing is overwritten."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty", "choose another folder: -o DIR")
    above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} cannot be made in {above}", "choose another folder: -o DIR")


def _safe_parts(path: str) -> list[str]:
    """The parts of a relative path; a result is data from a bucket and may not lead elsewhere."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or re.search(r"[\\\0]", part) for part in parts):
        raise TfkitError(f"the result names a path that leads elsewhere: {path!r}")
    return parts


def _record(item: dict[str, Any]) -> RunRecord:
    """A row of the table, in DynamoDB's notation, as a record."""
    plain = {name: next(iter(value.values())) for name, value in item.items()}
    plain = {name: None if item[name].get("NULL") else value for name, value in plain.items()}
    fields = {name: plain[name] for name in RunRecord.__struct_fields__ if name in plain}
    fields["attempts"] = json.loads(fields.get("attempts") or "[]")
    return msgspec.convert(fields, RunRecord, strict=False)

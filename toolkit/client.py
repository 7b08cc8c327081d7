"""Calls the deployed agent and follows a run. Knows a platform by its outputs only.

The run goes on whether or not anyone follows: the request is delivered asynchronously, and the record in
the table says how far it is.
"""

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from toolkit.checker.message import pack, unpack_tree
from toolkit.closing import close_dead
from toolkit.cloud import Cloud
from toolkit.contracts import (
    MAX_EVENT_BYTES,
    AskRequest,
    FileEntry,
    Registry,
    RequestInBucket,
    RunRecord,
    RunResult,
    StackOutputs,
    Tree,
    list_hash,
    to_json,
)
from toolkit.conversations import Conversation, head_of, newest_query
from toolkit.errors import PlatformError, TfkitError, UsageError
from toolkit.paths import parts_of
from toolkit.tables import (
    BY_DAY,
    QUEUED_AT_MOST_SECONDS,
    STOP_KEY,
    Item,
    attached_key,
    attempt_key,
    chat_key,
    day_key,
    file_key,
    from_item,
    minted_at,
    new_run_id,
    request_key,
    result_key,
    run_key,
    start_key,
    statement_key,
    stop_of,
    tree_key,
)

if TYPE_CHECKING:
    from tenacity import RetryCallState, Retrying

    from toolkit.cancelling import Cancelled

__all__ = ["Client", "minted_at", "new_run_id", "refuse_used"]

START_SECONDS = 90.0
LOOK_AGAIN_SECONDS = 4.0

# A session that nobody named is named by the clock, which tells nobody from anybody:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
_CLOCKS_SESSION = re.compile(r"/botocore-session-\d+$")

PATIENCE_SECONDS = 600.0
PATIENCE_LOCAL_SECONDS = 20.0
"""How long a connection may be away from a run that is followed. The emulator comes back soon, or not."""

CLOCKS_DIFFER_SECONDS = 300.0
"""By how much another machine's clock may be ahead of this one's."""


class Client:
    """One platform's agent, as its user sees it."""

    def __init__(self, cloud: Cloud, outputs: StackOutputs) -> None:
        self._cloud = cloud
        self._outputs = outputs
        self._asked: dict[str, str] = {}

    def caller(self) -> str:
        """The ARN of whoever asks, as STS names it: what a caller's daily budget goes by.

        The client says it of itself, so it keeps accounts among people who trust each other, and no more.
        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
        """
        arn: str = self._cloud.client("sts").get_caller_identity()["Arn"]
        return _CLOCKS_SESSION.sub("", arn)

    def registry(self) -> Registry:
        """The models that the platform knows."""
        answer = self._cloud.client("ssm").get_parameter(Name=self._outputs.registry_parameter)
        return msgspec.json.decode(answer["Parameter"]["Value"], type=Registry)

    def submit(self, request: AskRequest, start: Tree | None = None, attached: Tree | None = None) -> None:
        """Hand the request to the agent, which works on its own from then on.

        `start` and `attached` are the trees that the request names by their hashes. Raises `UsageError` where
        the run id belongs to another request, `TfkitError` where the platform is stopped or the bucket does
        not take what the run is given.
        """
        self._refuse_stopped(f"run {request.run_id} was not asked for")
        self._asked[request.run_id] = request.sha256
        self._refuse_foreign(self.record(request.run_id))
        for key, tree in ((start_key, start), (attached_key, attached)):
            if tree and tree.files:
                self._give(key(request.run_id), pack(tree))
        payload = to_json(request)
        if len(payload) > MAX_EVENT_BYTES:
            self._give(request_key(request.run_id), payload)
            payload = to_json(RequestInBucket(run_id=request.run_id, request_sha256=request.sha256))
        self._cloud.client("lambda").invoke(
            FunctionName=self._outputs.function_name, InvocationType="Event", Payload=payload
        )

    def _give(self, key: str, content: bytes) -> None:
        """Lay down what a run is given, before it is asked for."""
        from botocore.exceptions import ClientError

        try:
            self._cloud.client("s3").put_object(Bucket=self._outputs.runs_bucket, Key=key, Body=content)
        except ClientError as error:
            raise TfkitError(
                f"the runs bucket does not take {key}: {error}",
                "the policy of tfkit's users lets them; `tfkit up` brings it to this version",
            ) from error

    def record(self, run_id: str) -> RunRecord | None:
        """The run's record as it is now; None where there is none (yet)."""
        item = self._row(run_key(run_id))
        return from_item(item) if item else None

    def latest(self, run_id: str) -> RunRecord | None:
        """As `record`, but a run that was asked for a moment ago and has left nothing yet is `queued`.

        One whose worker died is closed.
        """
        record = self.record(run_id)
        if record is not None:
            return self._closed(record)
        if not 0 <= time.time() - minted_at(run_id) < START_SECONDS:
            return None
        try:
            self.result(run_id)
        except TfkitError:
            return RunRecord(
                run_id=run_id, status="queued", request_sha256="", prompt="", step="waiting for the agent"
            )
        return None

    def runs(self, days: list[str]) -> list[RunRecord]:
        """The runs of the given days (`YYYY-MM-DD`, UTC), newest first; whose worker died is closed."""
        found = [self._closed(from_item(item)) for item in self._of_days(days)]
        return sorted(found, key=lambda record: record.started, reverse=True)

    def _closed(self, record: RunRecord) -> RunRecord:
        return close_dead(self._table(), self._outputs.runs_table, record)

    def under_way(self, days: Sequence[str]) -> list[str]:
        """The ids of the runs of the given days that have not ended, as far as the index knows by now."""
        found = self._of_days(
            days,
            FilterExpression="#status IN (:queued, :running)",
            ProjectionExpression="run_id",
            ExpressionAttributeNames={"#status": "status"},
            values={":queued": {"S": "queued"}, ":running": {"S": "running"}},
        )
        return [item["run_id"]["S"] for item in found]

    def _of_days(self, days: Sequence[str], values: Item | None = None, **query: Any) -> list[Item]:
        pages = self._table().get_paginator("query")
        return [
            item
            for day in days
            for page in pages.paginate(
                TableName=self._outputs.runs_table,
                IndexName=BY_DAY,
                KeyConditionExpression="gsi1pk = :day",
                ExpressionAttributeValues={":day": {"S": day_key(day)}, **(values or {})},
                **query,
            )
            for item in page["Items"]
        ]

    def conversation(self, name: str) -> Conversation | None:
        """The conversation of this id; None where there is none (any more)."""
        return head_of(self._row(chat_key(name)))

    def conversations(self, caller: str, most: int = 1) -> list[Conversation]:
        """A caller's conversations, the one first that went on last."""
        items = self._table().query(**newest_query(self._outputs.runs_table, caller, most))["Items"]
        return [head for item in items if (head := head_of(item))]

    def runs_of(self, conversation: str) -> list[str]:
        """The runs that a conversation remembers, the newest first."""
        pages = (
            self._table()
            .get_paginator("query")
            .paginate(
                TableName=self._outputs.runs_table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :turn)",
                ExpressionAttributeValues={":pk": chat_key(conversation)["pk"], ":turn": {"S": "TURN#"}},
                ProjectionExpression="#run",
                ExpressionAttributeNames={"#run": "run"},
                ScanIndexForward=False,
            )
        )
        return [item["run"]["S"] for page in pages for item in page["Items"]]

    def cancel(self, run_id: str) -> "Cancelled":
        """Cancel a run, whether it runs or waits to be started; returns when it is cancelled.

        Raises `TfkitError` for a run that is unknown, or that ends otherwise before it can be cancelled.
        """
        from toolkit.cancelling import Cancelled, Cancelling

        cancelling = Cancelling(self._table(), self._outputs.runs_table)
        record = self.record(run_id)
        if record is None:
            self._raise_if_unknown(run_id)
            if cancelling.forestall(run_id):
                return Cancelled(run_id=run_id, how="never began")
        elif record.status == "cancelled":
            return Cancelled(run_id=run_id, how="before")
        if (record is None or not record.ended) and (done := cancelling.cancel([run_id])):
            return done[0]
        record = self.record(run_id)
        raise TfkitError(
            f"run {run_id} had ended before it could be cancelled: {record.status if record else 'unknown'}",
            f"see what came of it: tfkit runs show {run_id}",
        )

    def _raise_if_unknown(self, run_id: str) -> None:
        """A run without a row may wait to be started, for as long as Lambda keeps its request.

        Only an id that tells its time can say so; a chosen one is unknown until a worker takes it.
        """
        age = time.time() - minted_at(run_id)
        if not -CLOCKS_DIFFER_SECONDS < age < QUEUED_AT_MOST_SECONDS:
            ended = self.result(run_id)  # raises for an id that nobody knows
            raise TfkitError(
                f"run {run_id} had ended before it could be cancelled: {ended.status}",
                f"see what came of it: tfkit runs show {run_id}",
            )

    def follow(
        self,
        run_id: str,
        on_update: Callable[[RunRecord], None],
        interval_s: float = 0.25,
        on_cut: Callable[[Exception], None] = lambda _error: None,
    ) -> RunRecord:
        """Wait until the run has ended, reporting each change of its record.

        A connection that is cut is tried again for minutes, because the run goes on without it; `on_cut` is
        told each time. Raises `PlatformError` where the run never started or where the function died in the
        middle, and `UsageError` where another request was quicker to take the id of the one that was
        submitted here.
        """
        patient = self._patience(on_cut)
        waiting_since = time.monotonic()
        seen = ""
        looks = 0
        while True:
            record = patient(self.record, run_id)
            self._refuse_foreign(record)
            if record is None:
                waited = time.monotonic() - waiting_since
                if waited > LOOK_AGAIN_SECONDS * (looks + 1):
                    looks += 1
                    patient(self._refuse_stopped, f"run {run_id} will not begin")
                    patient(self._raise_if_dead, run_id)
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

    def await_result(
        self,
        run_id: str,
        on_update: Callable[[RunRecord], None],
        on_cut: Callable[[Exception], None] = lambda _error: None,
    ) -> RunResult:
        """Follow the run to its end; returns what came of it. Raises what `follow` and `result` raise."""
        self.follow(run_id, on_update, on_cut=on_cut)
        return self._patience(on_cut)(self.result, run_id)

    def _patience(self, on_cut: Callable[[Exception], None]) -> "Retrying":
        """Repeats what a cut connection has kept from being read; then raises what boto3 raised last."""
        from botocore.exceptions import ConnectionError as Unreachable
        from botocore.exceptions import HTTPClientError
        from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

        def cut(state: "RetryCallState") -> None:
            if state.outcome and isinstance(error := state.outcome.exception(), Exception):
                on_cut(error)

        return Retrying(
            retry=retry_if_exception_type((Unreachable, HTTPClientError)),
            wait=wait_exponential(multiplier=0.5, max=10),
            stop=stop_after_delay(PATIENCE_LOCAL_SECONDS if self._cloud.endpoint else PATIENCE_SECONDS),
            before_sleep=cut,
            reraise=True,
        )

    def _refuse_stopped(self, so: str) -> None:
        """Raise `TfkitError` while the platform is stopped; a user may read that, but not the function."""
        stop = stop_of(self._row(STOP_KEY))
        if stop and stop.holds:
            raise TfkitError(f"the platform was stopped at {stop.at}; {so}", "release it: tfkit up")

    def _refuse_foreign(self, record: RunRecord | None) -> None:
        """The outcome of another request must never pass for the one that was asked for here."""
        if record is None or not record.request_sha256:  # cancelled before anybody took the request
            return
        if record.request_sha256 != self._asked.get(record.run_id, record.request_sha256):
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
        """The stored outcome; of a run whose worker stored none, what its record says.

        Raises `TfkitError` for a run that is unknown or has not ended.
        """
        s3 = self._cloud.client("s3")
        try:
            body = s3.get_object(Bucket=self._outputs.runs_bucket, Key=result_key(run_id))["Body"].read()
        except s3.exceptions.NoSuchKey as missing:
            record = self.record(run_id)
            if record is None:
                raise TfkitError(f"no run has the id {run_id}", "list them: tfkit runs") from missing
            if record.status in ("cancelled", "error"):
                return _unstored(record)
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
                content = self._verified(result.run_id, entry)
                target = staging.joinpath(*parts_of(entry.path))
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

    def request(self, record: RunRecord) -> AskRequest | None:
        """The request as the run's worker took it; None where it was not kept, or is gone by now.

        Whoever may ask may write there, so its hash in the row decides. Raises `TfkitError` for another one.
        """
        body = self._object(request_key(record.run_id))
        if body is None:
            return None
        if sha256(body).hexdigest() != record.request_sha256:
            raise TfkitError(f"the request in the bucket is not the one that run {record.run_id} had")
        try:
            return msgspec.json.decode(body, type=AskRequest)
        except msgspec.MsgspecError as error:
            raise TfkitError(f"the request of run {record.run_id} cannot be read: {error}") from error

    def given_to(self, request: AskRequest) -> tuple[Tree, Tree]:
        """What a run was given: the files that it started from, and what was attached to its prompt.

        Raises `TfkitError` where they are gone, or are not those that the request names.
        """
        return (
            self._given("the files that it started from", start_key(request.run_id), request.start),
            self._given("what was attached to its prompt", attached_key(request.run_id), request.attached),
        )

    def _given(self, what: str, key: str, tree_hash: str) -> Tree:
        if not tree_hash:
            return Tree()
        packed = self._object(key)
        if packed is None:
            raise TfkitError(f"no longer in the bucket: {what}")
        return unpack_tree(packed, tree_hash)

    def statement(self, run_id: str) -> bytes | None:
        """The signed statement of a run that was `ok`; None where there is none (any more)."""
        return self._object(statement_key(run_id))

    def statement_of_tree(self, tree_hash: str) -> bytes | None:
        """The statement of the last `ok` run that came to this tree, by its hash; None without one."""
        return self._object(tree_key(tree_hash))

    def _object(self, key: str) -> bytes | None:
        """An object of the runs bucket; None where it is not there, or was withdrawn."""
        s3 = self._cloud.client("s3")
        try:
            body: bytes = s3.get_object(Bucket=self._outputs.runs_bucket, Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return None
        return body or None

    def public_key(self) -> tuple[str, bytes]:
        """The key that signs statements: its ARN, and its public part (DER, SPKI).

        Raises `TfkitError` for a platform of a version without one.
        """
        arn = self._outputs.statement_key_arn
        if not arn:
            raise TfkitError("this platform signs no statements yet", "bring it to this version: tfkit up")
        der: bytes = self._cloud.client("kms").get_public_key(KeyId=arn)["PublicKey"]
        return arn, der

    def tree(self, result: RunResult, start: Tree) -> Tree:
        """The run's files in memory; those that are as in `start` are not fetched.

        Raises `TfkitError` where a file is not what the result says.
        """
        known = {entry.path: entry.sha256 for entry in start.entries}
        return Tree(
            files={
                entry.path: start.files[entry.path]
                if known.get(entry.path) == entry.sha256
                else self._verified(result.run_id, entry)
                for entry in result.files
            }
        )

    def attempt(self, result: RunResult, number: int) -> Tree | None:
        """The files as they were at an attempt (the first is 1); None for a run of before they were kept.

        Raises `TfkitError` where they are not what the result says.
        """
        wanted = next((one.tree for one in result.attempts if one.n == number), "")
        if wanted == f"sha256:{list_hash(result.files)}":
            return self.tree(result, Tree())
        packed = self._object(attempt_key(result.run_id, number)) if wanted else None
        return unpack_tree(packed, wanted) if packed else None

    def _verified(self, run_id: str, entry: FileEntry) -> bytes:
        content = self._file(run_id, entry.path)
        if sha256(content).hexdigest() != entry.sha256:
            raise TfkitError(f"{entry.path} was changed after run {run_id} had stored it")
        return content

    def file(self, run_id: str, path: str) -> str:
        """The text of one file of a run."""
        return self._file(run_id, path).decode("utf-8", "replace")

    def _file(self, run_id: str, path: str) -> bytes:
        s3 = self._cloud.client("s3")
        try:
            answer = s3.get_object(Bucket=self._outputs.runs_bucket, Key=file_key(run_id, path))
            content: bytes = answer["Body"].read()
        except s3.exceptions.NoSuchKey as missing:
            raise TfkitError(f"{path} of run {run_id} is no longer in the bucket") from missing
        return content

    def _row(self, key: Item) -> Item | None:
        answer = self._table().get_item(TableName=self._outputs.runs_table, Key=key, ConsistentRead=True)
        found: Item | None = answer.get("Item")
        return found

    def _table(self) -> Any:
        return self._cloud.client("dynamodb")


def refuse_used(folder: Path) -> None:
    """Raise `UsageError` where the folder holds something, or cannot be made: nothing is overwritten."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty", "choose another folder: -o DIR")
    above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} cannot be made in {above}", "choose another folder: -o DIR")


def _unstored(record: RunRecord) -> RunResult:
    """The outcome of a run whose worker never began, or did not live to store one."""
    return RunResult(
        run_id=record.run_id,
        status=record.status,
        model=record.model,
        prompt=record.prompt,
        output="",
        attempts=record.attempts,
        error=record.error,
    )

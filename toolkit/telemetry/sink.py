"""Where records go: Firehose first, past it if it stays away, and a copy beside the run's artifacts.

The role needs: firehose:PutRecordBatch on the stream; s3:PutObject on `fallback/*` of the audit bucket and
on `runs/*` of the runs bucket.
Hand in clients with short time-outs: a dead endpoint costs `attempts` times what theirs are.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal, Protocol

from toolkit.telemetry import keys
from toolkit.telemetry.record import Line

Way = Literal["firehose", "fallback"]

BATCH_RECORDS = 500
BATCH_BYTES = 4 * 1024 * 1024

log = logging.getLogger(__name__)


class Sink(Protocol):
    """What `RunTelemetry` needs. Neither method raises; what is not accepted is offered again."""

    def ship(self, run_id: str, lines: Sequence[Line]) -> Mapping[int, str]:
        """Take the lines; returns sequence number → by which way, for those that were accepted."""
        ...

    def put_content(self, run_id: str, sha256: str, text: bytes) -> bool:
        """Store a text that no record can hold (UTF-8); says whether it is stored."""
        ...


def batches(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """The lines in order, in groups that one PutRecordBatch may carry."""
    start = size = 0
    for number, line in enumerate(lines):
        length = len(line.data)
        if number > start and (number - start == BATCH_RECORDS or size + length > BATCH_BYTES):
            yield list(lines[start:number])
            start, size = number, 0
        size += length
    if start < len(lines):
        yield list(lines[start:])


def _today() -> date:
    return datetime.now(UTC).date()


class FirehoseSink:
    """Ships to a delivery stream; clients are boto3's, made by the caller.

    `attempts` is how often a batch is offered, `backoff_s` the first pause in seconds (doubled each time).
    """

    def __init__(
        self,
        firehose_client: Any,
        stream_name: str,
        s3_client: Any,
        audit_bucket: str,
        runs_bucket: str,
        *,
        attempts: int = 4,
        backoff_s: float = 0.2,
        sleep: Callable[[float], None] = time.sleep,
        today: Callable[[], date] = _today,
    ) -> None:
        self._firehose = firehose_client
        self._stream = stream_name
        self._s3 = s3_client
        self._audit_bucket = audit_bucket
        self._runs_bucket = runs_bucket
        self._attempts = attempts
        self._backoff_s = backoff_s
        self._sleep = sleep
        self._today = today
        self._away = False

    def ship(self, run_id: str, lines: Sequence[Line]) -> dict[int, Way]:
        """Offer the lines to Firehose, then put what it refused into the audit bucket; copy what was taken.

        A copy that fails is only logged: it makes `traces` answer sooner, and is no evidence. Where neither
        takes a line, the others wait for the next time: the client has tried often, and a run must end.
        """
        accepted: dict[int, Way] = {}
        for batch in batches(lines):
            refused = self._deliver(batch)
            left = {line.seq for line in refused}
            for line in batch:
                if line.seq not in left:
                    accepted[line.seq] = "firehose"
            for line in refused:
                key = keys.fallback(run_id, line.seq)
                if not self._put(self._audit_bucket, key, line.data, IfNoneMatch="*"):
                    return self._copied(run_id, lines, accepted)
                accepted[line.seq] = "fallback"
        return self._copied(run_id, lines, accepted)

    def _copied(self, run_id: str, lines: Sequence[Line], accepted: dict[int, Way]) -> dict[int, Way]:
        for line in lines:
            if line.seq in accepted:
                self._copy(run_id, line)
        return accepted

    def put_content(self, run_id: str, sha256: str, text: bytes) -> bool:
        """Store a large text beside the run's artifacts; says whether it is stored."""
        return self._put(self._runs_bucket, keys.content(run_id, sha256), text)

    def _deliver(self, batch: list[Line]) -> list[Line]:
        """Offer the batch until all is taken or the attempts are spent; returns what is left.

        A stream that did not answer the last time gets one: a run has no time to wait at every turn.
        """
        left = batch
        for attempt in range(1 if self._away else self._attempts):
            if attempt:
                self._sleep(self._backoff_s * 2 ** (attempt - 1))
            left = self._offer(left)
            if not left:
                break
        return left

    def _offer(self, batch: list[Line]) -> list[Line]:
        """One call. A call that succeeds may still have refused records, so each answer is looked at."""
        try:
            response = self._firehose.put_record_batch(
                DeliveryStreamName=self._stream, Records=[{"Data": line.data} for line in batch]
            )
            answers = response["RequestResponses"]
            self._away = False
            return [line for line, answer in zip(batch, answers, strict=True) if not answer.get("RecordId")]
        except Exception as error:  # noqa: BLE001 - whatever it is, another attempt or the bucket is the answer
            log.warning("Firehose %s refused a call with %d records: %s", self._stream, len(batch), error)
            self._away = True
            return batch

    def _copy(self, run_id: str, line: Line) -> None:
        if line.seq == 0:
            self._put(self._runs_bucket, keys.marker(self._today(), run_id), b"")
        self._put(self._runs_bucket, keys.copy(run_id, line.seq), line.data)

    def _put(self, bucket: str, key: str, body: bytes, **condition: str) -> bool:
        try:
            self._s3.put_object(Bucket=bucket, Key=key, Body=body, **condition)
        except Exception as error:  # noqa: BLE001 - the caller decides what a missing object means
            answer: dict[str, Any] = getattr(error, "response", {})
            if condition and answer.get("Error", {}).get("Code") == "PreconditionFailed":
                return True  # our own write, whose answer was lost: each number is written once
            log.warning("could not put s3://%s/%s: %s", bucket, key, error)
            return False
        return True

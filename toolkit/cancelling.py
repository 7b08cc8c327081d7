"""Ends runs from outside: asks their workers, waits for all of them together, closes what does not answer.

A worker looks at its run's row every two seconds, ends what it does, and stores what there is. One that
hangs or has died says nothing; its row is then closed in its place, and what it may still store says
`cancelled` too.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Literal

from botocore.exceptions import ClientError

from toolkit.contracts import RunRecord, Shape
from toolkit.errors import PlatformError
from toolkit.tables import condition_failed, from_item, now, run_key, setting, values_of

WAIT_SECONDS = 8.0
LOOK_SECONDS = 0.25
AT_ONCE = 8
"""Requests side by side; boto3 keeps ten connections to a service."""

NEVER_BEGAN = "cancelled before it began"
NO_ANSWER = "cancelled on request; its worker did not answer in time"

How = Literal["ended", "closed", "never began", "before"]


class Cancelled(Shape, frozen=True):
    """A run that is cancelled now, and how it came to that.

    `ended`: its worker ended it and stored what there was. `closed`: its worker did not answer, and the
    row was closed in its place. `never began`: no worker had taken it. `before`: it was cancelled already.
    """

    run_id: str
    how: How


class Cancelling:
    """Cancels runs by their rows in one table; needs no right but to read and update it."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def cancel(self, run_ids: Sequence[str], wait_s: float = WAIT_SECONDS) -> list[Cancelled]:
        """Cancel these runs, waiting `wait_s` seconds for all of them together.

        A run that ends otherwise meanwhile, or that has no row, is left out. Raises `PlatformError` where
        the table refuses.
        """
        deadline = time.monotonic() + wait_s
        try:
            with ThreadPoolExecutor(AT_ONCE, "cancel") as pool:
                list(pool.map(self._ask, run_ids))
                silent = self._await_ends(pool, run_ids, deadline)
                closed = dict(zip(silent, pool.map(self._close, silent), strict=True))
                ends = list(pool.map(self._read, run_ids))
        except ClientError as error:
            raise refused("runs cannot be cancelled", error) from error
        return [
            Cancelled(run_id=record.run_id, how="closed" if closed.get(record.run_id) else "ended")
            for record in ends
            if record and record.status == "cancelled"
        ]

    def forestall(self, run_id: str) -> bool:
        """Write the row of a run that no worker has taken as cancelled; False where one was quicker."""
        at = now()
        record = RunRecord(
            run_id=run_id, status="cancelled", request_sha256="", prompt="", started=at, updated=at,
            step="finished", error=NEVER_BEGAN, cancel_requested=at,
        )  # fmt: skip
        try:
            return self._update(run_id, values_of(record), {"pk": None})
        except ClientError as error:
            raise refused(f"run {run_id} cannot be cancelled", error) from error

    def _ask(self, run_id: str) -> None:
        self._update(run_id, {"cancel_requested": now()}, {"status": "running"})

    def _await_ends(self, pool: Executor, run_ids: Sequence[str], deadline: float) -> list[str]:
        """Wait until every run has ended or is known to be dead; returns the ids of those that have not."""
        dead: list[str] = []
        waiting = list(run_ids)
        while True:
            found = [record for record in pool.map(self._read, waiting) if record and not record.ended]
            dead += [record.run_id for record in found if record.lost(time.time())]
            waiting = [record.run_id for record in found if record.run_id not in dead]
            if not waiting or time.monotonic() + LOOK_SECONDS > deadline:
                return dead + waiting
            time.sleep(LOOK_SECONDS)

    def _close(self, run_id: str) -> bool:
        """Write the last word in the worker's place; False where it was quicker."""
        record = self._read(run_id)
        if record is None or record.ended:
            return False
        last = {
            "status": "cancelled", "error": NO_ANSWER, "step": "finished", "lease_until": 0, "updated": now(),
        }  # fmt: skip
        return self._update(run_id, last, {"owner": record.owner, "status": record.status})

    def _read(self, run_id: str) -> RunRecord | None:
        answer = self._dynamodb.get_item(TableName=self._table, Key=run_key(run_id), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def _update(self, run_id: str, values: dict[str, Any], expected: dict[str, Any]) -> bool:
        """Set values where the row holds what is expected; says whether it did."""
        try:
            self._dynamodb.update_item(
                TableName=self._table, Key=run_key(run_id), **setting(values, expected)
            )
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False
        return True


def refused(what: str, error: ClientError) -> PlatformError:
    """An error of ours in place of boto3's, with what to do about missing rights."""
    denied = error.response.get("Error", {}).get("Code", "").startswith("AccessDenied")
    hint = "it takes the platform's operator policy" if denied else ""
    return PlatformError(f"{what}: {error}", hint)

"""The brake: no run begins, and those that run are cancelled, until `up` releases it.

    pull:     marker in the table ──▶ the function's concurrency to 0 ──▶ running runs cancelled
    release:  concurrency as configured ──▶ marker says released

The marker alone would hold: the agent refuses every run while it stands, and afterwards those that were
asked for before it, which Lambda keeps in its queue meanwhile. The concurrency keeps the function from
being started, and paid for, at all.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from toolkit.cancelling import WAIT_SECONDS, Cancelled, Cancelling, refused
from toolkit.client import Client
from toolkit.cloud import Cloud
from toolkit.contracts import Shape, StackOutputs
from toolkit.errors import PlatformError
from toolkit.tables import STOP_KEY, now, setting, stop_of

UNRESERVED = -1

SETTLE_SECONDS = 1.0
"""For how long at least the index is looked at: it shows a run that has just begun a moment late."""

LOOK_SECONDS = 0.25


class Stopped(Shape, frozen=True):
    """What pulling the brake did: which runs are cancelled now and how, and how many seconds it took."""

    cancelled: list[Cancelled]
    seconds: float


def pull(cloud: Cloud, outputs: StackOutputs) -> Stopped:
    """Stop the platform, and cancel what runs; waits eight seconds at most, then closes what is left.

    May be called again. Does as much as it may: raises `PlatformError`, after the rest is done, where the
    function's concurrency could not be set.
    """
    began = time.monotonic()
    _mark(cloud, outputs, {"at": now(), "released": ""})
    error = _hold(cloud, outputs.function_name)
    cancelled = _cancel_all(cloud, outputs, began)
    if error:
        raise PlatformError(
            f"the function {outputs.function_name} could not be held: {error}; it refuses every run all the "
            f"same, and {len(cancelled)} were cancelled",
            "set its reserved concurrency to 0 with the platform's operator policy: tfkit stop",
        ) from error
    return Stopped(cancelled=cancelled, seconds=round(time.monotonic() - began, 3))


def release(cloud: Cloud, outputs: StackOutputs, reserved: int) -> bool:
    """Let runs begin again, with the configured concurrency (-1 reserves nothing).

    Writes only what differs; says whether anything did.
    """
    client = cloud.client("lambda")
    changed = _reserved(client, outputs.function_name) != reserved
    if changed and reserved == UNRESERVED:
        client.delete_function_concurrency(FunctionName=outputs.function_name)
    elif changed:
        client.put_function_concurrency(
            FunctionName=outputs.function_name, ReservedConcurrentExecutions=reserved
        )
    answer = cloud.client("dynamodb").get_item(
        TableName=outputs.runs_table, Key=STOP_KEY, ConsistentRead=True
    )
    stop = stop_of(answer.get("Item"))
    if stop and stop.holds:
        _mark(cloud, outputs, {"released": now()})
        return True
    return changed


def pulled(cloud: Cloud, function: str) -> bool:
    """Whether the function is held: by `pull`, or by hand ("Throttle" in the console does the same)."""
    return _reserved(cloud.client("lambda"), function) == 0


def _mark(cloud: Cloud, outputs: StackOutputs, values: dict[str, Any]) -> None:
    try:
        cloud.client("dynamodb").update_item(TableName=outputs.runs_table, Key=STOP_KEY, **setting(values))
    except ClientError as error:
        raise refused("the brake's row cannot be written", error) from error


def _hold(cloud: Cloud, function: str) -> ClientError | None:
    try:
        cloud.client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    except ClientError as error:
        return error
    return None


def _reserved(client: Any, function: str) -> int:
    answer = client.get_function_concurrency(FunctionName=function)
    return int(answer.get("ReservedConcurrentExecutions", UNRESERVED))


def _cancel_all(cloud: Cloud, outputs: StackOutputs, began: float) -> list[Cancelled]:
    """Cancel what runs, and look again until the index shows nothing more; `began` is of `monotonic`."""
    client = Client(cloud, outputs)
    cancelling = Cancelling(cloud.client("dynamodb"), outputs.runs_table)
    today = datetime.now(UTC).date()
    days = [(today - timedelta(days=n)).isoformat() for n in range(2)]  # no run lasts longer than that
    seen: set[str] = set()
    cancelled: list[Cancelled] = []
    while True:
        fresh = [run_id for run_id in client.under_way(days) if run_id not in seen]
        passed = time.monotonic() - began
        if fresh:
            seen.update(fresh)
            cancelled += cancelling.cancel(fresh, max(0.0, WAIT_SECONDS - passed))
        elif passed >= SETTLE_SECONDS:
            return cancelled
        else:
            time.sleep(LOOK_SECONDS)

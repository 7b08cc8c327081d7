"""What the agent and the command line agree on: rows, keys, ids, and what the brake refuses."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from boto3.dynamodb.types import TypeDeserializer

from toolkit.contracts import Attempt, RunRecord
from toolkit.tables import (
    ALPHABET,
    QUEUED_AT_MOST_SECONDS,
    Stop,
    condition_failed,
    file_key,
    from_item,
    minted_at,
    new_run_id,
    result_key,
    run_key,
    setting,
    stop_of,
    to_item,
)

RECORD = RunRecord(
    run_id="0abcdefgh1234567",
    status="running",
    request_sha256="x",
    prompt="a bucket, ü",
    started="2026-11-21T10:00:00.000Z",
    lease_until=4_000_000_000,
    attempt=1,
    attempts=[Attempt(n=1, tree="sha256:a", validators={"fmt": "ok"})],
)


def test_a_record_goes_round():
    item = to_item(RECORD)
    assert from_item(item) == RECORD
    assert {key: item[key] for key in ("pk", "sk")} == run_key(RECORD.run_id)
    assert item["gsi1pk"] == {"S": "RUNS#2026-11-21"}


def test_a_row_is_what_boto3_reads():
    plain = {name: TypeDeserializer().deserialize(value) for name, value in to_item(RECORD).items()}
    assert (plain["error"], plain["lease_until"], plain["prompt"]) == (None, 4_000_000_000, "a bucket, ü")
    assert plain["expires"] > time.time()


def test_a_row_of_an_older_or_newer_tfkit_is_read():
    item = to_item(RECORD)
    del item["cancel_requested"]
    assert from_item({**item, "new_in_some_later_version": {"L": []}}) == RECORD


def test_values_are_set_where_the_row_holds_what_is_expected():
    assert setting({"status": "cancelled", "lease_until": 0, "error": None}, {"owner": "o", "pk": None}) == {
        "UpdateExpression": "SET #status = :status, #lease_until = :lease_until, #error = :error",
        "ConditionExpression": "#owner = :was_owner AND attribute_not_exists(#pk)",
        "ExpressionAttributeNames": {
            "#status": "status", "#lease_until": "lease_until", "#error": "error", "#owner": "owner",
            "#pk": "pk",
        },
        "ExpressionAttributeValues": {
            ":status": {"S": "cancelled"}, ":lease_until": {"N": "0"}, ":error": {"NULL": True},
            ":was_owner": {"S": "o"},
        },
    }  # fmt: skip
    assert "ConditionExpression" not in setting({"at": "now"})


def test_only_a_failed_condition_is_one():
    assert not condition_failed(OSError("no answer"))


def test_artifacts_lie_below_their_run():
    assert result_key("abc") == "runs/abc/result.json"
    assert file_key("abc", "m/main.tf") == "runs/abc/workspace/m/main.tf"


def test_a_run_id_tells_when_it_was_made():
    before = time.time()
    made = minted_at(new_run_id())
    assert before - 0.002 <= made <= time.time()
    for other in ("my-own-run-id", "0123456789abcdeU", "short"):
        assert minted_at(other) == 0


# -- the brake ------------------------------------------------------------------------------------


def at(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def minted(seconds: float) -> str:
    milliseconds = int((time.time() + seconds) * 1000)
    return "".join(ALPHABET[milliseconds >> shift & 31] for shift in range(40, -1, -5)) + "0000000"


@pytest.mark.parametrize(
    ("stop", "run_id", "cause"),
    [
        (Stop(at=at(-60)), minted(0), "the platform was stopped at"),
        (Stop(at=at(-60)), "a-chosen-id", "the platform was stopped at"),
        (Stop(at=at(-60), released=at(-30)), minted(-61), "it was asked for before"),
        (Stop(at=at(-60), released=at(-30)), minted(-59), ""),
        (Stop(at=at(-60), released=at(-30)), "a-chosen-id", "does not tell"),
        (Stop(at=at(-QUEUED_AT_MOST_SECONDS - 9), released=at(-30)), "a-chosen-id", ""),
    ],
    ids=["stopped", "stopped-chosen", "before", "after", "chosen", "chosen-later"],
)
def test_what_the_brake_refuses(stop: Stop, run_id: str, cause: str):
    said = stop.refusal(run_id, time.time())
    assert cause in said
    assert bool(said) is bool(cause)


def test_the_brakes_row():
    assert stop_of(None) is None
    assert stop_of(to_item(RECORD)) is None
    assert stop_of({"at": {"S": "t"}, "released": {"S": ""}}) == Stop(at="t")


def test_lambda_keeps_a_request_for_as_long_as_is_said_here():
    from stacks.agent import MAXIMUM_EVENT_AGE_SECONDS

    assert QUEUED_AT_MOST_SECONDS == MAXIMUM_EVENT_AGE_SECONDS


def test_whoever_loads_it_loads_no_client():
    """It is half of what `--help` would take."""
    program = "import sys, toolkit.tables; print(*{'boto3', 'botocore'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""

"""Closes a run whose worker died: its lease ran out, so nobody else will ever write the last word on it."""

import time
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from toolkit.contracts import RunRecord
from toolkit.tables import closing, condition_failed, from_item, run_key


def close_dead(dynamodb: Any, table: str, record: RunRecord) -> RunRecord:
    """The run as it is now, closed as `error` where its worker is gone.

    Whether a lease ran out is told by the table's clock, as this machine's may be ahead. Who may only read
    the table gets the row as it is, and the next delivery or somebody with more rights closes it.
    """
    if record.ended or not record.lost(time.time()):
        return record
    key = run_key(record.run_id)
    answer = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
    if "Item" not in answer:
        return record
    found = from_item(answer["Item"])
    if found.ended or not found.lost(_clock(answer)):
        return found
    try:
        dynamodb.update_item(TableName=table, Key=key, **closing(found))
    except ClientError as error:
        denied = error.response.get("Error", {}).get("Code", "").startswith("AccessDenied")
        if not denied and not condition_failed(error):
            raise
        if denied:
            return found
    return from_item(dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"])


def _clock(answer: dict[str, Any]) -> float:
    """The service's time of an answer, in seconds since 1970; this machine's where it says none."""
    said = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return parsedate_to_datetime(said).timestamp()
    except ValueError:
        return time.time()

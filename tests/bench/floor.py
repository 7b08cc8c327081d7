"""The floor of `up`: the very API calls that it makes, made again with boto3 alone.

`record` runs a deployment in this process and keeps every call with its answer; run as a script, the
file replays them against another emulator, with the ids that this one makes up put in their place.
"""

import base64
import json
import os
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

Call = dict[str, Any]


def record(work: Any) -> list[Call]:
    """Every boto3 call that the work makes in this process, in the order of their answers."""
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError

    calls: list[Call] = []
    original = BaseClient._make_api_call

    def keeping(self: Any, operation: str, params: dict[str, Any]) -> Any:
        call = {"service": self.meta.service_model.service_name, "operation": operation, "params": params}
        try:
            answer = original(self, operation, params)
        except ClientError:
            calls.append({**call, "answer": {}})
            raise
        calls.append({**call, "answer": {k: v for k, v in answer.items() if k != "ResponseMetadata"}})
        return answer

    with patch.object(BaseClient, "_make_api_call", keeping):
        work()
    return calls


def dump(calls: list[Call], path: Path) -> None:
    """Keep the calls in a file."""

    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            return {"__bytes__": base64.b64encode(value).decode()}
        return str(value)

    path.write_text(json.dumps(calls, default=plain))


def replay(path: Path, endpoint: str) -> int:
    """Make the calls again, one after another, with the environment's keys; returns how many were made."""
    import boto3
    from botocore.exceptions import ClientError

    key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    session = boto3.Session(key, secret, region_name="us-east-1")
    clients: dict[str, Any] = {}
    renamed: dict[str, str] = {}
    calls = json.loads(path.read_text(), object_hook=_bytes)
    for call in calls:
        service = call["service"]
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=endpoint)
        try:
            answer = clients[service]._make_api_call(call["operation"], _renamed(call["params"], renamed))
        except ClientError:
            continue  # as in the recording: a look for something that is not there
        _learn(call["answer"], answer, renamed)
    return len(calls)


def _bytes(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["__bytes__"]) if set(value) == {"__bytes__"} else value


def _renamed(value: Any, renamed: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, renamed) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, renamed) for item in value]
    if isinstance(value, str):
        for old, new in renamed.items():
            value = value.replace(old, new)
    return value


def _learn(old: Any, new: Any, renamed: dict[str, str]) -> None:
    """Where an answer differs from the recorded one, the difference is an id that was made up."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() & new.keys():
            _learn(old[key], new[key], renamed)
    elif isinstance(old, str) and isinstance(new, str) and old != new and len(old) > 12:
        renamed[old] = new


if __name__ == "__main__":
    print(replay(Path(sys.argv[1]), sys.argv[2]))

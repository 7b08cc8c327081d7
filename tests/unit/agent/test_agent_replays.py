"""What a run leaves so that it can be done again, and what it says of being done again."""

import hashlib
from typing import Any

import msgspec
from agent_platform import Platform, check_left_behind

from toolkit.contracts import AskRequest


def test_the_request_is_kept_whole_and_the_row_has_its_hash(platform: Platform) -> None:
    fields: dict[str, Any] = {"caller": "arn:1", "max_followups": 1, "max_turns": 7, "replays": "run-before"}
    result = platform.run(**fields)
    check_left_behind(platform, result, "ok")
    assert result.replays == "run-before"
    body = platform.objects()["request.json"]
    assert hashlib.sha256(body).hexdigest() == platform.record.request_sha256
    assert msgspec.json.decode(body, type=AskRequest) == platform.request(**fields)


def test_a_run_whose_request_cannot_be_kept_asks_no_model(platform: Platform) -> None:
    platform.refuse("s3", lambda _, asked: str(asked.get("Key")).endswith("request.json"))
    result = platform.run()
    check_left_behind(platform, result, "error")
    assert "cannot store request.json" in (result.error or "")
    assert (result.usage.requests, result.files) == (0, [])

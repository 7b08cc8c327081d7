"""A run id names one request: the outcome of another one never passes for what was asked for here."""

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from toolkit.client import Client
from toolkit.contracts import AskRequest, StackOutputs
from toolkit.errors import UsageError

MINE = AskRequest(run_id="my-own-id", prompt="an SQS queue")
OTHER = AskRequest(run_id="my-own-id", prompt="an S3 bucket")
OUTPUTS = StackOutputs(
    **{name: {} if name == "profiles" else name for name in StackOutputs.__struct_fields__}
)


class Platform:
    """Answers with the record of a request, and counts what is handed to the agent."""

    endpoint = ""

    def __init__(self) -> None:
        self.taken_by: AskRequest | None = None
        self.invoked = 0

    def client(self, _service: str) -> Any:
        return SimpleNamespace(get_item=self.get_item, invoke=self.invoke)

    def get_item(self, **_arguments: Any) -> dict[str, Any]:
        if self.taken_by is None:
            return {}
        fields = {"run_id": "my-own-id", "status": "ok", "prompt": "p", "updated": str(time.time())}
        row = {**fields, "request_sha256": self.taken_by.sha256}
        return {"Item": {name: {"S": value} for name, value in row.items()}}

    def invoke(self, **_arguments: Any) -> None:
        self.invoked += 1


def test_the_id_of_another_request_is_refused_before_anything_is_asked() -> None:
    platform = Platform()
    platform.taken_by = OTHER
    with pytest.raises(UsageError, match="belongs to another request"):
        Client(cast("Any", platform), OUTPUTS).submit(MINE)
    assert platform.invoked == 0


def test_another_request_that_was_quicker_is_not_followed() -> None:
    platform = Platform()
    client = Client(cast("Any", platform), OUTPUTS)
    client.submit(MINE)
    platform.taken_by = OTHER
    with pytest.raises(UsageError, match="belongs to another request"):
        client.follow("my-own-id", lambda _record: None)


def test_the_same_request_again_is_followed() -> None:
    platform = Platform()
    platform.taken_by = MINE
    client = Client(cast("Any", platform), OUTPUTS)
    client.submit(MINE)
    assert client.follow("my-own-id", lambda _record: None).status == "ok"


def test_a_run_that_was_not_submitted_here_is_followed() -> None:
    platform = Platform()
    platform.taken_by = OTHER
    client = Client(cast("Any", platform), OUTPUTS)
    assert client.follow("my-own-id", lambda _record: None).status == "ok"

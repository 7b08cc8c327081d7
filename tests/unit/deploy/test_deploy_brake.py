"""The brake on a real emulator: what it holds, what it cancels, and what its release puts back."""

import io
import itertools
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from toolkit.agent import record
from toolkit.agent.record import RunTable
from toolkit.cancelling import Cancelled
from toolkit.cloud import LOCAL_ACCOUNT, Cloud
from toolkit.contracts import AskRequest, StackOutputs
from toolkit.deploy import brake
from toolkit.emulator import Emulator
from toolkit.errors import PlatformError
from toolkit.tables import STOP_KEY, from_item, new_run_id, run_key, stop_of

LONG = 30.0
_numbers = itertools.count(1)
Make = Callable[[], tuple[Cloud, StackOutputs]]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    emulator = Emulator(tmp_path_factory.mktemp("brake-emulator"))
    emulator.start()
    here = {"endpoint": emulator.endpoint, "key": emulator.key, "secret": emulator.secret}
    made = Cloud(target="local", region="us-east-1", account=LOCAL_ACCOUNT, **here)
    made.client("iam").create_role(RoleName="none", AssumeRolePolicyDocument="{}")
    yield made
    emulator.stop()


@pytest.fixture
def outputs(cloud: Cloud) -> StackOutputs:
    """A platform as far as the brake knows it: a function, and a table with its index."""
    name = f"brake-{next(_numbers)}"
    keys = ("pk", "sk", "gsi1pk", "gsi1sk")

    def schema(partition: str, sort: str) -> list[dict[str, str]]:
        return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]

    index = {"IndexName": "gsi1", "KeySchema": schema("gsi1pk", "gsi1sk")}
    cloud.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=schema("pk", "sk"),
        GlobalSecondaryIndexes=[{**index, "Projection": {"ProjectionType": "ALL"}}],
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("index.py", "def handler(event, context):\n    return event\n")
    cloud.client("lambda").create_function(
        FunctionName=name,
        Role=f"arn:aws:iam::{LOCAL_ACCOUNT}:role/none",
        Runtime="python3.11",
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    names = {field: {} if field == "profiles" else field for field in StackOutputs.__struct_fields__}
    return StackOutputs(**{**names, "function_name": name, "runs_table": name})


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brake, "WAIT_SECONDS", 0.5)
    monkeypatch.setattr(brake, "SETTLE_SECONDS", 0.0)


def begin(cloud: Cloud, outputs: StackOutputs) -> RunTable:
    """A run whose worker is somewhere."""
    run_id = new_run_id()
    table = RunTable(cloud.client("dynamodb"), outputs.runs_table, run_id)
    assert table.take(AskRequest(run_id=run_id, prompt="a bucket"), "m")
    return table


def status(cloud: Cloud, outputs: StackOutputs, run_id: str) -> str:
    answer = cloud.client("dynamodb").get_item(
        TableName=outputs.runs_table, Key=run_key(run_id), ConsistentRead=True
    )
    return from_item(answer["Item"]).status


def reserved(cloud: Cloud, outputs: StackOutputs) -> int | None:
    found = cloud.client("lambda").get_function_concurrency(FunctionName=outputs.function_name)
    return found.get("ReservedConcurrentExecutions")


def test_the_brake_holds_the_function_until_it_is_released(cloud: Cloud, outputs: StackOutputs):
    assert not brake.pulled(cloud, outputs.function_name)
    assert brake.pull(cloud, outputs).cancelled == []
    assert brake.pulled(cloud, outputs.function_name)
    once = Config(retries={"total_max_attempts": 1})
    client = cloud.session.client("lambda", endpoint_url=cloud.endpoint, config=once)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName=outputs.function_name, Payload=b"{}")
    assert brake.release(cloud, outputs, -1)
    assert reserved(cloud, outputs) is None
    assert client.invoke(FunctionName=outputs.function_name, Payload=b"{}")["StatusCode"] == 200


@pytest.mark.parametrize("configured", [-1, 0, 5])
def test_the_release_puts_back_what_is_configured_and_writes_only_what_differs(
    cloud: Cloud, outputs: StackOutputs, configured: int
):
    brake.pull(cloud, outputs)
    assert brake.release(cloud, outputs, configured)
    assert reserved(cloud, outputs) == (None if configured == -1 else configured)
    item = cloud.client("dynamodb").get_item(TableName=outputs.runs_table, Key=STOP_KEY)["Item"]
    stop = stop_of(item)
    assert stop and stop.at <= stop.released, "when it was pulled is kept"

    class ReadOnly:
        """A cloud in which nothing may be changed."""

        def client(self, service: str) -> Any:
            reads = ("get_function_concurrency", "get_item")
            return SimpleNamespace(**{name: getattr(cloud.client(service), name, None) for name in reads})

    assert not brake.release(cast("Any", ReadOnly()), outputs, configured)


def test_a_platform_that_was_never_stopped_gets_no_row(cloud: Cloud, outputs: StackOutputs):
    assert not brake.release(cloud, outputs, -1)
    assert "Item" not in cloud.client("dynamodb").get_item(TableName=outputs.runs_table, Key=STOP_KEY)


def test_what_runs_is_cancelled_and_what_does_not_answer_is_closed(
    cloud: Cloud, outputs: StackOutputs, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(record, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(brake, "WAIT_SECONDS", 2.0)
    silent, done, alive = (begin(cloud, outputs) for _ in range(3))
    done.finish("ok", None)
    wanted = threading.Event()

    def work() -> None:
        with alive.heartbeat(wanted.set):
            assert wanted.wait(LONG)
            alive.finish("cancelled", "cancelled on request")

    worker = threading.Thread(target=work)
    worker.start()
    stopped = brake.pull(cloud, outputs)
    worker.join()
    assert sorted(stopped.cancelled, key=lambda each: each.how) == [
        Cancelled(run_id=silent._run_id, how="closed"),
        Cancelled(run_id=alive._run_id, how="ended"),
    ]
    assert status(cloud, outputs, done._run_id) == "ok"
    assert brake.pull(cloud, outputs).cancelled == []


def test_a_run_that_the_index_shows_late_is_cancelled_too(
    cloud: Cloud, outputs: StackOutputs, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(brake, "SETTLE_SECONDS", LONG)
    begun: list[RunTable] = []

    def sleep(_seconds: float) -> None:
        if not begun:
            begun.append(begin(cloud, outputs))
        else:
            monkeypatch.setattr(brake, "SETTLE_SECONDS", 0.0)

    monkeypatch.setattr(brake, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    stopped = brake.pull(cloud, outputs)
    assert [each.run_id for each in stopped.cancelled] == [begun[0]._run_id]


def test_without_the_right_to_hold_the_function_the_rest_is_done(cloud: Cloud, outputs: StackOutputs):
    """An account may also refuse it for its own limits."""
    denied = ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutFunctionConcurrency"
    )

    def refuse(**_arguments: Any) -> None:
        raise denied

    class Half:
        def client(self, service: str) -> Any:
            if service == "lambda":
                return SimpleNamespace(put_function_concurrency=refuse)
            return cloud.client(service)

    running = begin(cloud, outputs)
    with pytest.raises(PlatformError, match="could not be held") as caught:
        brake.pull(cast("Any", Half()), outputs)
    assert "1 were cancelled" in caught.value.message
    assert status(cloud, outputs, running._run_id) == "cancelled"


def test_without_the_right_to_write_the_table_it_says_whose_right_it_takes(
    cloud: Cloud, outputs: StackOutputs
):
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "UpdateItem")

    def refuse(**_arguments: Any) -> None:
        raise denied

    nobody = SimpleNamespace(client=lambda _service: SimpleNamespace(update_item=refuse))
    with pytest.raises(PlatformError, match="cannot be written") as caught:
        brake.pull(cast("Any", nobody), outputs)
    assert "operator policy" in caught.value.hint

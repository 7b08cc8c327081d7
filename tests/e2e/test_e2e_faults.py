"""What becomes of the record when Firehose, S3 or the function fails: a real platform, a faulty way to it.

No record is lost that a run called `ok` had made; where none can be kept, the run is not `ok` and says so.
"""

import base64
import gzip
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from driver import Tfkit
from faulty_proxy import FaultyProxy, RefuseHalf, refuse_firehose, refuse_firehose_and_s3

from toolkit.contracts import RUN_METRICS, StackOutputs
from toolkit.errors import TelemetryFailed
from toolkit.telemetry import keys, names
from toolkit.telemetry.restore import Texts
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.sink import FirehoseSink
from toolkit.telemetry.testing import MemorySink, chain_problems

PROMPT = "an sqs queue"
NOT_CLOSED = ["the chain is not closed"]


@pytest.fixture(scope="module")
def tfkit(home: Path) -> Tfkit:
    """With the one check that costs nothing: here it is the record that matters."""
    return Tfkit(home, TFKIT_VALIDATOR_NAMES="fmt")


@pytest.fixture(scope="module")
def proxy(tfkit: Tfkit, outputs: StackOutputs) -> Iterator[FaultyProxy]:
    """A proxy that the agent's function goes by, to everything."""
    made = FaultyProxy()
    function = tfkit.client("lambda")
    known = function.get_function_configuration(FunctionName=outputs.function_name)["Environment"]
    function.update_function_configuration(
        FunctionName=outputs.function_name,
        Environment={"Variables": {**known["Variables"], "HTTP_PROXY": made.url, "NO_PROXY": ""}},
    )
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def no_rule(proxy: FaultyProxy) -> Iterator[None]:
    yield
    proxy.rule = lambda call: None
    proxy.calls.clear()


class Record:
    """What the buckets hold of runs."""

    def __init__(self, tfkit: Tfkit, outputs: StackOutputs) -> None:
        self._s3 = tfkit.client("s3")
        self._outputs = outputs
        self._read: dict[tuple[str, str], bytes] = {}

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        names = [item["Key"] for page in pages for item in page.get("Contents", [])]
        for key in names:
            if (bucket, key) not in self._read:
                self._read[bucket, key] = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return {key: self._read[bucket, key] for key in names}

    def lines(self, run_id: str) -> list[bytes]:
        """The lines of a run in the audit bucket by their number; one that came twice is one."""
        found: dict[int, bytes] = {}
        for body in self.objects(self._outputs.audit_bucket).values():
            plain = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
            for line in filter(None, plain.split(b"\n")):
                head = json.loads(line)
                if head.get("run_id") == run_id:
                    assert found.setdefault(head["seq"], line) == line, "two different lines of one number"
        return [found[seq] for seq in sorted(found)]

    def fallbacks(self, run_id: str) -> list[str]:
        return list(self.objects(self._outputs.audit_bucket, f"{keys.FALLBACK_PREFIX}{run_id}/"))

    def whole(self, run_id: str) -> list[bytes]:
        """The lines of a run that is complete, once the emulator has delivered them."""
        until(lambda: chain_problems(self.lines(run_id)) == [], f"the record of {run_id} is not whole")
        return self.lines(run_id)


@pytest.fixture(scope="module")
def record(tfkit: Tfkit, outputs: StackOutputs) -> Record:
    return Record(tfkit, outputs)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def spans(lines: list[bytes]) -> list[dict[str, Any]]:
    return [
        span
        for line in lines
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def test_firehose_refuses_half_of_what_it_is_offered(tfkit: Tfkit, proxy: FaultyProxy, record: Record):
    proxy.rule = half = RefuseHalf(tfkit.client("firehose"))
    done = tfkit.json("ask", PROMPT)
    assert half.refused > 0
    assert done["status"] == "ok"
    lines = record.whole(done["run_id"])
    assert {span["name"].split(" ")[0] for span in spans(lines)} >= {"run", "chat", "execute_tool"}
    assert record.fallbacks(done["run_id"]) == []


def test_firehose_is_down_for_the_whole_run(tfkit: Tfkit, proxy: FaultyProxy, record: Record):
    proxy.rule = refuse_firehose
    done = tfkit.json("ask", PROMPT)
    assert done["status"] == "ok"
    lines = record.whole(done["run_id"])
    assert len(record.fallbacks(done["run_id"])) == len(lines)

    logged = [line["message"] for line in tfkit.json("logs", "--run", done["run_id"])]
    assert any("Firehose" in line and "refused" in line for line in logged)
    assert all(done["run_id"] in line for line in logged)
    (told,) = [json.loads(line) for line in logged if line.startswith('{"_aws"')]
    assert (told["RunsOk"], told["Turns"]) == (1, done["usage"]["requests"])
    metrics = tfkit.client("cloudwatch").list_metrics(Namespace="tfkit/tfkit-dev")["Metrics"]
    assert {metric["MetricName"] for metric in metrics} == set(RUN_METRICS)


def test_firehose_and_s3_are_down_and_nothing_is_claimed(tfkit: Tfkit, proxy: FaultyProxy, record: Record):
    proxy.rule = refuse_firehose_and_s3
    asked = tfkit("--json", "ask", PROMPT, "--run-id", "run-all-down-0001")
    assert asked.returncode == 1
    shown = tfkit.json("runs", "show", "run-all-down-0001")
    assert shown["status"] == "error"
    assert "accepted neither by Firehose nor by the bucket" in shown["error"]
    assert record.lines("run-all-down-0001") == []


def workers(proxy: FaultyProxy) -> list[int]:
    """The processes of the agent's function: those that were told of this proxy."""
    mine, found = f"HTTP_PROXY={proxy.url}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mine in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def kill(proxy: FaultyProxy) -> None:
    found = workers(proxy)
    assert found, "the function runs nowhere"
    for pid in found:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the function's process in /proc")
@pytest.mark.parametrize(
    ("run_id", "moment"),
    [("run-killed-midway", b'"last":false'), ("run-killed-at-end", b'"last":true')],
    ids=["in the middle", "between run and flush"],
)
def test_a_function_that_is_killed(
    tfkit: Tfkit, proxy: FaultyProxy, record: Record, run_id: str, moment: bytes
):
    """In the middle: while its second record is on the way. At the end: before the last is accepted."""
    reached = threading.Event()
    seen: list[bytes] = []

    def rule(call: Any) -> None:
        if call.operation != "PutRecordBatch":
            return
        data = b"".join(base64.b64decode(each["Data"]) for each in json.loads(call.body)["Records"])
        seen.append(data)
        if moment in data and (len(seen) > 1 or b"true" in moment):
            kill(proxy)
            reached.set()

    proxy.rule = rule
    tfkit.json("ask", PROMPT, "--detach", "--run-id", run_id)
    assert reached.wait(60), "the run never came so far"
    proxy.rule = lambda call: None
    until(lambda: workers(proxy) == [], "the function lives on")
    if moment.endswith(b"false"):
        until(lambda: record.lines(run_id) != [], "what was shipped before is gone")
        assert chain_problems(record.lines(run_id)) == NOT_CLOSED, "whole so far, and not at its end"
    assert tfkit.json("runs", "show", run_id)["status"] != "ok"


def test_the_audit_names_the_runs_that_lost_something_and_no_other(tfkit: Tfkit):
    """Of those above: the one that nothing was kept of, and whatever a killed one left open."""
    said = tfkit.json("audit", "verify", "--since", "1d", code=1)
    named = {problem["run_id"] for problem in said["problems"]}
    assert "run-all-down-0001" in named
    assert named <= {"run-all-down-0001", "run-killed-midway", "run-killed-at-end"}
    assert said["runs"] >= 4


# ---- without the command: the same way to the same emulator


@pytest.fixture
def sink(tfkit: Tfkit, outputs: StackOutputs, proxy: FaultyProxy) -> FirehoseSink:
    running = tfkit.running()

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=running.endpoint,
            region_name="us-east-1",
            aws_access_key_id=running.key,
            aws_secret_access_key=running.secret,
            config=Config(
                proxies={"http": proxy.url},
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                max_pool_connections=40,
            ),
        )

    return FirehoseSink(
        client("firehose"),
        outputs.delivery_stream,
        client("s3"),
        outputs.audit_bucket,
        outputs.runs_bucket,
        sleep=lambda _: None,
    )


def some_run(run_id: str, sink: Any, size: int = 300_000, steps: int = 6) -> RunTelemetry:
    telemetry = RunTelemetry(run_id, "dev", sink)
    with telemetry.run_span() as root:
        for number in range(steps):
            text = f"{run_id} {number} " + "t" * size
            telemetry.tracer.start_span(f"step {number}", attributes={"text": text}).end()
        root.set_attribute(names.STATUS, "ok")
    return telemetry


@pytest.mark.parametrize("down", [False, True], ids=["half of a batch is refused", "and then all of it"])
def test_half_of_a_batch_is_offered_again(
    tfkit: Tfkit, proxy: FaultyProxy, record: Record, sink: FirehoseSink, down: bool
):
    run_id = f"run-half-batch-{int(down)}"
    half = RefuseHalf(tfkit.client("firehose"))

    def first_half_then_none(call: Any) -> Any:
        return refuse_firehose(call) if down and half.offered else half(call)

    proxy.rule = first_half_then_none
    receipt = some_run(run_id, sink, steps=12).close()
    lines = record.whole(run_id)
    assert receipt.records == len(lines) >= 4
    assert half.refused > 1
    assert len(record.fallbacks(run_id)) == receipt.via.get("fallback", 0) == (half.refused if down else 0)


def test_a_text_of_3_mb(outputs: StackOutputs, record: Record, sink: FirehoseSink):
    run_id = "run-of-3-megabytes"
    some_run(run_id, sink, size=3_000_000, steps=1).close()
    lines = record.whole(run_id)
    stored = record.objects(outputs.runs_bucket, f"runs/{run_id}/contents/")
    large = {key.rpartition("/")[2]: body for key, body in stored.items()}
    (step,) = [span for span in spans(lines) if span["name"] == "step 0"]
    (value,) = [item["value"]["stringValue"] for item in step["attributes"] if item["key"] == "text"]
    text = Texts(lambda sha256: None, large.get).resolve(value)
    assert text == f"{run_id} 0 " + "t" * 3_000_000


def test_a_text_of_3_mb_that_no_bucket_takes_is_no_ok(proxy: FaultyProxy, sink: FirehoseSink):
    proxy.rule = refuse_firehose_and_s3
    telemetry = some_run("run-3-mb-nowhere-0", sink, size=3_000_000, steps=1)
    with pytest.raises(TelemetryFailed, match="1 large texts"):
        telemetry.close()
    proxy.rule = lambda call: None
    assert telemetry.close().records == 1, "what was refused is kept, and shipped when it can be"


def test_20_runs_at_once_while_half_is_refused(
    tfkit: Tfkit, proxy: FaultyProxy, record: Record, sink: FirehoseSink
):
    proxy.rule = half = RefuseHalf(tfkit.client("firehose"))
    ids = [f"run-at-once-{number:04d}" for number in range(20)]
    with ThreadPoolExecutor(len(ids)) as pool:
        receipts = list(pool.map(lambda run_id: some_run(run_id, sink, size=2_000).close(), ids))
    assert half.refused >= 10
    for run_id, receipt in zip(ids, receipts, strict=True):
        lines = record.whole(run_id)
        assert len(lines) == receipt.records
        assert [span["name"] for span in spans(lines)] == [*(f"step {n}" for n in range(6)), "run"]


def test_what_was_shipped_is_what_would_have_been_shipped_without_faults(
    tfkit: Tfkit, proxy: FaultyProxy, record: Record, sink: FirehoseSink
):
    proxy.rule = RefuseHalf(tfkit.client("firehose"))
    some_run("run-compared-0001", sink, size=2_000).close()
    quiet = MemorySink()
    some_run("run-compared-0001", quiet, size=2_000).close()
    with_faults = [json.loads(line)["contents"] for line in record.whole("run-compared-0001")]
    without = [json.loads(line.body)["contents"] for line in quiet.lines["run-compared-0001"]]
    assert with_faults == without

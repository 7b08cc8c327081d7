"""A real agent, the real emulator: spans → records → Firehose → audit bucket → index → rows."""

import gzip
import time
from datetime import UTC, datetime, timedelta

import pytest
from pydantic_ai import Agent
from pydantic_ai.capabilities import Instrumentation
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.instrumented import InstrumentationSettings

from toolkit.errors import TfkitError
from toolkit.telemetry import keys, names
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.testing import chain_problems
from toolkit.traces import Traces
from toolkit.traces.query import Filters
from toolkit.traces.waterfall import waterfall

RUN = "run-0001-abc"
LONG = 'resource "aws_s3_bucket" "logs" {}\n' * 60
HUGE = "h" * 900_000


def window() -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return now - timedelta(hours=1), now + timedelta(minutes=5)


def traces_of(platform, **options) -> Traces:
    return Traces(platform.cloud, platform.audit, platform.runs, platform.index, **options)


def wait_for(condition) -> None:
    """The emulator's Firehose writes its object in a task of its own, moments after the answer."""
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("never happened")


def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    if len(messages) == 1:
        return ModelResponse(parts=[ToolCallPart("write_file", {"path": "main.tf", "content": LONG})])
    return ModelResponse(parts=[TextPart("done")])


def run_agent(platform, run_id: str = RUN, status: str = "ok", stream: str = "") -> RunTelemetry:
    telemetry = RunTelemetry(run_id, "dev", platform.sink(stream))
    settings = InstrumentationSettings(tracer_provider=telemetry.provider, version=5)
    agent = Agent(FunctionModel(answer), name="terraform", capabilities=[Instrumentation(settings)])

    @agent.tool_plain
    def write_file(path: str, content: str) -> str:
        telemetry.flush()
        return f"wrote {path}"

    with telemetry.run_span() as span:
        result = agent.run_sync("make a bucket")
        with telemetry.tracer.start_as_current_span("validator tflint") as check:
            check.set_attributes({names.CHECK_STATUS: "findings", names.FINDINGS: 2, "output": HUGE})
        span.set_attributes(
            {
                names.STATUS: status,
                names.MODEL: "haiku",
                names.INPUT_TOKENS: result.usage.input_tokens,
                names.OUTPUT_TOKENS: result.usage.output_tokens,
                names.COST_USD: 0.0123,
                names.TOOL_CALLS: result.usage.tool_calls,
            }
        )
    return telemetry


def test_from_agent_to_rows(platform):
    telemetry = run_agent(platform)
    receipt = telemetry.close()
    assert set(receipt.via) == {"firehose"}
    wait_for(lambda: len(platform.keys(platform.audit, "year=")) == receipt.records)
    assert len(platform.keys(platform.runs, keys.copies(RUN))) == receipt.records

    traces = traces_of(platform)
    refreshed = traces.refresh(*window())
    assert (refreshed.objects, refreshed.records, refreshed.problems) == (
        receipt.records,
        receipt.records,
        [],
    )
    (row,) = traces.list(*window())
    assert (row.run_id, row.status, row.model, row.cost_usd) == (RUN, "ok", "haiku", 0.0123)
    assert row.trace_id == telemetry.trace_id
    assert row.tool_calls == 1
    assert row.spans == 6
    assert row.input_tokens > 0
    assert row.output_tokens > 0
    assert traces.pending() == frozenset()

    run = traces.run(RUN)
    assert (run.complete, run.pending) == (True, False)
    by_name = {span.name: span for span in run.spans}
    assert by_name["validator tflint"].attributes["output"] == HUGE
    arguments = by_name["execute_tool write_file"].attributes["gen_ai.tool.call.arguments"]
    assert "aws_s3_bucket" in arguments

    rows = waterfall(run.spans)
    assert [(item.depth, item.name.split()[0]) for item in rows] == [
        (0, "run"),
        (1, "invoke_agent"),
        (2, "chat"),
        (2, "execute_tool"),
        (2, "chat"),
        (1, "validator"),
    ]
    assert rows[2].input_tokens > 0
    assert rows[5].note == "findings (2)"


def test_the_delivered_lines_are_the_chain(platform):
    receipt = run_agent(platform).close()
    wait_for(lambda: len(platform.keys(platform.audit, "year=")) == receipt.records)
    s3 = platform.cloud.client("s3")
    bodies = [
        s3.get_object(Bucket=platform.runs, Key=key)["Body"].read()
        for key in platform.keys(platform.runs, keys.copies(RUN))
    ]
    delivered = {
        s3.get_object(Bucket=platform.audit, Key=key)["Body"].read()
        for key in platform.keys(platform.audit, "year=")
    }
    assert set(bodies) == delivered
    assert all(body.endswith(b"\n") for body in bodies)
    assert chain_problems([body.rstrip(b"\n") for body in bodies]) == []


def test_a_second_refresh_fetches_and_parses_nothing(platform, monkeypatch):
    receipt = run_agent(platform).close()
    wait_for(lambda: len(platform.keys(platform.audit, "year=")) == receipt.records)
    traces_of(platform).refresh(*window())

    def never(*_: object) -> None:
        raise AssertionError("this was done before")

    monkeypatch.setattr("toolkit.traces.ingest.read_head", never)
    monkeypatch.setattr("toolkit.traces.fetch.Bucket.get", never)
    again = traces_of(platform)
    assert again.refresh(*window()).objects == 0
    assert [row.run_id for row in again.list(*window())] == [RUN]


def test_before_firehose_delivers_the_copies_answer_and_are_marked(platform):
    platform.cloud.client("s3").create_bucket(Bucket="elsewhere-" + platform.audit)
    firehose = platform.cloud.client("firehose")
    slow = "slow-" + platform.stream
    firehose.create_delivery_stream(
        DeliveryStreamName=slow,
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::000000000000:role/firehose",
            "BucketARN": f"arn:aws:s3:::elsewhere-{platform.audit}",
        },
    )
    run_agent(platform, stream=slow).close()
    traces = traces_of(platform)
    traces.refresh(*window())
    (row,) = traces.list(*window())
    assert row.status == "ok"
    assert traces.pending() == {RUN}
    assert traces.run(RUN).pending
    spans = row.spans

    # Delivered at last, in one object, compressed, with a line twice.
    s3 = platform.cloud.client("s3")
    bodies = [
        s3.get_object(Bucket=platform.runs, Key=key)["Body"].read()
        for key in platform.keys(platform.runs, keys.copies(RUN))
    ]
    today = datetime.now(UTC).date()
    platform.put(
        platform.audit, keys.partition(today) + "late.gz", gzip.compress(b"".join([*bodies, bodies[0]]))
    )
    assert traces.refresh(*window()).records == len(bodies)
    (row,) = traces.list(*window())
    assert row.spans == spans
    assert traces.pending() == frozenset()


def test_what_went_past_firehose_is_found(platform):
    receipt = run_agent(platform, stream="there-is-none").close()
    assert receipt.via == {"fallback": receipt.records}
    assert platform.keys(platform.audit, "year=") == []
    traces = traces_of(platform)
    traces.refresh(*window())
    assert [row.status for row in traces.list(*window())] == ["ok"]
    assert traces.pending() == frozenset()


def test_a_run_without_its_last_record_is_running_and_only_errors_are_errors(platform):
    half = RunTelemetry("run-half-0001", "dev", platform.sink())
    half.tracer.start_span("chat m", attributes={names.OPERATION: "chat", names.INPUT_TOKENS: 7}).end()
    half.flush()
    run_agent(platform, "run-fine-0001").close()
    run_agent(platform, "run-poor-0001", status="not_converged").close()
    dead = RunTelemetry("run-dead-0001", "dev", platform.sink())
    with dead.run_span():
        dead.close()
    traces = traces_of(platform)
    traces.refresh(*window())
    rows = {row.run_id: row for row in traces.list(*window())}
    assert {run_id: row.status for run_id, row in rows.items()} == {
        "run-half-0001": "running",
        "run-fine-0001": "ok",
        "run-poor-0001": "not_converged",
        "run-dead-0001": "error",
    }
    assert rows["run-half-0001"].input_tokens == 7
    bad = traces.list(*window(), Filters(errors=True))
    assert {row.run_id for row in bad} == {"run-poor-0001", "run-dead-0001"}


def test_one_run_is_found_without_listing_a_window(platform):
    run_agent(platform).close()
    traces = traces_of(platform)
    assert traces.run(RUN).summary.status == "ok"
    with pytest.raises(TfkitError, match="no trace of a run 'run-9999-xyz'"):
        traces.run("run-9999-xyz")


def test_the_window_bounds_what_is_fetched(platform):
    long_ago = datetime.now(UTC) - timedelta(days=20)
    platform.put(platform.audit, keys.partition(long_ago.date()) + "old", b"garbage\n")
    traces = traces_of(platform)
    now = datetime.now(UTC)
    assert traces.refresh(now - timedelta(days=10), now).objects == 0
    refreshed = traces.refresh(now - timedelta(days=21), now)
    assert refreshed.objects == 1
    assert "line 1 is no record" in refreshed.problems[0]
    assert traces.refresh(now - timedelta(days=400), now).objects == 0


def test_days_long_past_are_listed_once(platform, monkeypatch):
    listed: list[str] = []
    traces = traces_of(platform)
    whole = type(traces._audit).list

    def spy(self, prefix):
        listed.append(prefix)
        return whole(self, prefix)

    monkeypatch.setattr("toolkit.traces.fetch.Bucket.list", spy)
    now = datetime.now(UTC)
    traces.refresh(now - timedelta(days=9), now)
    assert keys.partition((now - timedelta(days=10)).date()) in listed
    listed.clear()
    traces.refresh(now - timedelta(days=9), now)
    days = [prefix for prefix in listed if prefix.startswith("year=")]
    assert keys.partition(now.date()) in days
    assert len(days) <= 5


def test_a_window_of_years_asks_only_for_months_that_exist(platform, monkeypatch):
    now = datetime.now(UTC)
    platform.put(platform.audit, keys.partition((now - timedelta(days=300)).date()) + "old", b"")
    traces = traces_of(platform)
    assert traces.refresh(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)).objects == 1


def test_a_bucket_that_is_not_there_is_told_plainly(platform):
    traces = Traces(platform.cloud, "no-such-bucket", platform.runs, platform.index)
    with pytest.raises(TfkitError, match="s3://no-such-bucket"):
        traces.refresh(*window())


def test_the_users_environment_is_not_asked(platform, monkeypatch):
    run_agent(platform).close()
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "bogus")
    monkeypatch.setenv("AWS_REGION", "eu-west-9")
    traces = traces_of(platform)
    traces.refresh(*window())
    assert len(traces.list(*window())) == 1


def test_a_damaged_index_is_filled_again_behind_a_list(platform):
    receipt = run_agent(platform).close()
    wait_for(lambda: len(platform.keys(platform.audit, "year=")) == receipt.records)
    traces = traces_of(platform)
    traces.refresh(*window())
    before = traces.list(*window())
    body = bytearray(platform.index.read_bytes())
    body[:100] = b"\x00" * 100
    platform.index.write_bytes(bytes(body))
    assert traces.list(*window()) == before
    assert len(before) == 1

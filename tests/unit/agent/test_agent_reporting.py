"""What a whole run tells outside: its numbers, its spans by OTLP, nothing that may not go out."""

import json
import logging
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest
from agent_platform import ERROR, Platform
from agent_scripts import Script, say, sleeps, used, write
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from toolkit.agent import reporting
from toolkit.agent.config import AgentConfig, Clients
from toolkit.contracts import MODEL_ERROR_PREFIX, RUN_METRICS
from toolkit.telemetry import export, logs, names

KEY = "AKIA" + "IOSFODNN7EXAMPLE"
NAMESPACE = "tfkit/test"
PARAMETER = "/tfkit/test/otlp-headers"


class AllClients(Clients):
    """The agent's own clients, with a model that the test scripts."""

    bedrock = None


@pytest.fixture
def reporting_platform(platform: Platform) -> Platform:
    platform.clients = AllClients()
    platform.config = msgspec.structs.replace(platform.config, metrics_namespace=NAMESPACE)
    return platform


def put(metric: str, model: str, clients: Clients) -> list[float]:
    """What CloudWatch has of a metric."""
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    found = clients.cloudwatch.get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=metric,
        Dimensions=[{"Name": "Model", "Value": model}] if model else [],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=7200,
        Statistics=["Sum"],
    )
    return [point["Sum"] for point in found["Datapoints"]]


def test_a_runs_numbers_are_in_the_log_and_on_the_emulator_among_the_metrics(
    reporting_platform: Platform, capsys: pytest.CaptureFixture[str]
):
    platform = reporting_platform
    platform.script = Script(used(write("main.tf"), 100, 10), used(say("done"), 200, 5))
    result = platform.run()
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    told = json.loads(line)
    assert (told["Model"], told["run_id"]) == ("priced", platform.run_id)
    assert {name: told[name] for name in RUN_METRICS} == {
        **dict.fromkeys(RUN_METRICS, 0),
        **{"InputTokens": 300, "OutputTokens": 15, "Turns": 2, "ToolCalls": 1, "Attempts": 1, "RunsOk": 1},
        **{"Duration": result.seconds, "CostUsd": result.usage.cost_usd},
    }
    assert put("InputTokens", "priced", platform.clients) == [300.0]
    assert put("RunsOk", "priced", platform.clients) == [1.0]


def test_a_name_that_somebody_made_up_makes_no_metrics(
    reporting_platform: Platform, capsys: pytest.CaptureFixture[str]
):
    result = reporting_platform.run(model="made-up-to-cost-money")
    assert result.status == "error"
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    assert json.loads(line)["Model"] == "none"
    assert json.loads(line)["RunsError"] == 1


def test_on_aws_metrics_are_a_line_of_the_log_and_no_call(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The clients of this platform have no `cloudwatch`: a call would fail."""
    result = platform.run()
    platform.config = msgspec.structs.replace(platform.config, metrics_namespace=NAMESPACE)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    capsys.readouterr()
    run = reporting.open_telemetry(platform.run_id, platform.config, platform.clients, sink=None)  # type: ignore[arg-type]
    reporting.report(platform.config, platform.clients, run, "priced", result)
    assert capsys.readouterr().out.startswith('{"_aws"')


def test_a_report_that_fails_is_no_failure_of_the_run(platform: Platform, caplog: pytest.LogCaptureFixture):
    """These clients have no `cloudwatch`, which here is asked for."""
    platform.config = msgspec.structs.replace(platform.config, metrics_namespace=NAMESPACE)
    assert platform.run().status == "ok"
    assert "could not be reported" in caplog.text


class Receiver:
    """An OTLP endpoint that keeps what it gets; while `hold` is set it does not answer."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.got: list[tuple[dict[str, str], ExportTraceServiceRequest]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                import gzip

                body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.free.wait(60)
                receiver.got.append((dict(self.headers), ExportTraceServiceRequest.FromString(body)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def spans(self) -> list[str]:
        return [
            span.name
            for _, request in self.got
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch):
    made = Receiver()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield made
    made.free.set()
    made.server.shutdown()
    made.server.server_close()
    reporting._warm_export.cache_clear()


def export_to(platform: Platform, endpoint: str, parameter: str = "", **fields: Any) -> None:
    platform.config = msgspec.structs.replace(
        platform.config, otlp_endpoint=endpoint, otlp_headers_parameter=parameter, **fields
    )


@pytest.mark.parametrize("where", ["parameter", "secret"])
def test_the_same_spans_go_to_an_otlp_endpoint_with_its_headers(
    reporting_platform: Platform, receiver: Receiver, where: str
):
    platform, held = reporting_platform, "x-key=let%20me%20in"
    place = PARAMETER
    if where == "parameter":
        platform.clients.ssm.put_parameter(Name=place, Type="SecureString", Value=held, Overwrite=True)
    else:
        made = platform.clients.secretsmanager.create_secret(Name="otlp-headers", SecretString=held)
        place = made["ARN"]
    export_to(platform, receiver.endpoint, place)
    assert platform.run().status == "ok"
    assert sorted(receiver.spans) == sorted(span["name"] for span in platform.spans())
    assert {headers["x-key"] for headers, _ in receiver.got} == {"let me in"}


def test_headers_that_may_not_be_read_cost_the_export_and_not_the_run(
    reporting_platform: Platform, receiver: Receiver, caplog: pytest.LogCaptureFixture
):
    export_to(reporting_platform, receiver.endpoint, "/no/such/parameter")
    assert reporting_platform.run().status == "ok"
    assert receiver.got == []
    assert "ParameterNotFound" in caplog.text


def test_an_endpoint_that_hangs_costs_the_run_nothing(
    reporting_platform: Platform, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(export, "GRACE_SECONDS", 0.05)
    receiver.free.clear()
    export_to(reporting_platform, receiver.endpoint)
    result = reporting_platform.run()
    assert result.status == "ok"
    assert reporting_platform.record.status == "ok"
    assert receiver.got == []


def test_without_content_neither_records_nor_otlp_say_what_was_said(
    reporting_platform: Platform, receiver: Receiver
):
    platform = reporting_platform
    export_to(platform, receiver.endpoint, include_content=False)
    platform.script = Script(write("main.tf", "# a-word-of-the-model\n"), say("a-word-of-the-model"))
    assert platform.run().status == "ok"
    records = b"".join(platform.objects(prefix="runs/{run_id}/records/").values())
    sent = b"".join(request.SerializeToString() for _, request in receiver.got)
    assert b'"execute_tool write_file"' in records
    assert b"execute_tool write_file" in sent
    for said in (b"a-word-of-the-model", b"a bucket", b"You write Terraform"):
        assert said not in records
        assert said not in sent


def failed(platform: Platform) -> set[str]:
    spans = platform.spans()
    return {s["name"].split(" ")[0] for s in spans if s.get("status", {}).get("code") == ERROR}


def test_a_run_whose_time_is_up_has_no_span_that_looks_as_if_all_went_well(platform: Platform):
    platform.script = Script(write("main.tf"), sleeps)
    result = platform.run(timeout_s=1.0)
    assert result.status == "budget_exceeded"
    assert failed(platform) == {"run", "invoke_agent", "chat"}


def test_neither_has_one_whose_model_fails(platform: Platform):
    platform.script = Script(write("main.tf"), say(MODEL_ERROR_PREFIX + "upstream is away"))
    assert platform.run().status == "error"
    assert failed(platform) == {"run", "invoke_agent", "chat"}
    span, attributes = platform.root()
    assert "upstream is away" in attributes[names.ERROR] == span["status"]["message"]


def test_the_log_has_no_secret_and_each_of_its_lines_names_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.log_to_stdout()
    logs.log_as("run-0001-abc")
    try:
        try:
            raise ValueError(f"the upstream quotes {KEY}")
        except ValueError:
            logging.getLogger("toolkit.agent").error("it failed with %s", KEY, exc_info=sys.exc_info())
    finally:
        logs.log_as("")
    said = capsys.readouterr().out
    assert KEY not in said
    assert "[redacted:aws-access-key-id]" in said
    assert len(said.splitlines()) > 3
    assert all(line.startswith("run-0001-abc ") for line in said.splitlines())


def test_the_functions_environment_says_what_is_told():
    told = {
        **dict.fromkeys(("TFKIT_RUNS_TABLE", "TFKIT_RUNS_BUCKET", "TFKIT_AUDIT_BUCKET"), "x"),
        **dict.fromkeys(
            ("TFKIT_DELIVERY_STREAM", "TFKIT_REGISTRY_PARAMETER", "TFKIT_STACK", "TFKIT_STATEMENT_KEY"), "x"
        ),
    }
    quiet = AgentConfig.from_environment(told)
    assert (quiet.include_content, quiet.metrics_namespace, quiet.otlp_endpoint) == (True, "", "")
    talking = AgentConfig.from_environment(
        {
            **told,
            "TFKIT_INCLUDE_CONTENT": "0",
            "TFKIT_METRICS_NAMESPACE": NAMESPACE,
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
            "TFKIT_OTLP_HEADERS_PARAMETER": PARAMETER,
        }
    )
    assert talking.include_content is False
    assert talking.metrics_namespace == NAMESPACE
    assert talking.otlp_endpoint == "http://collector:4318"
    assert talking.otlp_headers_parameter == PARAMETER

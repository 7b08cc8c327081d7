"""Which checker a run gets, and that a checker function that fails ends it as the platform's failure."""

import io
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from opentelemetry.trace import NoOpTracer

from toolkit.agent.checking import checker_of
from toolkit.agent.config import AgentConfig, Clients
from toolkit.agent.deps import Deps
from toolkit.agent.gate import closing_check
from toolkit.agent.ledger import Ledger
from toolkit.agent.verdict import refuse_failed
from toolkit.agent.workspace import Workspace
from toolkit.checker import Checker
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.message import CheckRequest
from toolkit.checker.remote import READ_TIMEOUT_S, RemoteChecker
from toolkit.checker.selection import Selection, ValidatorSettings
from toolkit.contracts import CheckReport, CheckResult, Tree, to_json
from toolkit.errors import PlatformError

BOTH = ("fmt", "validate")
TRACER = NoOpTracer()
SETTINGS = {"fmt": ValidatorSettings(deadline_s=7.0)}


def config(environment: dict[str, str], **more: str) -> AgentConfig:
    return AgentConfig.from_environment({**environment, **more})


def test_without_a_checker_function_the_run_checks_by_itself(agent_environment: dict[str, str]) -> None:
    made = config(agent_environment)
    assert made.checker_function == ""
    with checker_of(made, Clients(), TRACER, {}, Tree()) as checker:
        assert isinstance(checker, InProcessChecker)


def test_with_a_checker_function_the_run_uses_it_and_closes_it(
    agent_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    monkeypatch.setattr(RemoteChecker, "close", lambda self: closed.append(self._function))
    made = config(agent_environment, TFKIT_CHECKER_FUNCTION="the-checker")
    with checker_of(made, Clients(), TRACER, SETTINGS, Tree()) as checker:
        assert isinstance(checker, RemoteChecker)
        assert checker._settings == SETTINGS
        assert closed == []
    assert closed == ["the-checker"]


def test_its_client_waits_for_the_check_and_repeats_nothing(agent_environment: dict[str, str]) -> None:
    settings = Clients().checker.meta.config
    assert settings.read_timeout == READ_TIMEOUT_S
    assert settings.retries == {"mode": "standard", "total_max_attempts": 1}
    assert settings.tcp_keepalive
    assert Clients().ssm.meta.config.read_timeout < READ_TIMEOUT_S


def test_a_server_that_fails_is_asked_once(
    agent_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Failing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(500)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Failing)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    try:
        with pytest.raises(PlatformError, match="the checker the-checker failed"):
            RemoteChecker(Clients().checker, "the-checker").check(Tree(files={"main.tf": b""}), BOTH)
    finally:
        server.shutdown()
        server.server_close()
    assert asked == ["/2015-03-31/functions/the-checker/invocations"]


def gate(checker: Checker) -> CheckReport:
    workspace = Workspace()
    workspace.write("main.tf", "")
    selection = Selection(names=BOTH)
    deps = Deps(
        workspace=workspace,
        checker=checker,
        selection=selection,
        ledger=Ledger(),
        progress=lambda _step: None,
    )
    report = closing_check(deps, workspace.tree)
    refuse_failed(report, selection)
    return report


def answering(answer: Callable[[CheckRequest], CheckReport]) -> Any:
    def invoke(**arguments: Any) -> dict[str, Any]:
        request = msgspec.json.decode(arguments["Payload"], type=CheckRequest)
        return {"Payload": io.BytesIO(to_json(answer(request)))}

    return SimpleNamespace(invoke=invoke)


def says(*names: str) -> Callable[[CheckRequest], CheckReport]:
    results = [CheckResult(validator=name, status="ok") for name in names]
    return lambda request: CheckReport(tree=request.tree_hash, results=results, sandbox="function")


def test_the_gate_opens_on_what_the_function_says() -> None:
    report = gate(RemoteChecker(answering(says(*BOTH)), "the-checker"))
    assert report.clean
    assert report.sandbox == "function"


def test_the_gate_does_not_open_on_a_function_that_leaves_a_validator_out() -> None:
    with pytest.raises(PlatformError, match="validate failed: the checker said nothing of it"):
        gate(RemoteChecker(answering(says("fmt")), "the-checker"))


def test_the_gate_does_not_open_on_a_function_that_crashed() -> None:
    body = json.dumps({"errorMessage": "Task timed out", "errorType": "Sandbox.Timedout"}).encode()
    answer = {"FunctionError": "Unhandled", "Payload": io.BytesIO(body)}
    broken = SimpleNamespace(invoke=lambda **_arguments: answer)
    with pytest.raises(PlatformError, match="Task timed out"):
        gate(RemoteChecker(broken, "the-checker"))

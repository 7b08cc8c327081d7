"""The checker's function seen from the agent: what is sent, what is believed, and what a failure is."""

import io
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from checker_fakes import HEAD, tree
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from toolkit.checker import remote
from toolkit.checker.handler import RESERVE_S
from toolkit.checker.inprocess import INIT_TIMEOUT_S, VALIDATOR_TIMEOUT_S
from toolkit.checker.message import MAX_PACKED_BYTES, CheckRequest, unpack
from toolkit.checker.remote import CHECK_TIMEOUT_S, READ_TIMEOUT_S, RemoteChecker
from toolkit.checker.running import GRACE_S
from toolkit.checker.selection import ValidatorSettings
from toolkit.contracts import CheckReport, CheckResult, CheckStatus, Finding, PlatformConfig, Tree, to_json
from toolkit.errors import PlatformError

BOTH = ("fmt", "validate")
Said = bytes | Exception | dict[str, Any]
URL = "https://lambda.us-east-1.amazonaws.com"


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code} it is"}}, "Invoke")


def failed(kind: str, text: str) -> dict[str, Any]:
    return {"FunctionError": "Unhandled", "said": {"errorMessage": text, "errorType": kind, "requestId": "r"}}


class Function:
    """A client for Lambda that says what it is told to, else that every validator is content."""

    def __init__(self, *said: Said) -> None:
        self.said = list(said)
        self.calls: list[dict[str, Any]] = []

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        self.calls.append(arguments)
        said: Said = self.said.pop(0) if self.said else to_json(report(self.requests[-1]))
        if isinstance(said, Exception):
            raise said
        if isinstance(said, dict):
            body = json.dumps(said["said"]).encode()
            return {
                "StatusCode": 200,
                "FunctionError": said["FunctionError"],
                "Payload": io.BytesIO(body),
            }
        return {"StatusCode": 200, "Payload": io.BytesIO(said)}

    @property
    def requests(self) -> list[CheckRequest]:
        return [msgspec.json.decode(call["Payload"], type=CheckRequest) for call in self.calls]


def report(request: CheckRequest, status: CheckStatus = "ok", **fields: Any) -> CheckReport:
    names = request.validators or ("init",)
    results = [CheckResult(validator=name, status=status, seconds=0.5) for name in names]
    return CheckReport(**{"tree": request.tree_hash, "results": results, "sandbox": "function", **fields})


def checker(function: Function, waits_s: Sequence[float] = (0.0, 0.0), **more: Any) -> RemoteChecker:
    return RemoteChecker(function, "the-checker", waits_s=waits_s, **more)


def test_the_tree_is_sent_with_its_hash_and_what_is_asked_for() -> None:
    function = Function()
    sent = tree(main_tf=HEAD)
    told = checker(function).check(sent, BOTH, rehearse="plan")
    assert told == report(function.requests[0])
    (call,) = function.calls
    assert (call["FunctionName"], call["InvocationType"]) == ("the-checker", "RequestResponse")
    (request,) = function.requests
    assert unpack(request) == sent
    assert (request.validators, request.rehearse, request.timeout_s) == (BOTH, "plan", CHECK_TIMEOUT_S)


def test_init_is_a_check_without_validators() -> None:
    function = Function()
    result = checker(function).init(tree(main_tf=HEAD))
    assert (result.validator, result.status) == ("init", "ok")
    assert function.requests[0].validators == ()


def test_an_unchanged_tree_is_not_sent_again() -> None:
    function = Function()
    made = checker(function)
    first = made.check(tree(main_tf=HEAD), BOTH)
    assert made.check(tree(main_tf=HEAD), BOTH) == first
    made.check(tree(main_tf=HEAD), ["fmt"])
    made.check(tree(main_tf=HEAD), BOTH, rehearse="plan")
    made.check(tree(main_tf=HEAD + "#"), BOTH)
    assert len(function.calls) == 4


def test_findings_are_remembered_and_failures_are_not() -> None:
    function = Function()
    made = checker(function)
    request = CheckRequest(v=1, tree=b"", tree_hash=tree(a_tf="").hash, validators=BOTH, timeout_s=1.0)
    found = [Finding(validator="fmt", rule="r", severity="low", message="m")]
    function.said = [to_json(report(request, "error"))]
    assert made.check(tree(a_tf=""), BOTH).results[0].status == "error"
    bad = CheckResult(validator="fmt", status="findings", findings=found)
    function.said = [to_json(report(request, results=[bad]))]
    assert made.check(tree(a_tf=""), BOTH).findings == found
    assert made.check(tree(a_tf=""), BOTH).findings == found
    assert len(function.calls) == 2


def test_a_report_on_another_tree_is_not_believed() -> None:
    other = CheckReport(tree=tree(other_tf="").hash, results=[])
    with pytest.raises(PlatformError, match="the-checker failed: it spoke of another tree"):
        checker(Function(to_json(other))).check(tree(main_tf=HEAD), BOTH)


def test_a_tree_that_is_too_large_is_not_sent() -> None:
    function = Function()
    with pytest.raises(PlatformError, match=f"compressed, and the checker takes {MAX_PACKED_BYTES}"):
        checker(function).check(Tree(files={"n.txt": os.urandom(MAX_PACKED_BYTES)}), BOTH)
    assert function.calls == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            failed("PlatformError", "terraform is not on PATH (Install it)"),
            "terraform is not on PATH",
        ),
        (failed("Sandbox.Timedout", "Task timed out after 300.00 seconds"), "Task timed out after 300.00"),
        (failed("Runtime.ExitError", "Runtime exited with error: exit status 70"), "Runtime.ExitError: Runt"),
        (failed("KeyError", "'x'"), "KeyError: 'x'"),
        ({"FunctionError": "Unhandled", "said": None}, "null"),
        (b"", "its answer cannot be read"),
        (b"null", "its answer cannot be read"),
        (b'{"tree": "sha256:0"}', "its answer cannot be read.*results"),
        (b'{"tree": "sha256:0", "results": [], "more": 1}', "its answer cannot be read"),
        (refused("AccessDeniedException"), "AccessDeniedException it is"),
        (refused("ResourceNotFoundException"), "ResourceNotFoundException it is"),
        (refused("RequestTooLargeException"), "RequestTooLargeException it is"),
        (ReadTimeoutError(endpoint_url=URL), "Read timeout"),
        (EndpointConnectionError(endpoint_url=URL), "Could not connect"),
    ],
)
def test_whatever_goes_wrong_is_the_platforms_failure(said: Said, why: str) -> None:
    function = Function(said)
    with pytest.raises(PlatformError, match=f"the checker the-checker failed: .*{why}") as error:
        checker(function).check(tree(main_tf=HEAD), BOTH)
    assert "/aws/lambda/the-checker" in error.value.hint
    assert len(function.calls) == 1


@pytest.mark.parametrize("code", sorted(remote.BUSY))
def test_a_busy_function_is_asked_again(code: str) -> None:
    function = Function(refused(code), refused(code))
    assert checker(function).check(tree(main_tf=HEAD), BOTH).clean
    assert len(function.calls) == 3


def test_a_function_that_stays_busy_is_a_failure() -> None:
    function = Function(*[refused("TooManyRequestsException")] * 9)
    with pytest.raises(PlatformError, match="TooManyRequestsException"):
        checker(function).check(tree(main_tf=HEAD), BOTH)
    assert len(function.calls) == 3


def test_a_closed_checker_waits_no_longer() -> None:
    function = Function(*[refused("TooManyRequestsException")] * 2)
    made = checker(function, waits_s=(600.0,))
    answer: Callable[..., dict[str, Any]] = function.invoke

    def closing(**arguments: Any) -> dict[str, Any]:
        made.close()
        return answer(**arguments)

    function.invoke = closing  # type: ignore[method-assign]
    with pytest.raises(PlatformError, match="the run has ended"):
        made.check(tree(main_tf=HEAD), BOTH)
    assert len(function.calls) == 1
    made.close()


def test_an_init_without_a_result_is_a_failure() -> None:
    sent = tree(main_tf=HEAD)
    with pytest.raises(PlatformError, match="did not say how terraform init ended"):
        checker(Function(to_json(CheckReport(tree=sent.hash, results=[])))).init(sent)


def test_a_check_needs_validators() -> None:
    function = Function()
    with pytest.raises(PlatformError, match="no validators"):
        checker(function).check(tree(main_tf=HEAD), [])
    assert function.calls == []


def test_the_call_and_each_validator_have_their_spans() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    made = checker(Function(refused("TooManyRequestsException")), tracer=provider.get_tracer("test"))
    made.check(tree(main_tf=HEAD), BOTH)
    made.init(tree(main_tf=HEAD))
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == [
        *("validator fmt", "validator validate", "checker"),
        *("terraform init", "checker"),
    ]
    fmt, _, call, *_ = spans
    assert fmt.parent
    assert fmt.parent.span_id == call.context.span_id
    assert fmt.attributes
    assert fmt.attributes["tfkit.status"] == "ok"
    assert fmt.start_time
    assert fmt.end_time
    assert fmt.end_time - fmt.start_time == 500_000_000
    assert [event.name for event in call.events] == ["busy"]


def test_who_waits_waits_longer_than_what_it_waits_for() -> None:
    """The check ends before the function does, and the function before the client gives up on it."""
    fields = {field.name: field.default for field in msgspec.structs.fields(PlatformConfig)}
    assert INIT_TIMEOUT_S + VALIDATOR_TIMEOUT_S + GRACE_S < CHECK_TIMEOUT_S
    assert CHECK_TIMEOUT_S + RESERVE_S < fields["checker_timeout_s"] < READ_TIMEOUT_S


def test_the_settings_of_the_validators_that_are_asked_go_with_the_check() -> None:
    function = Function()
    settings = {"fmt": ValidatorSettings(deadline_s=7.0, options={"a": 1}), "other": ValidatorSettings()}
    made = checker(function, settings=settings)
    made.check(tree(main_tf=HEAD), BOTH)
    made.init(tree(main_tf=HEAD))
    checker(function).check(tree(main_tf=HEAD), BOTH)
    assert [request.settings for request in function.requests] == [{"fmt": settings["fmt"]}, {}, {}]

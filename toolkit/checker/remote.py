"""The checker's function as a `Checker`: the tree goes there and a report comes back.

    tree ──▶ remembered? ──▶ packed ──▶ invoked, again while it is busy ──▶ held against the tree ──▶ report

Whatever goes wrong on the way is the platform's failure and never a finding: the model cannot mend it.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from opentelemetry.trace import NoOpTracer, Span, Tracer

from toolkit.checker.message import CheckRequest, pack
from toolkit.checker.running import describe
from toolkit.checker.selection import ValidatorSettings
from toolkit.checker.staging import unchanged
from toolkit.contracts import CheckReport, CheckResult, RehearseDepth, Tree, to_json
from toolkit.errors import PlatformError

CHECK_TIMEOUT_S = 270.0
"""Seconds for a whole check. The function itself may take 300 (`PlatformConfig.checker_timeout_s`)."""

READ_TIMEOUT_S = 330.0
"""Seconds for the client that is handed in: more than the function may take, so its own word is heard."""

BUSY = frozenset(
    {"EC2ThrottledException", "ResourceConflictException", "ResourceNotReadyException",
     "ThrottlingException", "TooManyRequestsException"}
)  # fmt: skip
"""Refusals that pass: too many at once, or the function is being made ready after an update or a long rest.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors"""

WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0)


class RemoteChecker:
    """Checks trees of one run in the function of this name; implements `toolkit.checker.Checker`.

    `client` is a boto3 client for Lambda that waits `READ_TIMEOUT_S` and does not repeat a call by itself: a
    repeated check is a check paid for twice. `tracer` gets a span for each call and each validator.
    `timeout_s` is for one check, `waits_s` are the pauses while the function is busy; all are seconds.
    `settings` of validators, by name, go with each check; as they never change, what is remembered holds.
    `brought` is the tree that a user started from: which of its files are unchanged goes with each check, and
    what the others were.
    """

    def __init__(
        self,
        client: Any,
        function: str,
        *,
        tracer: Tracer | None = None,
        timeout_s: float = CHECK_TIMEOUT_S,
        waits_s: Sequence[float] = WAITS_S,
        settings: Mapping[str, ValidatorSettings] | None = None,
        brought: Tree | None = None,
    ) -> None:
        self._client = client
        self._function = function
        self._tracer = tracer or NoOpTracer()
        self._timeout_s = timeout_s
        self._waits_s = tuple(waits_s)
        self._settings = settings or {}
        self._brought = brought or Tree()
        self._reports: dict[tuple[str, tuple[str, ...], RehearseDepth], CheckReport] = {}
        self._closed = threading.Event()

    def prepare(self, tree: Tree) -> None:
        """Nothing: each check begins anew in the function, and is paid for."""

    def init(self, tree: Tree) -> CheckResult:
        """See `Checker.init`."""
        report = self._report(tree, (), "off")
        if len(report.results) != 1:
            self._fail("it did not say how terraform init ended")
        return report.results[0]

    def check(self, tree: Tree, validators: Sequence[str], *, rehearse: RehearseDepth = "off") -> CheckReport:
        """See `Checker.check`. Raises `PlatformError` also for an unknown validator: the function says so."""
        if not validators:
            raise PlatformError("no validators were named")
        return self._report(tree, tuple(dict.fromkeys(validators)), rehearse)

    def close(self) -> None:
        """Forget the reports, and wait no longer. A check under way ends by itself, in the function."""
        self._closed.set()
        self._reports.clear()

    def _report(self, tree: Tree, validators: tuple[str, ...], rehearse: RehearseDepth) -> CheckReport:
        key = (tree.hash, validators, rehearse)
        if known := self._reports.get(key):
            return known
        own = unchanged(tree, self._brought)
        files = self._brought.files
        before = Tree(files={path: files[path] for path in files.keys() & tree.files.keys() - own})
        request = CheckRequest(
            v=1,
            tree=pack(tree),
            tree_hash=tree.hash,
            validators=validators,
            timeout_s=self._timeout_s,
            rehearse=rehearse,
            settings={name: self._settings[name] for name in validators if name in self._settings},
            own=tuple(sorted(own)),
            before=pack(before) if before.files else b"",
            before_hash=before.hash if before.files else "",
        )
        with self._tracer.start_as_current_span("checker") as span:
            span.set_attribute("tfkit.checker.function", self._function)
            span.set_attribute("tfkit.checker.bytes", len(request.tree))
            report = self._read(self._invoke(to_json(request), span), tree)
            self._trace(report)
        # As in process: a failure may pass, so only what was really found out is remembered.
        if all(result.status != "error" for result in report.results):
            self._reports[key] = report
        return report

    def _invoke(self, payload: bytes, span: Span) -> bytes:
        """The function's answer; it is asked again while it is busy."""
        for wait_s in (*self._waits_s, None):
            if self._closed.is_set():
                self._fail("the run has ended")
            try:
                answer = self._client.invoke(
                    FunctionName=self._function, InvocationType="RequestResponse", Payload=payload
                )
                body: bytes = answer["Payload"].read()
            except ClientError as error:
                if wait_s is None or error.response["Error"]["Code"] not in BUSY:
                    self._fail(str(error), error)
                span.add_event("busy", {"tfkit.reason": error.response["Error"]["Code"]})
                self._closed.wait(wait_s)
                continue
            except BotoCoreError as error:
                self._fail(str(error), error)
            if "FunctionError" in answer:
                self._fail(_said(body))
            return body
        raise AssertionError("the last try returns or raises")

    def _read(self, body: bytes, tree: Tree) -> CheckReport:
        try:
            report = msgspec.json.decode(body, type=CheckReport)
        except msgspec.MsgspecError as error:
            self._fail(f"its answer cannot be read: {error}", error)
        if report.tree != tree.hash:
            self._fail("it spoke of another tree than the one that it was sent")
        return report

    def _trace(self, report: CheckReport) -> None:
        """A span for each result, as a checker in process makes them; they end when the answer comes."""
        ended = time.time_ns()
        for result in report.results:
            name = "terraform init" if result.validator == "init" else f"validator {result.validator}"
            span = self._tracer.start_span(name, start_time=ended - int(result.seconds * 1e9))
            describe(span, result)
            span.end(ended)

    def _fail(self, why: str, cause: Exception | None = None) -> NoReturn:
        raise PlatformError(
            f"the checker {self._function} failed: {why}",
            f"its log is /aws/lambda/{self._function}; `tfkit up` brings it to this version",
        ) from cause


def _said(body: bytes) -> str:
    """What a function that failed says: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""

    class Failure(msgspec.Struct, rename="camel"):
        error_type: str = ""
        error_message: str = ""

    try:
        failure = msgspec.json.decode(body, type=Failure)
    except msgspec.MsgspecError:
        return body.decode(errors="replace")[:500]
    told = failure.error_message or "it gave no reason"
    return told if failure.error_type in _PLAIN else f"{failure.error_type}: {told}"


# What adds nothing to the message: our own error, and the emulator's word for any.
_PLAIN = ("", "PlatformError", "Runtime.HandlerError")

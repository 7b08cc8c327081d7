"""A run from its request to its result: the one place where the agent's parts meet.

    lease ─▶ model, workspace, checker ─▶ converse ⇄ gate ─▶ files ─▶ records accepted ─▶ result ─▶ record

Whatever happens after the lease is taken, the run ends with a status, its files and its trace stored.
"""

import asyncio
import logging
import shutil
import tempfile
import time
from pathlib import Path

from opentelemetry.trace import Span, Status, StatusCode

from toolkit.agent.config import AgentConfig, Clients
from toolkit.agent.deps import Deps, Ledger
from toolkit.agent.gate import Outcome, converse
from toolkit.agent.models import build, choose, cost_of, load_registry
from toolkit.agent.record import RunTable
from toolkit.agent.store import Store
from toolkit.agent.workspace import Workspace
from toolkit.agent.writer import make_writer
from toolkit.checker import Checker
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.registry import default_validators
from toolkit.contracts import (
    AskRequest,
    Attempt,
    ModelEntry,
    RunResult,
    RunStatus,
    SkippedCheck,
    Tree,
    Usage,
)
from toolkit.errors import BudgetExceeded, TfkitError, UsageError
from toolkit.telemetry import names
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.sink import FirehoseSink

log = logging.getLogger(__name__)

RESERVE_SECONDS = 20.0
"""What is kept back of the function's own time, to store everything before Lambda ends it."""

NOT_IN_THIS_VERSION = (
    SkippedCheck(validator="rehearse", reason="this version of tfkit has no rehearsal yet"),
    SkippedCheck(validator="tflint", reason="this version of tfkit has no tflint validator yet"),
    SkippedCheck(validator="checkov", reason="this version of tfkit has no checkov validator yet"),
)


class Ending:
    """How the run ended, filled in as it goes, so that an error loses nothing of what was there."""

    def __init__(self) -> None:
        self.status: RunStatus = "error"
        self.output = ""
        self.tree = Tree()
        self.attempts: list[Attempt] = []
        self.error: str | None = None
        self.outcome: Outcome | None = None


def execute(request: AskRequest, config: AgentConfig, clients: Clients, remaining_s: float) -> RunResult | None:
    """Do the run, unless another delivery of the same request has it; then None.

    `remaining_s` is the function's own time that is left. Raises only where not even the record of the
    run can be written.
    """
    started = time.monotonic()
    table = RunTable(clients.dynamodb, config.runs_table, request.run_id)
    if not table.take(request, request.model):
        log.info("run %s is not ours: nothing to do", request.run_id)
        return None
    sink = FirehoseSink(
        clients.firehose, config.delivery_stream, clients.s3, config.audit_bucket, config.runs_bucket
    )
    telemetry = RunTelemetry(request.run_id, config.stack, sink)
    store = Store(clients.s3, config.runs_bucket, request.run_id)
    folder = Path(tempfile.mkdtemp(prefix="tfkit-run-"))
    checker = InProcessChecker(folder, tracer=telemetry.tracer)
    ending, ledger = Ending(), Ledger(max_cost_usd=request.max_cost_usd)
    chosen = request.model
    deadline = started + min(request.timeout_s, remaining_s - RESERVE_SECONDS)
    try:
        with telemetry.run_span() as span:
            with _errors_into(ending):
                registry = load_registry(clients.ssm, config.registry_parameter)
                chosen, entry = choose(registry, request.model)
                _refuse_unpriced_budget(request, chosen, entry)
                ledger.price = entry.price
                _work(request, chosen, entry, clients, telemetry, table, checker, ending, ledger, deadline)
            _describe(span, chosen, ending, ledger)
        with _errors_into(ending):
            store.tree(ending.tree)
        with _errors_into(ending):
            telemetry.close()  # a run is not `ok` before its records are accepted
    finally:
        checker.close()
        shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - started
    with _errors_into(ending):
        store.result(_result(request, chosen, ending, ledger, telemetry.trace_id, seconds))
    table.finish(ending.status, ending.error)
    return _result(request, chosen, ending, ledger, telemetry.trace_id, seconds)


def _work(
    request: AskRequest,
    chosen: str,
    entry: ModelEntry,
    clients: Clients,
    telemetry: RunTelemetry,
    table: RunTable,
    checker: Checker,
    ending: Ending,
    ledger: Ledger,
    deadline: float,
) -> None:
    """The conversation and its gate; what it came to is in `ending`, also when it raises."""
    workspace = Workspace()
    deps = Deps(
        workspace=workspace,
        checker=checker,
        validators=tuple(default_validators()),
        ledger=ledger,
        model_name=chosen,
        progress=lambda step: table.progress(step, ending.attempts),
    )

    def on_attempt(attempt: Attempt) -> None:
        ending.attempts.append(attempt)
        table.progress("gate", ending.attempts)
        telemetry.flush()

    agent = make_writer(build(entry, clients.bedrock), entry.id, telemetry.provider)
    try:
        outcome = asyncio.run(
            converse(
                agent,
                deps,
                request.prompt,
                max_followups=request.max_followups,
                deadline=deadline,
                on_attempt=on_attempt,
            )
        )
    finally:
        ending.tree = workspace.tree
    ending.outcome, ending.output = outcome, outcome.output
    ending.status = "ok" if outcome.converged else "not_converged"
    if not outcome.converged:
        ending.error = "the validators do not agree with the files"


class _errors_into:  # noqa: N801 - reads as a statement
    """Turn an error into the run's ending: the run is over, its record is not."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is None:
            return False
        if not isinstance(error, Exception):
            return False
        self._ending.status = "budget_exceeded" if isinstance(error, BudgetExceeded) else "error"
        if isinstance(error, TfkitError):
            self._ending.error = f"{error.message}. {error.hint}" if error.hint else error.message
            log.warning("%s", self._ending.error)
        else:
            log.exception("the run failed")
            self._ending.error = f"tfkit failed: {type(error).__name__}: {error}"
        return True


def _refuse_unpriced_budget(request: AskRequest, name: str, entry: ModelEntry) -> None:
    from pydantic_ai.usage import RequestUsage

    if request.max_cost_usd is None:
        return
    if cost_of(entry.id, entry.price, RequestUsage(input_tokens=1, output_tokens=1)) is None:
        raise UsageError(f"the price of {name} is not known, so a budget in dollars cannot be kept")


def _describe(span: Span, chosen: str, ending: Ending, ledger: Ledger) -> None:
    """What the trace's root says of the run; the reader makes its row from it."""
    span.set_attributes(
        {
            names.STATUS: ending.status,
            names.MODEL: chosen,
            names.INPUT_TOKENS: ledger.input_tokens,
            names.OUTPUT_TOKENS: ledger.output_tokens,
            names.TOOL_CALLS: ledger.tool_calls,
            names.ATTEMPTS: len(ending.attempts),
        }
    )
    if ledger.requests and ledger.cost_usd is not None:
        span.set_attribute(names.COST_USD, ledger.cost_usd)
    if ending.status != "ok":
        span.set_attribute(names.ERROR, ending.error or ending.status)
        span.set_status(Status(StatusCode.ERROR, ending.error or ending.status))


def _result(
    request: AskRequest, chosen: str, ending: Ending, ledger: Ledger, trace_id: str, seconds: float
) -> RunResult:
    report = ending.outcome.report if ending.outcome else None
    return RunResult(
        run_id=request.run_id,
        status=ending.status,
        model=chosen,
        prompt=request.prompt,
        output=ending.output,
        files=ending.tree.entries,
        attempts=ending.attempts,
        usage=Usage(
            requests=ledger.requests,
            input_tokens=ledger.input_tokens,
            output_tokens=ledger.output_tokens,
            cost_usd=ledger.cost_usd if ledger.requests else None,
        ),
        seconds=round(seconds, 3),
        trace_id=trace_id,
        error=ending.error,
        checks=report.results if report else [],
        skipped=[*report.skipped, *NOT_IN_THIS_VERSION] if report else list(NOT_IN_THIS_VERSION),
        not_proven=_not_proven(chosen, ending),
        sandbox=report.sandbox if report else "none",
    )


def _not_proven(chosen: str, ending: Ending) -> list[str]:
    """What an `ok` does not say; printed with every result."""
    open_points = [
        "nothing was planned or applied: no rehearsal ran",
        "AWS-specific rules of tflint, and checkov's, did not run",
    ]
    if chosen.startswith("offline-composer"):
        open_points.append("the model was offline-composer, which is no language model but a set of recipes")
    return open_points

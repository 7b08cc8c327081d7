"""A run from its request to its result: the one place where the agent's parts meet.

    lease ─▶ model, workspace, checker ─▶ converse ⇄ gate ─▶ files ─▶ records accepted ─▶ result ─▶ record

Whatever happens after the lease is taken, the run ends with a status, its files and its trace stored.
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from opentelemetry.trace import Span, Status, StatusCode, Tracer

from toolkit.agent.cancellation import Cancellation
from toolkit.agent.chosen import Chosen, choose_validators
from toolkit.agent.config import AgentConfig, Clients, remote_checker
from toolkit.agent.deps import Deps, Ledger
from toolkit.agent.gate import converse
from toolkit.agent.models import build, choose, cost_of, load_registry
from toolkit.agent.record import MAX_ERROR, Cancelled, RunTable
from toolkit.agent.store import Store
from toolkit.agent.workspace import Workspace
from toolkit.agent.writer import make_writer
from toolkit.checker import Checker
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.selection import ValidatorSettings
from toolkit.contracts import (
    AskRequest,
    Attempt,
    CheckReport,
    ModelEntry,
    RunResult,
    RunStatus,
    Tree,
    Usage,
)
from toolkit.errors import BudgetExceeded, TfkitError, UsageError
from toolkit.telemetry import names
from toolkit.telemetry.otlp import clean
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.sink import FirehoseSink

log = logging.getLogger(__name__)

RESERVE_SECONDS = 20.0
"""What is kept back of the function's own time, to store everything before Lambda ends it."""

DISAGREE = "the validators do not agree with the files"
NOTHING_WRITTEN = "the model wrote no files"


class Ending:
    """How the run ended, filled in as it goes, so that an error loses nothing of what was there."""

    def __init__(self) -> None:
        self.status: RunStatus = "error"
        self.output = ""
        self.tree = Tree()
        self.attempts: list[Attempt] = []
        self.error: str | None = None
        self.report: CheckReport | None = None


def execute(
    request: AskRequest, config: AgentConfig, clients: Clients, remaining_s: float
) -> RunResult | None:
    """Do the run, unless another delivery of the same request has it; then None.

    `remaining_s` is the function's own time that is left. Raises only where not even the record of the
    run can be written.
    """
    table = RunTable(clients.dynamodb, config.runs_table, request.run_id)
    run = Run(request, config, clients, table, time.monotonic() + remaining_s - RESERVE_SECONDS)
    if not table.take(request, request.model):
        log.info("run %s is not ours: nothing to do", request.run_id)
        return None
    with table.heartbeat(run.cancel):
        return run.to_its_end()


class Run:
    """One run that is ours: its parts, what it has consumed, and how it ends."""

    def __init__(
        self, request: AskRequest, config: AgentConfig, clients: Clients, table: RunTable, latest: float
    ) -> None:
        self._started = time.monotonic()
        self._deadline = min(self._started + request.timeout_s, latest)
        self._request = request
        self._config = config
        self._clients = clients
        self._table = table
        sink = FirehoseSink(
            clients.firehose, config.delivery_stream, clients.s3, config.audit_bucket, config.runs_bucket
        )
        self._telemetry = RunTelemetry(request.run_id, config.stack, sink)
        self._store = Store(clients.s3, config.runs_bucket, request.run_id)
        self._ledger = Ledger(max_cost_usd=request.max_cost_usd)
        self._ending = Ending()
        self._model = request.model
        self._chosen = Chosen()
        self._cancellation = Cancellation()

    def cancel(self) -> None:
        """End the work, from another thread; what was made until then is stored all the same."""
        self._cancellation.request()

    def _checker(self) -> AbstractContextManager[Checker]:
        """The platform's checker function where it has one, else a checker in this process."""
        tracer, settings = self._telemetry.tracer, self._chosen.selection.settings
        return remote_checker(self._config, self._clients, tracer, settings) or _own_checker(
            tracer, settings, unsandboxed=self._config.unsandboxed
        )

    def to_its_end(self) -> RunResult:
        """Work, then store the files, the records, the result and the last word, in this order."""
        ending, table = self._ending, self._table
        with _errors_into(ending), self._telemetry.run_span() as span:
            with _errors_into(ending):
                self._chosen = choose_validators(self._config.validators, self._request.rehearse)
                with self._checker() as checker:
                    self._work(checker)
            with _errors_into(ending):
                self._store.tree(ending.tree)
            _describe(span, self._model, ending, self._ledger)
        with _errors_into(ending):
            self._telemetry.close()  # a run is not `ok` before its records are accepted
        with _errors_into(ending):
            table.progress("storing", ending.attempts)  # whoever lost the run to another must not say `ok`
        seconds = round(time.monotonic() - self._started, 3)
        with _errors_into(ending):
            self._store.result(self._result(seconds))
        try:
            table.finish(ending.status, ending.error)
        except Cancelled as closed:  # by somebody who did not wait; what is stored must not say otherwise
            ending.status, ending.error = "cancelled", closed.message
            self._store.result(self._result(seconds))
        return self._result(seconds)

    def _work(self, checker: Checker) -> None:
        """The conversation and its gate; what it came to is in the ending, also when it raises."""
        self._table.refuse_stopped()
        entry = self._choose_model()
        ending, workspace = self._ending, Workspace()
        deps = Deps(
            workspace=workspace,
            checker=checker,
            selection=self._chosen.selection,
            rehearse=self._chosen.depth,
            ledger=self._ledger,
            progress=lambda step: self._table.progress(step, ending.attempts),
        )
        agent = make_writer(build(entry, self._clients.bedrock), entry.id, self._telemetry.provider)
        conversation = converse(
            agent,
            deps,
            self._request.prompt,
            max_followups=self._request.max_followups,
            deadline=self._deadline,
            on_attempt=self._on_attempt,
        )
        try:
            outcome = self._cancellation.run(conversation)
        finally:
            ending.tree = workspace.tree
        ending.output = outcome.output
        ending.tree = outcome.tree  # what the gate has seen, should the workspace have changed since
        ending.status = "ok" if outcome.converged else "not_converged"
        if not outcome.converged:
            ending.error = DISAGREE if ending.tree.files else NOTHING_WRITTEN

    def _choose_model(self) -> ModelEntry:
        registry = load_registry(self._clients.ssm, self._config.registry_parameter)
        self._model, entry = choose(registry, self._request.model)
        _refuse_unpriced_budget(self._request, self._model, entry)
        self._ledger.price = entry.price
        return entry

    def _on_attempt(self, attempt: Attempt, report: CheckReport) -> None:
        self._ending.attempts.append(attempt)
        self._ending.report = report
        self._table.progress("gate", self._ending.attempts)
        self._telemetry.flush()

    def _result(self, seconds: float) -> RunResult:
        ending, ledger, report = self._ending, self._ledger, self._ending.report
        return RunResult(
            run_id=self._request.run_id,
            status=ending.status,
            model=self._model,
            prompt=self._request.prompt,
            output=ending.output,
            files=ending.tree.entries,
            attempts=ending.attempts,
            usage=Usage(
                requests=ledger.requests,
                input_tokens=ledger.input_tokens,
                output_tokens=ledger.output_tokens,
                cost_usd=ledger.cost_usd if ledger.requests else None,
            ),
            seconds=seconds,
            trace_id=self._telemetry.trace_id,
            error=ending.error,
            checks=report.results if report else [],
            skipped=self._chosen.skipped(report),
            not_proven=self._chosen.not_proven(self._model),
            sandbox=report.sandbox if report else "none",
        )


@contextmanager
def _own_checker(
    tracer: Tracer, settings: Mapping[str, ValidatorSettings], *, unsandboxed: bool
) -> Generator[Checker, None, None]:
    """A checker in a folder of its own, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tfkit-run-"))
    try:
        checker = InProcessChecker(folder, tracer=tracer, settings=settings, unsandboxed=unsandboxed)
        try:
            yield checker
        finally:
            checker.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _errors_into(ending: Ending) -> Generator[None, None, None]:
    """Turn an error into the run's ending: the run is over, its record is not."""
    try:
        yield
    except Exception as error:  # whatever it was, the run must end with a status
        ending.status = _status_after(error, ending.status)
        if isinstance(error, TfkitError):
            said = f"{error.message}; {error.hint}" if error.hint else error.message
            log.warning("%s", said)
        else:
            log.error("the run failed", exc_info=error)
            said = f"tfkit failed: {type(error).__name__}: {error}"
        said = clean(said[:MAX_ERROR])  # an upstream's words may be of any size and of any letters
        # What failed first is the cause, and stays in front.
        ending.error = f"{ending.error}; then: {said}" if ending.error else said


def _status_after(error: Exception, before: RunStatus) -> RunStatus:
    """How a run ends that met this error. One that was cancelled stays so, whatever else fails in its end."""
    if isinstance(error, Cancelled) or before == "cancelled":
        return "cancelled"
    return "budget_exceeded" if isinstance(error, BudgetExceeded) else "error"


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

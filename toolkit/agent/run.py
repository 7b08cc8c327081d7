"""A run from its request to its result: the one place where the agent's parts meet.

    lease ─▶ what the user brought ─▶ model, workspace, checker ─▶ converse ⇄ gate ─▶ files
           ─▶ statement signed ─▶ records accepted ─▶ statement, result ─▶ record

Whatever happens after the lease is taken, the run ends with a status, its files and its trace stored.
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from opentelemetry.trace import Tracer
from pydantic_ai.models import Model
from pydantic_ai.usage import RequestUsage

from toolkit.agent.attached import with_attached
from toolkit.agent.attempts import diff
from toolkit.agent.baseline import Baseline, without_plan
from toolkit.agent.cancellation import Cancellation
from toolkit.agent.chosen import Chosen, choose_validators
from toolkit.agent.config import AgentConfig, Clients, remote_checker
from toolkit.agent.day_budget import DayBudget, accounts
from toolkit.agent.deadline import Deadline
from toolkit.agent.deps import Deps
from toolkit.agent.ending import NOTHING_CHANGED, Ending, describe, errors_into, why_not
from toolkit.agent.gate import converse
from toolkit.agent.ledger import Ledger
from toolkit.agent.metered import MeteredModel
from toolkit.agent.models import build, choose, cost_of, load_registry
from toolkit.agent.record import Cancelled, RunTable
from toolkit.agent.reporting import open_telemetry, report
from toolkit.agent.stating import signed_statement
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
    Tree,
)
from toolkit.errors import PlatformError, UsageError
from toolkit.telemetry.attempts import record_attempt
from toolkit.telemetry.metrics import NO_MODEL
from toolkit.telemetry.sink import FirehoseSink

log = logging.getLogger(__name__)

RESERVE_SECONDS = 20.0
"""What is kept back of the function's own time, to store everything before Lambda ends it."""


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
        self._deadline = Deadline.earliest(self._started, request.timeout_s, latest)
        self._request = request
        self._config = config
        self._clients = clients
        self._table = table
        sink = FirehoseSink(
            clients.firehose, config.delivery_stream, clients.s3, config.audit_bucket, config.runs_bucket
        )
        self._telemetry = open_telemetry(request.run_id, config, clients, sink)
        self._store = Store(clients.s3, config.runs_bucket, request.run_id)
        self._ledger = Ledger(
            max_cost_usd=request.max_cost_usd,
            max_turns=request.max_turns,
            max_tool_calls=request.max_tool_calls,
            max_tokens=request.max_tokens,
        )
        self._accounts = accounts(config.daily_budget_usd, config.caller_daily_budget_usd, request.caller)
        self._ending = Ending()
        self._model = request.model
        self._metered_as = NO_MODEL
        self._chosen = Chosen()
        self._brought = Tree()
        self._cancellation = Cancellation()

    def cancel(self) -> None:
        """End the work, from another thread; what was made until then is stored all the same."""
        self._cancellation.request()

    def _checker(self) -> AbstractContextManager[Checker]:
        """The platform's checker function where it has one, else a checker in this process."""
        tracer, settings = self._telemetry.tracer, self._chosen.selection.settings
        return remote_checker(self._config, self._clients, tracer, settings, self._brought) or _own_checker(
            tracer, settings, self._brought, unsandboxed=self._config.unsandboxed
        )

    def to_its_end(self) -> RunResult:
        """Work, then store files, records, statement, result and the last word, in this order.

        The statement is signed before the trace ends, so that the trace says so where that fails, and stored
        when the records are accepted, because only then the run is `ok`.
        """
        ending, table = self._ending, self._table
        statement = b""
        with errors_into(ending), self._telemetry.run_span() as span:
            with errors_into(ending):
                self._chosen = choose_validators(self._config.validators, self._request.rehearse)
                self._brought = ending.tree = self._store.start(self._request.start)
                with self._checker() as checker:
                    self._work(checker)
            with errors_into(ending):
                self._store.tree(ending.tree)
            with errors_into(ending):
                statement = self._statement()
            describe(span, self._model, ending, self._ledger)
        with errors_into(ending):
            self._telemetry.close()  # a run is not `ok` before its records are accepted
        with errors_into(ending):
            table.progress("storing", ending.attempts)  # whoever lost the run to another must not say `ok`
        seconds = round(time.monotonic() - self._started, 3)
        with errors_into(ending):
            if ending.status == "ok":
                self._store.statement(statement)
        with errors_into(ending):
            self._store.result(self._result(seconds))
        try:
            table.finish(ending.status, ending.error)
        except Cancelled as closed:  # by somebody who did not wait; what is stored must not say otherwise
            ending.status, ending.error = "cancelled", closed.message
            self._store.result(self._result(seconds))
        self._settle(statement)
        result = self._result(seconds)
        report(self._config, self._clients, self._telemetry, self._metered_as, result)
        return result

    def _statement(self) -> bytes:
        """What the run claims, signed; empty for one that is not `ok`."""
        ending = self._ending
        if ending.status != "ok":
            return b""
        result = self._result(round(time.monotonic() - self._started, 3))
        return signed_statement(self._clients.kms, self._config, self._request.caller, result, ending.report)

    def _settle(self, statement: bytes) -> None:
        """Let the statement be found by its tree, or withdraw it where the run did not end as `ok` after all.

        Neither is worth the run's outcome, which is written: the statement lies beside it.
        """
        try:
            if self._ending.status == "ok":
                self._store.of_tree(self._ending.tree, statement)
            elif statement:
                self._store.statement(b"")
        except PlatformError as error:
            log.warning("run %s: %s", self._request.run_id, error.message)

    def _work(self, checker: Checker) -> None:
        """The conversation and its gate; what it came to is in the ending, also when it raises."""
        self._table.refuse_stopped()
        entry = self._choose_model()
        prompt = with_attached(self._request.prompt, self._store.attached(self._request.attached), entry)
        ending, workspace = self._ending, Workspace(self._brought.files)
        deps = Deps(
            workspace=workspace,
            checker=checker,
            selection=self._chosen.selection,
            rehearse=self._chosen.depth,
            ledger=self._ledger,
            progress=lambda step: self._table.progress(step, ending.attempts),
            baseline=self._baseline(checker),
        )
        agent = make_writer(
            self._build(entry),
            entry.id,
            self._telemetry.provider,
            include_content=self._config.include_content,
            brought=bool(self._brought.files),
        )
        conversation = converse(
            agent,
            deps,
            prompt,
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
            ending.error = why_not(outcome)
        elif outcome.tree == self._brought:  # what was clean before says nothing of what was asked for
            ending.status, ending.error = "not_converged", NOTHING_CHANGED

    def _baseline(self, checker: Checker) -> Baseline:
        """What the validators say of the user's own files as they came."""
        names = without_plan(self._chosen.selection)
        if not self._brought.files or not names:
            return Baseline()
        self._table.progress("validators, before the run", [])
        return Baseline(checker.check(self._brought, names))

    def _build(self, entry: ModelEntry) -> Model:
        """The model, under the day's budget where the platform has one."""
        model = build(entry, self._clients.bedrock)
        if not self._accounts:
            return model
        table = self._config.runs_table
        day = DayBudget(self._clients.dynamodb, table, self._request.run_id, self._accounts)
        return MeteredModel(model, entry, day)

    def _choose_model(self) -> ModelEntry:
        registry = load_registry(self._clients.ssm, self._config.registry_parameter)
        self._model, entry = choose(registry, self._request.model)
        self._metered_as = self._model
        self._refuse_unpriced_budget(entry)
        self._ledger.price = entry.price
        return entry

    def _refuse_unpriced_budget(self, entry: ModelEntry) -> None:
        if self._request.max_cost_usd is None and not self._accounts:
            return
        if cost_of(entry.id, entry.price, RequestUsage(input_tokens=1, output_tokens=1)) is not None:
            return
        if self._request.max_cost_usd is not None:
            raise UsageError(
                f"the price of {self._model} is not known, so a budget in dollars cannot be kept"
            )
        raise UsageError(
            f"the price of {self._model} is not known, so the platform's daily budget cannot be kept",
            f"choose a model with a price, or take {self._accounts[0].setting} away and run: tfkit up",
        )

    def _on_attempt(self, attempt: Attempt, report: CheckReport) -> None:
        self._ending.attempts.append(attempt)
        self._ending.report = report
        record_attempt(self._telemetry.tracer, attempt)
        self._table.progress("gate", self._ending.attempts)
        self._telemetry.flush()

    def _result(self, seconds: float) -> RunResult:
        ending, report = self._ending, self._ending.report
        return RunResult(
            run_id=self._request.run_id,
            status=ending.status,
            model=self._model,
            prompt=self._request.prompt,
            output=ending.output,
            files=ending.tree.entries,
            attempts=ending.attempts,
            usage=self._ledger.usage,
            seconds=seconds,
            trace_id=self._telemetry.trace_id,
            error=ending.error,
            checks=report.results if report else [],
            skipped=self._chosen.skipped(report),
            not_proven=self._chosen.not_proven(self._model),
            sandbox=report.sandbox if report else "none",
            model_retries=self._ledger.retries,
            start=self._request.start,
            diff=diff(self._brought, ending.tree) if self._brought.files else "",
        )


@contextmanager
def _own_checker(
    tracer: Tracer, settings: Mapping[str, ValidatorSettings], brought: Tree, *, unsandboxed: bool
) -> Generator[Checker, None, None]:
    """A checker in a folder of its own, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tfkit-run-"))
    try:
        checker = InProcessChecker(
            folder, tracer=tracer, settings=settings, brought=brought, unsandboxed=unsandboxed
        )
        try:
            yield checker
        finally:
            checker.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)

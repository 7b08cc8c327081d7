"""A run from its request to its result: the one place where the agent's parts meet.

    lease ─▶ what the user brought ─▶ model, workspace, checker ─▶ converse ⇄ gate ─▶ files
           ─▶ statement signed ─▶ records accepted ─▶ statement, result ─▶ record

Whatever happens after the lease is taken, the run ends with a status, its files and its trace stored.
"""

import logging
import time

from botocore.exceptions import BotoCoreError, ClientError
from pydantic_ai import ModelMessage, ModelMessagesTypeAdapter

from toolkit.agent.attached import with_attached
from toolkit.agent.attempts import Attempts, diff
from toolkit.agent.baseline import Baseline, without_plan
from toolkit.agent.cancellation import Cancellation
from toolkit.agent.checking import checker_of
from toolkit.agent.chosen import Chosen, choose_validators
from toolkit.agent.config import AgentConfig, Clients
from toolkit.agent.deps import Deps
from toolkit.agent.ending import NOTHING_CHANGED, Ending, describe, errors_into, why_not
from toolkit.agent.farewell import said_farewell
from toolkit.agent.gate import Prompt, converse
from toolkit.agent.hooks import again
from toolkit.agent.ledger import Ledger
from toolkit.agent.lineup import Lineup
from toolkit.agent.memory import Memory
from toolkit.agent.record import Cancelled, RunTable
from toolkit.agent.relay import Baton, HandOver, deadline_of_function, moments, sign
from toolkit.agent.reporting import drain, open_telemetry, report
from toolkit.agent.stating import signed_statement
from toolkit.agent.store import Store
from toolkit.agent.verdict import passes
from toolkit.agent.workspace import Workspace
from toolkit.agent.writer import make_writer
from toolkit.checker import Checker
from toolkit.contracts import (
    AskRequest,
    Attempt,
    CheckReport,
    HandedOver,
    ModelEntry,
    RunResult,
    Tree,
    to_json,
)
from toolkit.errors import PlatformError
from toolkit.registry import Named
from toolkit.telemetry.attempts import record_attempt
from toolkit.telemetry.metrics import NO_MODEL
from toolkit.telemetry.sink import FirehoseSink

log = logging.getLogger(__name__)


def execute(
    request: AskRequest,
    config: AgentConfig,
    clients: Clients,
    remaining_s: float,
    baton: Baton | None = None,
    token: str = "",
) -> RunResult | HandedOver | None:
    """Do the run, or the next part of it (`baton`, by its hash), unless another delivery has it; then None.

    `remaining_s` is the function's own time that is left; where it does not suffice, the next invocation goes
    on. Raises only where not even the record of the run can be written.
    """
    table = RunTable(clients.dynamodb, config.runs_table, request.run_id)
    run = Run(request, config, clients, table, remaining_s, baton)
    if not (table.take_over(token) if token else table.take(request, request.model)):
        log.info("run %s is not ours: nothing to do", request.run_id)
        return None
    with table.heartbeat(run.cancel):
        return run.to_its_end()


class Run:
    """One run that is ours: its parts, what it has consumed, and how it ends."""

    def __init__(
        self,
        request: AskRequest,
        config: AgentConfig,
        clients: Clients,
        table: RunTable,
        remaining_s: float,
        baton: Baton | None,
    ) -> None:
        self._started = time.monotonic() - (baton.ago_s if baton else 0.0)
        self._part = baton.part if baton else 1
        self._baton = baton
        self._deadline, self._relay = moments(
            self._started, request.timeout_s, remaining_s, self._part, goes_on=bool(config.function)
        )
        self._handed: HandedOver | None = None
        self._request = request
        self._config = config
        self._clients = clients
        self._table = table
        sink = FirehoseSink(
            clients.firehose, config.delivery_stream, clients.s3, config.audit_bucket, config.runs_bucket
        )
        carried = baton.carried if baton else None
        self._telemetry = open_telemetry(request.run_id, config, clients, sink, carried)
        self._store = Store(clients.s3, config.runs_bucket, request.run_id)
        self._ledger = Ledger(
            max_cost_usd=request.max_cost_usd,
            max_turns=request.max_turns,
            max_tool_calls=request.max_tool_calls,
            max_tokens=request.max_tokens,
        )
        self._lineup = Lineup(request, config, clients)
        self._ending = Ending()
        self._model = request.model
        self._metered_as = NO_MODEL
        self._chosen = Chosen()
        self._start = self._brought = Tree()
        self._memory = Memory(clients.dynamodb, config.runs_table, request, self._telemetry.tracer)
        self._said: list[ModelMessage] = []
        self._baseline_report: CheckReport | None = None
        self._cut = baton.cut if baton else 0
        self._cancellation = Cancellation()

    def cancel(self) -> None:
        """End the work, from another thread; what was made until then is stored all the same."""
        self._cancellation.request()

    def to_its_end(self) -> RunResult | HandedOver:
        """Work, then store files, records, statement, result and the last word, in this order; or hand over.

        The statement is signed before the trace ends, so that the trace says so where that fails, and stored
        when the records are accepted, because only then the run is `ok`.
        """
        ending, table = self._ending, self._table
        statement = b""
        if self._baton:
            self._take_up(self._baton)
        with errors_into(ending), self._telemetry.run_span() as span:
            with errors_into(ending):
                self._store.keep_request(self._request)
                self._chosen = choose_validators(self._config.validators, self._request.rehearse)
                self._start = self._store.start(self._request.start)
                if self._baton is None:
                    ending.tree = self._start
                self._memory.open(self._of_run(self._request.follows))
                self._brought = self._memory.brought(self._of_run, self._start)
                settings, tracer = self._chosen.selection.settings, self._telemetry.tracer
                checking = checker_of(self._config, self._clients, tracer, settings, self._brought)
                try:
                    with checking as checker:
                        self._work(checker)
                except HandOver:
                    self._hand_over()
            if self._handed:
                return self._handed
            with errors_into(ending):
                self._store.tree(ending.tree)
            with errors_into(ending):
                statement = self._statement()
            describe(span, self._model, ending, self._ledger, self._part)
        with errors_into(ending):
            self._telemetry.close()  # a run is not `ok` before its records are accepted
        with errors_into(ending):
            table.progress("storing", ending.attempts)  # whoever lost the run to another must not say `ok`
        seconds = round(time.monotonic() - self._started, 3)
        with errors_into(ending):
            if ending.status == "ok":
                self._store.statement(statement)
        self._memory.save(ending, self._said)  # before anybody can go on, who waits for the row's last word
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

    def _hand_over(self) -> None:
        """Leave the run to the next invocation. Where that fails the run ends here, with what went wrong."""
        standing, part = self._relay.standing, self._part + 1
        if standing is None:
            raise deadline_of_function(self._started).passed
        self._ending.tree = Tree(files=standing.files)
        if self._relay.cut:
            self._cut += 1
            self._ledger.retries += 1
            if self._relay.steps == 1:  # all of an invocation did not suffice; another would be paid for too
                raise deadline_of_function(self._started).passed
        named = self._store.leave(
            Baton(
                request=self._request,
                part=part,
                model=self._model,
                messages=ModelMessagesTypeAdapter.dump_json(standing.messages),
                files=standing.files,
                seen=standing.seen,
                so_far=standing.so_far,
                answer=standing.answer,
                spent=self._ledger.spent,
                carried=self._telemetry.carry(),
                cut=self._cut,
                baseline=self._baseline_report,
                report=self._ending.report,
            )
        )
        self._begin_next(named)
        self._telemetry.leave()
        self._handed = named
        drain(self._config, self._clients)

    def _begin_next(self, named: HandedOver) -> None:
        """Have the next invocation begin. Raises `PlatformError` where it does not; the run is ours again."""
        try:
            signed = sign(self._clients.kms, self._config.statement_key, named)
            self._table.give_away(named.baton_sha256, named.part)
            self._clients.successor.invoke(
                FunctionName=self._config.function, InvocationType="Event", Payload=to_json(signed)
            )
        except (ClientError, BotoCoreError) as error:
            if not self._table.take_over(named.baton_sha256):
                return  # it has begun all the same: its answer alone was lost
            raise PlatformError(
                f"the function's own time was used up, and part {named.part} cannot be begun: {error}",
                "the agent's role has to be allowed to invoke the agent: tfkit up",
            ) from error

    def _of_run(self, run_id: str) -> Store:
        """What another run has left."""
        return Store(self._clients.s3, self._config.runs_bucket, run_id)

    def _statement(self) -> bytes:
        """What the run claims, signed; empty for one that is not `ok`."""
        ending = self._ending
        if ending.status != "ok":
            return b""
        result = self._result(round(time.monotonic() - self._started, 3))
        caller, brought = self._request.caller, self._brought
        return signed_statement(self._clients.kms, self._config, caller, result, ending.report, brought)

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
        models = self._choose_models()
        entry = models[0][1]
        ending, workspace = self._ending, Workspace(self._start.files)
        history = self._memory.history(min(each.context for _, each in models))
        deps = Deps(
            workspace=workspace,
            checker=checker,
            selection=self._chosen.selection,
            rehearse=self._chosen.depth,
            ledger=self._ledger,
            progress=lambda step: self._table.progress(step, ending.attempts),
            baseline=self._baseline(checker),
            relay=self._relay,
            chat=self._request.chat,
        )
        agent = make_writer(
            self._lineup.as_one(models, lambda: again(deps)),
            self._telemetry.provider,
            include_content=self._config.include_content,
            brought=bool(self._brought.files),
            follows=bool(self._request.follows or history),
            chat=self._request.chat,
        )
        prompt, before, answer = self._beginning(deps, entry, history)
        conversation = converse(
            agent,
            deps,
            prompt,
            max_followups=self._request.max_followups,
            deadline=self._deadline,
            on_attempt=lambda attempt, report: self._on_attempt(attempt, report, workspace.tree),
            before=before,
            answer=answer,
        )
        try:
            outcome = self._cancellation.run(conversation)
        finally:
            ending.tree = workspace.tree
        ending.output = outcome.output
        ending.tree = outcome.tree  # what the gate has seen, should the workspace have changed since
        ending.terminate = said_farewell(outcome.messages)
        ending.status = "ok" if outcome.converged else "not_converged"
        if not outcome.converged:
            ending.error = why_not(outcome)
        elif outcome.tree == self._start and not self._request.follows:
            # What was clean before says nothing of what was asked for.
            ending.status, ending.error = "not_converged", NOTHING_CHANGED
        self._said = outcome.messages[len(history) :]

    def _choose_models(self) -> list[Named]:
        """The model that was asked for, and those that answer where it cannot."""
        models = self._lineup.choose(self._baton.model if self._baton else self._request.model)
        self._model = self._metered_as = models[0][0]
        self._ledger.entries = dict(models)
        return models

    def _beginning(
        self, deps: Deps, entry: ModelEntry, history: list[ModelMessage]
    ) -> tuple[Prompt | None, list[ModelMessage], str | None]:
        """The prompt, or where an earlier invocation has left the conversation: its messages, and the answer
        that is still to be judged."""
        if self._baton is None:
            attached = self._store.attached(self._request.attached)
            return with_attached(self._request.prompt, attached, entry), history, None
        standing = self._baton.standing
        deps.workspace.go_on(standing.files, standing.seen)
        deps.attempts = Attempts(self._ledger, self._start, standing.so_far)
        return None, standing.messages, standing.answer

    def _take_up(self, baton: Baton) -> None:
        """Stand where the earlier invocation stood, so that whatever happens now loses nothing of it."""
        self._model = self._metered_as = baton.model
        self._baseline_report = baton.baseline
        self._ledger.go_on(baton.spent)
        self._ending.tree = Tree(files=baton.files)
        self._ending.attempts = list(baton.so_far.made)
        self._ending.report = baton.report

    def _baseline(self, checker: Checker) -> Baseline:
        """What the validators say of the user's own files as they came."""
        names = without_plan(self._chosen.selection)
        if self._baton is None and self._brought.files and names:
            self._table.progress("validators, before the run", [])
            self._baseline_report = checker.check(self._brought, names)
        return Baseline(self._baseline_report)

    def _on_attempt(self, attempt: Attempt, report: CheckReport, tree: Tree) -> None:
        self._ending.attempts.append(attempt)
        self._ending.report = report
        if not passes(report, self._chosen.selection):  # what passed is stored as the run's files
            self._store.attempt(attempt.n, tree)
        record_attempt(self._telemetry.tracer, attempt)
        self._table.progress("gate", self._ending.attempts)
        self._telemetry.flush()

    def _ids(self) -> list[str]:
        """The ids of the models that answered, whatever their names in the registry are."""
        return [self._ledger.entries[n].id for n in self._ledger.answered if n in self._ledger.entries]

    def _not_proven(self) -> list[str]:
        points = self._chosen.not_proven(self._ending.report, self._model, *self._ids())
        if self._cut:
            points.append(f"what {self._cut} requests cost that were cut off at the end of an invocation")
        return points + self._lineup.dropped + self._memory.problems

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
            not_proven=self._not_proven(),
            sandbox=report.sandbox if report else "none",
            model_retries=self._ledger.retries,
            parts=self._part,
            start=self._request.start,
            diff=diff(self._start, ending.tree) if self._start.files else "",
            conversation=self._request.conversation,
            terminate=ending.terminate,
            replays=self._request.replays,
            models=self._ledger.answered,
            cache_read_tokens=self._ledger.cache_read_tokens,
            cache_write_tokens=self._ledger.cache_write_tokens,
        )

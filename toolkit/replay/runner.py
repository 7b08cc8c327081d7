"""Does recorded runs again, several at once, and follows each to its end."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event, Lock
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from toolkit.attachments import problem
from toolkit.contracts import AskRequest, Registry, RunRecord, RunResult, Tree
from toolkit.errors import TfkitError
from toolkit.replay.recorded import NOT_KEPT, NotReplayed, Recorded, again
from toolkit.tables import new_run_id

if TYPE_CHECKING:
    from toolkit.client import Client

SPENT = "--max-cost was reached before"
UNPRICED = "what a replay before it cost is not known, so --max-cost cannot be kept"
INTERRUPTED = "interrupted before it began"


class Replayed(NamedTuple):
    """What came of all of them, in the order in which they were asked for."""

    done: list[tuple[Recorded, RunResult]]
    not_replayed: list[NotReplayed]
    interrupted: bool
    out_of_budget: bool


class Runner:
    """Replays on one platform, at most `at_once` at a time.

    `on_step` is called with the id of the run that is done again, the replay's own and its step, from
    several threads; an empty step says that this one is over. With `max_cost_usd` none may cost more than is
    left when it begins, and no further one begins once that much is spent, or when it is not known what one
    has cost; those that are under way together may go beyond it together. `budget_usd` is that of a run whose
    own was not kept.
    """

    def __init__(
        self,
        client: "Client",
        *,
        model: str = "",
        at_once: int = 4,
        max_cost_usd: float | None = None,
        budget_usd: float | None = None,
        on_step: Callable[[str, str, str], object] = lambda _run_id, _replay, _step: None,
    ) -> None:
        self._client = client
        self._model = model
        self._at_once = at_once
        self._max_cost_usd = max_cost_usd
        self._budget_usd = budget_usd
        self._on_step = on_step
        self._lock = Lock()
        self._stopped = Event()
        self._under_way: set[str] = set()
        self._goes_on: dict[str, str] = {}
        self._spent_usd = 0.0
        self._refusal = ""
        self._registry = Registry(default="", models={})
        self._caller = ""

    def run(self, wanted: Sequence[Recorded]) -> Replayed:
        """Do all of them again. Ctrl-C cancels those under way and begins no other; what is done is kept."""
        self._registry, self._caller = self._client.registry(), self._client.caller()
        interrupted = False
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="replay") as pool:
            answers: list[Future[RunResult | NotReplayed]] = []
            try:
                answers += [pool.submit(self._one, before) for before in wanted]
                wait(answers)
            except KeyboardInterrupt:
                interrupted = True
                self._cancel_all()
        return self._gathered(wanted, answers, interrupted)

    def _gathered(
        self,
        wanted: Sequence[Recorded],
        answers: "Sequence[Future[RunResult | NotReplayed]]",
        interrupted: bool,
    ) -> Replayed:
        ends = [(before, answer.result()) for before, answer in zip(wanted, answers, strict=False)]
        ends += [
            (before, NotReplayed(run_id=before.request.run_id, reason=INTERRUPTED))
            for before in wanted[len(answers) :]
        ]
        return Replayed(
            done=[(before, end) for before, end in ends if isinstance(end, RunResult)],
            not_replayed=[end for _, end in ends if isinstance(end, NotReplayed)],
            interrupted=interrupted,
            out_of_budget=any(isinstance(end, NotReplayed) and end.reason == SPENT for _, end in ends),
        )

    def _one(self, before: Recorded) -> RunResult | NotReplayed:
        """One replay, in a thread of its own. Only what nobody foresaw is raised."""
        from botocore.exceptions import BotoCoreError, ClientError

        run_id = before.request.run_id
        if why := INTERRUPTED if self._stopped.is_set() else self._refusal:
            return NotReplayed(run_id=run_id, reason=why)
        replay = new_run_id()
        request = self._within_budget(before, again(before, replay, self._caller, self._model))
        try:
            after = self._followed(request, before.request)
        except TfkitError as error:
            return NotReplayed(run_id=run_id, reason=error.message)
        except (BotoCoreError, ClientError, msgspec.MsgspecError) as error:
            return NotReplayed(run_id=run_id, reason=str(error))
        finally:
            self._on_step(run_id, replay, "")
        self._account(after)
        if after.status == "cancelled":
            return NotReplayed(run_id=run_id, reason=f"its replay {replay} was cancelled: {after.error}")
        return after

    def _within_budget(self, before: Recorded, request: AskRequest) -> AskRequest:
        """The request with its own budget, or the user's where it was not kept, and no more than is left."""
        own = self._budget_usd if before.note == NOT_KEPT else request.max_cost_usd
        if self._max_cost_usd is not None:
            with self._lock:
                left = max(self._max_cost_usd - self._spent_usd, 0.0001)
            own = left if own is None else min(own, left)
        return msgspec.structs.replace(request, max_cost_usd=own)

    def _followed(self, request: AskRequest, original: AskRequest) -> RunResult:
        """Ask and follow; a replay that cannot be followed is not left running."""
        start, attached = self._client.given_to(original)
        self._refuse(request, attached)
        self._on_step(original.run_id, request.run_id, "waiting for the agent")
        with self._lock:
            self._under_way.add(request.run_id)
        try:
            self._client.submit(request, start, attached)
            if self._stopped.is_set():  # it may have been asked for while the others were being cancelled
                self._cancel(request.run_id)
            return self._client.await_result(
                request.run_id, lambda record: self._tell(original.run_id, record)
            )
        except BaseException:
            self._refusal = self._refusal or (UNPRICED if self._max_cost_usd is not None else "")
            self._cancel(request.run_id)
            raise
        finally:
            with self._lock:
                self._under_way.discard(request.run_id)

    def _refuse(self, request: AskRequest, attached: Tree) -> None:
        """Raise `TfkitError` for what the agent would refuse, before anything is spent on it."""
        entry = self._registry.models.get(request.model)
        if entry is None:
            raise TfkitError(f"the platform does not know the model {request.model!r} (any more)")
        for name, content in attached.files.items():
            if why := problem(content, entry.takes):
                raise TfkitError(f"{name}, which is attached, cannot go to {request.model}: it {why}")

    def _tell(self, run_id: str, record: RunRecord) -> None:
        """Report a step. Raises `TfkitError` where nobody waits any more and it could not be cancelled."""
        if record.ended:
            return
        if why := self._goes_on.get(record.run_id):
            raise TfkitError(f"interrupted; its replay {record.run_id} goes on, for {why}")
        self._on_step(run_id, record.run_id, record.step)

    def _account(self, after: RunResult) -> None:
        """Add what a replay cost; whether others may begin follows from it."""
        if self._max_cost_usd is None or not after.usage.requests:
            return
        with self._lock:
            if after.usage.cost_usd is None:
                self._refusal = UNPRICED
                return
            self._spent_usd += after.usage.cost_usd
            if self._spent_usd >= self._max_cost_usd:
                self._refusal = self._refusal or SPENT

    def _cancel_all(self) -> None:
        self._stopped.set()
        with self._lock:
            waiting = sorted(self._under_way)
        if waiting:
            with ThreadPoolExecutor(len(waiting), thread_name_prefix="cancel") as pool:
                wait([pool.submit(self._cancel, replay) for replay in waiting])

    def _cancel(self, replay: str) -> None:
        """End a replay that nobody waits for any more; why it cannot be ended is kept."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.cancel(replay)
        except TfkitError as error:
            self._goes_on[replay] = error.message
        except (BotoCoreError, ClientError) as error:
            self._goes_on[replay] = str(error)

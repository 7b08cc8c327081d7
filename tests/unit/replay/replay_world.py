"""Past runs and a platform that does them again, from memory."""

from collections.abc import Callable
from threading import Lock

from toolkit.contracts import (
    AskRequest,
    Attempt,
    Finding,
    ModelEntry,
    Registry,
    RunRecord,
    RunResult,
    Tree,
    Usage,
)
from toolkit.errors import TfkitError
from toolkit.replay.recorded import Recorded

CALLER = "arn:aws:iam::1:user/now"


def finding(rule: str, validator: str = "policy") -> Finding:
    return Finding(validator=validator, rule=rule, severity="medium", message="m")


def attempts(*rules: str, number: int = 1) -> list[Attempt]:
    """So many attempts; these rules kept the gate closed at the last one."""
    found = [finding(rule) for rule in rules]
    made = [Attempt(n=n + 1, tree="t", validators={}) for n in range(number - 1)]
    return [*made, Attempt(n=number, tree="t", validators={}, findings=found)]


def result(run_id: str = "run-before", **changes) -> RunResult:
    values = {
        "run_id": run_id, "status": "ok", "model": "m", "prompt": "p", "output": "", "trace_id": "f" * 32,
        "attempts": attempts(), "usage": Usage(requests=1, input_tokens=10, output_tokens=1, cost_usd=0.5),
        "seconds": 2.0,
    }  # fmt: skip
    return RunResult(**{**values, **changes})


def past(run_id: str, outcome: RunResult | None = None, **changes) -> Recorded:
    request = AskRequest(**{"run_id": run_id, "prompt": f"prompt of {run_id}", "model": "m", **changes})
    return Recorded(request=request, result=outcome or result(run_id))


class World:
    """Stands in for `toolkit.client.Client`. What a replay comes to is said by `outcome_of`."""

    def __init__(self) -> None:
        self.records: dict[str, RunRecord] = {}
        self.results: dict[str, RunResult] = {}
        self.requests: dict[str, AskRequest] = {}
        self.gone: set[str] = set()
        self.starts: dict[str, Tree] = {}
        self.attachments: dict[str, Tree] = {}
        self.submitted: list[tuple[AskRequest, Tree, Tree]] = []
        self.cancelled: list[str] = []
        self.uncancellable = False
        self.at_once = self.most_at_once = 0
        self.outcome_of: Callable[[AskRequest], RunResult] = lambda request: result(request.run_id)
        self.meanwhile: Callable[[AskRequest], None] = lambda _request: None
        self._lock = Lock()

    def registry(self) -> Registry:
        entry = ModelEntry(provider="bedrock", id="x", takes=("text",))
        return Registry(default="m", models={"m": entry, "other": entry})

    def caller(self) -> str:
        return CALLER

    def record(self, run_id: str) -> RunRecord | None:
        return self.records.get(run_id)

    def runs(self, days: list[str]) -> list[RunRecord]:
        found = [record for record in self.records.values() if record.started[:10] in days]
        return sorted(found, key=lambda record: record.started, reverse=True)

    def request(self, record: RunRecord) -> AskRequest | None:
        return self.requests.get(record.run_id)

    def result(self, run_id: str) -> RunResult:
        if run_id not in self.results:
            raise TfkitError(f"no run has the id {run_id}")
        return self.results[run_id]

    def given_to(self, request: AskRequest) -> tuple[Tree, Tree]:
        if request.run_id in self.gone:
            raise TfkitError("no longer in the bucket: the files that it started from")
        return self.starts.get(request.run_id, Tree()), self.attachments.get(request.run_id, Tree())

    def submit(self, request: AskRequest, start: Tree, attached: Tree) -> None:
        self.submitted.append((request, start, attached))

    def await_result(self, run_id: str, on_update: Callable[[RunRecord], None]) -> RunResult:
        self.follow(run_id, on_update)
        return self.result(run_id)

    def follow(self, run_id: str, on_update: Callable[[RunRecord], None]) -> None:
        request = next(asked for asked, _, _ in self.submitted if asked.run_id == run_id)
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            on_update(row(run_id, status="running", step="init"))
            self.meanwhile(request)
            on_update(row(run_id, status="running", step="gate"))
            on_update(row(run_id))
        finally:
            with self._lock:
                self.at_once -= 1
        outcome = self.outcome_of(request)
        if run_id in self.cancelled:
            outcome = result(run_id, status="cancelled", error="cancelled on request")
        self.results[run_id] = outcome

    def cancel(self, run_id: str) -> None:
        if self.uncancellable:
            raise TfkitError("runs cannot be cancelled: AccessDenied")
        self.cancelled.append(run_id)


def row(run_id: str, **changes) -> RunRecord:
    values = {
        "run_id": run_id, "status": "ok", "request_sha256": "x", "prompt": "p", "model": "m",
        "started": "2026-11-20T10:00:00.000Z", "updated": "1", "step": "finished",
    }  # fmt: skip
    return RunRecord(**{**values, **changes})

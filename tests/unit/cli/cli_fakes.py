"""A platform that is up and answers from memory, and what it takes to make its runs."""

from pathlib import Path

from toolkit.contracts import Attempt, FileEntry, ModelEntry, Registry, RunRecord, RunResult, Tree, Usage
from toolkit.errors import TfkitError
from toolkit.settings import Settings

ID = "0abcdefgh1234567"
LONG_ID = "a-run-id-that-somebody-chose-as-long-as-allowed-"


def result(**changes) -> RunResult:
    values = {
        "run_id": ID,
        "status": "ok",
        "model": "offline-composer",
        "prompt": "a bucket",
        "output": "I wrote main.tf.",
        "files": [FileEntry(path="main.tf", sha256="0" * 64, bytes=3)],
        "attempts": [Attempt(n=1, tree="sha256:0", validators={"fmt": "ok"})],
        "usage": Usage(requests=2, input_tokens=1200, output_tokens=34),
        "seconds": 2.5,
        "trace_id": "f" * 32,
    }
    return RunResult(**{**values, **changes})


def record(**changes) -> RunRecord:
    values = {
        "run_id": ID,
        "status": "running",
        "request_sha256": "0" * 64,
        "prompt": "a bucket",
        "model": "offline-composer",
        "started": "2026-11-21T10:00:00.000Z",
        "updated": "2026-11-21T10:00:01.000Z",
        "lease_until": 4_000_000_000,
        "step": "terraform validate",
    }
    return RunRecord(**{**values, **changes})


class FakeClient:
    """Stands in for `toolkit.client.Client`; what it is asked to submit and to write is kept."""

    def __init__(self) -> None:
        self.records: dict[str, RunRecord] = {}
        self.outcome = result()
        self.submitted = []
        self.given = []
        self.after: dict[str, bytes] = {}
        self.written: list[Path] = []
        self.statements: dict[str, bytes] = {}
        self.der = b""
        self.text = 'resource "x" "y" {}\n'

    def __call__(self, _cloud, _outputs) -> "FakeClient":
        return self

    def caller(self) -> str:
        return "arn:aws:iam::000000000000:root"

    def registry(self) -> Registry:
        entry = ModelEntry(provider="bedrock", id="tfkit.offline-composer")
        return Registry(default="offline-composer", models={"offline-composer": entry, "haiku": entry})

    def submit(self, request, start=None, attached=None) -> None:
        self.submitted.append(request)
        self.given.append((start, attached))

    def record(self, run_id: str) -> RunRecord | None:
        return self.records.get(run_id)

    latest = record

    def runs(self, _days) -> list[RunRecord]:
        return list(self.records.values())

    def follow(self, run_id, on_update, interval_s=0.0, on_cut=None):
        on_update(record(run_id=run_id, status="ok", step="finished"))

    def await_result(self, run_id, on_update, on_cut=None) -> RunResult:
        self.follow(run_id, on_update)
        return self.result(run_id)

    def result(self, run_id: str) -> RunResult:
        if run_id in self.records and not self.records[run_id].ended:
            raise AssertionError("nobody asks for the result of a run that has not ended")
        if run_id != self.outcome.run_id and not self.submitted:
            raise TfkitError(f"no run has the id {run_id}", "list them: tfkit runs")
        return self.outcome

    def download(self, _result, folder: Path) -> None:
        self.written.append(folder)

    def statement(self, run_id: str) -> bytes | None:
        return self.statements.get(run_id)

    def statement_of_tree(self, tree_hash: str) -> bytes | None:
        return self.statements.get(tree_hash)

    def public_key(self) -> tuple[str, bytes]:
        return "arn:ours", self.der

    def tree(self, _result, _start) -> Tree:
        return Tree(files=self.after)

    def file(self, _run_id: str, _path: str) -> str:
        return self.text


class FakePlatform:
    """Stands in for `toolkit.deploy.platform.Platform`."""

    cloud = None
    account = "000000000000"

    def __init__(self, settings: Settings, _note=None, consent=None, *, moving=False) -> None:
        self.settings = settings
        self.folder = settings.stack_folder
        names = ("target", "region", "stack")
        self.where = {"account": self.account} | {name: getattr(settings, name) for name in names}

    def outputs(self) -> None:
        return None

"""A run and its work, as `ask --pr` publishes it."""

from pathlib import Path

from toolkit.contracts import Attempt, CheckResult, RunResult, SkippedCheck, Tool, Tree, Usage
from toolkit.pulls.publishing import Delivery
from toolkit.start.changes import changes
from toolkit.start.gather import gather

FILES = {
    "README.md": b"# shop\n",
    "infra/main.tf": b'resource "a" "b" {}\n',
    "infra/other.tf": b"# other\n",
    "infra/.gitignore": b"*.log\n",
}


def ran(prompt: str = "add a queue", run_id: str = "run-00000001", **changed) -> RunResult:
    values = {
        "run_id": run_id,
        "status": "ok",
        "model": "offline-composer",
        "prompt": prompt,
        "output": "I added a queue.",
        "attempts": [Attempt(n=1, tree="sha256:" + "a" * 64, validators={"fmt": "ok", "rehearse": "slow"})],
        "usage": Usage(requests=2, input_tokens=1200, output_tokens=34, cost_usd=0.0123),
        "seconds": 2.5,
        "trace_id": "f" * 32,
        "checks": [
            CheckResult(validator="fmt", status="ok", tool=Tool(name="terraform", version="1.11.4")),
            CheckResult(validator="rehearse", status="slow", detail="aws_sqs_queue.a took 60 s"),
        ],
        "skipped": [SkippedCheck(validator="checkov", reason="not installed")],
        "not_proven": ["nothing was applied"],
        "sandbox": "landlock",
    }
    return RunResult(**{**values, **changed})


def delivery(folder: Path, after: dict[str, bytes | None], result: RunResult | None = None) -> Delivery:
    """A run's work on the folder as it is now; None deletes a file."""
    sent = gather(folder)
    files = {**sent.tree.files, **after}
    ended = Tree(files={path: content for path, content in files.items() if content is not None})
    result = result or ran()
    return Delivery(result, sent.tree, changes(sent.tree, ended), sent.stays, b'{"payload":"e30="}')

"""An executable that stands in for Pulumi's CLI, and the events that the real one streams.

The stand-in writes down every command line with what it got of its environment, keeps a stack as a file,
streams the events that a test laid out for an operation to the SDK's gRPC service, and fails as told.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from pulumi.automation import EngineEvent

from toolkit.contracts import ResourceEvent
from toolkit.deploy.automation import AutomationEngine
from toolkit.deploy.pulumi_place import Place

BUCKET = "aws:s3/bucket:Bucket"
STACK = "pulumi:pulumi:Stack"

SCRIPT = """#!{python}
import json, os, pathlib, sys, time

here = pathlib.Path({here!r})
args = [a for a in sys.argv[1:] if a != "--non-interactive"]
if args == ["version"]:
    print("v3.272.0"); raise SystemExit
env = {{k: v for k, v in os.environ.items() if k.startswith(("PULUMI_", "AWS_", "TFKIT_")) or k == "PATH"}}
with (here / "calls.jsonl").open("a") as log:
    log.write(json.dumps({{"args": args, "env": env, "cwd": os.getcwd()}}) + "\\n")
verb = " ".join(args[:2]) if args[0] in ("stack", "config") else args[0]
stacks = pathlib.Path(os.environ["PULUMI_BACKEND_URL"].removeprefix("file://")) / "fake.json"
plan = json.loads((here / "plan.json").read_text()).get(verb, {{}})
if args[0] == "destroy" and "--preview-only" in args:
    plan = json.loads((here / "plan.json").read_text()).get("destroy-preview", {{}})

if verb == "stack select" and not stacks.exists():
    sys.stderr.write("error: no stack named 'dev' found\\n"); raise SystemExit(255)
if verb == "stack init":
    stacks.write_text("{{}}")
if verb == "stack rm":
    stacks.unlink()
if verb == "stack import":
    stacks.write_text(pathlib.Path(args[args.index("--file") + 1]).read_text())
if verb == "stack history":
    print(json.dumps([{{"kind": "update", "startTime": "2026-11-01T10:00:00.000Z", "message": "",
        "environment": {{}}, "config": {{}}, "result": "succeeded"}}])); raise SystemExit
if verb == "stack output":
    print(json.dumps(plan.get("json", {{}}))); raise SystemExit
if verb == "stack export":
    kept = json.loads(stacks.read_text())
    print(json.dumps(plan.get("json") or kept or {{"version": 3, "deployment": {{}}}})); raise SystemExit

if "--event-log" in args:
    import grpc
    from pulumi.runtime.proto import events_pb2, events_pb2_grpc
    with grpc.insecure_channel(args[args.index("--event-log") + 1].removeprefix("tcp://")) as channel:
        sent = (events_pb2.EventRequest(event=json.dumps(e)) for e in plan.get("events", []))
        events_pb2_grpc.EventsStub(channel).StreamEvents(sent)
time.sleep(plan.get("seconds", 0))
if plan.get("once") and (here / (verb + ".done")).exists():
    raise SystemExit
(here / (verb + ".done")).touch()
sys.stdout.write(plan.get("stdout", "")); sys.stderr.write(plan.get("stderr", ""))
raise SystemExit(plan.get("code", 0))
"""


class FakeCli:
    """The stand-in, in a folder that goes on PATH; `plan` maps a command to what it does."""

    def __init__(self, here: Path) -> None:
        self.here = here
        self.bin = here / "bin"
        self.bin.mkdir(parents=True)
        self.write(SCRIPT.format(python=sys.executable, here=str(here)))
        self.plan: dict[str, dict[str, Any]] = {}
        self.does()

    def write(self, text: str) -> None:
        (self.bin / "pulumi").write_text(text)
        (self.bin / "pulumi").chmod(0o755)

    def does(self, **commands: dict[str, Any]) -> None:
        """Say what commands do; `stack_export` is `stack export`."""
        self.plan |= {name.replace("_", " "): what for name, what in commands.items()}
        (self.here / "plan.json").write_text(json.dumps(self.plan))

    @property
    def calls(self) -> list[dict[str, Any]]:
        log = self.here / "calls.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def call(self, first: str) -> dict[str, Any]:
        """The last call of a command."""
        return next(call for call in reversed(self.calls) if " ".join(call["args"]).startswith(first))

    @property
    def path(self) -> str:
        return f"{self.bin}{os.pathsep}{os.environ['PATH']}"


def urn(name: str, kind: str = BUCKET) -> str:
    return f"urn:pulumi:dev::tfkit::{kind}::{name}"


def state(name: str, kind: str = BUCKET, **more: Any) -> dict[str, Any]:
    custom = not kind.startswith(("tfkit:", STACK))
    return {
        "type": kind,
        "urn": urn(name, kind),
        "custom": custom,
        "id": name,
        "parent": "",
        "provider": "p",
    } | more


def metadata(op: str, name: str, kind: str = BUCKET, **old: Any) -> dict[str, Any]:
    gone = op in ("delete", "delete-replaced", "discard")
    both = op in ("same", "update", "refresh", "replace")
    return {
        "op": op,
        "urn": urn(name, kind),
        "type": kind,
        "provider": "p",
        "old": state(name, kind, **old) if gone or both else None,
        "new": None if gone else state(name, kind),
    }


def step(
    op: str, name: str, kind: str = BUCKET, *, planning: bool = False, **old: Any
) -> list[dict[str, Any]]:
    """The two events of a step that goes well."""
    data = metadata(op, name, kind, **old)
    pre = {"resourcePreEvent": {"metadata": data, "planning": planning}}
    return [pre, {"resOutputsEvent": {"metadata": data, "planning": planning}}]


def failing(op: str, name: str, why: str, kind: str = BUCKET) -> list[dict[str, Any]]:
    """The events of a step that fails: begun, the cause in the engine's colours, failed."""
    data = metadata(op, name, kind)
    message = f"<{{%reset%}}>{why}<{{%reset%}}>\n"
    said = {"urn": data["urn"], "prefix": "<{%fg 1%}>error: <{%reset%}>", "message": message}
    return [
        {"resourcePreEvent": {"metadata": data}},
        {"diagnosticEvent": {**said, "color": "raw", "severity": "error"}},
        {"resOpFailedEvent": {"metadata": data, "status": 0, "steps": 1}},
        {"diagnosticEvent": {"message": "update failed", "color": "raw", "severity": "error"}},
    ]


def ending(**changes: int) -> list[dict[str, Any]]:
    summary = {"maybeCorrupt": False, "durationSeconds": 3, "resourceChanges": changes, "PolicyPacks": {}}
    return [{"summaryEvent": summary}, {"cancelEvent": {}}]


def numbered(*groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The stream: every event with its number and time."""
    flat = [event for group in groups for event in group]
    return [{"sequence": n, "timestamp": 1_790_000_000 + n, **event} for n, event in enumerate(flat)]


def parsed(*groups: list[dict[str, Any]]) -> list[EngineEvent]:
    return [EngineEvent.from_json(event) for event in numbered(*groups)]


class CliBench:
    """The stand-in on PATH, a folder, and an engine made anew for each operation, as each command does."""

    def __init__(self, cli: FakeCli, folder: Path) -> None:
        self.cli, self.folder = cli, folder
        self.events: list[ResourceEvent] = []
        self.place = Place(folder / "dev", folder / "home", "eu-west-1")

    @property
    def engine(self) -> AutomationEngine:
        return AutomationEngine(self.place, "tfkit", "dev", auto.PulumiCommand())

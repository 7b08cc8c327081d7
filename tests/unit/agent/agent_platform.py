"""A platform as the agent sees it: its parts on the emulator, and what a run left behind in them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from agent_scripts import Script, ScriptedChecker, say, write
from botocore.exceptions import ClientError

from toolkit.agent.config import AgentConfig
from toolkit.agent.run import execute
from toolkit.contracts import AskRequest, RunRecord, RunResult, Tree
from toolkit.tables import from_item, run_key
from toolkit.telemetry import names
from toolkit.telemetry.testing import chain_problems

TABLE, RUNS, AUDIT, STREAM, PARAMETER = "runs", "agent-runs", "agent-audit", "records", "/tfkit/dev/models"
ERROR = 2  # OTLP's code of a span that failed
PREFIX = "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/"


def refusal(operation: str, code: str = "AccessDeniedException") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{operation} is refused"}}, operation)


class Refusing:
    """A boto3 client that refuses the calls that a rule names, and passes on all others."""

    def __init__(self, client: Any, rule: Callable[[str, dict[str, Any]], bool]) -> None:
        self._client = client
        self._rule = rule

    def __getattr__(self, name: str) -> Any:
        def called(**arguments: Any) -> Any:
            if self._rule(name, arguments):
                raise refusal(name)
            return getattr(self._client, name)(**arguments)

        return called


def everything(operation: str, arguments: dict[str, Any]) -> bool:
    return True


@dataclass
class Platform:
    """The parts, the script and the checker of one run, and a look at what it left."""

    config: AgentConfig
    clients: Any
    run_id: str
    temporary: Path
    checker: ScriptedChecker
    script: Script = field(default_factory=lambda: Script(write("main.tf"), say("done")))

    def request(self, **fields: Any) -> AskRequest:
        return AskRequest(run_id=self.run_id, prompt="a bucket", **fields)

    def run(self, remaining_s: float = 900.0, **fields: Any) -> RunResult:
        result = execute(self.request(**fields), self.config, self.clients, remaining_s)
        assert isinstance(result, RunResult)
        return result

    def refuse(self, client: str, rule: Callable[[str, dict[str, Any]], bool] = everything) -> None:
        setattr(self.clients, client, Refusing(getattr(self.clients, client), rule))

    @property
    def item(self) -> dict[str, Any]:
        found = self._real("dynamodb").get_item(
            TableName=TABLE, Key=run_key(self.run_id), ConsistentRead=True
        )
        return found["Item"]

    @property
    def record(self) -> RunRecord:
        return from_item(self.item)

    def change_record(self, **values: dict[str, Any]) -> None:
        """Change the row behind the run's back."""
        self._real("dynamodb").put_item(TableName=TABLE, Item={**self.item, **values})

    def objects(self, bucket: str = RUNS, prefix: str = "runs/{run_id}/") -> dict[str, bytes]:
        """What lies under a prefix, by the rest of the key."""
        s3, start = self._real("s3"), prefix.format(run_id=self.run_id)
        found = s3.list_objects_v2(Bucket=bucket, Prefix=start).get("Contents", [])
        return {
            item["Key"].removeprefix(start): s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            for item in found
        }

    @property
    def files(self) -> dict[str, bytes]:
        """The files that the run stored."""
        return self.objects(prefix="runs/{run_id}/workspace/")

    @property
    def result(self) -> RunResult:
        """The result that the run stored."""
        return msgspec.json.decode(self.objects()["result.json"], type=RunResult)

    def spans(self, lines: dict[str, bytes] | None = None) -> list[dict[str, Any]]:
        """The spans of the run's records, whose chain has to be whole."""
        lines = self.objects(prefix="runs/{run_id}/records/") if lines is None else lines
        bodies = [body.removesuffix(b"\n") for _, body in sorted(lines.items())]
        assert chain_problems(bodies) == []
        return [
            span
            for body in bodies
            for resource in json.loads(body)["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]

    def root(self, lines: dict[str, bytes] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """The root span, and its attributes as plain values."""
        (span,) = [span for span in self.spans(lines) if span["name"] == "run"]
        return span, {item["key"]: next(iter(item["value"].values())) for item in span["attributes"]}

    def _real(self, client: str) -> Any:
        found = getattr(self.clients, client)
        return found._client if isinstance(found, Refusing) else found


def check_left_behind(platform: Platform, result: RunResult, status: str) -> dict[str, Any]:
    """Whatever the ending: everything that is stored says the same, and nothing lies about."""
    assert result.status == status
    assert platform.record.status == status
    assert platform.record.error == result.error
    assert platform.record.lease_until == 0
    assert platform.result == result
    assert [entry.path for entry in result.files] == sorted(platform.files)
    assert Tree(files=platform.files).entries == result.files
    assert list(platform.temporary.iterdir()) == []
    span, attributes = platform.root()
    assert span["traceId"] == result.trace_id
    assert attributes[names.STATUS] == status
    assert span.get("status", {}).get("code", 0) == (0 if status == "ok" else ERROR)
    return attributes

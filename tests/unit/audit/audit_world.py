"""A platform's record on a real emulator: honest runs, a way to sign, and what an attacker does to it."""

import gzip
import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from toolkit.audit import Problem, Report, verify
from toolkit.audit.baseline import Baseline
from toolkit.audit.evidence import Evidence
from toolkit.cloud import Cloud
from toolkit.contracts import RunRecord, StackOutputs
from toolkit.digest.handler import Clients, write_digest
from toolkit.tables import new_run_id, now, to_item
from toolkit.telemetry import keys
from toolkit.telemetry.record import NEW_CHAIN, Chain, Draft, Line

LOCK_DAYS = 7
DAY = timedelta(days=1)


def make_chain(run_id: str, texts: list[str]) -> list[Line]:
    """A closed chain with a record for each text."""
    chain = Chain(run_id, b"{}", NEW_CHAIN)
    lines = []
    for number, text in enumerate(texts, start=1):
        draft = Draft()
        draft.contents[hashlib.sha256(text.encode()).hexdigest()] = json.dumps(text).encode()
        lines.append(chain.seal(draft, number == len(texts)))
    return lines


@dataclass
class World:
    """One platform: its names, and what was done to it. `target` is what `verify` believes it looks at."""

    cloud: Cloud
    name: str
    target: str = "aws"
    key_arn: str = ""
    stack: str = "dev"
    promised_days: int = LOCK_DAYS
    table_made: datetime | None = None

    @property
    def audit(self) -> str:
        return f"{self.name}-audit"

    @property
    def runs(self) -> str:
        return f"{self.name}-runs"

    def s3(self) -> Any:
        return self.cloud.client("s3")

    # -- an honest platform ----------------------------------------------------------------------

    def row(self, run_id: str, **changes: Any) -> RunRecord:
        """A row of the table: one that ended as `ok`, unless told otherwise."""
        values: dict[str, Any] = {
            "run_id": run_id,
            "status": "ok",
            "request_sha256": "0" * 64,
            "prompt": "a bucket",
            "started": now(),
            "updated": now(),
            **changes,
        }
        record = RunRecord(**values)
        self.cloud.client("dynamodb").put_item(TableName=self.name, Item=to_item(record))
        return record

    def run(self, *texts: str, copies: bool = True, **changes: Any) -> str:
        """A run that ended: its row, its chain in one object, its copies. Returns its id."""
        run_id = new_run_id()
        self.row(run_id, **changes)
        lines = make_chain(run_id, list(texts) or ["one", "two", "three"])
        self.put(self.key(run_id), b"".join(line.data for line in lines))
        if copies:
            self.copy(run_id, lines)
        return run_id

    def copy(self, run_id: str, lines: list[Line]) -> None:
        for line in lines:
            self.s3().put_object(Bucket=self.runs, Key=keys.copy(run_id, line.seq), Body=line.data)

    def key(self, what: str) -> str:
        """A key in today's partition."""
        return keys.partition(datetime.now(UTC).date()) + what

    def put(self, key: str, body: bytes, **more: Any) -> str:
        answer = self.s3().put_object(Bucket=self.audit, Key=key, Body=body, **more)
        return str(answer.get("VersionId", ""))

    def read(self, key: str) -> bytes:
        return bytes(self.s3().get_object(Bucket=self.audit, Key=key)["Body"].read())

    def sign(self, after: timedelta = timedelta(minutes=10)) -> dict[str, Any]:
        """Make a digest as the function would, `after` from now."""
        clients = Clients(self.s3(), self.cloud.client("dynamodb"), self.cloud.client("kms"))
        environment = {
            "TFKIT_STACK": self.stack,
            "TFKIT_AUDIT_BUCKET": self.audit,
            "TFKIT_RUNS_TABLE": self.name,
            "TFKIT_DIGEST_KEY": self.key_arn,
            "TFKIT_LOCK_MODE": "GOVERNANCE",
            "TFKIT_LOCK_DAYS": str(LOCK_DAYS),
        }
        return write_digest(clients, environment, datetime.now(UTC) + after)

    # -- whoever may do anything -----------------------------------------------------------------

    def wipe(self, key: str) -> None:
        """Delete every version of a key, past the governance lock."""
        found = self.s3().list_object_versions(Bucket=self.audit, Prefix=key)
        for version in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
            assert version["Key"] == key
            self.s3().delete_object(
                Bucket=self.audit,
                Key=key,
                VersionId=version["VersionId"],
                BypassGovernanceRetention=True,
            )

    def replace(self, key: str, body: bytes) -> None:
        """Put another object in a key's place, as if it had always been there."""
        self.wipe(key)
        self.put(key, body)

    def forget_rows(self) -> None:
        """Another table in the place of the table, as after a `down` and an `up` a moment later."""
        self.cloud.client("dynamodb").delete_table(TableName=self.name)
        make_table(self.cloud, self.name)
        self.table_made = datetime.now(UTC) + timedelta(seconds=2)  # services count whole seconds

    # -- the check -------------------------------------------------------------------------------

    def outputs(self) -> StackOutputs:
        named = {field.name: "" for field in msgspec.structs.fields(StackOutputs) if field.required} | {
            "profiles": {}
        }
        return StackOutputs(
            **{
                **named,
                "runs_bucket": self.runs,
                "audit_bucket": self.audit,
                "runs_table": self.name,
                "digest_function": "digest",
                "digest_key_arn": self.key_arn,
                "lock_mode": "GOVERNANCE",
                "lock_days": self.promised_days,
            }
        )

    def evidence(self) -> Evidence:
        evidence = Evidence(self.cloud, self.outputs(), self.stack)
        evidence.local = self.target == "local"
        if made := self.table_made:
            evidence.table_made = lambda: made
        return evidence

    def verify(self, after: timedelta = timedelta(0), kept: Baseline | None = None) -> Report:
        return self.verify_all(after, kept)[0]

    def verify_all(
        self, after: timedelta = timedelta(0), kept: Baseline | None = None, since: timedelta = DAY
    ) -> tuple[Report, Baseline]:
        at = datetime.now(UTC) + after
        return verify(self.evidence(), at - since, at, kept=kept)


def kinds(report: Report) -> list[str]:
    return [problem.kind for problem in report.problems]


def only(report: Report) -> Problem:
    """The one problem that there is."""
    assert len(report.problems) == 1, report.problems
    assert not report.ok
    return report.problems[0]


def make_world(cloud: Cloud, key_arn: str) -> World:
    """Buckets and a table of their own."""
    world = World(cloud, f"w{uuid.uuid4().hex[:10]}", key_arn=key_arn)
    s3 = world.s3()
    s3.create_bucket(Bucket=world.audit, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": LOCK_DAYS}}
    s3.put_object_lock_configuration(
        Bucket=world.audit, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    s3.create_bucket(Bucket=world.runs)
    make_table(cloud, world.name)
    return world


def make_table(cloud: Cloud, name: str) -> None:
    """The table of runs, as `stacks.foundation` makes it."""
    keyed = [("pk", "HASH"), ("sk", "RANGE")]
    indexed = [("gsi1pk", "HASH"), ("gsi1sk", "RANGE")]
    cloud.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": attribute, "KeyType": kind} for attribute, kind in keyed],
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": "S"} for attribute, _ in keyed + indexed
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "gsi1",
                "KeySchema": [{"AttributeName": attribute, "KeyType": kind} for attribute, kind in indexed],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def zipped(lines: list[Line]) -> bytes:
    """As Firehose writes an object."""
    return gzip.compress(b"".join(line.data for line in lines))

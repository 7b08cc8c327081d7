"""The whole platform on the emulator: no false drift, true drift by name, and a move to another region."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stacks.program import platform
from toolkit.cloud import LOCAL_ACCOUNT, Cloud
from toolkit.contracts import Changes, ModelEntry, PlatformConfig, Registry, ResourceEvent
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.deploy.engine import Program
from toolkit.deploy.state import Resource
from toolkit.emulator import Emulator
from toolkit.errors import DeployFailed
from toolkit.local.provider import EmulatorProvider

HERE, THERE = "us-east-1", "eu-west-1"
CONFIG = PlatformConfig(
    stack="dev",
    account=LOCAL_ACCOUNT,
    region=HERE,
    partition="aws",
    prefix="tfkit-dev",
    version="0.1.0",
    registry=Registry(default="haiku", models={"haiku": ModelEntry(provider="bedrock", id="x.haiku-v1:0")}),
    agent_zip={"index.py": "def handler(event, context): ..."},
    force_destroy=True,
)


def quiet(_event: ResourceEvent) -> None:
    """Report nothing."""


class Account:
    """An emulator of its own, and engines over one stack in it or over another."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder, self.emulator = folder, emulator

    def engine(self, region: str, stack: str = "dev") -> EmbeddedEngine:
        inputs = {"region": region}
        folder = self.folder / stack
        return EmbeddedEngine(folder, "tfkit", "dev", self._provider(inputs), inputs, self._provider)

    def _provider(self, inputs: Mapping[str, Any]) -> EmulatorProvider:
        there = self.emulator
        return EmulatorProvider(there.endpoint, inputs["region"], there.key, there.secret)

    def client(self, service: str) -> Any:
        there = self.emulator
        here = {"endpoint": there.endpoint, "key": there.key, "secret": there.secret}
        cloud = Cloud(target="local", region=HERE, account=LOCAL_ACCOUNT, **here)
        return cloud.client(service)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    emulator = Emulator(tmp_path / "emulator")
    emulator.start()
    yield Account(tmp_path, emulator)
    emulator.stop()


def program(region: str) -> Program:
    return platform(msgspec.structs.replace(CONFIG, region=region))


def things(engine: EmbeddedEngine) -> list[Resource]:
    return [resource for resource in engine.resources() if resource.custom and not resource.is_provider]


@pytest.mark.thorough
def test_a_platform_that_was_just_brought_up_has_not_drifted_and_each_change_is_named(
    account: Account,
) -> None:
    engine = account.engine(HERE)
    outputs = engine.up(program(HERE), quiet).outputs
    assert engine.drift(quiet) == []
    change_behind_its_back(account.client, outputs)
    found = {drift.name: "gone" if drift.gone else drift.changed for drift in engine.drift(quiet)}
    assert found == {
        "dead-letters": "gone",
        "agent-policy": "gone",
        "agent-function": ["reservedConcurrentExecutions", "tags", "timeout"],
        "errors-alarm": ["threshold"],
        "runs-lifecycle": ["rules"],
        "runs-versioning": ["versioningConfiguration"],
        "registry": ["value"],
        "agent-log": ["retentionInDays"],
        "key": ["enableKeyRotation"],
    }
    engine.refresh(quiet)
    mended = engine.up(program(HERE), quiet).changes
    assert mended == Changes(create=2, update=7, same=len(things(engine)) - 9)
    assert engine.drift(quiet) == []


def change_behind_its_back(client: Callable[[str], Any], outputs: dict[str, Any]) -> None:
    """What people do by hand, each to another resource but the function's three."""
    function, bucket = outputs["function_name"], outputs["runs_bucket"]
    client("sqs").delete_queue(QueueUrl=outputs["dead_letter_queue_url"])
    role = outputs["agent_role_arn"].rsplit("/", 1)[-1]
    client("iam").delete_role_policy(RoleName=role, PolicyName="run")
    client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    client("lambda").update_function_configuration(FunctionName=function, Timeout=33)
    client("lambda").tag_resource(Resource=outputs["function_arn"], Tags={"team": "x"})
    alarm = client("cloudwatch").describe_alarms(AlarmNames=["tfkit-dev-errors"])["MetricAlarms"][0]
    taken = client("cloudwatch").meta.service_model.operation_model("PutMetricAlarm").input_shape.members
    same = {name: value for name, value in alarm.items() if name in taken}
    client("cloudwatch").put_metric_alarm(**{**same, "Threshold": 77.0})
    rules = client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    rules[0]["Expiration"]["Days"] = 999
    client("s3").put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    parameter = {"Name": outputs["registry_parameter"], "Value": "{}", "Type": "String"}
    client("ssm").put_parameter(**parameter, Overwrite=True)
    client("logs").delete_retention_policy(logGroupName=outputs["log_group"])
    client("kms").disable_key_rotation(KeyId=outputs["kms_key_arn"])


@pytest.mark.thorough
def test_the_emulator_keeps_regions_apart_for_every_type(account: Account) -> None:
    """What makes it safe to make the new ones before the old ones go (`EmulatorProvider.DiffConfig`)."""
    one, other = account.engine(HERE), account.engine(THERE, "other")
    made = one.up(program(HERE), quiet).changes.create
    assert other.up(program(THERE), quiet).changes == Changes(create=made)
    assert one.drift(quiet) == []
    other.destroy(quiet)
    assert one.drift(quiet) == []


@pytest.mark.thorough
def test_a_platform_moves_to_another_region(account: Account) -> None:
    here, there = account.engine(HERE), account.engine(THERE)
    here.up(program(HERE), quiet)
    before = things(here)
    assert there.preview(program(THERE), quiet).changes == Changes(replace=len(before))
    moved = there.up(program(THERE), quiet)
    assert moved.changes == Changes(replace=len(before))
    assert THERE in moved.outputs["function_arn"]
    # A key is not deleted at once, but scheduled; `Read` takes that for gone.
    assert here.still_there(before) == []
    assert there.drift(quiet) == []
    assert there.up(program(THERE), quiet).changes == Changes(same=len(before))


def test_a_state_that_was_cut_off_anywhere_is_never_taken_and_never_overwritten(account: Account) -> None:
    engine = account.engine(HERE)
    before = engine.up(program(HERE), quiet)
    whole = engine.state_path.read_bytes()
    assert len(whole) > 50_000
    for length in range(0, len(whole), 1_000):
        engine.state_path.write_bytes(whole[:length])
        for use in (
            engine.resources,
            engine.outputs,
            lambda: engine.up(program(HERE), quiet),
            lambda: engine.destroy(quiet),
            lambda: engine.import_state({"version": 3, "deployment": {}}, force=True),
        ):
            with pytest.raises(DeployFailed, match=r"state\.json: .*truncated"):
                use()
            assert engine.state_path.read_bytes() == whole[:length]
    engine.state_path.write_bytes(whole)
    assert engine.up(program(HERE), quiet).changes == Changes(same=before.changes.create)

"""What both engines promise, on one small program: the same tests over the embedded one and Pulumi's CLI.

The cloud is a real emulator; the provider is tfkit's own, in this process or started by the CLI.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import automation as auto

from toolkit.contracts import Changes, ResourceEvent
from toolkit.deploy.automation import AutomationEngine, require_cli
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.deploy.engine import Engine, Program
from toolkit.deploy.pulumi_place import Place
from toolkit.emulator import Emulator
from toolkit.errors import DeployFailed
from toolkit.local.launcher import local_environment, write_launcher
from toolkit.local.provider import EmulatorProvider

REGION = "us-east-1"
WITHOUT_CLI = "no `pulumi` on PATH; these tests run where Pulumi's command line is installed"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ALL = 5


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    emulator = Emulator(tmp_path_factory.mktemp("emulator"))
    emulator.start()
    yield emulator.endpoint
    emulator.stop()


@pytest.fixture(
    params=[
        "embedded",
        pytest.param("pulumi", marks=pytest.mark.skipif(not shutil.which("pulumi"), reason=WITHOUT_CLI)),
    ]
)
def engine(request: pytest.FixtureRequest, tmp_path: Path, endpoint: str) -> Iterator[Any]:
    if request.param == "embedded":
        provider = EmulatorProvider(endpoint, REGION)
        made: Any = EmbeddedEngine(tmp_path / "dev", "tfkit", "dev", provider, {"region": REGION})
    else:
        environment = local_environment(write_launcher(tmp_path), endpoint, REGION)
        place = Place(tmp_path / "dev", tmp_path / "home", REGION, environment=environment)
        made = AutomationEngine(place, "tfkit", "dev", require_cli(lambda _text: False))
    yield made
    made.destroy(quiet)


def quiet(_event: ResourceEvent) -> None:
    """Report nothing."""


def platform(*, retention: int = 3600, queue: str = "contract-jobs", table: bool = True) -> Program:
    """Five resources: a bucket, a table, a role with a policy on both, and a queue."""

    def program() -> None:
        bucket = aws.s3.Bucket("runs", bucket="contract-runs", force_destroy=True)
        role = aws.iam.Role("agent", name="contract-agent", assume_role_policy=json.dumps(TRUST))
        if table:
            aws.dynamodb.Table(
                "runs-table",
                name="contract-table",
                billing_mode="PAY_PER_REQUEST",
                hash_key="pk",
                attributes=[{"name": "pk", "type": "S"}],
            )
        policy = bucket.arn.apply(
            lambda arn: json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{arn}/*"}],
                }
            )
        )
        aws.iam.RolePolicy("read", name="read", role=role.name, policy=policy)
        jobs = aws.sqs.Queue("jobs", name=queue, message_retention_seconds=retention)
        pulumi.export("bucket", bucket.bucket)
        pulumi.export("role", role.arn)
        pulumi.export("queue", jobs.url)

    return program


def seen(events: list[ResourceEvent], operation: str) -> set[str]:
    return {event.name for event in events if event.operation == operation and event.state == "done"}


def test_a_first_preview_lists_everything_and_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    events: list[ResourceEvent] = []
    assert engine.preview(platform(), events.append).changes == Changes(create=ALL)
    assert seen(events, "create") == {"runs", "agent", "runs-table", "read", "jobs"}
    assert engine.outputs() == {}
    assert not (tmp_path / "dev").exists()


def test_up_and_up_again(engine: Engine) -> None:
    events: list[ResourceEvent] = []
    first = engine.up(platform(), events.append)
    assert first.changes == Changes(create=ALL)
    assert first.outputs["bucket"] == "contract-runs"
    assert first.outputs["role"].endswith(":role/contract-agent")
    assert engine.outputs() == first.outputs
    order = [event.name for event in events if event.state == "done"]
    assert order.index("runs") < order.index("read")
    assert engine.preview(platform(), quiet).changes == Changes(same=ALL)
    again = engine.up(platform(), quiet)
    assert again.changes == Changes(same=ALL)
    assert again.outputs == first.outputs


def test_one_changed_setting_is_one_update(engine: Engine) -> None:
    engine.up(platform(), quiet)
    events: list[ResourceEvent] = []
    expected = Changes(update=1, same=ALL - 1)
    assert engine.preview(platform(retention=7200), quiet).changes == expected
    assert engine.up(platform(retention=7200), events.append).changes == expected
    assert seen(events, "update") == {"jobs"}


def test_another_name_is_a_replacement_that_is_announced(engine: Engine) -> None:
    engine.up(platform(), quiet)
    events: list[ResourceEvent] = []
    expected = Changes(replace=1, same=ALL - 1)
    assert engine.preview(platform(queue="contract-tasks"), events.append).changes == expected
    assert seen(events, "replace") == {"jobs"}
    assert engine.outputs()["queue"].endswith("/contract-jobs")
    done = engine.up(platform(queue="contract-tasks"), quiet)
    assert done.changes == expected
    assert done.outputs["queue"].endswith("/contract-tasks")


def test_what_the_program_no_longer_mentions_goes(engine: Engine) -> None:
    engine.up(platform(), quiet)
    expected = Changes(delete=1, same=ALL - 1)
    planned = engine.preview(platform(table=False), quiet)
    done = engine.up(platform(table=False), quiet)
    assert planned.changes == done.changes == expected
    assert [urn.rsplit("::", 1)[-1] for urn in done.deleted] == ["runs-table"]


def test_the_state_is_a_deployment_of_version_3(engine: Engine) -> None:
    engine.up(platform(), quiet)
    exported = engine.export_state()
    deployment = auto.Deployment(**exported)
    assert deployment.version == 3
    assert deployment.deployment is not None
    resources = deployment.deployment["resources"]
    assert sum(r["custom"] and not r["type"].startswith("pulumi:providers:") for r in resources) == ALL
    assert json.loads(json.dumps(deployment.__dict__)) == exported
    known = [resource["urn"] for resource in resources]
    assert all(urn in known[: known.index(r["urn"])] for r in resources for urn in r.get("dependencies", []))


def test_a_refresh_finds_what_is_gone(engine: Engine, endpoint: str) -> None:
    from toolkit.cloud import LOCAL_ACCOUNT, Cloud

    outputs = engine.up(platform(), quiet).outputs
    cloud = Cloud(target="local", region=REGION, account=LOCAL_ACCOUNT, endpoint=endpoint)
    cloud.client("sqs").delete_queue(QueueUrl=outputs["queue"])
    assert engine.refresh(quiet).changes.delete == 1
    assert engine.up(platform(), quiet).changes == Changes(create=1, same=ALL - 1)


def test_a_failure_names_the_resource_and_the_next_up_goes_on(engine: Engine) -> None:
    with pytest.raises(DeployFailed, match="jobs") as caught:
        engine.up(platform(retention=1), quiet)  # SQS keeps a message for a minute at least
    assert caught.value.hint
    done = engine.up(platform(), quiet).changes
    assert done.create + done.same == ALL
    assert done.create >= 1


def test_destroy_leaves_nothing(engine: Any) -> None:
    engine.up(platform(), quiet)
    planned = engine.plan_destroy(quiet)
    done = engine.destroy(quiet)
    assert planned.changes == done.changes == Changes(delete=ALL)
    assert engine.outputs() == {}
    assert engine.destroy(quiet).changes == Changes()


def test_still_there(engine: Any) -> None:
    from toolkit.deploy.state import Resource

    engine.up(platform(), quiet)
    import msgspec

    state = msgspec.convert(engine.export_state()["deployment"]["resources"], list[Resource])
    assert len(engine.still_there(state)) == ALL
    engine.destroy(quiet)
    assert engine.still_there(state) == []

"""What both engines promise, on one small program: the same tests over the embedded one and Pulumi's CLI.

The cloud is a real emulator; the provider is tfkit's own, in this process or started by the CLI.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import automation as auto

from toolkit.cloud import LOCAL_ACCOUNT, Cloud
from toolkit.contracts import Changes, ResourceEvent
from toolkit.deploy.automation import AutomationEngine, require_cli
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.deploy.engine import Engine, Program
from toolkit.deploy.pulumi_place import Place
from toolkit.deploy.state import Resource
from toolkit.emulator import Emulator
from toolkit.errors import DeployFailed
from toolkit.local.launcher import local_environment, write_launcher
from toolkit.local.provider import EmulatorProvider

REGION, ELSEWHERE = "us-east-1", "eu-west-1"
WITHOUT_CLI = "no `pulumi` on PATH; these tests run where Pulumi's command line is installed"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ALL = 5


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    made = Emulator(tmp_path_factory.mktemp("emulator"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(
    params=[
        "embedded",
        pytest.param("pulumi", marks=pytest.mark.skipif(not shutil.which("pulumi"), reason=WITHOUT_CLI)),
    ]
)
def engine_in(request: pytest.FixtureRequest, tmp_path: Path, emulator: Emulator) -> Callable[[str], Any]:
    """Makes an engine over the same stack for a region, as a command does."""

    def provider_for(inputs: Mapping[str, Any]) -> EmulatorProvider:
        return EmulatorProvider(emulator.endpoint, inputs["region"], emulator.key, emulator.secret)

    def embedded(region: str) -> EmbeddedEngine:
        inputs = {"region": region}
        return EmbeddedEngine(tmp_path / "dev", "tfkit", "dev", provider_for(inputs), inputs, provider_for)

    def pulumi_engine(region: str) -> AutomationEngine:
        environment = local_environment(
            write_launcher(tmp_path), emulator.endpoint, region, emulator.key, emulator.secret
        )
        place = Place(tmp_path / "dev", tmp_path / "home", region, environment=environment)
        return AutomationEngine(place, "tfkit", "dev", require_cli(lambda _text: False))

    return embedded if request.param == "embedded" else pulumi_engine


@pytest.fixture
def engine(engine_in: Callable[[str], Any]) -> Iterator[Any]:
    made = engine_in(REGION)
    yield made
    made.destroy(quiet)


@pytest.fixture
def cloud(emulator: Emulator) -> Callable[[str], Cloud]:
    """The cloud in a region, to look behind the engine's back."""
    here = {"endpoint": emulator.endpoint, "key": emulator.key, "secret": emulator.secret}
    return lambda region: Cloud(target="local", region=region, account=LOCAL_ACCOUNT, **here)


def quiet(_event: ResourceEvent) -> None:
    """Report nothing."""


def platform(
    *, retention: int = 3600, queue: str = "jobs", table: bool = True, prefix: str = "contract"
) -> Program:
    """Five resources: a bucket, a table, a role with a policy on both, and a queue."""

    def program() -> None:
        region = aws.get_region().region  # in the names of what is global, as in the stacks
        bucket = aws.s3.Bucket("runs", bucket=f"{prefix}-runs-{region}", force_destroy=True)
        role = aws.iam.Role("agent", name=f"{prefix}-{region}-agent", assume_role_policy=json.dumps(TRUST))
        if table:
            aws.dynamodb.Table(
                "runs-table",
                name=f"{prefix}-table",
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
        jobs = aws.sqs.Queue(
            "jobs", name=f"{prefix}-{queue}", message_retention_seconds=retention, tags={"tfkit:stack": "dev"}
        )
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
    assert first.outputs["bucket"] == "contract-runs-us-east-1"
    assert first.outputs["role"].endswith(":role/contract-us-east-1-agent")
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
    assert engine.preview(platform(queue="tasks"), events.append).changes == expected
    assert seen(events, "replace") == {"jobs"}
    assert engine.outputs()["queue"].endswith("/contract-jobs")
    done = engine.up(platform(queue="tasks"), quiet)
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


def test_a_refresh_finds_what_is_gone(engine: Engine, cloud: Callable[[str], Cloud]) -> None:
    outputs = engine.up(platform(), quiet).outputs
    cloud(REGION).client("sqs").delete_queue(QueueUrl=outputs["queue"])
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
    engine.up(platform(), quiet)
    state = engine.resources()
    assert len(engine.still_there(state)) == ALL
    engine.destroy(quiet)
    assert engine.still_there(state) == []


def named(resources: list[Resource], *names: str) -> list[str]:
    """The URNs of the custom resources of these names."""
    return [resource.urn for resource in resources if resource.name in names]


def test_another_prefix_replaces_everything_that_is_named(engine: Engine) -> None:
    engine.up(platform(), quiet)
    events: list[ResourceEvent] = []
    assert engine.preview(platform(prefix="other"), events.append).changes == Changes(replace=ALL)
    assert seen(events, "replace") == {"runs", "agent", "runs-table", "read", "jobs"}


def test_what_is_kept_stays_with_what_it_needs_and_the_next_up_goes_on_with_it(engine: Engine) -> None:
    before = engine.up(platform(), quiet).outputs
    keep = [*named(engine.resources(), "read", "runs"), "urn:pulumi:dev::tfkit::aws:sqs/queue:Queue::none"]
    planned = engine.plan_destroy(quiet, keep)
    done = engine.destroy(quiet, keep)
    assert planned.changes == done.changes == Changes(delete=2)
    assert {urn.rsplit("::", 1)[-1] for urn in done.deleted} == {"jobs", "runs-table"}
    left = [r for r in engine.resources() if r.custom and not r.is_provider]
    assert {r.name for r in left} == {"runs", "agent", "read"}  # the policy needs its role
    assert engine.still_there(engine.resources()) == left
    assert engine.outputs() == {}
    again = engine.up(platform(), quiet)
    assert again.changes == Changes(create=2, same=3)
    assert again.outputs == before


def test_what_depends_on_something_kept_goes(engine: Engine) -> None:
    engine.up(platform(), quiet)
    keep = named(engine.resources(), "runs")
    assert engine.destroy(quiet, keep).changes == Changes(delete=ALL - 1)
    assert engine.destroy(quiet, keep).changes == Changes()
    assert engine.destroy(quiet).changes == Changes(delete=1)


def test_nothing_has_drifted_after_an_up(engine: Engine) -> None:
    assert engine.drift(quiet) == []
    engine.up(platform(), quiet)
    assert engine.drift(quiet) == []


def test_drift_names_what_others_changed_and_a_refresh_and_an_up_mend_it(
    engine: Engine, cloud: Callable[[str], Cloud]
) -> None:
    outputs = engine.up(platform(), quiet).outputs
    sqs, iam = cloud(REGION).client("sqs"), cloud(REGION).client("iam")
    sqs.set_queue_attributes(QueueUrl=outputs["queue"], Attributes={"MessageRetentionPeriod": "60"})
    iam.delete_role_policy(RoleName="contract-us-east-1-agent", PolicyName="read")
    state = engine.export_state()["deployment"]["resources"]
    found = {drift.name: (drift.type, drift.gone, drift.changed) for drift in engine.drift(quiet)}
    assert found == {
        "jobs": ("aws:sqs/queue:Queue", False, ["messageRetentionSeconds"]),
        "read": ("aws:iam/rolePolicy:RolePolicy", True, []),
    }
    assert engine.export_state()["deployment"]["resources"] == state
    engine.refresh(quiet)
    assert engine.up(platform(), quiet).changes == Changes(create=1, update=1, same=ALL - 2)
    assert engine.drift(quiet) == []


def test_another_region_replaces_everything_there_and_deletes_it_here(
    engine: Engine, engine_in: Callable[[str], Engine], cloud: Callable[[str], Cloud]
) -> None:
    engine.up(platform(), quiet)
    before = engine.resources()
    there = engine_in(ELSEWHERE)
    events: list[ResourceEvent] = []
    assert there.preview(platform(), events.append).changes == Changes(replace=ALL)
    assert len(seen(events, "replace")) == ALL
    assert there.drift(quiet) == []  # read where it is
    moved = there.up(platform(), quiet)
    assert moved.changes == Changes(replace=ALL)
    assert moved.outputs["bucket"] == "contract-runs-eu-west-1"
    assert engine.still_there(before) == []
    assert [cloud(r).client("sqs").list_queues().get("QueueUrls", []) for r in (REGION, ELSEWHERE)] == [
        [],
        [moved.outputs["queue"]],
    ]
    assert there.up(platform(), quiet).changes == Changes(same=ALL)
    regions = [r["inputs"]["region"] for r in providers(there.export_state())]
    assert regions == [ELSEWHERE]


def function(source: str) -> Program:
    """A function of one file, as the agent's is on the local target, and its role."""

    def program() -> None:
        role = aws.iam.Role("agent", name="contract-function", assume_role_policy=json.dumps(TRUST))
        aws.lambda_.Function(
            "code",
            name="contract-code",
            role=role.arn,
            package_type="Zip",
            code=pulumi.AssetArchive({"index.py": pulumi.StringAsset(source)}),
            handler="index.handler",
            runtime="python3.11",
        )

    return program


def test_new_code_is_an_update_and_code_is_no_drift(engine: Engine, cloud: Callable[[str], Cloud]) -> None:
    """Where a provider only looks, Pulumi's engine sends it the hash of an archive and not what is in it."""

    def runs() -> str:
        made = cloud(REGION).client("lambda").get_function(FunctionName="contract-code")
        return str(made["Configuration"]["CodeSha256"])

    engine.up(function("def handler(event, context): return 1"), quiet)
    before = runs()
    assert engine.drift(quiet) == []
    assert engine.refresh(quiet).changes == Changes(same=2)
    assert engine.up(function("def handler(event, context): return 1"), quiet).changes == Changes(same=2)
    new = function("def handler(event, context): return 2")
    assert engine.preview(new, quiet).changes == Changes(update=1, same=1)
    assert engine.up(new, quiet).changes == Changes(update=1, same=1)
    assert runs() != before
    assert engine.up(new, quiet).changes == Changes(same=2)


def providers(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [r for r in document["deployment"]["resources"] if r["type"] == "pulumi:providers:aws"]


def test_a_creation_that_the_state_lost_is_taken_over(engine: Engine, cloud: Callable[[str], Cloud]) -> None:
    """What a kill -9 between the cloud's answer and the state comes to, once it is settled."""
    before = engine.up(platform(), quiet).outputs
    document = engine.export_state()
    lost = next(r for r in document["deployment"]["resources"] if r["urn"].endswith("::jobs"))
    document["deployment"]["resources"].remove(lost)
    with pytest.raises(DeployFailed, match="has resources") as refused:
        engine.import_state(document)
    assert "force" in refused.value.hint
    engine.import_state(document, force=True)
    again = engine.up(platform(), quiet)
    assert again.changes == Changes(create=1, same=ALL - 1)
    assert again.outputs == before
    assert cloud(REGION).client("sqs").list_queues()["QueueUrls"] == [before["queue"]]


def test_an_exported_state_brings_a_stack_back(engine: Engine) -> None:
    before = engine.up(platform(), quiet).outputs
    document = engine.export_state()
    engine.import_state({"version": 3, "deployment": {"manifest": {}, "resources": []}}, force=True)
    assert engine.resources() == []
    engine.import_state(document)
    assert engine.outputs() == before
    assert engine.preview(platform(), quiet).changes == Changes(same=ALL)


def test_there_is_no_lock_to_take_off_where_nobody_works(engine: Engine, tmp_path: Path) -> None:
    engine.cancel()
    assert not (tmp_path / "dev").exists()
    engine.up(platform(), quiet)
    engine.cancel()
    assert engine.preview(platform(), quiet).changes == Changes(same=ALL)

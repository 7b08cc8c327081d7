"""What a platform costs idle, from the events of real previews of the whole program."""

from pathlib import Path
from typing import Any

import pytest
from deploy_fakes import FakeCloud

from stacks.program import platform
from toolkit.contracts import ModelEntry, PlatformConfig, Registry, ResourceEvent
from toolkit.deploy import wire
from toolkit.deploy.cost import RULES, UNKNOWN, Cost, idle_costs, total
from toolkit.deploy.embedded import EmbeddedEngine

ACCOUNT, REGION = "123456789012", "us-east-1"
HAIKU = ModelEntry(provider="bedrock", id="us.anthropic.claude-haiku-v1:0")
SONNET = ModelEntry(provider="bedrock", id="us.anthropic.claude-sonnet-v1:0")

ZIP = {"agent_zip": {"index.py": "def handler(event, context): ..."}}
NETWORK = {"checker_subnet_ids": ["subnet-1"], "checker_security_group_ids": ["sg-1"]}
EVERYTHING = {
    "email": "ops@example.com",
    "log_bucket": "central-logs",
    "checker_handler": "toolkit.checker.handler.handler",
    **NETWORK,
}

QUICK_ALARMS = ("errors", "throttles", "dead-letters", "freshness", "failed-runs", "digests")


class AnyCloud(FakeCloud):
    """Takes any type, remembers what was asked for, and answers with what AWS would make up."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, dict[str, Any]] = {}

    def Check(self, request: Any, context: Any) -> Any:
        self.asked[request.name] = wire.to_plain(request.news)
        return super().Check(request, context)

    def _properties(self, made: str, inputs: dict[str, Any]) -> Any:
        made_up = {"arn": f"arn:aws:x:{REGION}:{ACCOUNT}:{made}", "keyId": "k", "url": "https://queue/q"}
        return super()._properties(made, {**made_up, "repositoryUrl": "registry/agent", **inputs})


class World:
    """An account, and the platform in it."""

    def __init__(self, folder: Path) -> None:
        self.cloud = AnyCloud()
        self.engine = EmbeddedEngine(folder, "tfkit", "dev", self.cloud, {"region": REGION})

    def preview(self, config: PlatformConfig, **secrets: str) -> list[ResourceEvent]:
        events: list[ResourceEvent] = []
        self.engine.preview(platform(config, lambda url: f"{url}:tag", secrets), events.append)
        return events

    def up(self, config: PlatformConfig) -> None:
        self.engine.up(platform(config, lambda url: f"{url}:tag", {}), lambda _event: None)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "dev")


def make_config(**changes: Any) -> PlatformConfig:
    values: dict[str, Any] = {
        "stack": "dev",
        "account": ACCOUNT,
        "region": REGION,
        "partition": "aws",
        "prefix": "tfkit-dev",
        "version": "0.1.0",
        "registry": Registry(default="haiku", models={"haiku": HAIKU, "sonnet": SONNET}),
    }
    return PlatformConfig(**values | changes)


def of(costs: list[Cost], kind: str) -> dict[str, float]:
    return {cost.name: cost.usd for cost in costs if cost.type.endswith(f":{kind}")}


def test_every_type_that_the_program_uses_has_a_rule_and_every_rule_a_type(world: World) -> None:
    events = world.preview(make_config(**EVERYTHING), mistral="the-key")
    events += world.preview(make_config(**ZIP))
    used = {event.type for event in events}
    assert len(used) > 30
    assert sorted(used - set(RULES)) == []
    assert sorted(set(RULES) - used) == []


def test_every_resource_of_a_preview_is_there_once_with_a_reason(world: World) -> None:
    events = world.preview(make_config(**EVERYTHING), mistral="the-key")
    costs = idle_costs(make_config(**EVERYTHING), events)
    assert sorted((cost.type, cost.name) for cost in costs) == sorted((e.type, e.name) for e in events)
    assert all(cost.why for cost in costs)
    assert [cost.usd for cost in costs] == sorted((cost.usd for cost in costs), reverse=True)


def test_what_a_default_platform_on_aws_costs(world: World) -> None:
    config = make_config(checker_handler="toolkit.checker.handler.handler")
    costs = idle_costs(config, world.preview(config))
    assert {cost.name: cost.usd for cost in costs if cost.usd} == {
        "key": 1.0,
        "digest-key": 1.0,
        "statement-key": 1.0,
        **dict.fromkeys(
            ("models-dashboard", "lambda-dashboard", "insights-dashboard", "cost-dashboard"), 3.0
        ),
        "token-alarm": 0.4,
        **dict.fromkeys((f"{of}-alarm" for of in QUICK_ALARMS), 0.1),
        "repository": 0.06,
    }
    assert total(costs) == 16.06


@pytest.mark.parametrize("models", [1, 2, 5])
def test_an_alarm_costs_by_the_metrics_that_it_really_reads(world: World, models: int) -> None:
    registry = Registry(default="m0", models={f"m{n}": HAIKU for n in range(models)})
    config = make_config(registry=registry)
    costs = of(idle_costs(config, world.preview(config)), "MetricAlarm")
    for name, usd in costs.items():
        queries = world.cloud.asked[name].get("metricQueries")
        metrics = sum("metric" in query for query in queries) if queries else 1
        assert usd == pytest.approx(0.1 * metrics), name


def test_a_key_that_is_brought_along_is_not_counted(world: World) -> None:
    config = make_config(kms_key_arn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/theirs")
    assert of(idle_costs(config, world.preview(config)), "Key") == {"digest-key": 1.0, "statement-key": 1.0}


def test_a_repository_without_an_image_costs_nothing(world: World) -> None:
    config = make_config(**ZIP)
    assert of(idle_costs(config, world.preview(config)), "Repository") == {"repository": 0.0}


def test_what_is_there_already_costs_as_much_as_what_is_made(world: World) -> None:
    config = make_config()
    before = idle_costs(config, world.preview(config))
    world.up(config)
    events = world.preview(config)
    assert {event.operation for event in events} == {"same"}
    assert idle_costs(config, events) == before


def test_what_goes_is_not_counted(world: World) -> None:
    world.up(make_config(email="ops@example.com"))
    events = world.preview(make_config())
    assert ("alarms-email", "delete") in {(event.name, event.operation) for event in events}
    assert of(idle_costs(make_config(), events), "TopicSubscription") == {}


def test_a_replacement_counts_once_whatever_the_order_of_its_events() -> None:
    urn, kind = "urn:x::key", "aws:kms/key:Key"
    events = [
        ResourceEvent(urn, kind, "key", operation, "done") for operation in ("delete", "replace", "delete")
    ]
    assert total(idle_costs(make_config(), events)) == 1.0


def test_a_type_without_a_rule_is_shown_and_says_so() -> None:
    event = ResourceEvent("urn:x::nat", "aws:ec2/natGateway:NatGateway", "nat", "create", "done")
    (cost,) = idle_costs(make_config(), [event])
    assert (cost.usd, cost.why) == (0.0, UNKNOWN)


def test_a_step_that_failed_made_nothing() -> None:
    event = ResourceEvent("urn:x::key", "aws:kms/key:Key", "key", "create", "failed", 1.0, "AccessDenied")
    assert idle_costs(make_config(), [event]) == []


def test_nothing_that_bills_by_the_hour_is_in_the_program(world: World) -> None:
    events = world.preview(make_config(**EVERYTHING), mistral="the-key")
    assert not {event.type.partition("/")[0] for event in events} & {
        "aws:ec2",
        "aws:lb",
        "aws:rds",
        "aws:eks",
    }

"""The platform's own program on the emulator, in every form that a configuration can give it.

The provider must know all that `stacks/` can make, say truly how it is, and leave nothing of it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from provider_world import ACCOUNT, REGION, allow, key_policy

from stacks.program import platform
from toolkit.cloud import Cloud
from toolkit.contracts import Changes, ModelEntry, PlatformConfig, Registry, ResourceEvent
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.deploy.plan import CHECKER_HANDLER, PROJECT, platform_config
from toolkit.emulator import Emulator
from toolkit.local.provider import EmulatorProvider
from toolkit.local.provider.clients import Clients
from toolkit.settings import load

SECRETS = {"mistral": "the key"}
LOG_BUCKET, BOUNDARY = "the-users-own-logs", f"arn:aws:iam::{ACCOUNT}:policy/boundary"
HAIKU = ModelEntry(provider="bedrock", id="anthropic.claude-haiku-v1:0")
SONNET = ModelEntry(provider="bedrock", id="us.anthropic.claude-sonnet-v1:0")

LISTED: list[tuple[str, str, str, dict[str, str]]] = [
    ("bedrock", "list_inference_profiles", "inferenceProfileSummaries", {"typeEquals": "APPLICATION"}),
    ("cloudwatch", "describe_alarms", "MetricAlarms", {}),
    ("cloudwatch", "list_dashboards", "DashboardEntries", {}),
    ("codebuild", "list_projects", "projects", {}),
    ("dynamodb", "list_tables", "TableNames", {}),
    ("ecr", "describe_repositories", "repositories", {}),
    ("events", "list_rules", "Rules", {}),
    ("firehose", "list_delivery_streams", "DeliveryStreamNames", {}),
    ("glue", "get_databases", "DatabaseList", {}),
    ("iam", "list_policies", "Policies", {"Scope": "Local"}),
    ("iam", "list_roles", "Roles", {}),
    ("kms", "list_aliases", "Aliases", {}),
    ("lambda", "list_functions", "Functions", {}),
    ("logs", "describe_log_groups", "logGroups", {}),
    ("s3", "list_buckets", "Buckets", {}),
    ("sns", "list_subscriptions", "Subscriptions", {}),
    ("sns", "list_topics", "Topics", {}),
    ("sqs", "list_queues", "QueueUrls", {}),
    ("ssm", "describe_parameters", "Parameters", {}),
]
"""How each service lists what it has. A key of KMS is not here: it goes after its waiting period only."""

LACKS = {
    "plain": {"sns Subscriptions"},
    "maximal": {"kms Aliases"},
    "local": {"codebuild projects", "sns Subscriptions"},
    "maximal-local": {"codebuild projects", "kms Aliases"},
}
"""What is not made in each form: a subscription without an address, an alias of the user's own key."""

FORMS = list(LACKS)


class Account(Clients):
    """An emulator with nothing in it but what a user may bring along."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator.endpoint, REGION, emulator.key, emulator.secret)
        self.emulator = emulator
        self.of("s3").create_bucket(Bucket=LOG_BUCKET)
        self.of("iam").create_policy(PolicyName="boundary", PolicyDocument=allow(["*"]))
        self.key = self.of("kms").create_key(Description="the user's own")["KeyMetadata"]["Arn"]

    def everything(self) -> dict[str, list[str]]:
        """What there is, service by service."""
        return {
            f"{service} {key}": sorted(map(str, getattr(self.of(service), verb)(**only).get(key, [])))
            for service, verb, key, only in LISTED
        }


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    emulator = Emulator(tmp_path_factory.mktemp("platform"))
    emulator.start()
    yield Account(emulator)
    emulator.stop()


def _tagged(account: Account, **tags: str) -> None:
    found = account.of("codebuild").batch_get_projects(names=["tfkit-dev-build"])["projects"][0]
    pairs = [{"key": name, "value": value} for name, value in tags.items()]
    account.of("codebuild").update_project(name="tfkit-dev-build", tags=[*found["tags"], *pairs])


def _source(account: Account, **changes: str) -> None:
    found = account.of("codebuild").batch_get_projects(names=["tfkit-dev-build"])["projects"][0]
    account.of("codebuild").update_project(name="tfkit-dev-build", source={**found["source"], **changes})


def _signing_key(account: Account, function: str = "digest", kind: str = "DIGEST") -> str:
    """The key that a function signs with."""
    found = account.of("lambda").get_function_configuration(FunctionName=f"tfkit-dev-{function}")
    return str(found["Environment"]["Variables"][f"TFKIT_{kind}_KEY"])


def _configured(function: str, **changes: Any) -> Callable[[Account], object]:
    return lambda account: account.of("lambda").update_function_configuration(
        FunctionName=f"tfkit-dev-{function}", **changes
    )


BY_HAND: list[tuple[str, Callable[[Account], object]]] = [
    # First, because the key is found by the function's environment, which goes below.
    (
        "statement-key.policy",
        lambda at: at.of("kms").put_key_policy(
            KeyId=_signing_key(at, "agent", "STATEMENT"),
            PolicyName="default",
            Policy=key_policy("EverybodySigns"),
        ),
    ),
    ("agent-function.memorySize", _configured("agent", MemorySize=128)),
    ("agent-function.timeout", _configured("agent", Timeout=3)),
    ("agent-function.description", _configured("agent", Description="another")),
    ("agent-function.ephemeralStorage", _configured("agent", EphemeralStorage={"Size": 512})),
    ("agent-function.tracingConfig", _configured("agent", TracingConfig={"Mode": "PassThrough"})),
    ("agent-function.environment", _configured("agent", Environment={"Variables": {"TFKIT_STACK": "x"}})),
    (
        "agent-function.reservedConcurrentExecutions",  # what `tfkit stop` does
        lambda at: at.of("lambda").put_function_concurrency(
            FunctionName="tfkit-dev-agent", ReservedConcurrentExecutions=0
        ),
    ),
    (
        "agent-function.imageUri",
        lambda at: at.of("lambda").update_function_code(
            FunctionName="tfkit-dev-agent", ImageUri=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/x:y"
        ),
    ),
    ("checker-function.imageConfig", _configured("checker", ImageConfig={"Command": ["another.handler"]})),
    (
        "checker-function.vpcConfig",
        _configured("checker", VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}),
    ),
    ("checker-function.role", _configured("checker", Role=f"arn:aws:iam::{ACCOUNT}:role/another")),
    (
        "checker-function.tags",
        lambda at: at.of("lambda").tag_resource(
            Resource=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tfkit-dev-checker", Tags={"team": "x"}
        ),
    ),
    (
        "agent-invocation.maximumRetryAttempts",
        lambda at: at.of("lambda").put_function_event_invoke_config(
            FunctionName="tfkit-dev-agent",
            MaximumRetryAttempts=2,
            MaximumEventAgeInSeconds=3600,
            DestinationConfig={
                "OnFailure": {"Destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:tfkit-dev-dead-letters"}
            },
        ),
    ),
    (
        "build-project.buildTimeout",
        lambda at: at.of("codebuild").update_project(name="tfkit-dev-build", timeoutInMinutes=5),
    ),
    ("digest-schedule.state", lambda at: at.of("events").disable_rule(Name="tfkit-dev-digest")),
    (
        "digest-key.policy",
        lambda at: at.of("kms").put_key_policy(
            KeyId=_signing_key(at), PolicyName="default", Policy=key_policy("EverybodySigns")
        ),
    ),
    ("digest-function.timeout", _configured("digest", Timeout=3)),
    ("build-project.source", lambda at: _source(at, location="elsewhere/source.zip")),
    ("build-project.tags", lambda at: _tagged(at, mine="yes")),
    (
        "build-role.permissionsBoundary",
        lambda at: at.of("iam").delete_role_permissions_boundary(RoleName=f"tfkit-dev-{REGION}-build"),
    ),
    (
        "secret-mistral.value",
        lambda at: at.of("ssm").put_parameter(
            Name="/tfkit-dev/secrets/mistral",
            Value="x",
            Type="SecureString",
            KeyId=at.key,
            Overwrite=True,
            Description="The key of the model provider mistral",
        ),
    ),
    (
        "registry.tags",
        lambda at: at.of("ssm").remove_tags_from_resource(
            ResourceType="Parameter", ResourceId="/tfkit-dev/models", TagKeys=["team"]
        ),
    ),
    (
        "runs-logging.targetPrefix",
        lambda at: at.of("s3").put_bucket_logging(
            Bucket=f"tfkit-dev-runs-{ACCOUNT}-{REGION}",
            BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": LOG_BUCKET, "TargetPrefix": "x/"}},
        ),
    ),
]
"""What somebody does by hand, and the property of which resource shows it."""

DELETED: dict[str, Callable[[Account], object]] = {
    "build-project": lambda at: at.of("codebuild").delete_project(name="tfkit-dev-build"),
    "agent-invocation": lambda at: at.of("lambda").delete_function_event_invoke_config(
        FunctionName="tfkit-dev-agent"
    ),
    "checker-function": lambda at: at.of("lambda").delete_function(FunctionName="tfkit-dev-checker"),
    "secret-mistral": lambda at: at.of("ssm").delete_parameter(Name="/tfkit-dev/secrets/mistral"),
    "digest-target": lambda at: at.of("events").remove_targets(Rule="tfkit-dev-digest", Ids=["digest"]),
    "digest-permission": lambda at: at.of("lambda").remove_permission(
        FunctionName="tfkit-dev-digest", StatementId="the-schedule"
    ),
    "runs-logging": lambda at: at.of("s3").put_bucket_logging(
        Bucket=f"tfkit-dev-runs-{ACCOUNT}-{REGION}", BucketLoggingStatus={}
    ),
}


PLAIN = PlatformConfig(
    stack="dev",
    account=ACCOUNT,
    region=REGION,
    partition="aws",
    prefix="tfkit-dev",
    version="0.1.0",
    registry=Registry(default="haiku", models={"haiku": HAIKU}),
)


@pytest.fixture(scope="module")
def forms(account: Account, tmp_path_factory: pytest.TempPathFactory) -> dict[str, PlatformConfig]:
    """The forms that a platform can have: as on AWS with the least and the most, and the local target's."""
    settings = load({"prefix": PLAIN.prefix}, {}, tmp_path_factory.mktemp("home"))
    local = platform_config(settings, Cloud(target="local", region=REGION, account=ACCOUNT))
    maximal = _maximal(account)
    return {
        "plain": PLAIN,
        "maximal": maximal,
        "local": msgspec.structs.replace(local, version=PLAIN.version),
        "maximal-local": msgspec.structs.replace(maximal, agent_zip=local.agent_zip),
    }


def _maximal(account: Account) -> PlatformConfig:
    return msgspec.structs.replace(
        PLAIN,
        registry=Registry(default="haiku", models={"haiku": HAIKU, "sonnet": SONNET}),
        tags={"team": "platform"},
        agent_runtime="python3.12",
        agent_memory_mb=2048,
        agent_timeout_s=600,
        agent_storage_mb=8192,
        agent_environment={"TFKIT_EXTRA": "1", "lower_case": "2"},
        log_retention_days=7,
        lock_mode="COMPLIANCE",
        lock_days=1,
        runs_expire_days=30,
        daily_token_limit=5,
        email="ops@example.com",
        permissions_boundary=BOUNDARY,
        force_destroy=True,
        role_path="/team/",
        kms_key_arn=account.key,
        log_bucket=LOG_BUCKET,
        otlp_headers_parameter="/tools/otlp-headers",
        reserved_concurrency=5,
        checker_handler=CHECKER_HANDLER,
        checker_timeout_s=60,
        checker_subnet_ids=["subnet-1", "subnet-2"],
        checker_security_group_ids=["sg-1"],
        alarm_errors=4,
        alarm_throttles=5,
        alarm_dead_letters=6,
        alarm_freshness_s=1800,
    )


class Stack:
    """A stack on the emulator, with an engine made anew for each operation, as each command does."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account = account
        self.folder = folder

    @property
    def engine(self) -> EmbeddedEngine:
        there = self.account.emulator
        provider = EmulatorProvider(there.endpoint, REGION, there.key, there.secret)
        return EmbeddedEngine(self.folder, PROJECT, "dev", provider, {"region": REGION})

    def up(self, config: PlatformConfig) -> Changes:
        build = None if config.agent_zip else lambda url: f"{url}:tag"
        return self.engine.up(platform(config, build, SECRETS), quiet).changes

    def drift(self) -> dict[str, list[str] | str]:
        return {found.name: "gone" if found.gone else found.changed for found in self.engine.drift(quiet)}


def quiet(_event: ResourceEvent) -> None:
    """Reports nothing."""


@pytest.fixture
def stack(account: Account, tmp_path: Path) -> Iterator[Stack]:
    made = Stack(account, tmp_path / "stack")
    yield made
    made.engine.destroy(quiet)


def test_the_maximal_form_sets_all_that_can_be_set(forms: dict[str, PlatformConfig]) -> None:
    """An option that is new in the configuration belongs in the maximal form too."""
    plain, maximal, local = forms["plain"], forms["maximal"], forms["local"]
    optional = [field.name for field in msgspec.structs.fields(PlatformConfig) if not field.required]
    unset = [name for name in optional if getattr(maximal, name) == getattr(plain, name)]
    assert unset == ["agent_zip"]
    assert local.agent_zip


@pytest.mark.parametrize(
    "form", [pytest.param(each, marks=[pytest.mark.thorough] if each == "maximal" else []) for each in FORMS]
)
def test_a_platform_is_made_stays_as_it_is_and_goes(
    form: str, forms: dict[str, PlatformConfig], stack: Stack
) -> None:
    before = stack.account.everything()
    made = stack.up(forms[form])
    assert made.create > 50
    assert made == Changes(create=made.create)
    assert stack.up(forms[form]) == Changes(same=made.create)
    assert stack.drift() == {}
    there, resources = stack.account.everything(), stack.engine.resources()
    assert {what for what in there if there[what] == before[what]} == LACKS[form]
    stack.engine.destroy(quiet)
    assert stack.engine.still_there(resources) == []
    assert stack.account.everything() == before


@pytest.mark.thorough
def test_a_platform_takes_one_form_after_the_other(forms: dict[str, PlatformConfig], stack: Stack) -> None:
    for form in (*FORMS, FORMS[0]):
        stack.up(forms[form])
        assert stack.drift() == {}, form


@pytest.mark.thorough
def test_what_is_changed_by_hand_shows_by_its_name_and_is_mended(
    forms: dict[str, PlatformConfig], stack: Stack
) -> None:
    stack.up(forms["maximal"])
    for _, change in BY_HAND:
        change(stack.account)
    expected: dict[str, list[str]] = {}
    for what, _ in BY_HAND:
        name, _, changed = what.partition(".")
        expected[name] = sorted([*expected.get(name, []), changed])
    assert stack.drift() == expected

    stack.engine.refresh(quiet)
    assert stack.up(forms["maximal"]).update == len(expected)
    assert stack.drift() == {}


@pytest.mark.thorough
def test_what_is_deleted_by_hand_shows_as_gone_and_is_made_again(
    forms: dict[str, PlatformConfig], stack: Stack
) -> None:
    made = stack.up(forms["maximal"])
    for remove in DELETED.values():
        remove(stack.account)
    assert stack.drift() == dict.fromkeys(DELETED, "gone")

    stack.engine.refresh(quiet)
    again = stack.up(forms["maximal"])
    assert (again.create, again.same) == (len(DELETED), made.create - len(DELETED))
    assert stack.drift() == {}

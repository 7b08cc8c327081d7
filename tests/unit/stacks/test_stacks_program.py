"""The program as a whole: names, tags, exports, and what it does not do."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from stacks.alarms import ALARM_METRIC_LIMIT
from toolkit.contracts import ModelEntry, PlatformConfig, Registry, StackOutputs

UNTAGGABLE = {
    "Alias",
    "LifecyclePolicy",
    "BucketVersioning",
    "BucketServerSideEncryptionConfiguration",
    "BucketPublicAccessBlock",
    "BucketLifecycleConfiguration",
    "BucketObjectLockConfiguration",
    "BucketPolicy",
    "BucketOwnershipControls",
    "BucketLogging",
    "CatalogTable",
    "TopicSubscription",
    "TopicPolicy",
    "RolePolicy",
    "RolePolicyAttachment",
    "LogStream",
    "FunctionEventInvokeConfig",
    "Permission",
    "EventTarget",
    "Dashboard",
}

NAME_PROPERTIES = ("name", "bucket", "dashboardName")


def kind(made) -> str:
    return made.type.rpartition(":")[2]


def custom(deployed):
    return [made for made in deployed.resources if made.type.startswith("aws:")]


def test_five_components_in_order(deployed):
    components = [made.type for made in deployed.resources if made.type.startswith("tfkit:")]
    assert components == [
        f"tfkit:platform:{name}" for name in ("Foundation", "Models", "Audit", "Agent", "Observability")
    ]


def test_every_taggable_resource_is_tagged(deployed, config):
    taggable = [made for made in custom(deployed) if kind(made) not in UNTAGGABLE]
    assert len(taggable) >= 15
    for made in taggable:
        tags = made.inputs["tags"]
        assert {key: tags[key] for key in config.all_tags} == config.all_tags, made.name
    for made in deployed.all("Key") + deployed.all("InferenceProfile"):
        assert made.inputs["tags"]["tfkit:name"] == made.name


def test_the_users_tags_do_not_override_ours(runner):
    made = runner(tags={"tfkit:stack": "other", "a": "b"}).one("Table")
    assert made.inputs["tags"] == {"a": "b", "tfkit:stack": "dev", "tfkit:version": "0.1.0"}


def test_names_start_with_the_prefix_and_are_known_in_the_first_preview(previewed):
    starts = (
        "tfkit-dev-",
        "alias/tfkit-dev",
        "/aws/lambda/tfkit-dev-",
        "/aws/kinesisfirehose/tfkit-dev-",
        "/tfkit-dev/",
        "tfkit_dev",
    )
    named = ("RolePolicy", "LogStream", "CatalogTable")  # these lie inside something that has the prefix
    for made in custom(previewed):
        name = next((made.inputs[key] for key in NAME_PROPERTIES if key in made.inputs), None)
        if name is not None and kind(made) not in named:
            assert isinstance(name, str), made.name
            assert name.startswith(starts), (made.name, name)


def test_a_preview_registers_what_a_deployment_does(previewed, deployed):
    assert sorted((m.type, m.name) for m in previewed.resources) == sorted(
        (m.type, m.name) for m in deployed.resources
    )


def test_exports_are_exactly_the_stack_outputs(deployed, previewed):
    assert set(deployed.exports) == set(StackOutputs.__struct_fields__)
    assert set(previewed.exports) == set(StackOutputs.__struct_fields__)
    assert StackOutputs(**deployed.exports).runs_bucket == "tfkit-dev-runs-123456789012-eu-central-1"


def test_physical_names_are_told_by_the_configuration(previewed):
    known = {key: value for key, value in previewed.exports.items() if isinstance(value, str)}
    assert known["audit_bucket"] == "tfkit-dev-audit-123456789012-eu-central-1"
    assert known["runs_table"] == "tfkit-dev-runs"
    assert known["registry_parameter"] == "/tfkit-dev/models"
    assert known["log_group"] == "/aws/lambda/tfkit-dev-agent"


def test_two_regions_do_not_collide_in_iam(runner):
    here, there = (
        {made.inputs["name"] for made in deployed.all("Role") + deployed.all("Policy")}
        for deployed in (runner(), runner(region="us-east-1"))
    )
    assert here.isdisjoint(there)


def test_a_prefix_that_makes_a_bucket_name_too_long_is_refused(runner):
    with pytest.raises(ValueError, match=r"bucket name .* 64 characters and AWS allows 63: shorten .* by 1"):
        runner(prefix="p" * 32)


def test_no_models_and_too_many_models_are_refused(runner):
    with pytest.raises(ValueError, match="names no Bedrock model"):
        runner(registry=Registry(default="", models={}))
    models = {
        f"m{n}": ModelEntry(provider="bedrock", id=f"vendor.m{n}") for n in range(ALARM_METRIC_LIMIT // 2 + 1)
    }
    with pytest.raises(ValueError, match="keep at most 5 Bedrock models"):
        runner(registry=Registry(default="m0", models=models))


def test_the_same_configuration_gives_the_same_inputs(runner, deployed):
    def told(found):
        return {
            (made.type, made.name): {k: v for k, v in made.inputs.items() if k != "code"}
            for made in found.resources
        }

    assert told(runner()) == told(deployed)


def test_importing_stacks_has_no_side_effects_and_loads_no_service():
    program = (
        "import sys, stacks, stacks.program, stacks.__main__\n"
        "assert not [m for m in sys.modules if m.startswith('pulumi_aws.s3.')], 'a service was loaded'\n"
        "assert not [m for m in sys.modules if m.split('.')[0] in ('boto3', 'click', 'pydantic_ai')]\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_email_no_subscription(runner: Callable, config: PlatformConfig):
    assert not runner(email="").all("TopicSubscription")
    subscription = runner().one("TopicSubscription").inputs
    assert (subscription["protocol"], subscription["endpoint"]) == ("email", config.email)

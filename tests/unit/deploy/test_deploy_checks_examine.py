"""The account as a whole: what is run when, and what one failure makes of the rest."""

import msgspec
import pytest
from botocore.exceptions import NoCredentialsError
from checks_aws import ACCOUNT, ROLE, Aws, Refused, attached, availability, credentials, identity, quota, said

from toolkit.contracts import StackOutputs, default_registry
from toolkit.deploy.checks.check import UNKNOWN, Check, run_checks
from toolkit.deploy.checks.examine import examine_account
from toolkit.errors import TfkitError
from toolkit.settings import Settings

GONE = Refused("ParameterNotFound")


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(target="aws", home=str(tmp_path / "home"))


@pytest.fixture
def aws(monkeypatch) -> Aws:
    """An account in which all is well and nothing is deployed."""
    aws = attached(monkeypatch)
    model = {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/x", "modelId": "x"}
    aws.answers |= {
        "GetParameter": GONE,
        "GetFoundationModelAvailability": availability(),
        "GetUseCaseForModelAccess": {"formData": b"{}"},
        "Converse": said("OK"),
        "AssumeRole": credentials(),
        "GetAccountSettings": {
            "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
        },
        "ListServiceQuotas": {"Quotas": [quota("Function memory maximum", 10240)]},
        "GetServiceQuota": {"Quota": quota("General purpose buckets", 100)},
        "GetFoundationModel": {"modelDetails": model},
        "ListBuckets": {"Buckets": []},
    }
    return aws


def looked(settings: Settings, announced: list | None = None) -> dict[str, Check]:
    return {c.name: c for c in examine_account(settings, (announced if announced is not None else []).append)}


def test_an_account_in_which_all_is_well(aws, settings):
    announced = []
    checks = looked(settings, announced)
    assert list(checks) == [
        *("credentials", "account", "region", "bedrock", "platform", "agreement haiku", "haiku"),
        *("lambda concurrency", "lambda memory", "bedrock quotas", "s3 buckets"),
    ]
    assert all(check.ok and not check.fix for check in checks.values()), checks
    assert [(there.account, there.region) for there in announced] == [(ACCOUNT, "us-east-1")]
    assert "nothing is deployed" in checks["platform"].detail


def test_nothing_is_written(aws, settings, tmp_path):
    examine_account(settings, lambda _cloud: None)
    read = ("Get", "List", "Describe", "Converse", "AssumeRole")
    assert {name for _, name, _ in aws.calls if not name.startswith(read)} == set()
    assert not (tmp_path / "home").exists()


def deployed(aws: Aws, settings: Settings) -> None:
    """A platform whose outputs and registry are parameters of the account."""
    names = [f.name for f in msgspec.structs.fields(StackOutputs) if f.required and f.name != "profiles"]
    raw = {**dict.fromkeys(names, "x"), "profiles": {}, "agent_role_arn": ROLE, "version": "0.1.0"}
    values = {
        True: msgspec.json.encode(raw).decode(),
        False: msgspec.json.encode(default_registry("us-east-1")).decode(),
    }

    def parameter(_cloud):
        name = aws.called("GetParameter")[-1]["Name"]
        return {"Parameter": {"Name": name, "Value": values[name.endswith("/platform")]}}

    aws.answers["GetParameter"] = parameter


def test_beside_a_platform_the_agents_role_is_asked_too(aws, settings):
    deployed(aws, settings)
    checks = looked(settings)
    assert all(check.ok and not check.fix for check in checks.values()), checks
    assert "haiku as agent" in checks
    assert "0.1.0 is deployed" in checks["platform"].detail
    assert len(aws.called("Converse")) == 2


def test_a_role_that_may_not_be_taken_is_a_warning(aws, settings):
    deployed(aws, settings)
    aws.answers["AssumeRole"] = Refused("AccessDenied", "not authorized to perform: sts:AssumeRole")
    checks = looked(settings)
    assert checks["haiku as agent"].ok
    assert checks["haiku as agent"].fix
    assert all(check.ok for check in checks.values()), checks


def test_a_platform_that_cannot_be_read_hides_nothing(aws, settings):
    aws.answers["GetParameter"] = Refused(
        "AccessDeniedException", "not authorized to perform: ssm:GetParameter"
    )
    checks = looked(settings)
    assert not checks["platform"].ok
    assert checks["platform"].fix
    assert checks["haiku"].ok


def test_without_credentials_nothing_else_is_tried(aws, settings):
    aws.answers["GetCallerIdentity"] = NoCredentialsError()
    checks = looked(settings)
    assert list(checks) == ["credentials", "account"]
    assert not any(check.ok for check in checks.values())
    assert all(check.fix for check in checks.values())
    assert {name for _, name, _ in aws.calls} == {"GetCallerIdentity"}


def test_in_the_wrong_account_nothing_else_is_tried(aws, settings):
    checks = looked(msgspec.structs.replace(settings, pin_account="999999999999"))
    assert list(checks) == ["credentials", "account", "region", "bedrock"]
    assert not checks["account"].ok
    assert {name for _, name, _ in aws.calls} == {"GetCallerIdentity"}


def test_the_region_is_the_profiles_where_none_is_named(aws, settings, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    announced = []
    looked(settings, announced)
    looked(msgspec.structs.replace(settings, region="eu-central-1"), announced)
    assert [there.region for there in announced] == ["eu-west-1", "eu-central-1"]


def test_a_stack_is_looked_for_where_it_lives(aws, settings, tmp_path):
    folder = tmp_path / "home" / "aws" / ACCOUNT / "dev"
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text('{"region": "eu-north-1"}')
    announced = []
    looked(settings, announced)
    assert announced[0].region == "eu-north-1"
    moved = looked(msgspec.structs.replace(settings, region="eu-west-1"), announced)
    assert announced[1].region == "eu-west-1"
    assert not moved["platform"].ok
    assert "lives in eu-north-1" in moved["platform"].detail


def test_credentials_of_another_partition_are_asked_for_there(aws, settings):
    aws.answers["GetCallerIdentity"] = lambda there: (
        identity("arn:aws-us-gov:iam::123456789012:user/me")
        if there.region.startswith("us-gov-")
        else Refused("InvalidClientTokenId")
    )
    announced = []
    looked(msgspec.structs.replace(settings, region="us-gov-east-1"), announced)
    assert announced[0].partition == "aws-us-gov"
    assert next(region for region, *_ in aws.calls) == "us-gov-west-1"


def test_a_profile_that_is_not_there(aws, settings):
    checks = looked(msgspec.structs.replace(settings, profile="nobody"))
    assert list(checks) == ["credentials", "account"]
    assert checks["credentials"].fix == "aws configure list-profiles"
    assert "nobody" in checks["credentials"].detail


def test_what_a_check_raises_is_what_it_found():
    def ours() -> Check:
        raise TfkitError("broken", "mend")

    def silent() -> Check:
        raise TfkitError("broken")

    assert run_checks({"a": ours, "b": silent, "c": lambda: Check("c", True, "fine")}) == [
        Check("a", False, "broken", "mend"),
        Check("b", False, "broken", UNKNOWN),
        Check("c", True, "fine"),
    ]

"""Credentials, account and region: what is wrong is told apart, and each has its own command."""

import pytest
from botocore.exceptions import (
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    SSOTokenLoadError,
    UnauthorizedSSOTokenError,
)
from checks_aws import ACCOUNT, Aws, Refused, attached, cloud, identity

from toolkit.deploy.checks import account
from toolkit.deploy.checks.refusals import grant, login_command
from toolkit.settings import Settings

WRONG = Refused("InvalidClientTokenId", "The security token included in the request is invalid.")


@pytest.fixture
def aws(monkeypatch) -> Aws:
    return attached(monkeypatch)


@pytest.fixture
def profiles(monkeypatch, tmp_path):
    (tmp_path / "config").write_text(
        "[profile sso]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = x\n"
        "[sso-session corp]\nsso_start_url = https://x\nsso_region = eu-west-1\n"
        "[profile login]\nlogin_session = arn:x\n"
        "[profile chained]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = sso\n"
        "[profile keys]\naws_access_key_id = AKIAX\naws_secret_access_key = x\n"
        "[profile tool]\ncredential_process = get-keys --fast\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def test_who_is_asked_for_is_told(aws):
    check = account.credentials(cloud(region="eu-south-2"))
    assert (check.ok, check.detail, check.fix) == (True, identity()["Arn"], "")
    assert [region for region, *_ in aws.calls] == ["us-east-1"], "asked where no account can be switched off"


@pytest.mark.parametrize(
    ("error", "detail", "fix"),
    [
        (NoCredentialsError(), "no AWS credentials", "aws configure sso --profile"),
        (UnauthorizedSSOTokenError(), "have expired", "aws sso login --profile sso"),
        (SSOTokenLoadError(error_msg="x"), "have expired", "aws sso login --profile sso"),
        (Refused("ExpiredToken", "expired"), "have expired", "aws sso login --profile sso"),
        (WRONG, "does not accept these credentials (InvalidClientTokenId)", "aws sso login --profile sso"),
        (Refused("SignatureDoesNotMatch", "Signature expired: 1 is now earlier than 2"), "clock", "set-ntp"),
        (EndpointConnectionError(endpoint_url="https://x"), "cannot be reached", "check the network"),
        (ProfileNotFound(profile="sso"), "no AWS profile", "aws configure list-profiles"),
    ],
)
def test_what_is_wrong_with_credentials_is_told_apart(aws, profiles, monkeypatch, error, detail, fix):
    aws.answers["GetCallerIdentity"] = error
    there = cloud(profile="sso")
    if isinstance(error, NoCredentialsError):
        there = cloud(profile="new")
        monkeypatch.setattr("toolkit.cloud.Cloud.session", cloud().session)
    check = account.credentials(there)
    assert not check.ok
    assert detail in check.detail
    assert fix in check.fix


@pytest.mark.parametrize(
    ("profile", "command"),
    [
        ("sso", "aws sso login --profile sso"),
        ("login", "aws login --profile login"),
        ("chained", "log in to the profile that it builds on: aws sso login --profile sso"),
        ("keys", "aws configure --profile keys"),
        ("tool", "run it and see what it says: get-keys --fast"),
        ("unknown", "aws configure sso --profile unknown"),
        ("", "aws configure sso"),
    ],
)
def test_the_command_is_the_one_of_the_profile(profiles, profile, command):
    assert login_command(cloud(profile=profile)) == command


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        (
            "User: x is not authorized to perform: s3:ListAllMyBuckets on resource: arn:aws:s3:::* because",
            "let an administrator allow you s3:ListAllMyBuckets on arn:aws:s3:::*",
        ),
        (
            "x is not authorized to perform: a:B with an explicit deny in a service control policy",
            "a policy of the organization forbids it: ask who looks after the organization",
        ),
        ("Access Denied", "let an administrator allow you this action"),
    ],
)
def test_what_to_ask_an_administrator_for(said, fix):
    assert grant(said) == fix


def test_keys_of_the_environment_are_renewed_there(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAX")
    assert "AWS_ACCESS_KEY_ID" in login_command(cloud())


def test_the_root_user_is_a_warning(aws):
    aws.answers["GetCallerIdentity"] = identity(f"arn:aws:iam::{ACCOUNT}:root")
    check = account.credentials(cloud())
    assert check.ok
    assert "may assume no role" in check.detail
    assert check.fix


def test_the_pinned_account():
    assert account.account(cloud(), Settings(target="aws")).ok
    assert account.account(cloud(), Settings(target="aws", pin_account=ACCOUNT)).detail.endswith("as pinned")
    other = account.account(cloud(), Settings(target="aws", pin_account="999999999999"))
    assert not other.ok
    assert "999999999999" in other.detail
    assert "aws configure list-profiles" in other.fix


def test_the_pinned_region(aws):
    assert account.region(cloud(), Settings(target="aws", pin_region="us-east-1")).ok
    other = account.region(cloud(), Settings(target="aws", pin_region="eu-west-1"))
    assert not other.ok
    assert "tfkit doctor --target aws --region eu-west-1" in other.fix


def test_a_region_that_is_switched_off_is_not_taken_for_wrong_credentials(aws):
    aws.answers["GetCallerIdentity"] = lambda there: WRONG if there.region == "eu-south-2" else identity()
    check = account.region(cloud(region="eu-south-2"), Settings(target="aws"))
    assert not check.ok
    assert check.detail == "eu-south-2 is not switched on for this account"
    assert check.fix.startswith("aws account enable-region --region-name eu-south-2")


def test_wrong_credentials_are_not_taken_for_a_region_that_is_switched_off(aws):
    aws.answers["GetCallerIdentity"] = WRONG
    assert "does not accept" in account.region(cloud(region="eu-south-2"), Settings(target="aws")).detail


def test_a_region_that_aws_does_not_have(aws):
    aws.answers["GetCallerIdentity"] = EndpointConnectionError(endpoint_url="https://sts.us-moon-1")
    check = account.region(cloud(region="us-moon-1"), Settings(target="aws"))
    assert check.detail == "AWS has no region us-moon-1"
    near = account.region(cloud(region="us-west-2"), Settings(target="aws"))
    assert "cannot be reached" in near.detail


def test_where_bedrock_is():
    assert account.bedrock_region(cloud()).ok
    missing = account.bedrock_region(cloud(region="eu-moon-1"))
    assert not missing.ok
    assert missing.fix.startswith("tfkit doctor --target aws --region eu-")

"""Whose account it is: asked of AWS, and told in words where it cannot be known."""

from pathlib import Path

import pytest
from aws_fakes import ACCOUNT, account, emulated  # noqa: F401 - fixtures

from toolkit.deploy.aws_identity import find_cloud
from toolkit.errors import TfkitError, UsageError
from toolkit.settings import load


def settings(tmp_path: Path, **flags: str):
    return load({"target": "aws", **flags}, {"TFKIT_HOME": str(tmp_path)}, tmp_path)


@pytest.mark.usefixtures("account")
def test_account_and_default_region(tmp_path: Path) -> None:
    cloud = find_cloud(settings(tmp_path))
    assert (cloud.account, cloud.region, cloud.partition) == (ACCOUNT, "us-east-1", "aws")


@pytest.mark.usefixtures("account")
def test_the_region_of_flags_then_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert find_cloud(settings(tmp_path)).region == "eu-central-1"
    assert find_cloud(settings(tmp_path, region="eu-west-1")).region == "eu-west-1"


@pytest.mark.usefixtures("account")
def test_another_account_than_the_pinned_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=ACCOUNT) as refused:
        find_cloud(settings(tmp_path, pin_account="123456789012"))
    assert refused.value.exit_code == 2


@pytest.mark.usefixtures("account")
def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nobody") as refused:
        find_cloud(settings(tmp_path, profile="nobody"))
    assert "list-profiles" in refused.value.hint


def test_no_credentials_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(TfkitError, match="no AWS credentials") as refused:
        find_cloud(settings(tmp_path))
    assert "aws sso login" in refused.value.hint


@pytest.mark.parametrize(
    ("code", "said", "next_step"),
    [
        ("ExpiredToken", "have expired", "log in again"),
        ("InvalidClientTokenId", "does not accept these credentials", "get-caller-identity"),
        ("SignatureDoesNotMatch", "does not accept these credentials", "get-caller-identity"),
        ("AccessDenied", "AccessDenied", "administrator"),
    ],
)
@pytest.mark.usefixtures("account")
def test_refusals_of_sts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, said: str, next_step: str
) -> None:
    import botocore.client
    from botocore.exceptions import ClientError

    def refuse(self: object, operation: str, _arguments: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refuse)
    with pytest.raises(TfkitError, match=said) as refused:
        find_cloud(settings(tmp_path))
    assert next_step in refused.value.hint


@pytest.mark.usefixtures("account")
def test_the_emulated_partition_of_an_arn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import botocore.client

    answer = {"Account": "123456789012", "Arn": "arn:aws-us-gov:iam::123456789012:user/x"}
    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", lambda *_: answer)
    assert find_cloud(settings(tmp_path)).partition == "aws-us-gov"

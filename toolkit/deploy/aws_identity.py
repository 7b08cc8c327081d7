"""Whose account it is: the caller's credentials, asked of AWS itself before anything else happens."""

import os
from typing import Any

from toolkit.cloud import Cloud
from toolkit.deploy.pulumi_errors import translate
from toolkit.errors import TfkitError, UsageError
from toolkit.settings import DEFAULT_REGION, Settings

LOG_IN = "log in (aws sso login, or aws configure), or name another profile with --profile"


def find_cloud(settings: Settings) -> Cloud:
    """The account and the region of the caller's credentials, by `sts:GetCallerIdentity`.

    The region is that of the settings, else the one of the profile or of AWS_REGION. Raises `UsageError`
    for an account that is not the pinned one, `TfkitError` where there are no credentials that work.
    """
    region = settings.region or settings.pin_region or profile_region(settings)
    cloud = Cloud(target="aws", region=region, account="", profile=settings.profile)
    identity = _identity(cloud)
    account = identity["Account"]
    if settings.pin_account not in ("", account):
        raise UsageError(
            f"these credentials are of account {account}, and {settings.pin_account} is pinned",
            "use the credentials of that account (--profile), or change pin_account",
        )
    partition = identity["Arn"].split(":")[1]
    return Cloud(target="aws", region=region, account=account, partition=partition, profile=settings.profile)


def profile_region(settings: Settings) -> str:
    """The region that the environment or the profile names, as in every tool of AWS.

    AWS_REGION is read here because boto3 alone of the SDKs does not know it:
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
    """
    from botocore.exceptions import BotoCoreError

    cloud = Cloud(target="aws", region="", account="", profile=settings.profile)
    try:
        return os.environ.get("AWS_REGION") or cloud.session.region_name or DEFAULT_REGION
    except BotoCoreError as error:
        raise refused(error) from error


def _identity(cloud: Cloud) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return cloud.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise refused(error) from error


def refused(error: Exception) -> TfkitError:
    """What a refusal of AWS or of its SDK means for the reader."""
    kind = type(error).__name__
    if kind == "ProfileNotFound":
        return UsageError(f"{error}".rstrip("."), "see what there is: aws configure list-profiles")
    if kind in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
        return TfkitError("there are no AWS credentials that can be used here", LOG_IN)
    if kind in ("UnauthorizedSSOTokenError", "SSOTokenLoadError", "TokenRetrievalError"):
        return TfkitError("the AWS login has expired", LOG_IN)
    if kind == "EndpointConnectionError":
        return TfkitError(f"{error}".rstrip("."), "check the region and the network, and run it again")
    return translate(str(error))

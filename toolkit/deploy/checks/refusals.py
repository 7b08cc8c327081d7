"""What AWS and botocore say when they refuse, in our words, with the command that mends it.

Codes and exceptions are those of botocore's own models and `botocore/exceptions.py`; the texts of Bedrock
that have no code of their own are in `bedrock`.
"""

import os
import re
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from toolkit.cloud import Cloud
from toolkit.deploy.checks.check import UNKNOWN

EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
WRONG = (
    *("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"),
    *("SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"),
)
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
THROTTLED = ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded")

AWS_ERRORS = (BotoCoreError, ClientError)
"""Whatever a boto3 client raises: what the library could not do, and what a service refused."""

# Exceptions of botocore by name, because some are newer than the oldest boto3 that is allowed.
NONE = ("NoCredentialsError", "PartialCredentialsError", "NoAuthTokenError")
EXPIRED_LOGIN = (
    *("SSOTokenLoadError", "UnauthorizedSSOTokenError", "TokenRetrievalError"),
    *("LoginRefreshRequired", "LoginTokenLoadError"),
)
UNREACHABLE = (
    *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ProxyConnectionError"),
    *("SSLError", "ConnectionClosedError", "HTTPClientError"),
)


class Refusal(NamedTuple):
    """Why a call failed: `kind` to decide on, `detail` for the reader, `fix` to do."""

    kind: str
    detail: str
    fix: str


def explain(error: Exception, cloud: Cloud) -> Refusal:
    """The refusal behind an error of a boto3 client.

    `kind` is expired, none, wrong, clock, profile, denied, throttled, region, unreachable or other.
    """
    name, code, said = type(error).__name__, code_of(error), said_by(error)
    if name == "ProfileNotFound":
        return Refusal("profile", f"there is no AWS profile {cloud.profile!r}", "aws configure list-profiles")
    if name == "InvalidConfigError":
        return Refusal("profile", said, f"aws configure sso --profile {cloud.profile or 'default'}")
    if code in EXPIRED or name in EXPIRED_LOGIN:
        return Refusal("expired", "the AWS credentials have expired", login_command(cloud))
    if name in NONE:
        return Refusal("none", "there are no AWS credentials", login_command(cloud))
    if code == "SignatureDoesNotMatch" and re.search(r"Signature (not yet current|expired)", said):
        return Refusal(
            "clock", f"this machine's clock is wrong: {said}", "set the clock: timedatectl set-ntp true"
        )
    if code in WRONG:
        return Refusal("wrong", f"AWS does not accept these credentials ({code})", login_command(cloud))
    if name == "CredentialRetrievalError":
        return Refusal("wrong", f"the credentials cannot be had: {said}", login_command(cloud))
    if code in DENIED:
        return Refusal("denied", said, grant(said))
    if code in THROTTLED:
        return Refusal("throttled", f"AWS asks to slow down: {said}", "wait a minute, and run this again")
    if code == "OptInRequired" or name in ("NoRegionError", "InvalidRegionError", "UnknownRegionError"):
        return Refusal(
            "region", said, "name a region of the account: tfkit doctor --target aws --region us-east-1"
        )
    if name in UNREACHABLE:
        return Refusal(
            "unreachable", f"AWS cannot be reached: {said}", "check the network and the proxy settings"
        )
    return Refusal("other", said if code else f"{name}: {said}", UNKNOWN)


def code_of(error: Exception) -> str:
    """The error code that a service gave, or nothing."""
    return str(_body(error).get("Code", ""))


def said_by(error: Exception) -> str:
    """The sentence of the service, else of the library."""
    return str(_body(error).get("Message", "")) or str(error) or type(error).__name__


def _body(error: Exception) -> dict[str, object]:
    response = getattr(error, "response", None)
    body = response.get("Error", {}) if isinstance(response, dict) else {}
    return body if isinstance(body, dict) else {}


def grant(said: str) -> str:
    """What to ask an administrator for: the action that IAM's message names."""
    action = re.search(r"not authorized to perform: ([\w-]+:\w+)", said)
    resource = re.search(r"on resource: (\S+)", said)
    where = f" on {resource[1].rstrip('.')}" if resource else ""
    if "service control policy" in said:
        return "a policy of the organization forbids it: ask who looks after the organization"
    return f"let an administrator allow you {action[1] if action else 'this action'}{where}"


def login_command(cloud: Cloud) -> str:
    """The command that brings fresh credentials, as this profile gets them."""
    option = f" --profile {cloud.profile}" if cloud.profile else ""
    if not cloud.profile and os.environ.get("AWS_ACCESS_KEY_ID"):
        return "put fresh keys into AWS_ACCESS_KEY_ID and its companions, or unset them: aws sso login"
    config = _profile_config(cloud.profile)
    if "sso_session" in config or "sso_start_url" in config:
        return f"aws sso login{option}"
    if "login_session" in config:
        return f"aws login{option}"
    if "credential_process" in config:
        return f"run it and see what it says: {config['credential_process']}"
    if "role_arn" in config and config.get("source_profile"):
        return f"log in to the profile that it builds on: aws sso login --profile {config['source_profile']}"
    if config.get("aws_access_key_id"):
        return f"aws configure{option}"
    return f"aws configure sso{option}"


def _profile_config(profile: str) -> dict[str, str]:
    """What the AWS configuration says of the profile; empty where it does not know it."""
    import botocore.session

    try:
        found = botocore.session.Session(profile=profile or None).get_scoped_config()
    except BotoCoreError:
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)}

"""The cloud as the agent sees it: the same endpoint and region, with the credentials of the agent's role."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from toolkit.cloud import Cloud
from toolkit.deploy.checks.refusals import AWS_ERRORS, explain
from toolkit.errors import TfkitError

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config

SESSION = "tfkit-doctor"
SESSION_SECONDS = 900  # the shortest that STS gives


class CannotAssume(TfkitError):
    """The caller may not take the role, which says nothing about what the role may do."""


@dataclass(frozen=True)
class RoleCloud(Cloud):
    """A cloud whose clients hold the temporary credentials of a role."""

    credentials: dict[str, Any] = field(default_factory=dict, repr=False)
    patience_s: float = 60.0

    @cached_property
    @override
    def session(self) -> "boto3.Session":
        """The boto3 session of the role; nothing of the caller's own configuration is in it."""
        import boto3

        return boto3.Session(
            aws_access_key_id=self.credentials["AccessKeyId"],
            aws_secret_access_key=self.credentials["SecretAccessKey"],
            aws_session_token=self.credentials["SessionToken"],
            region_name=self.region,
        )

    @override
    def _config(self) -> "Config":
        """Clients that wait as long as a slow model needs, and ask once: asking again costs again."""
        from botocore.config import Config

        return Config(
            retries={"mode": "standard", "max_attempts": 1},
            connect_timeout=10,
            read_timeout=self.patience_s,
            # Else boto3 prefers a Bedrock key of the user's (AWS_BEARER_TOKEN_BEDROCK) to the role.
            signature_version="v4",
            proxies={} if self.endpoint else None,
        )


def assume(cloud: Cloud, role_arn: str, patience_s: float = 60.0) -> RoleCloud:
    """The cloud under a role, whose clients wait `patience_s` seconds for an answer.

    Raises `CannotAssume` where the caller may not take it.
    """
    try:
        answer = cloud.client("sts").assume_role(
            RoleArn=role_arn, RoleSessionName=SESSION, DurationSeconds=SESSION_SECONDS
        )
    except AWS_ERRORS as error:
        refusal = explain(error, cloud)
        if refusal.kind == "denied":
            raise CannotAssume(
                f"you may not assume the agent's role {role_arn}",
                f"let an administrator allow you sts:AssumeRole on {role_arn}",
            ) from error
        raise CannotAssume(
            f"the agent's role {role_arn} could not be assumed: {refusal.detail}", refusal.fix
        ) from error
    return RoleCloud(
        target=cloud.target,
        region=cloud.region,
        account=cloud.account,
        partition=cloud.partition,
        endpoint=cloud.endpoint,
        credentials=answer["Credentials"],
        patience_s=patience_s,
    )

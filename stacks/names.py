"""Physical names and ARNs, all told by the configuration, so that they are known before anything exists."""

import re

from toolkit.contracts import PlatformConfig

BUCKET_NAME_LIMIT = 63
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""

PROFILE_NAME_LIMIT = 64
"""https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateInferenceProfile.html"""

IAM_NAME_LIMIT = 64
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


AUDIT, RUNS = "audit", "runs"
AGENT_ROLE, DELIVERY_ROLE, INVOKE_POLICY = "agent", "delivery", "invoke-models"


def check(config: PlatformConfig) -> None:
    """Raises a ValueError where the prefix makes one of the names too long."""
    for kind in (AUDIT, RUNS):
        bucket_name(config, kind)
    for kind in (AGENT_ROLE, DELIVERY_ROLE, INVOKE_POLICY):
        iam_name(config, kind)
    for model in config.registry.models:
        profile_name(config, model)


def name(config: PlatformConfig, kind: str) -> str:
    """The name of what is unique within a region of an account."""
    return f"{config.prefix}-{kind}"


def bucket_name(config: PlatformConfig, kind: str) -> str:
    """The name of a bucket, unique in the world; a ValueError says so where the prefix makes it too long."""
    return _limited(
        f"{config.prefix}-{kind}-{config.account}-{config.region}", BUCKET_NAME_LIMIT, "bucket", config
    )


def iam_name(config: PlatformConfig, kind: str) -> str:
    """The name of a role or policy. IAM is global, so the region is in it: two regions do not collide."""
    return _limited(f"{config.prefix}-{config.region}-{kind}", IAM_NAME_LIMIT, "role or policy", config)


def arn(config: PlatformConfig, service: str, resource: str) -> str:
    """The ARN of a resource in the platform's account and region."""
    return f"arn:{config.partition}:{service}:{config.region}:{config.account}:{resource}"


def bucket_arn(config: PlatformConfig, kind: str) -> str:
    """The ARN of a bucket of ours."""
    return f"arn:{config.partition}:s3:::{bucket_name(config, kind)}"


def profile_name(config: PlatformConfig, model: str) -> str:
    """The name of an inference profile: letters and digits with single separators between them."""
    text = re.sub(r"[^0-9a-zA-Z]+", "-", f"{config.prefix}-{model}").strip("-")
    return _limited(text, PROFILE_NAME_LIMIT, "inference profile", config)


def account_root(config: PlatformConfig) -> str:
    """The account as a principal: whoever in it is allowed the action by policies of their own."""
    return f"arn:{config.partition}:iam::{config.account}:root"


def function_name(config: PlatformConfig) -> str:
    """The agent's function."""
    return name(config, "agent")


def function_log_group(config: PlatformConfig) -> str:
    """Where Lambda writes the agent's logs, by its own convention."""
    return f"/aws/lambda/{function_name(config)}"


def stream_name(config: PlatformConfig) -> str:
    """The delivery stream of the audit records."""
    return name(config, "audit")


def stream_log_group(config: PlatformConfig) -> str:
    """Where Firehose says why it could not deliver."""
    return f"/aws/kinesisfirehose/{stream_name(config)}"


def registry_parameter(config: PlatformConfig) -> str:
    """The parameter that holds the registry of models."""
    return f"/{config.prefix}/models"


def named_tags(config: PlatformConfig, logical: str) -> dict[str, str]:
    """The tags of a resource whose id AWS makes up: its logical name makes it findable."""
    return {**config.all_tags, "tfkit:name": logical}


def _limited(text: str, limit: int, what: str, config: PlatformConfig) -> str:
    if len(text) > limit:
        raise ValueError(
            f"the {what} name {text!r} has {len(text)} characters and AWS allows {limit}: "
            f"shorten the prefix {config.prefix!r} by {len(text) - limit}"
        )
    return text

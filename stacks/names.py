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
CHECKER_ROLE, BUILD_ROLE, DIGEST_ROLE = "checker", "build", "digest"
USER, AUDITOR, OPERATOR, STATE = "user", "auditor", "operator", "state"
IAM_KINDS = (
    *(AGENT_ROLE, DELIVERY_ROLE, INVOKE_POLICY, CHECKER_ROLE, BUILD_ROLE, DIGEST_ROLE),
    *(USER, AUDITOR, OPERATOR, STATE),
)

ROLE_PATH = re.compile(r"/([!-.0-~]+/)*")
"""Slashes around printable characters: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"""

SECRET_NAME = re.compile(r"[a-z][a-z0-9_]*")

BUILD_PREFIX = "build/"
"""Where in the runs bucket the source archive of the image is put."""


def check(config: PlatformConfig) -> None:
    """Raises a ValueError where the prefix makes one of the names too long, or the role path is none."""
    for kind in (AUDIT, RUNS):
        bucket_name(config, kind)
    for kind in IAM_KINDS:
        iam_name(config, kind)
    if config.role_path and not ROLE_PATH.fullmatch(config.role_path):
        raise ValueError(f"the role path {config.role_path!r} must start and end with a slash, like /team/")
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


def role_arn(config: PlatformConfig, kind: str) -> str:
    """The ARN of a role of ours; the path is a part of it."""
    path = config.role_path or "/"
    return f"arn:{config.partition}:iam::{config.account}:role{path}{iam_name(config, kind)}"


def policy_arn(config: PlatformConfig, kind: str) -> str:
    """The ARN of a managed policy of ours."""
    path = config.role_path or "/"
    return f"arn:{config.partition}:iam::{config.account}:policy{path}{iam_name(config, kind)}"


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


def function_arn(config: PlatformConfig, function: str) -> str:
    """The ARN of a function of ours."""
    return arn(config, "lambda", f"function:{function}")


def checker_name(config: PlatformConfig) -> str:
    """The function in which what a model wrote is checked."""
    return name(config, "checker")


def checker_log_group(config: PlatformConfig) -> str:
    """Where Lambda writes the checker's logs."""
    return f"/aws/lambda/{checker_name(config)}"


def digest_name(config: PlatformConfig) -> str:
    """The function that signs what the audit bucket holds, and the rule that calls it."""
    return name(config, "digest")


def digest_log_group(config: PlatformConfig) -> str:
    """Where Lambda writes the logs of that function."""
    return f"/aws/lambda/{digest_name(config)}"


def build_name(config: PlatformConfig) -> str:
    """The project that builds the agent's image."""
    return name(config, "build")


def build_log_group(config: PlatformConfig) -> str:
    """Where the builds of the image log."""
    return f"/aws/codebuild/{build_name(config)}"


def runs_table_arn(config: PlatformConfig) -> str:
    """The table of runs and conversations."""
    return arn(config, "dynamodb", f"table/{name(config, 'runs')}")


def dead_letters(config: PlatformConfig) -> str:
    """The queue of requests that the function could not take."""
    return name(config, "dead-letters")


def alarms_topic(config: PlatformConfig) -> str:
    """The topic that tells of alarms."""
    return name(config, "alarms")


def stream_name(config: PlatformConfig) -> str:
    """The delivery stream of the audit records."""
    return name(config, "audit")


def stream_log_group(config: PlatformConfig) -> str:
    """Where Firehose says why it could not deliver."""
    return f"/aws/kinesisfirehose/{stream_name(config)}"


def registry_parameter(config: PlatformConfig) -> str:
    """The parameter that holds the registry of models."""
    return f"/{config.prefix}/models"


def directory_parameter(config: PlatformConfig) -> str:
    """The parameter that holds the platform's outputs."""
    return f"/{config.prefix}/platform"


def directory_arn(config: PlatformConfig) -> str:
    """The ARN of the parameter of the outputs."""
    return arn(config, "ssm", f"parameter{directory_parameter(config)}")


def registry_arn(config: PlatformConfig) -> str:
    """The ARN of the registry's parameter."""
    return arn(config, "ssm", f"parameter{registry_parameter(config)}")


def secret_parameter(config: PlatformConfig, secret: str) -> str:
    """The encrypted parameter that holds a provider's key; a ValueError for a name that cannot be one."""
    if not SECRET_NAME.fullmatch(secret):
        raise ValueError(f"the secret's name {secret!r} must be lower-case letters, digits and underscores")
    return f"/{config.prefix}/secrets/{secret}"


def secret_arn(config: PlatformConfig, secret: str) -> str:
    """The ARN of a secret's parameter."""
    return arn(config, "ssm", f"parameter{secret_parameter(config, secret)}")


def database_name(config: PlatformConfig) -> str:
    """The database in Glue's catalogue: lower case, with underscores, as Athena wants it.

    https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
    """
    return re.sub(r"[^0-9a-z]+", "_", config.prefix.lower())


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

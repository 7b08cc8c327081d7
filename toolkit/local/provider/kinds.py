"""The types that this provider knows, by token: exactly those that `stacks/` uses."""

from toolkit.local.provider.errors import ProviderError
from toolkit.local.provider.kind import Kind
from toolkit.local.provider.services import (
    bedrock,
    cloudwatch,
    codebuild,
    dynamodb,
    ecr,
    eventbridge,
    firehose,
    glue,
    iam,
    iam_policies,
    kms,
    lambda_,
    lambda_settings,
    logs,
    s3,
    s3_settings,
    sns,
    sqs,
    ssm,
)

SERVICES = (
    *(bedrock, cloudwatch, codebuild, dynamodb, ecr, eventbridge, firehose, glue, iam, iam_policies, kms),
    *(lambda_, lambda_settings, logs, s3, s3_settings, sns, sqs, ssm),
)

KINDS: dict[str, Kind] = {kind.type_name: kind for service in SERVICES for kind in service.KINDS}


def kind_of(token: str) -> Kind:
    """The type of a token; raises `ProviderError` that names a token nobody knows."""
    kind = KINDS.get(token)
    if kind is None:
        raise ProviderError(
            f"tfkit's provider for the emulator does not know {token}",
            "it knows the types that tfkit's own stacks use; deploy this with --target aws",
        )
    return kind

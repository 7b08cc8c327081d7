"""For those who prefer plain `pulumi up`: the same program, configured by `Pulumi.<stack>.yaml`."""

from importlib.metadata import version

import msgspec
import pulumi
import pulumi_aws as aws

from stacks.program import platform
from toolkit.contracts import PlatformConfig, Registry, default_registry

CHECKER_HANDLER = "toolkit.checker.handler.handler"
"""The image's entry for the checker, as `toolkit.deploy.plan` has it: without one, the agent would evaluate
what a model wrote beside its own credentials."""


def config_of(settings: pulumi.Config) -> PlatformConfig:
    """What the settings say, and where the caller's credentials lead."""
    stack = pulumi.get_stack()
    region = aws.get_region().region
    registry = settings.get("registry")
    return PlatformConfig(
        stack=stack,
        account=aws.get_caller_identity().account_id,
        region=region,
        partition=aws.get_partition().partition,
        prefix=settings.get("prefix") or f"tfkit-{stack}",
        version=version("tfkit-platform"),
        registry=msgspec.json.decode(registry, type=Registry) if registry else default_registry(region),
        email=settings.get("email") or "",
        daily_token_limit=settings.get_int("dailyTokenLimit") or 1_000_000,
        permissions_boundary=settings.get("permissionsBoundary") or "",
        role_path=settings.get("rolePath") or "",
        kms_key_arn=settings.get("kmsKeyArn") or "",
        log_bucket=settings.get("logBucket") or "",
        reserved_concurrency=-1
        if (reserved := settings.get_int("reservedConcurrency")) is None
        else reserved,
        checker_handler=settings.get("checkerHandler") or CHECKER_HANDLER,
        checker_subnet_ids=settings.get_object("checkerSubnetIds") or [],
        checker_security_group_ids=settings.get_object("checkerSecurityGroupIds") or [],
    )


def secrets_of(settings: pulumi.Config) -> dict[str, pulumi.Output[str]]:
    """The keys of model providers that were set with `pulumi config set --secret`."""
    mistral = settings.get_secret("mistralKey")
    return {"mistral": mistral} if mistral else {}


def main() -> None:
    """Runs the program; the image must be in the repository under the tag that `tfkit:imageTag` names."""
    settings = pulumi.Config()
    tag = settings.require("imageTag")
    platform(config_of(settings), lambda repository: f"{repository}:{tag}", secrets_of(settings))()


if __name__ == "__main__":
    main()

"""For those who prefer plain `pulumi up`: the same program, configured by `Pulumi.<stack>.yaml`."""

from importlib.metadata import version

import msgspec
import pulumi
import pulumi_aws as aws

from stacks.program import platform
from toolkit.contracts import PlatformConfig, Registry


def config_of(settings: pulumi.Config) -> PlatformConfig:
    """What the settings say, and where the caller's credentials lead."""
    stack = pulumi.get_stack()
    return PlatformConfig(
        stack=stack,
        account=aws.get_caller_identity().account_id,
        region=aws.get_region().region,
        partition=aws.get_partition().partition,
        prefix=settings.get("prefix") or f"tfkit-{stack}",
        version=version("tfkit-platform"),
        registry=msgspec.json.decode(settings.require("registry"), type=Registry),
        email=settings.get("email") or "",
        daily_token_limit=settings.get_int("dailyTokenLimit") or 1_000_000,
        permissions_boundary=settings.get("permissionsBoundary") or "",
    )


def main() -> None:
    """Runs the program; the image must be in the repository under the tag that `tfkit:imageTag` names."""
    settings = pulumi.Config()
    tag = settings.require("imageTag")
    platform(config_of(settings), lambda repository: f"{repository}:{tag}")()


if __name__ == "__main__":
    main()

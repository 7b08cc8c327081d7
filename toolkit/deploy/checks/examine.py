"""Which checks there are, for which target, and in which order they are run."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from botocore.exceptions import UnknownRegionError

from toolkit.cloud import Cloud
from toolkit.contracts import Registry, StackOutputs, default_registry
from toolkit.deploy.aws_identity import profile_region
from toolkit.deploy.checks import account, bedrock, machine, models, quotas
from toolkit.deploy.checks.check import Check, run_check, run_checks
from toolkit.deploy.checks.refusals import AWS_ERRORS, explain
from toolkit.errors import NothingDeployed
from toolkit.settings import DEFAULT_REGION, Settings

MACHINE: dict[str, Callable[[Settings], Check]] = {
    "python": machine.python,
    "terraform": machine.terraform,
    "provider": machine.provider,
    "packages": machine.packages,
    "home": machine.home,
    "port": machine.port,
    "emulator": machine.emulator,
    "pulumi": machine.pulumi,
    "docker": machine.docker,
    "sandbox": machine.sandbox,
}

AWS_MACHINE: dict[str, Callable[[Settings], Check]] = {
    "python": machine.python,
    "terraform": machine.terraform,
    "packages": machine.packages,
    "home": machine.home,
    "pulumi": machine.pulumi,
    "docker": machine.docker,
    "image pins": machine.image_pins,
}


class Deployed(NamedTuple):
    """The platform of the settings, as far as there is one; without it `outputs` is None."""

    cloud: Cloud
    outputs: StackOutputs | None
    registry: Registry

    @property
    def agent_role_arn(self) -> str:
        """The role of a run; empty where nothing is deployed."""
        return self.outputs.agent_role_arn if self.outputs else ""

    @property
    def mistral_key_parameter(self) -> str:
        """Where Mistral's key is, if the platform has one; empty where nothing is deployed."""
        # As `stacks.names` has it: beside the registry, under the platform's prefix.
        return f"{self.outputs.registry_parameter.rpartition('/')[0]}/secrets/mistral" if self.outputs else ""


def examine(settings: Settings, announce: Callable[[Cloud], None]) -> list[Check]:
    """Run every check of the target. `announce` is told which account and region are spoken to."""
    if settings.target == "local":
        return run_checks({name: partial(check, settings) for name, check in MACHINE.items()})
    here = run_checks({name: partial(check, settings) for name, check in AWS_MACHINE.items()})
    return here + examine_account(settings, announce)


def examine_account(settings: Settings, announce: Callable[[Cloud], None]) -> list[Check]:
    """The checks of an account. Without credentials there is one more than theirs, which says so."""
    place, who = _who(settings)
    if place is None or not who.ok:
        unseen = "not looked at without credentials: the account, its region, Bedrock and the quotas"
        return [who, Check("account", False, unseen, who.fix)]
    cloud = callers_account(place, settings)
    announce(cloud)
    first = run_checks(
        {
            "account": partial(account.account, cloud, settings),
            "region": partial(account.region, cloud, settings),
            "bedrock": partial(account.bedrock_region, cloud),
        }
    )
    if not all(check.ok for check in first):
        return [who, *first]  # in the wrong place every further answer would be about something else
    return [who, *first, *_of_the_platform(cloud, settings)]


def _of_the_platform(cloud: Cloud, settings: Settings) -> list[Check]:
    found: list[Deployed] = []

    def platform() -> Check:
        found.append(deployed_on_aws(settings, cloud))
        outputs = found[0].outputs
        said = f"tfkit {outputs.version} is deployed" if outputs else "nothing is deployed yet: tfkit up"
        return Check("platform", True, f"{said} (stack {settings.stack})")

    there = run_check("platform", platform)
    platform_found = found[0] if found else Deployed(cloud, None, default_registry(cloud.region))
    return [there, *run_checks(account_checks(platform_found, settings))]


def account_checks(deployed: Deployed, settings: Settings) -> dict[str, Callable[[], Check]]:
    """The checks of models and quotas, ready to run."""
    cloud, role, registry = deployed.cloud, deployed.agent_role_arn, deployed.registry
    needed = {registry.default, *registry.models[registry.default].fallbacks}
    checks: dict[str, Callable[[], Check]] = {}
    for name, entry in registry.models.items():
        if entry.provider != "bedrock":  # a key for a model that nobody uses is nothing that is missing
            if name in needed:
                checks[name] = partial(models.usable, deployed, name, settings)
            continue
        checks[f"agreement {name}"] = partial(bedrock.agreement, cloud, name, entry)
        checks[name] = partial(bedrock.answers, cloud, name, entry, deployed=bool(role))
        if role:
            checks[f"{name} as agent"] = partial(bedrock.as_agent, cloud, role, name, entry, settings)
    checks["lambda concurrency"] = partial(quotas.lambda_concurrency, cloud)
    checks["lambda memory"] = partial(quotas.lambda_memory, cloud)
    checks["bedrock quotas"] = partial(quotas.bedrock_rates, cloud, registry)
    checks["s3 buckets"] = partial(quotas.s3_buckets, cloud, deployed=deployed.outputs is not None)
    return checks


def callers_place(settings: Settings) -> Cloud:
    """The region of the settings, else of the profile, and its partition; asks nobody.

    As `aws_identity.find_cloud`, but a pin that is broken is no refusal here: a check tells it. And an
    opted-out region is none either, because whose credentials they are is asked elsewhere.
    """
    session = Cloud(target="aws", region="", account="", profile=settings.profile).session
    region = settings.region or settings.pin_region or profile_region(settings)
    try:
        partition = session.get_partition_for_region(region)
    except UnknownRegionError:
        partition = "aws"  # the check of the region says what is wrong with it
    return Cloud(target="aws", region=region, account="", partition=partition, profile=settings.profile)


def callers_account(place: Cloud, settings: Settings) -> Cloud:
    """The same place with the account of the credentials, which AWS has to know.

    A stack of this account that was brought up elsewhere is looked for where it lives, as by every command.
    """
    from toolkit.deploy.remembered import SETTINGS, kept

    who = account.always_on(place).client("sts").get_caller_identity()
    lives = kept(settings.folder / "aws" / who["Account"] / settings.stack, SETTINGS).get("region", "")
    region = settings.region or settings.pin_region or lives or place.region
    return dataclasses.replace(place, account=who["Account"], region=region)


def _who(settings: Settings) -> tuple[Cloud | None, Check]:
    try:
        place = callers_place(settings)
    except AWS_ERRORS as error:  # a profile that is not there
        named = Cloud(target="aws", region=DEFAULT_REGION, account="", profile=settings.profile)
        refusal = explain(error, named)
        return None, Check("credentials", False, refusal.detail, refusal.fix)
    return place, run_check("credentials", partial(account.credentials, place))


def deployed_on_aws(settings: Settings, cloud: Cloud) -> Deployed:
    """The platform of the settings, or what one would be made with. Raises what opening it raises."""
    from toolkit.client import Client
    from toolkit.deploy.platform import Platform

    try:
        platform = Platform(settings)
        outputs = platform.outputs()
    except NothingDeployed:
        return Deployed(cloud, None, default_registry(cloud.region))
    return Deployed(platform.cloud, outputs, Client(platform.cloud, outputs).registry())

"""Whether a model of the registry can be used, whoever serves it: what `models check` asks of each."""

from typing import TYPE_CHECKING

from toolkit.deploy.checks import bedrock, mistral
from toolkit.deploy.checks.check import Check
from toolkit.errors import UsageError
from toolkit.registry import chain
from toolkit.settings import Settings

if TYPE_CHECKING:
    from toolkit.deploy.checks.examine import Deployed


def usable(deployed: "Deployed", name: str, settings: Settings) -> Check:
    """Whether a run could use the model, and those that it falls back to are there."""
    cloud, role_arn, entry = deployed.cloud, deployed.agent_role_arn, deployed.registry.models[name]
    try:
        chain(deployed.registry, name)
    except UsageError as wrong:
        return Check(name, False, wrong.message, wrong.hint)
    if entry.provider == "mistral":
        return mistral.usable(cloud, role_arn, deployed.mistral_key_parameter, name, entry, settings)
    if role_arn and not entry.profile:
        return Check(name, False, "it has no inference profile yet, which its role calls it by", "tfkit up")
    return bedrock.usable(cloud, role_arn, name, entry, settings)

"""The keys of model providers other than Bedrock: given once, kept in the platform.

A key comes by the environment (`TFKIT_MISTRAL_KEY`) to an `up`, which puts it into an encrypted parameter.
A later `up` without the variable leaves it as it is, so what is deployed is read back; the value `none`
takes it away.
"""

from collections.abc import Iterable, Mapping

from toolkit.cloud import Cloud
from toolkit.deploy.state import Resource
from toolkit.deploy.wire import SECRET, SIGNATURE
from toolkit.settings import PROVIDER_KEYS

TAKE_AWAY = "none"


def chosen(given: Mapping[str, str], deployed: Mapping[str, str]) -> dict[str, str]:
    """The keys that the platform shall have, by provider."""
    return {name: key for name, key in {**deployed, **given}.items() if key != TAKE_AWAY}


def keys_in_account(cloud: Cloud, prefix: str) -> dict[str, str]:
    """The keys that a deployed platform has, from its parameters.

    Raises botocore's `ClientError` for anything but a parameter that is not there: to take "I may not look"
    for "there is none" would delete the key.
    """
    ssm = cloud.client("ssm")
    keys = {}
    for provider in PROVIDER_KEYS.values():
        try:
            answer = ssm.get_parameter(Name=f"/{prefix}/secrets/{provider}", WithDecryption=True)
        except ssm.exceptions.ParameterNotFound:
            continue
        keys[provider] = str(answer["Parameter"]["Value"])
    return keys


def keys_in_state(resources: Iterable[Resource]) -> dict[str, str]:
    """The keys that the state of the embedded engine knows, which outlives the emulator's parameters."""
    values = {resource.name: resource.inputs.get("value") for resource in resources}
    found = {provider: values.get(f"secret-{provider}") for provider in PROVIDER_KEYS.values()}
    return {provider: str(_revealed(value)) for provider, value in found.items() if value}


def _revealed(value: object) -> object:
    if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
        return value.get("value", "")
    return value

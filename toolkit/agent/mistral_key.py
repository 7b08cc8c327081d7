"""Mistral's key, which the agent's role reads at run time out of an encrypted parameter."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from toolkit.errors import PlatformError, UsageError

NO_KEY = "none"
"""What is sent to an endpoint that the platform's key is not for: the SDK wants one."""


def provider_key(ssm: Any, parameter: str, name: str) -> str:
    """Mistral's key out of its encrypted parameter, for the model of this name.

    Raises `UsageError` where the platform has none (an empty `parameter`), `PlatformError` where it cannot be
    read.
    """
    if not parameter:
        raise UsageError(
            f"{name} needs a key of Mistral's, and the platform has none",
            "give it one: TFKIT_MISTRAL_KEY=… tfkit up; or choose another model with -m",
        )
    try:
        return str(ssm.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"])
    except (ClientError, BotoCoreError) as error:
        raise PlatformError(f"Mistral's key ({parameter}) cannot be read: {error}", "tfkit up") from error

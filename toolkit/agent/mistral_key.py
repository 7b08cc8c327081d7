"""Mistral's key, which the agent's role reads at run time out of an encrypted parameter."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from toolkit.contracts import ModelEntry
from toolkit.errors import PlatformError, UsageError

NO_KEY = "none"
"""What is sent to an endpoint of the user's own where the platform has no key."""


def provider_key(ssm: Any, parameter: str, entry: ModelEntry, name: str) -> str:
    """Mistral's key out of its encrypted parameter, whose name is empty where the platform has none.

    Raises `UsageError` where there is none, `PlatformError` where it cannot be read.
    """
    if not parameter:
        if entry.endpoint:
            return NO_KEY
        raise UsageError(
            f"{name} needs a key of Mistral's, and the platform has none",
            "give it one: TFKIT_MISTRAL_KEY=… tfkit up; or choose another model with -m",
        )
    try:
        return str(ssm.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"])
    except (ClientError, BotoCoreError) as error:
        raise PlatformError(f"Mistral's key ({parameter}) cannot be read: {error}", "tfkit up") from error

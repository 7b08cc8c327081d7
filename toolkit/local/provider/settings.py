"""The provider's own settings (`aws:region` and its kin): taken, without effect here, or refused."""

from toolkit.local.provider.wire import Props

WITHOUT_EFFECT = frozenset(
    {
        "accessKey",
        "endpoints",
        "profile",
        "s3UsePathStyle",
        "secretKey",
        "skipCredentialsValidation",
        "skipMetadataApiCheck",
        "skipRegionValidation",
        "skipRequestingAccountId",
        "token",
        "version",
    }
)
"""They say how AWS is reached; here it is always the emulator, with its own key."""


def region_of(given: Props) -> str:
    """The region that the settings name, or nothing."""
    return str(given.get("region", ""))


def settings_of(given: Props) -> tuple[str, list[tuple[str, str]]]:
    """The region (or nothing), and what is refused as (name, reason): settings that change the resources."""
    refused = [
        (name, f"tfkit's provider for the emulator does not know the provider setting {name}")
        for name, value in given.items()
        if name != "region" and name not in WITHOUT_EFFECT and value not in (None, "", [], {})
    ]
    return region_of(given), refused

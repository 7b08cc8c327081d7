"""The settings of one invocation, read once: flags, then `TFKIT_*`, then `./tfkit.toml`, then defaults.

`Settings` is frozen and is handed down; nothing below the command line reads the environment for it.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from toolkit.contracts import Shape
from toolkit.errors import UsageError

DEFAULT_REGION = "us-east-1"
FILE = "tfkit.toml"
ENVIRONMENT = "TFKIT_"
STACK_NAME = re.compile(r"^[a-z][a-z0-9-]{0,19}$")

AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]

# Environment variables that are not settings of a platform but of the machine or of a child process.
NOT_SETTINGS = {"TFKIT_PROVIDER_MIRROR", "TFKIT_LLM_API_KEY", "TFKIT_EMULATOR_ENDPOINT"}


class Settings(Shape, frozen=True):
    """What the user asked for. Field names are the keys of `tfkit.toml`; `TFKIT_STACK` sets `stack`.

    An empty `region`, `engine` or `llm` means: as at the last `up` of this stack, else the default.
    `pin_account` and `pin_region` guard against the wrong one: any other is refused before anything happens.
    """

    target: Literal["local", "aws"] = "local"
    engine: Literal["", "embedded", "pulumi"] = ""
    stack: str = "dev"
    region: Annotated[str, msgspec.Meta(pattern=r"^(|[a-z]{2,3}(-[a-z]+)+-[0-9]+)$")] = ""
    profile: str = ""
    pin_account: str = ""
    pin_region: str = ""
    home: str = ""
    email: str = ""
    tags: dict[str, str] = {}
    permissions_boundary: str = ""
    role_path: Annotated[str, msgspec.Meta(pattern=r"^(|/([\x21-\x7e]+/)?)$")] = ""
    kms_key_arn: str = ""
    log_bucket: str = ""
    reserved_concurrency: Annotated[int, msgspec.Meta(ge=-1)] = -1
    log_retention_days: AtLeastOne = 30
    lock_mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"
    lock_days: AtLeastOne = 7
    runs_expire_days: AtLeastOne = 90
    daily_token_limit: AtLeastOne = 1_000_000
    llm: Annotated[str, msgspec.Meta(pattern=r"^(|none|https?://[^\s/]+\S*)$")] = ""
    llm_model: str = ""
    llm_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 120.0

    @property
    def folder(self) -> Path:
        """TFKIT_HOME: where everything on this machine lies; by default the platform's user data folder."""
        if self.home:
            return Path(self.home).expanduser().absolute()
        import platformdirs  # only needed without TFKIT_HOME, and not free to import

        return Path(platformdirs.user_data_dir("tfkit", appauthor=False))

    @property
    def stack_folder(self) -> Path:
        """What belongs to this stack on this target."""
        return self.folder / self.target / self.stack


def load(
    flags: Mapping[str, Any], environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Settings:
    """Read the settings. Flags that are None were not given.

    Raises `UsageError` for an unknown key or a value of the wrong form, naming where it stands.
    """
    environment = os.environ if environment is None else environment
    from_file, where = _file(cwd or Path.cwd())
    from_env = {
        key.removeprefix(ENVIRONMENT).lower(): value
        for key, value in environment.items()
        if key.startswith(ENVIRONMENT) and key not in NOT_SETTINGS and value
    }
    given = {key: value for key, value in flags.items() if value is not None}
    _known(from_file, where)
    _known(from_env, "the environment", prefix=ENVIRONMENT)
    settings = _convert({**from_file, **from_env, **given}, where)
    if settings.pin_region and settings.region not in ("", settings.pin_region):
        raise UsageError(
            f"region {settings.region} differs from the pinned one, {settings.pin_region}",
            f"use --region {settings.pin_region}, or change pin_region in {where}",
        )
    return settings


def _file(cwd: Path) -> tuple[dict[str, Any], str]:
    path = cwd / FILE
    if not path.is_file():
        return {}, FILE
    try:
        return tomllib.loads(path.read_text("utf-8")), str(path)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise UsageError(f"{path} is not valid TOML: {broken}") from broken


def _known(values: Mapping[str, Any], where: str, prefix: str = "") -> None:
    fields = Settings.__struct_fields__
    for key in values:
        if key not in fields:
            shown = prefix + key.upper() if prefix else key
            raise UsageError(f"unknown setting {shown} in {where}", "known are: " + ", ".join(sorted(fields)))


def _convert(values: dict[str, Any], where: str) -> Settings:
    if isinstance(values.get("tags"), str):
        parts = [part.strip() for part in values["tags"].split(",") if part.strip()]
        if not all("=" in part for part in parts):
            raise UsageError(f"{values['tags']!r} are no tags", "use TFKIT_TAGS=team=platform,cost=42")
        values["tags"] = dict(part.split("=", 1) for part in parts)
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as wrong:
        raise UsageError(
            f"a setting has a value that it cannot have: {wrong}", f"see the flags and {where}"
        ) from wrong
    if reserved := [key for key in settings.tags if key.lower().startswith(("aws:", "tfkit:"))]:
        raise UsageError(f"a tag cannot begin with aws: or tfkit: ({reserved[0]})", f"change tags in {where}")
    if not STACK_NAME.fullmatch(settings.stack):
        raise UsageError(
            f"{settings.stack!r} cannot name a stack",
            "use a lower-case letter, then up to 19 lower-case letters, digits and hyphens",
        )
    return settings

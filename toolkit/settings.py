"""The settings of one invocation, read once: flags, then `TFKIT_*`, then `./tfkit.toml`, then defaults.

`Settings` is frozen and is handed down; nothing below the command line reads the environment for it.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from toolkit import setting_forms as form
from toolkit.checker.selection import ValidatorSettings
from toolkit.contracts import (
    BUDGET_SECONDS,
    BUDGET_TOKENS,
    BUDGET_TOOL_CALLS,
    BUDGET_TURNS,
    RehearseDepth,
    Shape,
)
from toolkit.errors import UsageError
from toolkit.setting_sources import Given, blame, from_environment, from_file, from_flags

DEFAULT_REGION = "us-east-1"
FILE = "tfkit.toml"
ENVIRONMENT = "TFKIT_"
# Environment variables that are not settings of a platform but of the machine or of a child process.
NOT_SETTINGS = {
    "TFKIT_PROVIDER_MIRROR", "TFKIT_LLM_API_KEY", "TFKIT_EMULATOR_ENDPOINT", "TFKIT_TOOLS", "TFKIT_OPA",
    "TFKIT_GITHUB_API",
}  # fmt: skip

# Keys of model providers other than Bedrock, by the provider's name. They come from the environment alone,
# because a file that lies in a repository is no place for them.
PROVIDER_KEYS = {"TFKIT_MISTRAL_KEY": "mistral"}

PROVIDER_KEY = re.compile(r"[!-~]{1,4096}")
"""It travels in an HTTP header and lies in a standard parameter, which takes 4 KB:
https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"""

HIDDEN = {"llm", "backend", "otlp_endpoint", "otlp_headers_parameter"}
"""Settings that may hold a password, as a URL can, or a header by mistake; no message shows their value."""


class Settings(Shape, frozen=True):
    """What the user asked for. Field names are the keys of `tfkit.toml`; `TFKIT_STACK` sets `stack`.

    An empty `region`, `engine`, `prefix`, `llm` or `validator_names` means: as at the last `up` of this
    stack, else the default. `validators` are the settings of each, `validator_names` has exactly these run;
    `rehearse` is how deep the rehearsal goes, where nothing is said with a run.
    `unsandboxed` has a run's code checked also where no sandbox holds the tools. Without `include_content`
    nothing that a model or a tool said is in the trace; spans also go to `otlp_endpoint`, a base URL, with
    the headers (`name=value,name=value`) that the parameter or secret `otlp_headers_parameter` holds.
    The `budget_` settings are of one run and are asked for with it; the daily ones, of all runs together and
    of those of one caller, are deployed by `up` and hold whatever a run asks for. None is no limit.
    `pin_account` and `pin_region` guard against the wrong one: any other is refused before anything happens.
    On the aws target `traces` fetches `traces_local_mb` megabytes at most; for more it asks Athena.
    `backend` and `secrets_provider` are Pulumi's, for the aws target: where the state lies, and what encrypts
    the secrets in it.
    """

    target: Literal["local", "aws"] = "local"
    engine: Literal["", "embedded", "pulumi"] = ""
    stack: form.StackName = "dev"
    region: form.Region = ""
    profile: str = ""
    pin_account: form.Account = ""
    pin_region: form.Region = ""
    home: str = ""
    prefix: form.Prefix = ""
    backend: str = ""
    secrets_provider: str = ""
    email: form.Email = ""
    tags: Annotated[form.Tags, msgspec.Meta(max_length=form.TAG_COUNT, description=form.TAG_WORDS)] = {}
    permissions_boundary: form.PolicyArn = ""
    role_path: form.RolePath = ""
    kms_key_arn: form.KeyArn = ""
    log_bucket: form.BucketName = ""
    reserved_concurrency: form.Reserved = -1
    log_retention_days: form.LogDays = 30
    lock_mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"
    lock_days: form.LockDays = 7
    runs_expire_days: form.Days = 90
    daily_token_limit: form.Count = 1_000_000
    daily_budget_usd: form.Dollars = None
    caller_daily_budget_usd: form.Dollars = None
    budget_turns: form.Count = BUDGET_TURNS
    budget_tool_calls: form.Count = BUDGET_TOOL_CALLS
    budget_tokens: form.Count = BUDGET_TOKENS
    budget_usd: form.Dollars = None
    budget_seconds: form.RunSeconds = BUDGET_SECONDS
    alarm_errors: form.Count = 3
    alarm_throttles: form.Count = 1
    alarm_dead_letters: form.Count = 1
    alarm_freshness_s: form.Freshness = 900
    traces_local_mb: form.Count = 2000
    checker_subnet_ids: form.Subnets = []
    checker_security_group_ids: form.SecurityGroups = []
    image_plugins: list[str] = []
    image_providers: dict[str, str] = {}
    image_pins: str = ""
    image_allow_tags: bool = False
    provider_keys: dict[str, str] = {}
    validators: dict[str, ValidatorSettings] = {}
    validator_names: list[str] = []
    rehearse: RehearseDepth = "plan"
    include_content: bool = True
    otlp_endpoint: form.Url = ""
    otlp_headers_parameter: form.SecretPlace = ""
    unsandboxed: bool = False
    llm: form.ModelUrl = ""
    llm_model: str = ""
    llm_timeout_s: form.ModelSeconds = 120.0

    def __repr__(self) -> str:
        """Without the keys of providers, which no message and no traceback may show."""
        return f"Settings(target={self.target!r}, stack={self.stack!r}, region={self.region!r})"

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

    Raises `UsageError` for an unknown key or a value that cannot be: as which name it was given, where, and
    what is allowed.
    """
    environment = os.environ if environment is None else environment
    settable = {field.name: field.default_factory for field in msgspec.structs.fields(Settings)}
    del settable["provider_keys"]
    variables = {
        name: value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT) and name not in {*NOT_SETTINGS, *PROVIDER_KEYS}
    }
    given = {
        **from_file((cwd or Path.cwd()) / FILE, settable),
        **from_environment(variables, ENVIRONMENT, settable),
        **from_flags(flags),
    }
    settings = _convert(given)
    for name, why, hint in _contradictions(settings, given):
        raise UsageError(f"{given[name]} {why}", hint)
    return msgspec.structs.replace(settings, provider_keys=_provider_keys(environment))


def _convert(given: Mapping[str, Given]) -> Settings:
    values = {name: one.value for name, one in given.items()}
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as wrong:
        raise blame(given, Settings, HIDDEN) from wrong


def _provider_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The keys of other providers; what is wrong with one is said without showing it."""
    given = {name: environment.get(name) or "" for name in PROVIDER_KEYS}
    for name, key in given.items():
        if key and not PROVIDER_KEY.fullmatch(key):
            raise UsageError(
                f"{name} in the environment is no key: it is blank or too long, or a space, a line feed or "
                "another character that no key has is in it",
                f"set it to the key alone, or to none, which takes the platform's away: {name}=none",
            )
    return {PROVIDER_KEYS[name]: key for name, key in given.items() if key}


def _contradictions(settings: Settings, given: Mapping[str, Given]) -> Iterator[tuple[str, str, str]]:
    """What a form cannot say: the setting, what is wrong with it, and what to do."""
    if settings.reserved_concurrency == 0:
        why = "cannot be 0, with which nothing would run until somebody changes it"
        yield "reserved_concurrency", why, f"it must be {form.RESERVED_WORDS}"
    same = {key.lower(): key for key in settings.tags}
    for key in settings.tags:
        if key.lower().startswith(("aws:", "tfkit:")):
            yield "tags", f"cannot have {key!r}", "a tag cannot begin with aws: or tfkit:"
        if (other := same[key.lower()]) != key:
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html (case sensitivity)
            yield "tags", f"cannot have both {key!r} and {other!r}", "for IAM these are one: keep one of them"
    if settings.pin_region and settings.region not in ("", settings.pin_region):
        yield (
            "region",
            f"is {settings.region}, which differs from the pinned one, {settings.pin_region}",
            f"use --region {settings.pin_region}, or change {given['pin_region']}",
        )

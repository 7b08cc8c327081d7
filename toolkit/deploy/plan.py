"""What a platform is going to be: settings and an account become a `PlatformConfig`, which is plain data."""

import hashlib
import os
import re
import sys
from pathlib import Path

from toolkit import __version__
from toolkit.checker import selection
from toolkit.cloud import Cloud
from toolkit.contracts import (
    MISTRAL_MODELS,
    ModelEntry,
    PlatformConfig,
    Price,
    Registry,
    default_registry,
    made_registry,
)
from toolkit.registry import merged
from toolkit.settings import Settings

PROJECT = "tfkit"
COMPOSER = "offline-composer"
COMPOSER_ID = "tfkit.offline-composer-v1"

CHECKER_HANDLER = "toolkit.checker.handler.handler"
"""The entry of the function that checks what a model wrote. On a laptop the same code runs in a child."""

OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""As OpenTelemetry calls it; `toolkit.agent.config` reads it."""

HANDLER = '''\
"""tfkit's agent, from the environment in which the emulator runs. Source {digest}."""

from toolkit.agent.handler import handler

__all__ = ["handler"]
'''


def platform_config(settings: Settings, cloud: Cloud, deployed: Registry | None = None) -> PlatformConfig:
    """The whole plan for one stack in one account; of the `deployed` registry it keeps what is the user's.

    Raises `UsageError` for a policy file that cannot be read, for settings that have no room in a function,
    and, where the runs are on this machine, for a validator that is not installed.
    """
    local = settings.target == "local"
    return PlatformConfig(
        stack=settings.stack,
        account=cloud.account,
        region=cloud.region,
        partition=cloud.partition,
        prefix=settings.prefix,
        version=__version__,
        registry=merged(local_registry(settings) if local else default_registry(cloud.region), deployed),
        tags=settings.tags,
        agent_zip={"index.py": HANDLER.format(digest=source_digest())} if local else {},
        agent_runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        agent_environment=_agent_environment(settings),
        log_retention_days=settings.log_retention_days,
        lock_mode=settings.lock_mode,
        lock_days=settings.lock_days,
        runs_expire_days=settings.runs_expire_days,
        daily_token_limit=settings.daily_token_limit,
        email=settings.email,
        permissions_boundary=settings.permissions_boundary,
        role_path=settings.role_path,
        kms_key_arn=settings.kms_key_arn,
        log_bucket=settings.log_bucket,
        reserved_concurrency=settings.reserved_concurrency,
        checker_handler="" if local else CHECKER_HANDLER,
        checker_subnet_ids=settings.checker_subnet_ids,
        checker_security_group_ids=settings.checker_security_group_ids,
        otlp_headers_parameter=settings.otlp_headers_parameter,
        alarm_errors=settings.alarm_errors,
        alarm_throttles=settings.alarm_throttles,
        alarm_dead_letters=settings.alarm_dead_letters,
        alarm_freshness_s=settings.alarm_freshness_s,
        # The emulator's retention is no evidence (it forgets it), and `down` leaves nothing there.
        force_destroy=local,
    )


def local_registry(settings: Settings) -> Registry:
    """The composer, Mistral's models, and the user's own where there is one, which is the default then."""
    models = {
        COMPOSER: ModelEntry(
            provider="bedrock", id=COMPOSER_ID, price=Price(input=0.0, output=0.0), takes=()
        ),
        **MISTRAL_MODELS,
    }
    if settings.llm:
        models[settings.llm_model] = ModelEntry(provider="bedrock", id=_llm_id(settings))
    return made_registry(settings.llm_model if settings.llm else COMPOSER, models)


def _llm_id(settings: Settings) -> str:
    return "tfkit." + re.sub(r"[^a-z0-9-]+", "-", settings.llm_model.lower()).strip("-")


def routes(settings: Settings, registry: Registry, profiles: dict[str, str]) -> dict[str, dict[str, str]]:
    """For the local model server: which model stands behind which inference profile.

    A model of the user's own has the same behind it as ours of its id; one of another id has nothing.
    """
    behind = {COMPOSER_ID: {"kind": "composer"}}
    if settings.llm:
        behind[_llm_id(settings)] = {"kind": "openai", "url": settings.llm, "model": settings.llm_model}
    ids = {name: entry.id for name, entry in registry.models.items()}
    return {arn: behind[ids[name]] for name, arn in profiles.items() if ids.get(name) in behind}


def source_digest() -> str:
    """A hash over everything of tfkit that the function imports: the same files that an image holds."""
    from toolkit.deploy.image_context import application  # only a plan needs it, and every command loads this

    outer = hashlib.sha256()
    for path, content in sorted(application().items()):
        outer.update(path.encode() + b"\0" + content + b"\0")
    return outer.hexdigest()[:16]


def _agent_environment(settings: Settings) -> dict[str, str]:
    from toolkit.checker.sandbox import UNSANDBOXED

    # Longer than the model server waits for the model behind it, so that its error is what is seen.
    environment = {"TFKIT_MODEL_TIMEOUT_S": str(settings.llm_timeout_s + 60)}
    if text := _choice(settings).to_text():
        environment[selection.ENVIRONMENT_NAME] = text
    if settings.unsandboxed:
        environment[UNSANDBOXED] = "1"
    if not settings.include_content:
        environment["TFKIT_INCLUDE_CONTENT"] = "0"
    if settings.otlp_endpoint:
        environment[OTLP_ENDPOINT] = settings.otlp_endpoint
    for name in ("daily_budget_usd", "caller_daily_budget_usd"):
        if (limit := getattr(settings, name)) is not None:
            environment[f"TFKIT_{name.upper()}"] = str(limit)
    if settings.target == "local":
        # The function runs on this machine, and has the tools that `validate` has here; an image has its own.
        from toolkit.checker import tools  # as above

        installed = os.environ.get(tools.ENVIRONMENT_NAME) or settings.folder / "tools"
        environment[tools.ENVIRONMENT_NAME] = str(installed)
    return environment


def _choice(settings: Settings) -> selection.Choice:
    """What was said of the validators, with the rules of a policy that lies in this folder."""
    from toolkit.checker.registry import load_validators
    from toolkit.checker.rule_files import with_rules

    choice = selection.Choice(
        named=tuple(settings.validator_names), settings=with_rules(settings.validators, Path.cwd())
    )
    said = selection.select(choice, (), {}).names
    # What an image has is known only there; a run says it before a model works.
    if said and settings.target == "local":
        load_validators(said)
    return choice

"""What a platform is going to be: settings and an account become a `PlatformConfig`, which is plain data."""

import hashlib
import re
import sys
from pathlib import Path

import toolkit
from toolkit import __version__
from toolkit.cloud import Cloud
from toolkit.contracts import ModelEntry, PlatformConfig, Price, Registry
from toolkit.settings import Settings

PROJECT = "tfkit"
COMPOSER = "offline-composer"

# The packages that the function imports; a change in one of them is a new version of the function.
AGENT_PACKAGES = ("toolkit/agent", "toolkit/checker", "toolkit/telemetry", "plugins")

HANDLER = '''\
"""tfkit's agent, from the environment in which the emulator runs. Source {digest}."""

from toolkit.agent.handler import handler

__all__ = ["handler"]
'''


def platform_config(settings: Settings, cloud: Cloud) -> PlatformConfig:
    """The whole plan for one stack in one account."""
    local = settings.target == "local"
    return PlatformConfig(
        stack=settings.stack,
        account=cloud.account,
        region=cloud.region,
        partition=cloud.partition,
        prefix=f"tfkit-{settings.stack}",
        version=__version__,
        registry=local_registry(settings) if local else aws_registry(),
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
        # The emulator's retention is no evidence (it forgets it), and `down` leaves nothing there.
        force_destroy=local,
    )


def local_registry(settings: Settings) -> Registry:
    """The composer, and the user's own model where there is one, which is the default then."""
    models = {
        COMPOSER: ModelEntry(
            provider="bedrock", id="tfkit.offline-composer-v1", price=Price(input=0.0, output=0.0)
        )
    }
    if settings.llm:
        model_id = "tfkit." + re.sub(r"[^a-z0-9-]+", "-", settings.llm_model.lower()).strip("-")
        models[settings.llm_model] = ModelEntry(provider="bedrock", id=model_id)
    return Registry(default=settings.llm_model if settings.llm else COMPOSER, models=models)


def aws_registry() -> Registry:
    """The models of a platform on AWS."""
    haiku = ModelEntry(
        provider="bedrock", id="us.anthropic.claude-haiku-4-5-20251001-v1:0", max_tokens=16_384
    )
    return Registry(default="haiku", models={"haiku": haiku})


def routes(settings: Settings, profiles: dict[str, str]) -> dict[str, dict[str, str]]:
    """For the local model server: which model stands behind which inference profile."""
    table: dict[str, dict[str, str]] = {}
    for name, arn in profiles.items():
        if name == COMPOSER:
            table[arn] = {"kind": "composer"}
        else:
            table[arn] = {"kind": "openai", "url": settings.llm, "model": name}
    return table


def source_digest() -> str:
    """A hash over the source of everything that the function imports of tfkit."""
    root = Path(toolkit.__file__).parent.parent
    files = [root / "toolkit" / name for name in ("__init__.py", "contracts.py", "errors.py")]
    for package in AGENT_PACKAGES:
        files += sorted((root / package).rglob("*.py"))
    outer = hashlib.sha256()
    for file in files:
        outer.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return outer.hexdigest()[:16]


def _agent_environment(settings: Settings) -> dict[str, str]:
    # Longer than the model server waits for the model behind it, so that its error is what is seen.
    return {"TFKIT_MODEL_TIMEOUT_S": str(settings.llm_timeout_s + 60)}

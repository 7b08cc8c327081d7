"""What a stack's folder remembers of its last `up`, so that the next command need not be told again."""

import contextlib
import json
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from toolkit.contracts import PlatformConfig, Registry
from toolkit.deploy.state import write_atomically
from toolkit.errors import UsageError
from toolkit.settings import Settings

SETTINGS = "settings.json"
CONFIG = "config.json"
OUTPUTS = "outputs.json"

NONE = "none"
"""The value of `--llm`, `--email` and `--validators` that takes away what an earlier `up` was given."""

_REMEMBERED = ("engine", "region", "prefix", "email", "llm", "llm_model", "validator_names")


def kept(folder: Path, name: str) -> dict[str, Any]:
    """What an earlier `up` left in a file of the stack's folder; empty without one."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((folder / name).read_bytes())
        if isinstance(found, dict):
            return found
    return {}


def keep(folder: Path, settings: Settings, config: PlatformConfig) -> None:
    """Remember what a platform is being made from."""
    known = {name: getattr(settings, name) for name in _REMEMBERED}
    write_atomically(folder / CONFIG, msgspec.json.encode(config))
    write_atomically(folder / SETTINGS, msgspec.json.encode(known))


def last_config(folder: Path) -> PlatformConfig | None:
    """What the platform was last made from; None where nothing is remembered, or by another version."""
    try:
        return msgspec.json.decode((folder / CONFIG).read_bytes(), type=PlatformConfig)
    except (OSError, msgspec.MsgspecError):
        return None


def keep_registry(folder: Path, registry: Registry) -> None:
    """Remember a registry that was changed since: an emulator that dies is filled again from here."""
    if config := last_config(folder):
        write_atomically(folder / CONFIG, msgspec.json.encode(replace(config, registry=registry)))


def forget(folder: Path) -> None:
    """Remember nothing any more."""
    for name in (CONFIG, SETTINGS, OUTPUTS):
        (folder / name).unlink(missing_ok=True)


def complete(settings: Settings, folder: Path, engine: str, region: str, *, moving: bool) -> Settings:
    """The settings, completed by those of the last `up`, else by the target's `engine` and `region`.

    `moving` says that the command may bring the stack to another region. Raises `UsageError` where a
    setting contradicts what is there.
    """
    known = kept(folder, SETTINGS)
    used = settings.engine or known.get("engine") or engine
    if known.get("engine", used) != used:
        raise UsageError(
            f"the stack {settings.stack!r} was brought up by the {known['engine']} engine",
            "take it down first (tfkit down), or give the other one a name: --stack NAME",
        )
    lives = known.get("region", "")
    if settings.pin_region and lives and lives != settings.pin_region and not settings.region:
        raise UsageError(
            f"the stack {settings.stack!r} lives in {lives}, and {settings.pin_region} is pinned",
            f"bring it there, which replaces everything: tfkit up --region {settings.pin_region}",
        )
    wanted = settings.region or settings.pin_region
    if wanted and lives and wanted != lives and not moving:
        raise UsageError(
            f"the stack {settings.stack!r} lives in {lives}, not in {wanted}",
            f"leave --region out, or bring it there, which replaces everything: tfkit up --region {wanted}",
        )
    llm, llm_model = _model(settings, known)
    email = settings.email or known.get("email", "")
    names = settings.validator_names or known.get("validator_names", [])
    return msgspec.structs.replace(
        settings,
        engine=used,
        region=wanted or lives or region,
        prefix=settings.prefix or known.get("prefix") or f"tfkit-{settings.stack}",
        email="" if email == NONE else email,
        validator_names=[] if names == [NONE] else names,
        llm=llm,
        llm_model=llm_model,
    )


def _model(settings: Settings, known: dict[str, Any]) -> tuple[str, str]:
    llm, llm_model = settings.llm, settings.llm_model
    if llm == NONE:
        return "", ""
    if not llm:
        llm, llm_model = known.get("llm", ""), llm_model or known.get("llm_model", "")
    if llm and not llm_model:
        raise UsageError("--llm needs the model's name there", "add --llm-model NAME")
    return llm, llm_model

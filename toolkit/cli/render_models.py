"""The registry of models, as people and as programs see it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.contracts import ModelEntry, Registry

COLUMNS = (
    *("model", "default", "provider", "id", "window", "$ per million in / out"),
    *("cache", "takes", "falls back to", "whose"),
)


def as_document(registry: "Registry") -> dict[str, Any]:
    """The registry with every key of every model, also those that are as usual."""
    import msgspec

    models = {name: msgspec.structs.asdict(entry) for name, entry in registry.models.items()}
    return {**msgspec.structs.asdict(registry), "models": models}


def render_registry(console: "Console", registry: "Registry") -> None:
    """A row a model."""
    from toolkit.cli.listing import render_rows

    rows = [_row(registry, name, entry) for name, entry in sorted(registry.models.items())]
    render_rows(console, COLUMNS, rows)


def _row(registry: "Registry", name: str, entry: "ModelEntry") -> tuple[str, ...]:
    return (
        name,
        "yes" if name == registry.default else "",
        entry.provider,
        entry.id,
        f"{entry.context:,}",
        f"{entry.price.input:g} / {entry.price.output:g}" if entry.price else "as genai-prices has it",
        "yes" if entry.caches else "",
        ", ".join(entry.takes) or "prompts only",
        ", ".join(entry.fallbacks),
        "" if name in registry.made else "yours",
    )

"""The parts of a model's id on Bedrock: `us.anthropic.claude-…` is a geography, a provider, a model."""

from toolkit.contracts import GEOGRAPHIES


def geography(model_id: str) -> str:
    """The geography that a system inference profile's id starts with; empty for a model of one region."""
    first = model_id.partition(".")[0]
    return first if first in GEOGRAPHIES else ""


def base_id(model_id: str) -> str:
    """The foundation model's own id, which agreements and quotas are about."""
    return model_id.removeprefix(f"{geography(model_id)}.") if geography(model_id) else model_id


def provider_of(model_id: str) -> str:
    """Who makes the model, as the id has it: `anthropic`."""
    return base_id(model_id).partition(".")[0]

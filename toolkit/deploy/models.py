"""The registry of models between two `up`s, when it is its user's to change (`tfkit models`)."""

from typing import TYPE_CHECKING, Any

import msgspec

from toolkit.cloud import Cloud
from toolkit.contracts import Registry, StackOutputs
from toolkit.deploy.engine import Drift, Engine
from toolkit.deploy.wire import SECRET, SIGNATURE
from toolkit.registry import NoRegistry, changed_by_hand, read

if TYPE_CHECKING:
    from collections.abc import Sequence

REGISTRY = "registry"
"""The parameter's logical name in `stacks.models`."""


def deployed_registry(cloud: Cloud, outputs: StackOutputs) -> Registry | None:
    """What the parameter holds; None where it is gone, or holds something else than a registry.

    Raises `PlatformError` where it cannot be read.
    """
    try:
        return read(cloud.client("ssm"), outputs.registry_parameter)[0]
    except NoRegistry:
        return None


def without_own(found: "Sequence[Drift]", engine: Engine, cloud: Cloud) -> list[Drift]:
    """The drift but for a registry in which only the user's own models, or the default, have changed."""
    return [drift for drift in found if drift.name != REGISTRY or not _own_alone(drift, engine, cloud)]


def _own_alone(drift: Drift, engine: Engine, cloud: Cloud) -> bool:
    if drift.gone or drift.changed != ["value"]:
        return False
    (resource,) = [each for each in engine.resources() if each.urn == drift.urn]
    ssm = cloud.client("ssm")
    live = ssm.get_parameter(Name=resource.inputs["name"])["Parameter"]["Value"]
    try:
        ours, now = (
            msgspec.json.decode(text, type=Registry) for text in (_text(resource.inputs["value"]), live)
        )
    except msgspec.MsgspecError:
        return False
    return not changed_by_hand(ours, now)


def _text(value: Any) -> str:
    """An input out of a state, where Pulumi's engine takes a parameter's value for a secret."""
    if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
        value = value.get("value") or msgspec.json.decode(value.get("plaintext", '""'))
    return str(value)

"""Changing the registry of models where it is: a parameter that others may change at the same time.

SSM has no conditional put. It counts versions, so a put tells whether somebody else wrote since we read:
then their version is read, and both changes together are put. Where both changed the same, theirs stays.
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
"""

from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec.structs import replace

from toolkit.contracts import ModelEntry, Registry, to_json
from toolkit.errors import TfkitError, UsageError

ROOM = 4_096
"""Characters of a parameter of the standard tier.
https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm"""

TRIES = 4

Change = Callable[[Registry], Registry]


def change(ssm: Any, parameter: str, how: Change) -> tuple[Registry, bool]:
    """Make a change to the registry; what it is now, and whether somebody else changed it meanwhile.

    Raises what `how` raises, `UsageError` where the registry would not fit or somebody else changed the same
    model, `TfkitError` where the parameter cannot be read or written, or others keep changing it.
    """
    known, version = read(ssm, parameter)
    wanted = how(known)
    if wanted == known:
        return known, False
    for attempt in range(TRIES):
        written = _put(ssm, parameter, wanted)
        if written == version + 1:
            return wanted, attempt > 0
        theirs, _ = read(ssm, f"{parameter}:{written - 1}")  # which ours has just hidden
        both = _both(known, wanted, theirs)
        if both is None:
            _put(ssm, parameter, theirs)
            raise UsageError(
                "somebody else has just changed the same of the registry", "look at it: tfkit models"
            )
        known, wanted, version = wanted, both, written
    raise TfkitError(
        "somebody else keeps changing the registry of models", "look at it (tfkit models), and try again"
    )


def _both(known: Registry, ours: Registry, theirs: Registry) -> Registry | None:
    """What both made of what was known before; None where both changed the same, and not to the same."""
    models = dict[str, ModelEntry]()
    for name in {**ours.models, **theirs.models, **known.models}:
        before, mine, other = (each.models.get(name) for each in (known, ours, theirs))
        if before != mine != other != before:
            return None
        if entry := other if mine == before else mine:
            models[name] = entry
    if known.default != ours.default != theirs.default != known.default:
        return None
    last = theirs if ours.default == known.default else ours
    return replace(theirs, models=models, default=last.default, chosen=last.chosen)


def read(ssm: Any, parameter: str) -> tuple[Registry, int]:
    """The registry and its version. Raises `TfkitError` where it cannot be read."""
    try:
        found = ssm.get_parameter(Name=parameter)["Parameter"]
        return msgspec.json.decode(found["Value"], type=Registry), int(found["Version"])
    except (ClientError, BotoCoreError, msgspec.MsgspecError) as error:
        raise TfkitError(f"the registry of models ({parameter}) cannot be read: {error}") from error


def _holds(theirs: Registry, before: Registry, ours: Registry) -> bool:
    """Whether what somebody else wrote has our change already, because they read it from us."""
    changed = {
        name for name in {**before.models, **ours.models} if before.models.get(name) != ours.models.get(name)
    }
    same_default = ours.default == before.default or ours.default == theirs.default
    return same_default and all(theirs.models.get(name) == ours.models.get(name) for name in changed)


def _put(ssm: Any, parameter: str, registry: Registry) -> int:
    value = to_json(registry).decode()
    if len(value) > ROOM:
        raise UsageError(
            f"the registry would have {len(value):,} characters, and a parameter has room for {ROOM:,}",
            "remove a model: tfkit models remove NAME",
        )
    try:
        return int(ssm.put_parameter(Name=parameter, Value=value, Overwrite=True)["Version"])
    except (ClientError, BotoCoreError) as error:
        raise TfkitError(
            f"the registry of models ({parameter}) cannot be written: {error}",
            "the operator's policy lets you (ssm:PutParameter)",
        ) from error

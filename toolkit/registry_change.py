"""Changing the registry of models where it is: a parameter that others may change at the same time.

SSM has no conditional put. It counts versions, so a put tells whether somebody else wrote since we read:
then their version is read, and both changes together are put. Where both changed the same, theirs stays.
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
"""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from msgspec.structs import replace

from toolkit.contracts import ModelEntry, Registry, to_json
from toolkit.errors import TfkitError, UsageError
from toolkit.registry import read

ROOM = 4_096
"""Characters of a parameter of the standard tier.
https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm"""

MOST_OF_BEDROCK = 5
"""Models whose tokens the daily alarm can sum, as `stacks.alarms` has it."""

TRIES = 4

PROFILE_ARN = "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:application-inference-profile/abcdefghijkl"
"""As long as one gets. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateInferenceProfile.html"""

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
    _refuse_too_large(wanted, known)
    for attempt in range(TRIES):
        written = _put(ssm, parameter, wanted)
        if written == version + 1:
            return wanted, attempt > 0
        theirs, _ = read(ssm, f"{parameter}:{written - 1}")  # which ours has just hidden
        both = _both(known, wanted, theirs)
        try:
            if both is None:
                raise UsageError(
                    "somebody else has just changed the same of the registry", "look at it: tfkit models"
                )
            _refuse_too_large(both, theirs)
        except UsageError:
            _put(ssm, parameter, theirs)
            raise
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


def characters(registry: Registry) -> int:
    """The registry's size once the next `up` has made the profiles that its Bedrock models lack."""
    lacking = {
        name: replace(entry, profile=PROFILE_ARN)
        for name, entry in registry.models.items()
        if entry.provider == "bedrock" and not entry.profile
    }
    return len(to_json(replace(registry, models={**registry.models, **lacking})))


def _refuse_too_large(wanted: Registry, before: Registry) -> None:
    """Raises `UsageError` for what the next `up` would refuse; what is too large already may get smaller."""
    remove = "remove a model: tfkit models remove NAME"
    count = _of_bedrock(wanted)
    if count > max(MOST_OF_BEDROCK, _of_bedrock(before)):
        raise UsageError(
            f"the registry would have {count} Bedrock models, and the daily token alarm has room for "
            f"{MOST_OF_BEDROCK}",
            remove,
        )
    size = characters(wanted)
    if size > max(ROOM, characters(before)):
        raise UsageError(
            f"the registry would have {size:,} characters with the next up, and a parameter has room for "
            f"{ROOM:,}",
            remove,
        )


def _of_bedrock(registry: Registry) -> int:
    return sum(entry.provider == "bedrock" for entry in registry.models.values())


def _put(ssm: Any, parameter: str, registry: Registry) -> int:
    value = to_json(registry).decode()
    try:
        return int(ssm.put_parameter(Name=parameter, Value=value, Overwrite=True)["Version"])
    except (ClientError, BotoCoreError) as error:
        raise TfkitError(
            f"the registry of models ({parameter}) cannot be written: {error}",
            "the operator's policy lets you (ssm:PutParameter)",
        ) from error

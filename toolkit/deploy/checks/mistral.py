"""Whether a model of Mistral's can be used: there is a key, the agent may read it, and Mistral takes it.

No token is asked for: the list of models, which costs nothing, says whether the key is good and what it is
good for. https://docs.mistral.ai/api/ (GET /v1/models)
"""

import json
import urllib.error
import urllib.request

from toolkit.cloud import Cloud
from toolkit.contracts import ModelEntry
from toolkit.deploy.checks.check import Check
from toolkit.deploy.checks.refusals import AWS_ERRORS, explain
from toolkit.deploy.checks.role import CannotAssume, assume
from toolkit.errors import ModelFailed
from toolkit.registry import address_of, refuse_clear, takes_key
from toolkit.settings import Settings

GIVE_A_KEY = "TFKIT_MISTRAL_KEY=… tfkit up"
PATIENCE_S = 20.0
MOST_BYTES = 4 << 20


class NoKey(ModelFailed):
    """The platform has no key of Mistral's."""


def usable(
    cloud: Cloud, role_arn: str, parameter: str, name: str, entry: ModelEntry, settings: Settings
) -> Check:
    """Whether a run could use the model, by the key in the parameter, which goes to Mistral alone.

    Without a role nothing is deployed yet, and a key is one to come.
    """
    key, whose = "", "without a key"
    try:
        if takes_key(entry):
            key, whose = _key(cloud, role_arn, parameter, settings)
        known = models_of(address_of(entry), key)
    except ModelFailed as failed:
        return Check(name, False, failed.message, failed.hint)
    if entry.id not in known:
        has = ", ".join(sorted(known)[:8]) or "none"
        fix = f"tfkit models remove {name}, and add it by an id that is there"
        return Check(name, False, f"{entry.id} is none of the models that are offered, as {has}", fix)
    return Check(name, True, f"{entry.id} is offered {whose}")


def _key(cloud: Cloud, role_arn: str, parameter: str, settings: Settings) -> tuple[str, str]:
    """The key, and whose right it was read by. Raises `NoKey`, or `ModelFailed` where it may not be read."""
    if not role_arn:
        if given := settings.provider_keys.get("mistral"):
            return given, "for the key that is going to be deployed"
        raise NoKey("no key of Mistral's is given", GIVE_A_KEY)
    try:
        role = assume(cloud, role_arn)
    except CannotAssume:
        return _read(cloud, parameter), "for the platform's key"
    try:
        return _read(role, parameter), "for the key that the agent reads"
    except ModelFailed as denied:
        _read(cloud, parameter)  # a role may read no key where none was deployed; then that is what to say
        raise denied


def _read(cloud: Cloud, parameter: str) -> str:
    ssm = cloud.client("ssm")
    try:
        return str(ssm.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound as gone:
        raise NoKey("the platform has no key of Mistral's", GIVE_A_KEY) from gone
    except AWS_ERRORS as error:
        refusal = explain(error, cloud)
        raise ModelFailed(f"Mistral's key cannot be read: {refusal.detail}", refusal.fix) from error


def models_of(address: str, key: str) -> set[str]:
    """The ids, and other names, of the models that an address offers to a key.

    Raises `ModelFailed` where it is not reached, refuses the key, or answers something else.
    """
    url = refuse_clear(address) + "/v1/models"
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - https, or this machine
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310 - as above
            document = json.loads(answer.read(MOST_BYTES))
        offered = [model for model in document["data"] if isinstance(model, dict)]
        return {str(name) for model in offered for name in (model["id"], *(model.get("aliases") or ()))}
    except urllib.error.HTTPError as refusal:
        raise _refused(url, refusal.code, keyed=bool(key)) from refusal
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise ModelFailed(f"{url} cannot be reached: {reason}", "start it, or see to the network") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFailed(
            f"{url} answers something else than a list of models", "see to the endpoint"
        ) from error


def _refused(url: str, status: int, *, keyed: bool) -> ModelFailed:
    if status in (401, 403) and not keyed:
        return ModelFailed(
            f"{url} wants a key (HTTP {status}), and the platform's goes to Mistral alone",
            "let the endpoint do without one, for whom the network lets through",
        )
    if status in (401, 403):
        return ModelFailed(f"the key is refused (HTTP {status})", f"give a good one: {GIVE_A_KEY}")
    if status == 429:
        return ModelFailed("the key is throttled (HTTP 429)", "wait a minute: tfkit models check")
    return ModelFailed(f"{url} answers HTTP {status}", "try again in a minute: tfkit models check")

"""Whether a model of the registry can be used, and what stands in the way.

    agreement ──▶ somebody accepted the provider's terms, Anthropic knows the use case, the region has it
    answers   ──▶ one token of the model with the caller's own credentials
    as_agent  ──▶ one token with the agent's role, which is what a run has
    usable    ──▶ the three as one answer, for `models check`

The order is no accident: the first call to a third-party model of AWS Marketplace subscribes the account to
it and accepts its terms, so a model is asked only where the agreement is there already.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html

Tried against botocore's own model of the answers and, for the agent's role, the emulator; not against AWS.
"""

import time
from typing import Any

from toolkit.cloud import Cloud
from toolkit.contracts import EMULATOR_MOCK, MODEL_ERROR_PREFIX, ModelEntry
from toolkit.deploy.checks.bedrock_refusals import agree, form, page, refused
from toolkit.deploy.checks.check import Check
from toolkit.deploy.checks.model_ids import base_id, geography, provider_of
from toolkit.deploy.checks.refusals import AWS_ERRORS, code_of, explain, said_by
from toolkit.deploy.checks.role import CannotAssume, assume
from toolkit.errors import ModelFailed
from toolkit.settings import Settings

NO_AGREEMENT = frozenset({"amazon", "deepseek", "meta", "mistral", "qwen"})
"""Providers whose models are not sold through AWS Marketplace: there is nothing to agree to (same page)."""

CUT_OFF = "(finish_reason length)"
"""What the local model server says when one token was not enough: the model behind it did answer."""

PATIENCE_BEYOND_S = 60.0
"""Longer than the local model server waits, so that its own error is what is seen."""


class CannotAsk(ModelFailed):
    """The caller, or the role, lacks the right to invoke: no word about the model itself."""


def agreement(cloud: Cloud, name: str, entry: ModelEntry) -> Check:
    """Whether the account may use the model, as far as Bedrock tells without asking the model.

    A caller who may not look is a warning.
    """
    title, model = f"agreement {name}", base_id(entry.id)
    client = cloud.client("bedrock")
    try:
        told = client.get_foundation_model_availability(modelId=model)
    except AWS_ERRORS as error:
        failure = refused(title, error, cloud, entry)
        if explain(error, cloud).kind == "denied":  # which says nothing of the agreement itself
            return Check(title, True, f"cannot be looked at: {failure.detail}", failure.fix)
        return failure
    if geography(entry.id) == "" and told.get("regionAvailability") == "NOT_AVAILABLE":
        fix = f"choose a region that has it (tfkit doctor --target aws --region REGION); see {page(cloud)}"
        return Check(title, False, f"{model} is not offered in {cloud.region}", fix)
    if told.get("authorizationStatus") != "AUTHORIZED":
        fix = "let an administrator lift what denies it: a policy of yours, or of the organization"
        return Check(title, False, f"this account is not authorized to use {model}", fix)
    if provider_of(entry.id) in NO_AGREEMENT:
        return Check(title, True, f"{model} needs none")
    return _agreed(cloud, title, model, told)


def _agreed(cloud: Cloud, title: str, model: str, told: dict[str, Any]) -> Check:
    status = told.get("agreementAvailability", {}).get("status", "not told")
    if status == "AVAILABLE" and told.get("entitlementAvailability") == "AVAILABLE":
        return Check(title, True, f"the terms of {model} are accepted")
    if status in ("PENDING", "AVAILABLE"):
        return Check(
            title,
            False,
            f"the terms of {model} are accepted, and AWS is not done with it yet; it takes up to 15 minutes",
            "wait, then: tfkit models check --target aws",
        )
    if provider_of(model) == "anthropic" and not _use_case_known(cloud):
        return Check(
            title, False, f"Anthropic has not been told the use case, which {model} needs", form(cloud)
        )
    why = told.get("agreementAvailability", {}).get("errorMessage", "")
    said = f" ({why})" if why else ""
    return Check(
        title, False, f"the terms of {model} are not accepted in this account{said}", agree(cloud, model)
    )


def _use_case_known(cloud: Cloud) -> bool:
    """Whether the form is there. One of the organization's may not be shown: then it is taken as known."""
    try:
        return bool(cloud.client("bedrock").get_use_case_for_model_access().get("formData"))
    except AWS_ERRORS as error:
        return code_of(error) != "ResourceNotFoundException"


def answers(cloud: Cloud, name: str, entry: ModelEntry, *, deployed: bool = False) -> Check:
    """Whether the model answers the caller.

    Where a platform is `deployed` the agent's role counts, and a caller who may not invoke is a warning.
    """
    agreed = agreement(cloud, name, entry)
    if not agreed.ok or agreed.fix:
        return Check(
            name,
            agreed.ok and deployed,
            f"not asked, for the first call would accept its terms: {agreed.detail}",
            agreed.fix,
        )
    try:
        seconds = ask(cloud, entry.id, entry)
    except CannotAsk as denied:
        return Check(name, deployed, f"you may not ask it yourself: {denied.message}", denied.hint)
    except ModelFailed as failed:
        return Check(name, False, failed.message, failed.hint)
    return Check(name, True, f"{entry.id} answers you ({seconds:.1f} s)")


def as_agent(cloud: Cloud, role_arn: str, name: str, entry: ModelEntry, settings: Settings) -> Check:
    """Whether the model answers the agent's role; a caller who may not take the role is a warning."""
    title = f"{name} as agent"
    try:
        seconds = _ask_as_agent(cloud, role_arn, entry, settings)
    except CannotAssume as denied:
        return Check(title, True, f"not tried: {denied.message}", denied.hint)
    except ModelFailed as failed:
        return Check(title, False, failed.message, failed.hint)
    return Check(title, True, f"{entry.id} answers the agent's role ({seconds:.1f} s)")


def usable(cloud: Cloud, role_arn: str, name: str, entry: ModelEntry, settings: Settings) -> Check:
    """Whether a run could use the model: it is asked with the agent's role, or else with the caller's."""
    if not role_arn:
        return answers(cloud, name, entry)
    if cloud.target == "aws" and not (agreed := agreement(cloud, name, entry)).ok:
        return Check(name, False, agreed.detail, agreed.fix)
    under_role = as_agent(cloud, role_arn, name, entry, settings)
    if not under_role.ok or not under_role.fix:
        return Check(name, under_role.ok, under_role.detail, under_role.fix)
    if cloud.target == "local":  # the emulator's root may take any role
        return Check(name, False, under_role.detail, "tfkit up")
    own = answers(cloud, name, entry)  # the role was refused, so the caller's own answer has to do
    return Check(
        name,
        own.ok,
        f"{own.detail}; with the agent's role {under_role.detail}",
        own.fix or under_role.fix,
    )


def _ask_as_agent(cloud: Cloud, role_arn: str, entry: ModelEntry, settings: Settings) -> float:
    patience = settings.llm_timeout_s + PATIENCE_BEYOND_S if cloud.target == "local" else PATIENCE_BEYOND_S
    return ask(assume(cloud, role_arn, patience), entry.profile or entry.id, entry)


def ask(cloud: Cloud, model: str, entry: ModelEntry) -> float:
    """Have the model say one token; the seconds it took.

    Raises `CannotAsk` where the right to invoke is missing, `ModelFailed` for any other reason.
    """
    started = time.monotonic()
    try:
        answer = cloud.client("bedrock-runtime").converse(
            modelId=model,
            messages=[{"role": "user", "content": [{"text": "Say OK."}]}],
            inferenceConfig={"maxTokens": 1},
        )
    except AWS_ERRORS as error:
        failure = refused("", error, cloud, entry)
        denied = "is not authorized to perform: bedrock:" in said_by(error)
        raise (CannotAsk if denied else ModelFailed)(failure.detail, failure.fix) from error
    _refuse_what_is_no_answer(answer)
    return time.monotonic() - started


def _refuse_what_is_no_answer(answer: dict[str, Any]) -> None:
    """Raise `ModelFailed` where no model stands behind an answer; a text that was cut off is one."""
    blocks = answer.get("output", {}).get("message", {}).get("content", [])
    text = "".join(block.get("text", "") for block in blocks).strip()
    if text.startswith(MODEL_ERROR_PREFIX) and CUT_OFF not in text:
        raise ModelFailed(
            text.removeprefix(MODEL_ERROR_PREFIX),
            "start the model behind --llm, or name another: tfkit up --llm URL --llm-model NAME"
            " (tfkit up --llm none goes back to the composer)",
        )
    if EMULATOR_MOCK.match(text):
        raise ModelFailed(
            "no model answered: the emulator made up a text of its own", "tfkit down, then tfkit up"
        )
    if answer.get("stopReason") == "guardrail_intervened":
        raise ModelFailed(
            "a guardrail of the account stops every answer", "see the guardrails of the account"
        )

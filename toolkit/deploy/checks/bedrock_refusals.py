"""What Bedrock says when a model cannot be used, what it means, and the command or the page that mends it.

The texts are those of the service; most are in the user guide's "Troubleshooting Amazon Bedrock API error
codes" and on its page on model access, the others in public reports of users.
"""

import re
from typing import NamedTuple

from toolkit.cloud import Cloud
from toolkit.contracts import ModelEntry
from toolkit.deploy.checks.check import Check
from toolkit.deploy.checks.model_ids import base_id
from toolkit.deploy.checks.refusals import code_of, explain, said_by


class Rule(NamedTuple):
    """A refusal of Bedrock: its code, a text in it, what it means, and what mends it.

    `{model}`, `{region}`, `{page}`, `{agree}` and `{form}` are filled in.
    """

    code: str
    pattern: str
    meaning: str
    fix: str


RULES = (
    Rule(
        "ResourceNotFoundException",
        "use case details",
        "Anthropic has not been told this account's use case",
        "{form}",
    ),
    Rule(
        "AccessDeniedException",
        "aws-marketplace:",
        "nobody who may subscribe in AWS Marketplace has enabled the model for this account",
        "{agree}",
    ),
    Rule(
        "AccessDeniedException",
        "INVALID_PAYMENT_INSTRUMENT",
        "AWS Marketplace has no valid means of payment for this account",
        "add one: https://console.aws.amazon.com/billing/home#/paymentpreferences",
    ),
    Rule(
        "AccessDeniedException",
        "access to the model|Model access is denied",
        "the account has no access to the model",
        "{agree}",
    ),
    Rule(
        "ValidationException",
        "model identifier is invalid",
        "Bedrock in {region} knows no model {model}",
        "choose a region that has it (tfkit models check --region REGION); see {page}",
    ),
    Rule(
        "ValidationException",
        "on-demand throughput",
        "{model} is only to be had through an inference profile",
        "put the profile's id (us.…, eu.…, global.…) into the registry",
    ),
    Rule(
        "ValidationException",
        "Operation not allowed",
        "AWS has not opened Bedrock for this account yet",
        "open a case: https://console.aws.amazon.com/support/home#/case/create",
    ),
    Rule(
        "ResourceNotFoundException",
        "end of its life|Legacy",
        "AWS has retired {model}",
        "put a newer model into the registry; see {page}",
    ),
    Rule(
        "ThrottlingException|ServiceQuotaExceededException",
        "",
        "the account's rate for {model} is used up",
        "wait a minute; if it stays, raise the quotas that `tfkit doctor --target aws` names",
    ),
    Rule(
        "ModelTimeoutException|ServiceUnavailableException|ModelNotReadyException"
        "|InternalServerException|ModelErrorException",
        "",
        "Bedrock could not have {model} answer",
        "try again in a minute: tfkit models check",
    ),
)


def refused(title: str, error: Exception, cloud: Cloud, entry: ModelEntry) -> Check:
    """A refusal of Bedrock as a check that failed; what Bedrock has no words of its own for is IAM's."""
    model = base_id(entry.id)
    words = {
        "model": model,
        "region": cloud.region,
        "page": page(cloud),
        "agree": agree(cloud, model),
        "form": form(cloud),
    }
    for rule in RULES:
        if re.fullmatch(rule.code, code_of(error)) and re.search(rule.pattern, said_by(error)):
            said = f"{rule.meaning.format(**words)}: {said_by(error)}"
            return Check(title, False, said, rule.fix.format(**words))
    refusal = explain(error, cloud)
    return Check(title, False, refusal.detail, refusal.fix)


def page(cloud: Cloud) -> str:
    """The page of the console where models are looked up and their terms accepted."""
    return f"https://{cloud.region}.console.aws.amazon.com/bedrock/home?region={cloud.region}#/model-catalog"


def agree(cloud: Cloud, model: str) -> str:
    """The command that accepts the terms of a model; it needs aws-marketplace:Subscribe."""
    options = _options(cloud)
    offer = (
        f"aws bedrock list-foundation-model-agreement-offers --model-id {model}{options}"
        " --query 'offers[0].offerToken' --output text"
    )
    create = f"aws bedrock create-foundation-model-agreement --model-id {model}{options}"
    return (
        f'{create} --offer-token "$({offer})"'
        f" (with aws-marketplace:Subscribe; or open the model once in {page(cloud)})"
    )


def form(cloud: Cloud) -> str:
    """How Anthropic is told the use case, once for an account or its organization."""
    return (
        f"hand in the use-case form: choose an Anthropic model in {page(cloud)}, or"
        f" aws bedrock put-use-case-for-model-access --form-data fileb://form.json{_options(cloud)}"
    )


def _options(cloud: Cloud) -> str:
    return f" --region {cloud.region}" + (f" --profile {cloud.profile}" if cloud.profile else "")

"""Models: nobody's terms are accepted by a check, and every refusal names its own way out."""

from types import SimpleNamespace

import pytest
from botocore.awsrequest import AWSResponse
from checks_aws import ROLE, Aws, Refused, attached, availability, cloud, credentials, said

from toolkit.contracts import MODEL_ERROR_PREFIX, ModelEntry
from toolkit.deploy.checks import bedrock, model_ids
from toolkit.deploy.checks.role import RoleCloud
from toolkit.local.model.upstream import Upstream, UpstreamFailed, _checked
from toolkit.settings import Settings

PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456"
HAIKU = ModelEntry(provider="bedrock", id="us.anthropic.claude-haiku-4-5-20251001-v1:0", profile=PROFILE)
NOVA = ModelEntry(provider="bedrock", id="amazon.nova-lite-v1:0")
AWS = Settings(target="aws")

IAM = "User: arn:aws:sts::1:assumed-role/dev/me is not authorized to perform: {} on resource: {} because no"
NOT_MINE = Refused("AccessDeniedException", IAM.format("bedrock:InvokeModel", "arn:aws:bedrock:::x"))
UNSEEN = Refused("AccessDeniedException", IAM.format("bedrock:GetFoundationModelAvailability", "*"))
NO_ROLE = Refused("AccessDenied", IAM.format("sts:AssumeRole", ROLE))


@pytest.fixture
def aws(monkeypatch) -> Aws:
    aws = attached(monkeypatch)
    aws.answers |= {
        "GetFoundationModelAvailability": availability(),
        "Converse": said("OK"),
        "AssumeRole": credentials(),
        "GetUseCaseForModelAccess": {"formData": b"{}"},
    }
    return aws


def test_an_agreement_is_about_the_model_behind_the_profile(aws):
    check = bedrock.agreement(cloud(), "haiku", HAIKU)
    assert (check.name, check.ok, check.fix) == ("agreement haiku", True, "")
    assert aws.called("GetFoundationModelAvailability") == [
        {"modelId": "anthropic.claude-haiku-4-5-20251001-v1:0"}
    ]


@pytest.mark.parametrize(
    ("told", "detail", "fix"),
    [
        (
            {"agreementAvailability": {"status": "NOT_AVAILABLE"}},
            "not accepted",
            "create-foundation-model-agr",
        ),
        (
            {"agreementAvailability": {"status": "ERROR", "errorMessage": "bad card"}},
            "bad card",
            "create-found",
        ),
        ({"agreementAvailability": {"status": "PENDING"}}, "15 minutes", "tfkit models check"),
        ({"entitlementAvailability": "NOT_AVAILABLE"}, "15 minutes", "tfkit models check"),
        ({"authorizationStatus": "NOT_AUTHORIZED"}, "not authorized", "administrator"),
    ],
)
def test_what_an_agreement_lacks(aws, monkeypatch, tmp_path, told, detail, fix):
    (tmp_path / "config").write_text("[profile work]\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    aws.answers["GetFoundationModelAvailability"] = availability(**told)
    check = bedrock.agreement(cloud(profile="work"), "haiku", HAIKU)
    assert not check.ok
    assert detail in check.detail
    assert fix in check.fix
    if "create-" in check.fix:
        assert "--profile work" in check.fix
        assert "--model-id anthropic.claude-haiku-4-5-20251001-v1:0" in check.fix


def test_anthropics_form_comes_before_the_agreement(aws):
    aws.answers["GetFoundationModelAvailability"] = availability(
        agreementAvailability={"status": "NOT_AVAILABLE"}
    )
    aws.answers["GetUseCaseForModelAccess"] = Refused("ResourceNotFoundException")
    check = bedrock.agreement(cloud(), "haiku", HAIKU)
    assert "use case" in check.detail
    assert "put-use-case-for-model-access" in check.fix


def test_the_region_matters_for_a_model_of_one_region_only(aws):
    aws.answers["GetFoundationModelAvailability"] = availability(regionAvailability="NOT_AVAILABLE")
    assert not bedrock.agreement(cloud(), "nova", NOVA).ok
    assert bedrock.agreement(cloud(), "haiku", HAIKU).ok


def test_a_model_that_is_not_sold_needs_no_agreement(aws):
    aws.answers["GetFoundationModelAvailability"] = availability(
        agreementAvailability={"status": "NOT_AVAILABLE"}, entitlementAvailability="NOT_AVAILABLE"
    )
    assert bedrock.agreement(cloud(), "nova", NOVA).ok
    assert bedrock.answers(cloud(), "nova", NOVA).ok


def test_a_model_is_asked_for_one_token(aws):
    check = bedrock.answers(cloud(), "haiku", HAIKU)
    assert (check.name, check.ok, check.fix) == ("haiku", True, "")
    (asked,) = aws.called("Converse")
    assert asked["inferenceConfig"] == {"maxTokens": 1}
    assert asked["modelId"] == HAIKU.id


@pytest.mark.parametrize("status", ["NOT_AVAILABLE", "PENDING", "ERROR"])
def test_no_terms_are_accepted_by_looking(aws, status):
    aws.answers["GetFoundationModelAvailability"] = availability(agreementAvailability={"status": status})
    for check in (
        bedrock.answers(cloud(), "haiku", HAIKU),
        bedrock.answers(cloud(), "haiku", HAIKU, deployed=True),
        bedrock.usable(cloud(), "", "haiku", HAIKU, AWS),
        bedrock.usable(cloud(), ROLE, "haiku", HAIKU, AWS),
    ):
        assert not check.ok
        assert check.fix
    assert aws.called("Converse") == []


def test_what_cannot_be_looked_at_is_not_asked_and_is_a_warning_beside_a_platform(aws):
    aws.answers["GetFoundationModelAvailability"] = UNSEEN
    check = bedrock.agreement(cloud(), "haiku", HAIKU)
    assert check.ok
    assert "allow you bedrock:GetFoundationModelAvailability" in check.fix
    assert not bedrock.answers(cloud(), "haiku", HAIKU).ok
    assert bedrock.answers(cloud(), "haiku", HAIKU, deployed=True).ok
    assert aws.called("Converse") == []
    assert bedrock.usable(cloud(), ROLE, "haiku", HAIKU, AWS).ok, "the agent's role may ask as a run may"


@pytest.mark.parametrize(
    ("code", "message", "detail", "fix"),
    [
        (
            "ResourceNotFoundException",
            "Model use case details have not been submitted for this account.",
            "use case",
            "put-use-case-for-model-access",
        ),
        (
            "AccessDeniedException",
            "Model access is denied due to IAM user or service role is not authorized to perform the"
            " required AWS Marketplace actions (aws-marketplace:Subscribe)",
            "enabled the model",
            "create-foundation-model-agreement",
        ),
        (
            "AccessDeniedException",
            "Model access is denied due to INVALID_PAYMENT_INSTRUMENT: a valid payment instrument",
            "means of payment",
            "paymentpreferences",
        ),
        ("AccessDeniedException", "You don't have access to the model with", "no access", "create-found"),
        ("ValidationException", "The provided model identifier is invalid.", "knows no model", "--region"),
        ("ValidationException", "on-demand throughput isn't supported", "inference profile", "registry"),
        ("ValidationException", "Operation not allowed", "not opened Bedrock", "support"),
        (
            "ResourceNotFoundException",
            "This model version has reached the end of its life.",
            "retired",
            "newer",
        ),
        ("ThrottlingException", "Too many tokens per day", "rate for", "tfkit doctor"),
        ("ServiceUnavailableException", "overloaded", "could not", "try again"),
        ("ExpiredTokenException", "expired", "have expired", "aws configure sso"),
        ("ValidationException", "something new", "something new", "report"),
    ],
)
def test_a_refusal_says_what_it_means_and_what_mends_it(aws, code, message, detail, fix):
    aws.answers["Converse"] = Refused(code, message)
    check = bedrock.answers(cloud(), "haiku", HAIKU, deployed=True)
    assert not check.ok
    assert detail in check.detail
    assert fix in check.fix


def test_a_caller_without_the_right_to_ask_fails_only_where_nobody_else_can_tell(aws):
    aws.answers["Converse"] = NOT_MINE
    alone = bedrock.answers(cloud(), "haiku", HAIKU)
    assert not alone.ok
    assert alone.fix == "let an administrator allow you bedrock:InvokeModel on arn:aws:bedrock:::x"
    beside = bedrock.answers(cloud(), "haiku", HAIKU, deployed=True)
    assert (beside.ok, beside.fix) == (True, alone.fix)


def test_the_agents_role_asks_through_its_profile(aws):
    askers = []

    def answer(there):
        askers.append(there)
        return said("OK")

    aws.answers["Converse"] = answer
    check = bedrock.as_agent(cloud(), ROLE, "haiku", HAIKU, AWS)
    assert (check.name, check.ok, check.fix) == ("haiku as agent", True, "")
    assert isinstance(askers[0], RoleCloud)
    assert askers[0].session.get_credentials().token == "token"
    assert aws.called("Converse")[0]["modelId"] == PROFILE
    assert aws.called("AssumeRole") == [
        {"RoleArn": ROLE, "RoleSessionName": "tfkit-doctor", "DurationSeconds": 900}
    ]


def test_a_bedrock_key_of_the_users_does_not_stand_in_for_the_role(monkeypatch):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "mine")
    keys = credentials()["Credentials"]
    there = RoleCloud(target="aws", region="us-east-1", account="1", credentials=keys)
    client, signed = there.client("bedrock-runtime"), []

    def seen(request, **_):
        signed.append(request.headers["Authorization"].decode())
        return AWSResponse("", 200, {}, SimpleNamespace(stream=lambda: iter([b"{}"])))

    client.meta.events.register("before-send", seen)
    client.converse(modelId="x", messages=[])
    assert signed[0].startswith(f"AWS4-HMAC-SHA256 Credential={keys['AccessKeyId']}/")


def test_a_role_that_may_not_be_taken_is_told_apart_from_a_model_that_refuses(aws):
    aws.answers["AssumeRole"] = NO_ROLE
    refused = bedrock.as_agent(cloud(), ROLE, "haiku", HAIKU, AWS)
    assert refused.ok
    assert refused.fix == f"let an administrator allow you sts:AssumeRole on {ROLE}"
    assert aws.called("Converse") == []
    aws.answers["AssumeRole"] = credentials()
    aws.answers["Converse"] = NOT_MINE
    denied = bedrock.as_agent(cloud(), ROLE, "haiku", HAIKU, AWS)
    assert not denied.ok
    assert "bedrock:InvokeModel" in denied.detail


def test_without_the_role_the_callers_answer_counts_and_is_no_proof(aws):
    aws.answers["AssumeRole"] = NO_ROLE
    check = bedrock.usable(cloud(), ROLE, "haiku", HAIKU, AWS)
    assert check.ok
    assert "answers you" in check.detail
    assert "not tried" in check.detail
    assert "sts:AssumeRole" in check.fix
    aws.answers["Converse"] = Refused("ThrottlingException", "slow down")
    assert not bedrock.usable(cloud(), ROLE, "haiku", HAIKU, AWS).ok


def test_on_the_local_target_a_role_that_cannot_be_taken_is_a_failure(aws):
    aws.answers["AssumeRole"] = NO_ROLE
    check = bedrock.usable(cloud(target="local"), ROLE, "haiku", HAIKU, Settings())
    assert (check.ok, check.fix) == (False, "tfkit up")
    assert aws.called("GetFoundationModelAvailability") == []


@pytest.mark.parametrize("text", ["", "OK", "I"])
def test_whatever_a_model_says_is_an_answer(aws, text):
    aws.answers["Converse"] = said(text)
    assert bedrock.usable(cloud(target="local"), ROLE, "it", HAIKU, Settings()).ok


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (
            said(MODEL_ERROR_PREFIX + "the model server at http://x refused the connection"),
            "refused the conn",
        ),
        (said("[ministack mock generic x] reply for prompt#0123abcd"), "no model answered"),
        (said("", "guardrail_intervened"), "guardrail"),
    ],
)
def test_what_is_no_answer_of_a_model(aws, answer, detail):
    aws.answers["Converse"] = answer
    check = bedrock.usable(cloud(target="local"), ROLE, "it", HAIKU, Settings())
    assert not check.ok
    assert detail in check.detail
    assert MODEL_ERROR_PREFIX not in check.detail
    assert check.fix


def test_an_answer_that_one_token_cut_off_is_one(aws):
    choice = {"message": {"role": "assistant", "content": ""}, "finish_reason": "length"}
    with pytest.raises(UpstreamFailed) as cut:
        _checked({"choices": [choice]}, {}, Upstream("http://x", "m"))
    aws.answers["Converse"] = said(MODEL_ERROR_PREFIX + str(cut.value))
    assert bedrock.usable(cloud(target="local"), ROLE, "it", HAIKU, Settings()).ok


@pytest.mark.parametrize(
    ("model", "geography", "base", "provider"),
    [
        ("us.anthropic.claude-x-v1:0", "us", "anthropic.claude-x-v1:0", "anthropic"),
        ("us-gov.anthropic.claude-x", "us-gov", "anthropic.claude-x", "anthropic"),
        ("deepseek.v3.2", "", "deepseek.v3.2", "deepseek"),
        ("global.amazon.nova-2-lite-v1:0", "global", "amazon.nova-2-lite-v1:0", "amazon"),
    ],
)
def test_the_parts_of_an_id(model, geography, base, provider):
    assert (model_ids.geography(model), model_ids.base_id(model), model_ids.provider_of(model)) == (
        geography, base, provider,
    )  # fmt: skip

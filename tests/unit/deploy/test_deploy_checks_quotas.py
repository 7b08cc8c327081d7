"""Quotas: what is too small fails or warns, what is not told does neither."""

import pytest
from checks_aws import Aws, Refused, attached, cloud, quota

from toolkit.contracts import ModelEntry, Registry
from toolkit.deploy.checks import quotas
from toolkit.emulator import Emulator

US = ModelEntry(provider="bedrock", id="us.anthropic.claude-haiku-4-5-20251001-v1:0")
NO = Refused("AccessDeniedException", "User: x is not authorized to perform: servicequotas:ListServiceQuotas")


@pytest.fixture
def aws(monkeypatch) -> Aws:
    return attached(monkeypatch)


def registry(entry: ModelEntry = US) -> Registry:
    return Registry(default="haiku", models={"haiku": entry})


def limits(number: int, free: int) -> dict[str, object]:
    return {
        "AccountLimit": {"ConcurrentExecutions": number, "UnreservedConcurrentExecutions": free},
        "AccountUsage": {"FunctionCount": 1},
    }


def model(name: str = "Claude Haiku 4.5", provider: str = "Anthropic") -> dict[str, object]:
    told = {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/x", "modelId": "x"}
    return {"modelDetails": {**told, "modelName": name, "providerName": provider}}


def rates(requests: float, tokens: float, kind: str = "Cross-region", tail: str = "") -> dict[str, object]:
    of = f"per minute for Anthropic Claude Haiku 4.5{tail}"
    return {
        "Quotas": [
            quota(f"{kind} model inference requests {of}", requests, "L-REQUESTS"),
            quota(f"{kind} model inference tokens {of}", tokens, "L-TOKENS"),
            quota("Cross-region model inference requests per minute for Anthropic Claude Haiku 4", 0.0),
            quota("Batch inference jobs", 0.0),
        ]
    }


@pytest.mark.parametrize(("number", "free", "warns"), [(1000, 1000, False), (10, 10, False), (1000, 9, True)])
def test_few_executions_are_a_warning(aws, number, free, warns):
    aws.answers["GetAccountSettings"] = limits(number, free)
    check = quotas.lambda_concurrency(cloud())
    assert check.ok
    assert f"{number:,}" in check.detail
    assert ("--quota-code L-B99A9384" in check.fix) is warns


@pytest.mark.parametrize(("allowed", "ok"), [(10240, True), (3008, True), (2048, False)])
def test_the_memory_that_the_agent_asks_for(aws, allowed, ok):
    aws.answers["ListServiceQuotas"] = {"Quotas": [quota("Function memory maximum", allowed)]}
    check = quotas.lambda_memory(cloud())
    assert check.ok is ok
    assert f"{allowed:,} MB" in check.detail
    assert bool(check.fix) is not ok


def test_memory_that_is_not_told(aws):
    aws.answers["ListServiceQuotas"] = {"Quotas": [quota("Concurrent executions", 10)]}
    check = quotas.lambda_memory(cloud())
    assert (check.ok, check.fix) == (True, "")
    assert "3,008 MB" in check.detail


@pytest.mark.parametrize("tail", ["", " V1"])
def test_the_rates_of_a_model_are_found_by_its_name(aws, tail):
    aws.answers |= {"ListServiceQuotas": rates(200, 2_000_000, tail=tail), "GetFoundationModel": model()}
    check = quotas.bedrock_rates(cloud(), registry())
    assert (check.ok, check.fix) == (True, "")
    assert check.detail == "haiku: 200 requests a minute, 2,000,000 tokens a minute"
    assert aws.called("GetFoundationModel") == [
        {"modelIdentifier": "anthropic.claude-haiku-4-5-20251001-v1:0"}
    ]


@pytest.mark.parametrize(
    ("id", "kind"),
    [
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "On-demand"),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "Global cross-region"),
        ("eu.anthropic.claude-haiku-4-5-20251001-v1:0", "Cross-region"),
    ],
)
def test_each_way_to_a_model_has_rates_of_its_own(aws, id, kind):  # noqa: A002
    aws.answers |= {"ListServiceQuotas": rates(60, 70_000, kind=kind), "GetFoundationModel": model()}
    check = quotas.bedrock_rates(cloud(), registry(ModelEntry(provider="bedrock", id=id)))
    assert check.detail == "haiku: 60 requests a minute, 70,000 tokens a minute"


def test_a_rate_of_zero_is_a_failure(aws):
    aws.answers |= {"ListServiceQuotas": rates(0, 200_000), "GetFoundationModel": model()}
    check = quotas.bedrock_rates(cloud(), registry())
    assert not check.ok
    assert "zero: Cross-region model inference requests per minute" in check.detail
    assert "--quota-code L-REQUESTS --desired-value 50 --region us-east-1" in check.fix
    assert "L-TOKENS" not in check.fix


def test_a_rate_that_cannot_be_raised_by_command(aws):
    told = rates(0, 0)
    told["Quotas"] = [{**one, "Adjustable": False} for one in told["Quotas"]]
    aws.answers |= {"ListServiceQuotas": told, "GetFoundationModel": model()}
    assert "support" in quotas.bedrock_rates(cloud(), registry()).fix


def test_few_requests_a_minute_are_a_warning(aws):
    aws.answers |= {"ListServiceQuotas": rates(3, 200_000), "GetFoundationModel": model()}
    check = quotas.bedrock_rates(cloud(), registry())
    assert check.ok
    assert "L-REQUESTS" in check.fix


def test_rates_that_are_not_told(aws):
    aws.answers |= {"ListServiceQuotas": rates(0, 0), "GetFoundationModel": model("Something New")}
    check = quotas.bedrock_rates(cloud(), registry())
    assert (check.ok, check.fix) == (True, "")
    assert quotas.UNTOLD in check.detail


def test_quotas_that_may_not_be_seen_are_a_warning(aws):
    aws.answers |= {"ListServiceQuotas": NO, "GetAccountSettings": NO, "ListBuckets": NO}
    for check in (
        quotas.bedrock_rates(cloud(), registry()),
        quotas.lambda_memory(cloud()),
        quotas.lambda_concurrency(cloud()),
        quotas.s3_buckets(cloud(), deployed=False),
    ):
        assert check.ok
        assert "cannot be looked at" in check.detail
        assert "allow you servicequotas:ListServiceQuotas" in check.fix


@pytest.mark.parametrize(
    ("there", "deployed", "ok"), [(98, False, True), (99, False, False), (100, True, True)]
)
def test_room_for_the_platforms_buckets(aws, there, deployed, ok):
    aws.answers["ListBuckets"] = {"Buckets": [{"Name": f"b{n}"} for n in range(there)]}
    aws.answers["GetServiceQuota"] = {"Quota": quota("General purpose buckets", 100)}
    check = quotas.s3_buckets(cloud(region="eu-west-1"), deployed=deployed)
    assert check.ok is ok
    assert f"{there} of 100" in check.detail
    assert ("--service-code s3 --quota-code L-DC2B2D3D" in check.fix) is not ok
    assert [region for region, name, _ in aws.calls if name == "GetServiceQuota"] == ["us-east-1"]


def test_without_the_quota_of_buckets_the_default_counts(aws):
    aws.answers |= {"ListBuckets": {"Buckets": []}, "GetServiceQuota": NO}
    assert quotas.s3_buckets(cloud(), deployed=False).detail == "0 of 10,000 are used"


def test_against_a_server_the_answers_have_the_same_shapes(tmp_path):
    emulator = Emulator(tmp_path)
    emulator.start()
    try:
        here = {"endpoint": emulator.endpoint, "key": emulator.key, "secret": emulator.secret}
        there = cloud(account="000000000000", **here)
        there.client("s3").create_bucket(Bucket="mine")
        assert quotas.s3_buckets(there, deployed=False).detail == "1 of 10,000 are used"
        number = there.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
        assert quotas.lambda_concurrency(there).detail.startswith(f"{number:,} executions at once")
    finally:
        emulator.stop()

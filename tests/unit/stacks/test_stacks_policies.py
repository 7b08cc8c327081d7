"""Least privilege, as far as documents can show it."""

import json
from fnmatch import fnmatch

from stacks.models import foundation_models, model_source
from stacks.policies import Statement, document

# In a key's own policy the only resource is that key; X-Ray has no resources.
RESOURCE_STAR = {"TheAccountDecidesByIam", "LogsEncryptsOurLogGroups", "AlarmsPublishToOurEncryptedTopic"}
RESOURCE_STAR |= {"SendTracesXRayHasNoResources"}
# The key's default policy, and a denial, which takes away.
SERVICE_STAR = {"TheAccountDecidesByIam", "NothingWithoutTls"}


def statements(deployed):
    return [(where, each) for where, found in deployed.documents().items() for each in found]


def agent(deployed):
    return {each["Sid"]: each for each in deployed.documents()["agent-policy.policy"]}


def test_every_document_is_seen(deployed):
    assert set(deployed.documents()) == {
        "key.policy", "runs-policy.policy", "audit-policy.policy", "alarms-topic-policy.policy",
        "invoke-policy.policy", "agent-role.assumeRolePolicy", "delivery-role.assumeRolePolicy",
        "delivery-policy.policy", "agent-policy.policy",
    }  # fmt: skip


def test_every_statement_says_why_it_is_there(deployed):
    for where, found in deployed.documents().items():
        sids = [each.get("Sid", "") for each in found]
        assert all(sid.isalnum() and len(sid) > 8 for sid in sids), where
        assert len(set(sids)) == len(sids), where


def test_no_star_where_aws_allows_less(deployed):
    for where, each in statements(deployed):
        assert "*" not in each["Action"], where
        if each["Sid"] not in SERVICE_STAR:
            assert not [action for action in each["Action"] if action.endswith(":*")], where
        if each["Sid"] not in RESOURCE_STAR:
            assert "*" not in each.get("Resource", []), (where, each["Sid"])


def test_only_a_denial_names_everyone(deployed):
    for where, each in statements(deployed):
        if each.get("Principal", {}).get("AWS") == "*":
            assert each["Effect"] == "Deny", where


def test_the_agent_adds_to_the_audit_bucket_and_no_more(deployed, config):
    audit = "arn:aws:s3:::tfkit-dev-audit-123456789012-eu-central-1"
    touching = [each for each in agent(deployed).values() if any(audit in arn for arn in each["Resource"])]
    assert [(each["Action"], each["Resource"]) for each in touching] == [
        (["s3:PutObject"], [f"{audit}/fallback/*"])
    ]


def test_the_agent_may_not_change_or_delete_what_it_must_not(deployed):
    allowed = [
        action
        for where in ("agent-policy.policy", "invoke-policy.policy")
        for each in deployed.documents()[where]
        for action in each["Action"]
    ]
    for forbidden in (
        "*Delete*",
        "*Retention*",
        "*LegalHold*",
        "iam:*",
        "sts:*",
        "kms:*Key",
        "lambda:*",
        "*:Put*Policy",
    ):
        assert [a for a in allowed if fnmatch(a, forbidden) and a != "kms:GenerateDataKey"] == []


def test_the_agents_resources_are_ours(deployed):
    for sid, each in agent(deployed).items():
        if sid in RESOURCE_STAR:
            continue
        for arn in each["Resource"]:
            assert "tfkit-dev" in arn or arn == deployed.exports["kms_key_arn"], sid


def test_the_key_is_used_through_services_only(deployed):
    each = agent(deployed)["EncryptRowsAndObjectsThroughTheirServices"]
    assert each["Resource"] == [deployed.exports["kms_key_arn"]]
    assert each["Condition"]["StringEquals"]["kms:ViaService"] == [
        "dynamodb.eu-central-1.amazonaws.com",
        "s3.eu-central-1.amazonaws.com",
    ]


def test_models_are_invoked_through_our_profiles_only(deployed):
    through, behind = deployed.documents()["invoke-policy.policy"]
    profiles = sorted(deployed.exports["profiles"].values())
    assert len(profiles) == 2
    assert through["Resource"] == profiles
    assert "Condition" not in through
    assert behind["Condition"] == {"StringLike": {"bedrock:InferenceProfileArn": profiles}}
    assert behind["Resource"] == [
        "arn:aws:bedrock:*::foundation-model/anthropic.claude-sonnet-v1:0",
        "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-haiku-v1:0",
    ]
    assert (
        through["Action"]
        == behind["Action"]
        == ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
    )


def test_a_global_profile_is_also_checked_without_region(config):
    assert model_source(config, "global.vendor.m").endswith(":123456789012:inference-profile/global.vendor.m")
    assert foundation_models(config, "global.vendor.m") == [
        "arn:aws:bedrock:*::foundation-model/vendor.m",
        "arn:aws:bedrock:::foundation-model/vendor.m",
    ]


def test_who_may_assume_the_roles(deployed):
    trusts = {each["Sid"]: each for each in deployed.documents()["agent-role.assumeRolePolicy"]}
    assert trusts["LambdaRunsTheAgent"]["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert trusts["DevelopersMayAssumeItWhereIamAllows"]["Principal"] == {
        "AWS": "arn:aws:iam::123456789012:root"
    }
    (delivery,) = deployed.documents()["delivery-role.assumeRolePolicy"]
    assert delivery["Condition"] == {"StringEquals": {"sts:ExternalId": "123456789012"}}


def test_roles_carry_the_boundary_when_there_is_one(runner, config):
    assert {made.inputs["permissionsBoundary"] for made in runner().all("Role")} == {
        config.permissions_boundary
    }
    assert not [
        made for made in runner(permissions_boundary="").all("Role") if "permissionsBoundary" in made.inputs
    ]


def test_documents_are_stable_text():
    one = Statement(sid="Sid", actions=["s3:PutObject", "s3:GetObject"], resources=["b", "a"])
    other = Statement(sid="Sid", actions=["s3:GetObject", "s3:PutObject"], resources=["a", "b"])
    assert document(one) == document(other)
    assert json.loads(document(one))["Version"] == "2012-10-17"
    assert json.loads(document(one))["Statement"] == [
        {"Sid": "Sid", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["a", "b"]}
    ]


def test_within_the_limits_of_iam(deployed):
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, without white space
    assert len(deployed.one("Policy").inputs["policy"]) < 6_144
    assert len(deployed.one("RolePolicy", "agent-policy").inputs["policy"]) < 10_240
    assert all(len(made.inputs["assumeRolePolicy"]) < 2_048 for made in deployed.all("Role"))

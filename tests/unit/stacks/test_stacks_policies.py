"""Least privilege, as far as documents can show it."""

import json
from fnmatch import fnmatch

import pytest
from stacks_world import make_config, run

from stacks.access import POLICY_LIMIT, check_access
from stacks.digests import PREFIX
from stacks.models import foundation_models, model_source
from stacks.policies import Statement, document
from toolkit.digest import document as document_module
from toolkit.digest.handler import ENVIRONMENT

# In a key's own policy the only resource is that key; X-Ray has no resources.
RESOURCE_STAR = {"TheAccountDecidesByIam", "LogsEncryptsOurLogGroups", "AlarmsPublishToOurEncryptedTopic"}
RESOURCE_STAR |= {"SendTracesXRayHasNoResources", "ReadTracesXRayHasNoResources"}
# A key has no ARN before it is made (the tag is asked for instead); some lists and logins have no resources.
RESOURCE_STAR |= {
    "MakeAKeyThatHasNoArnYet",
    "ListAndLogInWhichHaveNoResources",
    "LogInToEcrWhichHasNoResource",
}
# A denial, which takes away, and the description of interfaces, which AWS allows on everything only.
RESOURCE_STAR |= {"TheCodeItselfMustNotTouchThem", "LambdaSeesInterfacesWhichHaveNoResources"}
RESOURCE_STAR |= {"NobodySignsButTheDigest", "NobodySignsButTheAgent"}
# CloudWatch has no resources for what is put into it; only on the emulator, for one namespace.
RESOURCE_STAR |= {"PutTheMetricsOfRuns"}
# The key's default policy, and a denial, which takes away.
SERVICE_STAR = {"TheAccountDecidesByIam", "NothingWithoutTls"}


def statements(deployed):
    return [(where, each) for where, found in deployed.documents().items() for each in found]


@pytest.fixture(scope="session")
def complete():
    """A platform on AWS with everything optional: image, builder, checker in subnets, a secret."""
    network = {"checker_subnet_ids": ["subnet-1"], "checker_security_group_ids": ["sg-1"]}
    config = make_config(agent_zip={}, checker_handler="toolkit.checker.handler.handler", **network)
    return run(config, build_image=lambda url: f"{url}:tag", secrets={"mistral": "key"})


def agent(deployed):
    return {each["Sid"]: each for each in deployed.documents()["agent-policy.policy"]}


def test_every_document_is_seen(deployed):
    assert set(deployed.documents()) == {
        "key.policy", "runs-policy.policy", "audit-policy.policy", "alarms-topic-policy.policy",
        "invoke-policy.policy", "agent-role.assumeRolePolicy", "delivery-role.assumeRolePolicy",
        "delivery-policy.policy", "agent-policy.policy", "statement-key.policy",
        "digest-key.policy", "digest-role.assumeRolePolicy", "digest-policy.policy",
        "user-policy.policy", "auditor-policy.policy", "operator-policy.policy", "state-policy.policy",
    }  # fmt: skip


def test_every_statement_says_why_it_is_there(deployed, complete):
    for where, found in [*deployed.documents().items(), *complete.documents().items()]:
        sids = [each.get("Sid", "") for each in found]
        assert all(sid.isalnum() and len(sid) > 8 for sid in sids), where
        assert len(set(sids)) == len(sids), where


def test_no_star_where_aws_allows_less(deployed, complete):
    for where, each in [*statements(deployed), *statements(complete)]:
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
        but = ("kms:GenerateDataKey", "lambda:InvokeFunction")
        assert [a for a in allowed if fnmatch(a, forbidden) and a not in but] == []


def test_the_agents_resources_are_ours(deployed):
    for sid, each in agent(deployed).items():
        if sid in RESOURCE_STAR:
            continue
        for arn in each["Resource"]:
            keys = (deployed.exports["kms_key_arn"], deployed.exports["statement_key_arn"])
            assert "tfkit-dev" in arn or arn in keys, sid


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
    assert {made.name for made in deployed.all("Policy")} == {
        "invoke-policy",
        "user-policy",
        "auditor-policy",
        "operator-policy",
        "state-policy",
    }
    assert all(len(made.inputs["policy"]) < 6_144 for made in deployed.all("Policy"))
    assert len(deployed.one("RolePolicy", "agent-policy").inputs["policy"]) < 10_240
    assert all(len(made.inputs["assumeRolePolicy"]) < 2_048 for made in deployed.all("Role"))


def test_the_operators_policy_fits_with_the_longest_prefix():
    for partition in ("aws", "aws-us-gov"):
        check_access(make_config(prefix="p" * 30, partition=partition))
    with pytest.raises(ValueError, match=f"IAM allows {POLICY_LIMIT}: shorten the prefix"):
        check_access(make_config(role_path=f"/{'p' * 200}/"))


def test_the_checker_may_write_its_log_and_no_more(runner):
    made = runner(checker_handler="index.check")
    (log,) = made.documents()["checker-policy.policy"]
    assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert log["Resource"] == [
        "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/tfkit-dev-checker:*"
    ]
    (trusted,) = made.documents()["checker-role.assumeRolePolicy"]
    assert trusted["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_in_subnets_lambda_may_make_interfaces_and_the_code_may_not(complete):
    _, make, see, deny = complete.documents()["checker-policy.policy"]
    assert make["Resource"] == ["arn:aws:ec2:eu-central-1:123456789012:*/*"]
    assert (deny["Effect"], set(deny["Action"])) == ("Deny", {*make["Action"], *see["Action"]})
    assert deny["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"].endswith(":function:tfkit-dev-checker")


def test_the_agent_may_only_invoke_the_checker_and_itself(complete):
    agents = agent(complete)
    assert agents["HandLongRunsOver"]["Resource"] == [
        "arn:aws:lambda:eu-central-1:123456789012:function:tfkit-dev-agent"
    ]
    assert agents["HaveWhatTheModelWroteChecked"]["Resource"] == [
        "arn:aws:lambda:eu-central-1:123456789012:function:tfkit-dev-checker"
    ]
    assert [
        action for each in agents.values() for action in each["Action"] if action.startswith("lambda:")
    ] == ["lambda:InvokeFunction"] * 2


def test_the_agent_reads_the_keys_of_providers_through_their_parameters(complete):
    agents = agent(complete)
    parameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/tfkit-dev/secrets/mistral"
    assert agents["ReadTheKeysOfModelProviders"]["Resource"] == [parameter]
    assert agents["DecryptTheseKeysThroughTheirParameters"]["Condition"]["StringEquals"] == {
        "kms:ViaService": "ssm.eu-central-1.amazonaws.com",
        "kms:EncryptionContext:PARAMETER_ARN": [parameter],
    }


def test_the_builder_reads_one_prefix_and_pushes_to_one_repository(complete):
    found = {each["Sid"]: each for each in complete.documents()["build-policy.policy"]}
    assert found["ReadTheSourceArchive"]["Resource"] == [
        "arn:aws:s3:::tfkit-dev-runs-123456789012-eu-central-1/build/*"
    ]
    assert found["PushTheImageToItsRepository"]["Resource"] == [
        "arn:aws:ecr:eu-central-1:123456789012:repository/tfkit-dev-agent"
    ]
    (trusted,) = complete.documents()["build-role.assumeRolePolicy"]
    assert trusted["Condition"]["StringEquals"]["aws:SourceAccount"] == "123456789012"


def test_users_and_auditors_change_nothing_but_what_a_run_is_given(deployed):
    changing = ("*:Put*", "*:Delete*", "*:Update*", "*:Create*", "*:*Tag*", "iam:*", "*:Set*", "sqs:Send*")
    for kind in ("user", "auditor"):
        for each in deployed.documents()[f"{kind}-policy.policy"]:
            if each["Sid"] == "GiveRunsTheirFiles":
                given = {resource.partition("/runs/*/")[2] for resource in each["Resource"]}
                assert (kind, each["Action"]) == ("user", ["s3:PutObject"])
                assert given == {"start.tree", "attached.tree", "request.json"}
                continue
            for action in each["Action"]:
                assert not [pattern for pattern in changing if fnmatch(action, pattern)], (kind, action)


def test_the_operator_cannot_write_the_ready_policies_nor_leave_the_boundary(deployed, config):
    found = {each["Sid"]: each for each in deployed.documents()["operator-policy.policy"]}
    writing = [
        each
        for each in found.values()
        if any(fnmatch("iam:CreatePolicyVersion", action) for action in each["Action"])
    ]
    assert [each["Resource"] for each in writing] == [
        ["arn:aws:iam::123456789012:policy/tfkit-dev-eu-central-1-invoke-models"]
    ]
    assert found["GiveTheRolesTheirPolicies"]["Condition"] == {
        "StringEquals": {"iam:PermissionsBoundary": config.permissions_boundary}
    }
    passing = found["HandTheRolesToTheirServices"]
    assert (passing["Action"], passing["Condition"]["StringEquals"]["iam:PassedToService"]) == (
        ["iam:PassRole"],
        ["codebuild.amazonaws.com", "firehose.amazonaws.com", "lambda.amazonaws.com"],
    )


@pytest.mark.parametrize(
    ("what", "signer", "signs"),
    [("digest", "digest", "digest-policy.policy"), ("statement", "agent", "agent-policy.policy")],
)
def test_nobody_signs_but_one_role(deployed, what, signer, signs):
    _, deny = deployed.documents()[f"{what}-key.policy"]
    role = f"tfkit-dev-eu-central-1-{signer}"
    role_arns = [f"arn:aws:iam::123456789012:role/{role}", f"arn:aws:sts::123456789012:assumed-role/{role}/*"]
    assert (deny["Effect"], deny["Principal"], deny["Action"]) == (
        "Deny",
        {"AWS": "*"},
        ["kms:CreateGrant", "kms:Sign"],
    )
    assert deny["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": role_arns}}
    key = deployed.exports[f"{what}_key_arn"]
    signing = [
        where
        for where, each in statements(deployed)
        if each["Effect"] == "Allow" and key in each.get("Resource", []) and "kms:Sign" in each["Action"]
    ]
    assert signing == [signs]


@pytest.mark.parametrize("sid", ["SignWhatARunClaims", "HandLongRunsOver"])
def test_on_aws_the_agent_signs_and_hands_over_inside_its_function_only(deployed, complete, sid):
    function = "arn:aws:lambda:eu-central-1:123456789012:function:tfkit-dev-agent"
    assert agent(complete)[sid]["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": function}}
    # The emulator does not fill the key, and would refuse every run.
    assert "Condition" not in agent(deployed)[sid]


def test_the_agent_puts_statements_and_reads_none(deployed):
    runs = "arn:aws:s3:::tfkit-dev-runs-123456789012-eu-central-1"
    touching = [
        each["Action"] for each in agent(deployed).values() if f"{runs}/statements/*" in each["Resource"]
    ]
    assert touching == [["s3:PutObject"]]


@pytest.mark.parametrize("kind", ["user", "auditor"])
def test_who_reads_runs_may_check_their_statements(deployed, kind):
    found = {each["Sid"]: each for each in deployed.documents()[f"{kind}-policy.policy"]}
    checks = found["CheckTheSignaturesOfStatements"]
    assert (checks["Action"], checks["Resource"]) == (
        ["kms:GetPublicKey"],
        [deployed.exports["statement_key_arn"]],
    )
    runs = "arn:aws:s3:::tfkit-dev-runs-123456789012-eu-central-1"
    assert f"{runs}/statements/*" in found["ReadTheFilesAndStatementsOfRuns"]["Resource"]


def test_the_digest_reads_adds_and_no_more(deployed):
    found = {each["Sid"]: each for each in deployed.documents()["digest-policy.policy"]}
    audit = "arn:aws:s3:::tfkit-dev-audit-123456789012-eu-central-1"
    assert found["PutDigests"]["Resource"] == [f"{audit}/digests/*"]
    actions = {action for each in found.values() for action in each["Action"]}
    assert actions == {
        *("logs:CreateLogStream", "logs:PutLogEvents", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
        *("dynamodb:Query", "kms:Decrypt", "kms:GenerateDataKey", "kms:Sign"),
    }
    for sid, each in found.items():
        assert all("tfkit-dev" in arn or ":aws:kms/key:Key/" in arn for arn in each["Resource"]), sid


def test_the_digest_goes_where_its_reader_looks_and_is_called_each_hour(deployed, runner):
    assert PREFIX == document_module.PREFIX
    assert deployed.one("EventRule").inputs["scheduleExpression"] == "rate(1 hour)"
    target, function = deployed.one("EventTarget"), deployed.one("Function", "digest-function")
    assert {"digest-schedule", "digest-function"} <= set(target.depends_on)
    permission = deployed.one("Permission").inputs
    assert (permission["function"], permission["principal"]) == ("tfkit-dev-digest", "events.amazonaws.com")
    assert permission["sourceArn"] == "arn:aws:x:eu-central-1:123456789012:" + (
        "aws:cloudwatch/eventRule:EventRule/digest-schedule-id"
    )
    assert set(function.inputs["environment"]["variables"]) == set(ENVIRONMENT)
    image = runner(agent_zip={}, build_image=lambda url: f"{url}:tag").one("Function", "digest-function")
    assert image.inputs["imageConfig"] == {"commands": ["toolkit.digest.handler.handler"]}
    assert image.inputs["imageUri"] == "registry/repository:tag"

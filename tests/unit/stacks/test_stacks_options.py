"""What a user may bring or choose: a key, a log bucket, a path, subnets, secrets, a reserve."""

import pytest
from stacks_world import IMAGE

from toolkit.contracts import PlatformConfig, to_json

KEY = "arn:aws:kms:eu-central-1:123456789012:key/theirs"


def test_with_a_key_of_the_users_none_is_made(runner):
    made = runner(kms_key_arn=KEY)
    assert {key.name for key in made.all("Key")} == {"digest-key", "statement-key"}
    assert not made.all("Alias")
    assert made.exports["kms_key_arn"] == KEY
    assert made.one("Topic").inputs["kmsMasterKeyId"] == KEY
    operator = {each["Sid"]: each for each in made.documents()["operator-policy.policy"]}
    assert "UseTheKeyThatWasBrought" in operator
    signing = sorted(made.exports[f"{which}_key_arn"] for which in ("digest", "statement"))
    assert operator["UseAndKeepTheKeysAndTheirAlias"]["Resource"] == signing


def test_accesses_are_logged_to_a_bucket_of_the_users(runner, deployed):
    assert not deployed.all("BucketLogging")
    made = runner(log_bucket="central-logs")
    assert {
        (each.inputs["bucket"], each.inputs["targetBucket"], each.inputs["targetPrefix"])
        for each in made.all("BucketLogging")
    } == {
        (made.exports[f"{kind}_bucket"], "central-logs", f"tfkit-dev/{kind}/") for kind in ("runs", "audit")
    }


def test_roles_and_policies_lie_under_the_path(runner, deployed):
    assert not [made for made in deployed.all("Role") + deployed.all("Policy") if "path" in made.inputs]
    made = runner(role_path="/platform/ai/", checker_handler="index.check")
    assert {each.inputs["path"] for each in made.all("Role") + made.all("Policy")} == {"/platform/ai/"}
    found = {each["Sid"]: each for each in made.documents()["operator-policy.policy"]}
    assert found["WriteTheInvokePolicyOnly"]["Resource"] == [
        "arn:aws:iam::123456789012:policy/platform/ai/tfkit-dev-eu-central-1-invoke-models"
    ]


@pytest.mark.parametrize("path", ["team/", "/team", "team", "//", "/a b/"])
def test_a_path_that_iam_would_refuse_is_refused_at_once(runner, path):
    with pytest.raises(ValueError, match="must start and end with a slash"):
        runner(role_path=path)


def test_the_reserve_is_always_said_so_that_a_stop_by_hand_shows(runner, deployed):
    for made, reserved in ((deployed, -1), (runner(reserved_concurrency=5), 5)):
        agent = made.one("Function", "agent-function").inputs
        assert agent["reservedConcurrentExecutions"] == reserved


def test_a_providers_key_is_an_encrypted_parameter_and_a_secret(runner):
    made = runner(secrets={"mistral": "the-key"})
    parameter = made.one("Parameter", "secret-mistral").inputs
    assert (parameter["type"], parameter["name"]) == ("SecureString", "/tfkit-dev/secrets/mistral")
    assert parameter["keyId"] == made.exports["kms_key_arn"]
    assert ("secret-mistral", "value") in made.secrets
    variables = made.one("Function", "agent-function").inputs["environment"]["variables"]
    assert variables["TFKIT_MISTRAL_KEY_PARAMETER"] == "/tfkit-dev/secrets/mistral"
    told = str([(each.name, each.inputs) for each in made.resources if each.name != "secret-mistral"])
    assert "the-key" not in told
    assert "the-key" not in str(made.exports)


def test_the_configuration_has_no_room_for_a_key(config):
    assert not [name for name in PlatformConfig.__struct_fields__ if "mistral" in name or "secret" in name]
    assert b"the-key" not in to_json(config)


def test_a_secret_with_an_impossible_name_is_refused(runner):
    with pytest.raises(ValueError, match="must be lower-case letters"):
        runner(secrets={"Mistral Key": "x"})


def test_no_checker_without_a_handler(deployed):
    assert {made.name for made in deployed.all("Function")} == {"agent-function", "digest-function"}
    assert deployed.exports["checker_function"] == ""
    agent = deployed.one("Function", "agent-function").inputs
    assert "TFKIT_CHECKER_FUNCTION" not in agent["environment"]["variables"]


def test_the_checker_runs_the_same_code_at_another_entry(runner):
    made = runner(checker_handler="index.check")
    agent, checker = (made.one("Function", f"{name}-function").inputs for name in ("agent", "checker"))
    assert (agent["handler"], checker["handler"]) == ("index.handler", "index.check")
    assert set(checker["code"].assets) == set(agent["code"].assets)
    assert checker["role"] != agent["role"]
    assert "environment" not in checker
    assert "tracingConfig" not in checker
    assert "vpcConfig" not in checker
    assert checker["timeout"] == 300
    assert made.exports["checker_function"] == "tfkit-dev-checker"
    assert agent["environment"]["variables"]["TFKIT_CHECKER_FUNCTION"] == "tfkit-dev-checker"
    assert {"checker-log", "checker-policy"} <= set(made.one("Function", "checker-function").depends_on)


def test_the_checker_of_an_image_is_another_command_of_it(runner):
    made = runner(checker_handler="toolkit.checker.handler.handler", **IMAGE)
    agent, checker = (made.one("Function", f"{name}-function").inputs for name in ("agent", "checker"))
    assert checker["imageUri"] == agent["imageUri"]
    assert checker["imageConfig"] == {"commands": ["toolkit.checker.handler.handler"]}
    assert "imageConfig" not in agent
    assert checker["architectures"] == ["arm64"]


def test_the_checker_in_subnets_of_the_users(runner):
    network = {"checker_subnet_ids": ["subnet-1", "subnet-2"], "checker_security_group_ids": ["sg-1"]}
    checker = runner(checker_handler="index.check", **network).one("Function", "checker-function").inputs
    assert checker["vpcConfig"] == {"subnetIds": ["subnet-1", "subnet-2"], "securityGroupIds": ["sg-1"]}
    with pytest.raises(ValueError, match="must be given together"):
        runner(checker_handler="index.check", checker_subnet_ids=["subnet-1"])
    with pytest.raises(ValueError, match="need a checker"):
        runner(**network)


def test_the_image_is_built_by_a_project_only_where_there_is_an_image(runner, deployed):
    assert not deployed.all("Project")
    assert deployed.exports["build_project"] == ""
    made = runner(**IMAGE)
    project = made.one("Project")
    assert made.exports["build_project"] == project.inputs["name"] == "tfkit-dev-build"
    assert project.inputs["environment"]["type"] == "ARM_CONTAINER"
    assert project.inputs["environment"]["privilegedMode"] is True
    assert project.inputs["source"]["type"] == "S3"
    assert project.inputs["source"]["location"] == f"{made.exports['runs_bucket']}/build/source.zip"
    assert project.inputs["source"]["buildspec"] == "buildspec.yml"
    logs = project.inputs["logsConfig"]["cloudwatchLogs"]
    assert logs == {"groupName": "/aws/codebuild/tfkit-dev-build", "status": "ENABLED"}
    assert "build-policy" in project.depends_on
    rules = made.one("BucketLifecycleConfiguration").inputs["rules"]
    assert [rule["filter"]["prefix"] for rule in rules] == ["runs/", "build/"]


def test_the_image_waits_for_the_project_that_may_build_it(runner):
    function = runner(**IMAGE).one("Function", "agent-function")
    assert {"repository", "build-project"} <= set(function.depends_on)


def test_the_image_carries_the_insights_extension_and_may_report(runner, deployed):
    sid = "LetTheInsightsExtensionReport"
    assert sid not in {each["Sid"] for each in deployed.documents()["agent-policy.policy"]}
    found = {each["Sid"]: each for each in runner(**IMAGE).documents()["agent-policy.policy"]}
    group = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda-insights"
    assert found[sid]["Resource"] == [group, f"{group}:*"]

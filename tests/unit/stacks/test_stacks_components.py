"""What each component promises."""

import json
import re

import msgspec
import pytest
from stacks_world import IMAGE

from toolkit.contracts import ModelEntry, Registry, StackOutputs, default_registry


def body(deployed, what):
    return json.loads(deployed.one("Dashboard", f"{what}-dashboard").inputs["dashboardBody"])


def test_buckets_are_versioned_encrypted_closed_and_tls_only(deployed):
    for kind in ("runs", "audit"):
        assert deployed.one("BucketVersioning", f"{kind}-versioning").inputs["versioningConfiguration"] == {
            "status": "Enabled"
        }
        (rule,) = deployed.one("BucketServerSideEncryptionConfiguration", f"{kind}-encryption").inputs[
            "rules"
        ]
        assert rule["bucketKeyEnabled"] is True
        assert rule["applyServerSideEncryptionByDefault"] == {
            "sseAlgorithm": "aws:kms",
            "kmsMasterKeyId": deployed.exports["kms_key_arn"],
        }
        closed = deployed.one("BucketPublicAccessBlock", f"{kind}-public-access").inputs
        assert [value for key, value in closed.items() if key != "bucket"] == [True] * 4
        owner = deployed.one("BucketOwnershipControls", f"{kind}-ownership").inputs
        assert owner["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
        (tls,) = deployed.documents()[f"{kind}-policy.policy"]
        assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_only_the_audit_bucket_is_locked(deployed):
    assert deployed.one("Bucket", "audit-bucket").inputs["objectLockEnabled"] is True
    assert deployed.one("Bucket", "runs-bucket").inputs["objectLockEnabled"] is False
    lock = deployed.one("BucketObjectLockConfiguration")
    assert lock.inputs["bucket"] == deployed.exports["audit_bucket"]
    assert lock.inputs["rule"] == {"defaultRetention": {"mode": "GOVERNANCE", "days": 7}}
    assert "audit-versioning" in lock.depends_on


def test_force_destroy_is_a_setting(runner):
    for wanted in (True, False):
        assert {made.inputs["forceDestroy"] for made in runner(force_destroy=wanted).all("Bucket")} == {
            wanted
        }


def test_runs_expire(deployed, config):
    (rule,) = deployed.one("BucketLifecycleConfiguration").inputs["rules"]
    assert rule["filter"] == {"prefix": "runs/"}
    assert rule["expiration"] == {"days": config.runs_expire_days}
    assert {"noncurrentVersionExpiration", "abortIncompleteMultipartUpload"} <= set(rule)


def test_a_deployed_image_is_never_expired(deployed):
    rules = json.loads(deployed.one("LifecyclePolicy").inputs["policy"])["rules"]
    assert [rule["selection"]["tagStatus"] for rule in rules] == ["untagged"]
    repository = deployed.one("Repository").inputs
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}


def test_the_key_rotates_and_serves_only_our_logs_and_alarms(deployed):
    key = deployed.one("Key", "key").inputs
    assert key["enableKeyRotation"] is True
    assert 7 <= key["deletionWindowInDays"] <= 30
    account, logs, alarms = deployed.documents()["key.policy"]
    assert account["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert logs["Principal"] == {"Service": "logs.eu-central-1.amazonaws.com"}
    groups = logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    for made in deployed.all("LogGroup"):
        start = f"arn:aws:logs:eu-central-1:123456789012:log-group:{made.inputs['name'].rpartition('-')[0]}-*"
        assert start in groups
    assert alarms["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}


def test_the_table(deployed):
    table = deployed.one("Table").inputs
    assert (table["hashKey"], table["rangeKey"], table["billingMode"]) == ("pk", "sk", "PAY_PER_REQUEST")
    assert table["ttl"] == {"attributeName": "expires", "enabled": True}
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert table["serverSideEncryption"] == {"enabled": True, "kmsKeyArn": deployed.exports["kms_key_arn"]}
    (index,) = table["globalSecondaryIndexes"]
    schemas = [("gsi1pk", "HASH"), ("gsi1sk", "RANGE")]
    assert index == {
        "name": "gsi1",
        "keySchemas": [{"attributeName": name, "keyType": kind} for name, kind in schemas],
        "projectionType": "ALL",
    }
    assert {each["name"] for each in table["attributes"]} == {"pk", "sk", "gsi1pk", "gsi1sk"}


def test_a_profile_for_each_model(deployed):
    sources = {made.name: made.inputs["modelSource"]["copyFrom"] for made in deployed.all("InferenceProfile")}
    here = "arn:aws:bedrock:eu-central-1"
    assert sources == {
        "profile-haiku": f"{here}::foundation-model/anthropic.claude-haiku-v1:0",
        "profile-sonnet": f"{here}:123456789012:inference-profile/eu.anthropic.claude-sonnet-v1:0",
    }


@pytest.mark.parametrize(
    ("region", "first"),
    [
        ("us-west-2", "us."),
        ("eu-central-1", "eu."),
        ("ap-southeast-2", "global."),
        ("us-gov-west-1", "global."),
    ],
)
def test_the_first_model_goes_by_the_profile_of_its_geography(region, first):
    registry = default_registry(region)
    assert registry.models[registry.default].id.startswith(first + "anthropic.")


def test_a_model_name_becomes_a_name_that_bedrock_allows(runner):
    models = {"claude 4.5__x": ModelEntry(provider="bedrock", id="vendor.m")}
    profile = runner(registry=Registry(default="claude 4.5__x", models=models)).one("InferenceProfile")
    assert profile.inputs["name"] == "tfkit-dev-claude-4-5-x"
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateInferenceProfile.html
    assert re.fullmatch(r"([0-9a-zA-Z:.][ _-]?)+", profile.inputs["description"])


def test_the_registry_parameter_names_the_profiles(deployed):
    parameter = deployed.one("Parameter", "registry").inputs
    registry = json.loads(parameter["value"])
    assert parameter["type"] == "String"
    assert registry["default"] == "haiku"
    assert {name: entry["profile"] for name, entry in registry["models"].items()} == deployed.exports[
        "profiles"
    ]


def test_the_directory_holds_the_outputs_for_whoever_has_no_pulumi(deployed):
    parameter = deployed.one("Parameter", "directory").inputs
    assert parameter["name"] == "/tfkit-dev/platform"
    assert json.loads(parameter["value"]) == deployed.exports
    assert msgspec.json.decode(parameter["value"], type=StackOutputs).runs_table == "tfkit-dev-runs"
    assert len(parameter["value"]) < 4096


def test_records_are_delivered_by_day_and_compressed(deployed):
    stream = deployed.one("FirehoseDeliveryStream")
    settings = stream.inputs["extendedS3Configuration"]
    assert settings["prefix"] == "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/"
    assert settings["errorOutputPrefix"].startswith("errors/!{firehose:error-output-type}/year=")
    assert (settings["compressionFormat"], settings["bufferingInterval"]) == ("GZIP", 60)
    assert 5 <= settings["bufferingSize"] <= 128
    assert settings["cloudwatchLoggingOptions"]["logGroupName"] == "/aws/kinesisfirehose/tfkit-dev-audit"
    assert "delivery-policy" in stream.depends_on


def test_what_firehose_writes_it_may_write(deployed):
    put = next(
        each for each in deployed.documents()["delivery-policy.policy"] if "s3:PutObject" in each["Action"]
    )
    bucket = "arn:aws:s3:::tfkit-dev-audit-123456789012-eu-central-1"
    assert put["Resource"] == [f"{bucket}/errors/*", f"{bucket}/year=*"]


def test_the_function_as_a_zip(deployed, config):
    function = deployed.one("Function", "agent-function").inputs
    assert (function["packageType"], function["handler"]) == ("Zip", "index.handler")
    assert function["runtime"] == config.agent_runtime
    assert set(function["code"].assets) == {"index.py"}
    assert not {"imageUri", "architectures"} & set(function)


def test_the_function_as_an_image(runner):
    function = runner(**IMAGE).one("Function", "agent-function").inputs
    assert (function["packageType"], function["imageUri"]) == ("Image", "registry/repository:tag")
    assert function["architectures"] == ["arm64"]
    assert not {"code", "handler", "runtime"} & set(function)


def test_a_function_without_code_is_refused(runner):
    with pytest.raises(ValueError, match="the agent needs code"):
        runner(agent_zip={})


def test_the_function_is_told_where_everything_is(deployed):
    function = deployed.one("Function", "agent-function")
    assert function.inputs["environment"]["variables"] == {
        "TFKIT_STACK": "dev",
        "TFKIT_RUNS_TABLE": "tfkit-dev-runs",
        "TFKIT_RUNS_BUCKET": deployed.exports["runs_bucket"],
        "TFKIT_AUDIT_BUCKET": deployed.exports["audit_bucket"],
        "TFKIT_DELIVERY_STREAM": "tfkit-dev-audit",
        "TFKIT_REGISTRY_PARAMETER": "/tfkit-dev/models",
        "TFKIT_STATEMENT_KEY": deployed.exports["statement_key_arn"],
        "TFKIT_METRICS_NAMESPACE": "tfkit/tfkit-dev",
        "TFKIT_EXTRA": "1",
    }
    assert function.inputs["tracingConfig"] == {"mode": "Active"}
    assert {"agent-log", "agent-policy", "agent-invokes"} <= set(function.depends_on)


def test_a_failed_run_is_not_repeated_but_kept(deployed):
    rules = deployed.one("FunctionEventInvokeConfig").inputs
    assert rules["maximumRetryAttempts"] == 0
    assert 60 <= rules["maximumEventAgeInSeconds"] <= 21_600
    assert "dead-letters" in rules["destinationConfig"]["onFailure"]["destination"]
    queue = deployed.one("Queue").inputs
    assert (queue["messageRetentionSeconds"], queue["sqsManagedSseEnabled"]) == (1_209_600, True)


def test_the_token_alarm_sums_all_profiles(deployed, config):
    alarm = deployed.one("MetricAlarm", "token-alarm").inputs
    total, *metrics = alarm["metricQueries"]
    assert (total["expression"], total["returnData"]) == ("SUM(FILL(METRICS(), 0))", True)
    assert not [query for query in metrics if query["returnData"]]
    ids = {arn.rpartition("/")[2] for arn in deployed.exports["profiles"].values()}
    assert {(q["metric"]["metricName"], q["metric"]["dimensions"]["ModelId"]) for q in metrics} == {
        (metric, each) for metric in ("InputTokenCount", "OutputTokenCount") for each in ids
    }
    assert {(q["metric"]["period"], q["metric"]["stat"]) for q in metrics} == {(86_400, "Sum")}
    assert (alarm["threshold"], alarm["treatMissingData"]) == (config.daily_token_limit, "notBreaching")
    assert alarm["alarmActions"] == [deployed.exports["topic_arn"]]


def test_the_dashboard_is_two_by_two_with_every_model(deployed):
    widgets = body(deployed, "models")["widgets"]
    assert [(widget["x"], widget["y"]) for widget in widgets[:4]] == [(0, 0), (12, 0), (0, 6), (12, 6)]
    for number, widget in enumerate(widgets):
        ids = {metric[3] for metric in widget["properties"]["metrics"]}
        # First what Bedrock counts, by profile; then what runs say of themselves.
        assert ids == ({"profile-haiku-id", "profile-sonnet-id"} if number < 4 else {"haiku", "sonnet"})

"""What the provider refuses, by name: types, properties, look-ups, and what somebody else made."""

from typing import Any

import pytest
from provider_cases import CASES
from provider_world import TAGS, Case, World, dashboard
from pulumi.runtime.proto import provider_pb2

from toolkit.local.provider import ProviderError
from toolkit.local.provider.kinds import KINDS
from toolkit.local.provider.wire import SECRET, SIGNATURE, UNKNOWN, to_struct

BUCKET = "aws:s3/bucket:Bucket"
UNTAGGED_NAMES = {
    "aws:kms/key:Key",  # found by our tags only, so a stranger's is never met
    "aws:bedrock/inferenceProfile:InferenceProfile",  # the same
}
NAMED = [
    case
    for case in CASES
    if "tags" in KINDS[case.token].table.properties and case.token not in UNTAGGED_NAMES
]


def test_an_unknown_type_is_refused_by_name(engine: Any) -> None:
    with pytest.raises(ProviderError, match="does not know aws:ec2/vpc:Vpc"):
        engine.check("aws:ec2/vpc:Vpc", {})


@pytest.mark.parametrize("case", CASES, ids=[case.token for case in CASES])
def test_a_property_that_no_table_names_is_refused(case: Case, engine: Any) -> None:
    failures = engine.check(case.token, {"madeUp": 1})
    assert failures["madeUp"] == "tfkit's provider for the emulator does not know the property madeUp"


def test_a_property_inside_a_block_is_refused_by_its_path(engine: Any) -> None:
    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    rule = {"id": "a", "status": "Enabled", "filter": {"and": {"prefix": "x"}}}
    assert list(engine.check(token, {"bucket": "b", "rules": [rule]})) == ["rules[0].filter.and"]


def test_a_missing_property_is_named(engine: Any) -> None:
    assert engine.check(BUCKET, {"tags": TAGS}) == {"bucket": "bucket must be given"}


def test_a_block_that_is_no_block_is_refused(engine: Any) -> None:
    token = "aws:s3/bucketVersioning:BucketVersioning"
    failures = engine.check(token, {"bucket": "b", "versioningConfiguration": "Enabled"})
    assert failures == {"versioningConfiguration": "versioningConfiguration must be a block"}


def test_unknowns_and_secrets_pass_the_check(engine: Any) -> None:
    token = "aws:s3/bucketVersioning:BucketVersioning"
    secret = {SIGNATURE: SECRET, "value": {"status": "Enabled"}}
    assert engine.check(token, {"bucket": UNKNOWN, "versioningConfiguration": secret}) == {}
    assert engine.check(token, {"bucket": UNKNOWN, "versioningConfiguration": UNKNOWN}) == {}


def test_the_providers_own_region_passes_and_another_is_refused(engine: Any) -> None:
    assert engine.check(BUCKET, {"bucket": "b", "region": "us-east-1"}) == {}
    assert list(engine.check(BUCKET, {"bucket": "b", "region": "eu-west-1"})) == ["region"]


@pytest.mark.parametrize("case", NAMED, ids=[case.token for case in NAMED])
def test_what_another_stack_made_is_not_adopted(case: Case, world: World) -> None:
    inputs = case.inputs(world)
    id_, state = world.engine.create(case.token, inputs)
    strangers = {**inputs, "tags": {**TAGS, "tfkit:stack": "another"}}
    with pytest.raises(ProviderError, match=r"something of that name .* exists that tfkit did not make"):
        world.engine.create(case.token, strangers)
    with pytest.raises(ProviderError, match="that tfkit did not make"):
        world.engine.create(case.token, {**inputs, "tags": {}})
    assert world.engine.read(case.token, id_, state, inputs)[2] == inputs


def test_a_key_and_a_profile_of_another_stack_are_left_alone(world: World) -> None:
    for token in sorted(UNTAGGED_NAMES):
        case = next(case for case in CASES if case.token == token)
        inputs = case.inputs(world)
        first, state = world.engine.create(token, inputs)
        strangers = {**inputs, "tags": {"tfkit:stack": "another" + world.prefix}}
        second, _ = world.engine.create(token, strangers)
        assert second != first
        assert world.engine.read(token, first, state, inputs)[2] == inputs


def test_a_bucket_made_by_hand_is_not_adopted(world: World, clients: Any) -> None:
    clients.of("s3").create_bucket(Bucket=world.name("hand"))
    with pytest.raises(ProviderError, match="tfkit did not make"):
        world.engine.create(BUCKET, {"bucket": world.name("hand"), "tags": TAGS})
    clients.of("s3").delete_bucket(Bucket=world.name("hand"))


def test_a_dashboard_and_an_alias_of_somebody_else_are_not_adopted(world: World, clients: Any) -> None:
    clients.of("cloudwatch").put_dashboard(DashboardName=world.name("d"), DashboardBody=dashboard("x"))
    key = clients.of("kms").create_key()["KeyMetadata"]["KeyId"]
    clients.of("kms").create_alias(AliasName=f"alias/{world.name('a')}", TargetKeyId=key)
    with pytest.raises(ProviderError, match="tfkit did not make"):
        world.engine.create(
            "aws:cloudwatch/dashboard:Dashboard",
            {"dashboardName": world.name("d"), "dashboardBody": dashboard("x")},
        )
    with pytest.raises(ProviderError, match="tfkit did not make"):
        alias = {"name": f"alias/{world.name('a')}", "targetKeyId": world.key()["keyId"]}
        world.engine.create("aws:kms/alias:Alias", alias)


def test_what_an_interrupted_run_left_cannot_be_adopted_when_it_differs_for_good(world: World) -> None:
    token = "aws:dynamodb/table:Table"
    inputs = next(case for case in CASES if case.token == token).inputs(world)
    world.engine.create(token, inputs)
    other = {**inputs, "hashKey": "SK", "rangeKey": "PK"}
    with pytest.raises(ProviderError, match="with another hashKey, rangeKey"):
        world.engine.create(token, other)


def test_a_group_that_lambda_made_again_is_adopted(world: World, clients: Any) -> None:
    name = f"/aws/lambda/{world.name('f')}"
    clients.of("logs").create_log_group(logGroupName=name)
    inputs = {"name": name, "retentionInDays": 7, "tags": TAGS}
    _, state = world.engine.create("aws:cloudwatch/logGroup:LogGroup", inputs)
    assert state["tags"] == TAGS
    assert state["retentionInDays"] == 7


def test_an_error_says_where_and_what(engine: Any) -> None:
    with pytest.raises(
        ProviderError, match=r"aws:s3/bucketPolicy:BucketPolicy it: PutBucketPolicy .*NoSuchBucket: "
    ):
        engine.create("aws:s3/bucketPolicy:BucketPolicy", {"bucket": "no-such-bucket-here", "policy": "{}"})


def test_an_unknown_look_up_is_refused_by_name(engine: Any) -> None:
    with pytest.raises(ProviderError, match="does not know the look-up aws:ec2/getAmi:getAmi"):
        engine.provider.Invoke(provider_pb2.InvokeRequest(tok="aws:ec2/getAmi:getAmi"), None)


def test_settings_that_would_change_resources_are_refused(engine: Any) -> None:
    args = to_struct({"region": "us-east-1", "version": "7.51.1", "defaultTags": {"tags": {"a": "b"}}})
    answer = engine.provider.CheckConfig(provider_pb2.CheckRequest(news=args), None)
    assert [failure.property for failure in answer.failures] == ["defaultTags"]
    with pytest.raises(ProviderError, match="defaultTags"):
        engine.provider.Configure(provider_pb2.ConfigureRequest(args=args), None)


def test_a_key_is_found_again_by_the_name_tag_that_a_program_sets(world: World) -> None:
    token = "aws:kms/key:Key"
    inputs = {"deletionWindowInDays": 7, "tags": {"tfkit:stack": world.prefix, "tfkit:name": "logical"}}
    id_, state = world.engine.create(token, inputs, "one")
    assert world.engine.read(token, id_, state, inputs)[2] == inputs
    assert world.engine.create(token, inputs, "renamed in the program")[0] == id_
    other = {**inputs, "tags": {**inputs["tags"], "tfkit:name": "another"}}
    assert world.engine.create(token, other, "one")[0] != id_

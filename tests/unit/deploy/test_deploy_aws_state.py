"""The bucket of the states: made once, closed, and gone when nothing is left in it."""

import json

import pytest
from aws_fakes import ACCOUNT, account, emulated  # noqa: F401 - fixtures

from toolkit.cloud import Cloud
from toolkit.deploy.aws_state import ALIAS, StateStore
from toolkit.emulator import Emulator
from toolkit.errors import DeployFailed


def cloud_in(region: str, there: Emulator) -> Cloud:
    here = {"endpoint": there.endpoint, "key": there.key, "secret": there.secret}
    return Cloud(target="aws", region=region, account=ACCOUNT, **here)


@pytest.fixture
def cloud(emulated: Emulator) -> Cloud:  # noqa: F811
    return cloud_in("eu-west-1", emulated)


@pytest.fixture
def store(cloud: Cloud):
    store = StateStore(cloud)
    yield store
    s3 = cloud.client("s3")
    if store.region():
        for entry in s3.list_objects_v2(Bucket=store.bucket).get("Contents", []):
            s3.delete_object(Bucket=store.bucket, Key=entry["Key"])
        store.remove_if_unused()


def test_nothing_is_there_before_it_is_made(store: StateStore) -> None:
    assert store.region() == ""
    assert store.remove_if_unused() == ""


def test_it_is_private_versioned_and_encrypted_by_its_own_key(store: StateStore, cloud: Cloud) -> None:
    assert store.make() == "eu-west-1"
    assert store.region() == "eu-west-1"
    s3, kms = cloud.client("s3"), cloud.client("kms")
    assert s3.get_bucket_versioning(Bucket=store.bucket)["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket=store.bucket)["PublicAccessBlockConfiguration"].values())
    rule = s3.get_bucket_encryption(Bucket=store.bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    key = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]


def test_making_it_again_makes_nothing(store: StateStore, cloud: Cloud) -> None:
    store.make()
    keys = len(cloud.client("kms").list_keys()["Keys"])
    assert store.make() == "eu-west-1"
    assert len(cloud.client("kms").list_keys()["Keys"]) == keys


def test_a_kill_in_the_middle_is_made_good(store: StateStore, cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=store.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    store.make()
    assert s3.get_bucket_versioning(Bucket=store.bucket)["Status"] == "Enabled"


def test_it_stays_where_it_was_first_made(store: StateStore, cloud: Cloud, emulated: Emulator) -> None:  # noqa: F811
    store.make()
    elsewhere = StateStore(cloud_in("us-east-1", emulated))
    assert elsewhere.make() == "eu-west-1"
    assert elsewhere.url("eu-west-1") == f"s3://tfkit-state-{ACCOUNT}?region=eu-west-1&awssdk=v2"
    assert "region=eu-west-1" in elsewhere.secrets_provider("eu-west-1")


def test_it_stays_as_long_as_a_stack_is_in_it(store: StateStore, cloud: Cloud) -> None:
    store.make()
    s3 = cloud.client("s3")
    key = ".pulumi/stacks/tfkit/dev.json"
    s3.put_object(Bucket=store.bucket, Key=key, Body=json.dumps({}).encode())
    assert store.has("tfkit", "dev")
    assert not store.has("tfkit", "other")
    assert "dev" in store.remove_if_unused()
    s3.delete_object(Bucket=store.bucket, Key=key)
    assert not store.has("tfkit", "dev")
    assert "is gone" in store.remove_if_unused()  # its old versions with it
    assert store.region() == ""


@pytest.mark.parametrize("suffix", [".json.gz", ".json.zst"])
def test_a_compressed_state_counts_and_a_copy_does_not(store: StateStore, cloud: Cloud, suffix: str) -> None:
    store.make()
    s3, key = cloud.client("s3"), f".pulumi/stacks/tfkit/dev{suffix}"
    s3.put_object(Bucket=store.bucket, Key=f"{key}.bak", Body=b"")
    assert not store.has("tfkit", "dev")
    s3.put_object(Bucket=store.bucket, Key=key, Body=b"")
    assert store.has("tfkit", "dev")
    assert "holds the state of dev" in store.remove_if_unused()


def test_it_stays_where_somebody_else_put_something_into_it(store: StateStore, cloud: Cloud) -> None:
    store.make()
    cloud.client("s3").put_object(Bucket=store.bucket, Key="notes.txt", Body=b"mine")
    assert "notes.txt" in store.remove_if_unused()
    assert store.region() == "eu-west-1"
    from toolkit.deploy.buckets import remove_versions

    remove_versions(cloud.client("s3"), store.bucket, ACCOUNT)


def test_a_bucket_that_tfkit_did_not_make_is_not_removed(store: StateStore, cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=store.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert store.remove_if_unused() == ""
    assert store.region() == "eu-west-1"
    s3.delete_bucket(Bucket=store.bucket)


def test_a_key_on_its_way_out_is_called_back(store: StateStore, cloud: Cloud) -> None:
    store.make()
    kms = cloud.client("kms")
    key = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
    store.remove_if_unused()
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    store.make()
    assert kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyState"] == "Enabled"
    assert kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"] == key


def test_a_bucket_of_somebody_else_is_refused(cloud: Cloud, monkeypatch) -> None:
    from botocore.exceptions import ClientError

    def denied(**_: object) -> None:
        raise ClientError(
            {"Error": {"Code": "403"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "HeadBucket"
        )

    monkeypatch.setattr(cloud.client("s3"), "head_bucket", denied)
    with pytest.raises(DeployFailed, match="another account's") as refused:
        StateStore(cloud).region()
    assert "TFKIT_BACKEND" in refused.value.hint

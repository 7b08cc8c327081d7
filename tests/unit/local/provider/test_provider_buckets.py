"""Buckets with locked objects: what a deletion may take, and what holds it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from provider_world import TAGS, World, bucket_policy

from toolkit.local.provider import ProviderError

BUCKET = "aws:s3/bucket:Bucket"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"


def locked(world: World, clients: Any, force: bool) -> tuple[str, dict[str, Any]]:
    """A bucket with a default retention, two versions of an object, a delete marker, and one object more."""
    inputs = {"bucket": world.name("b"), "objectLockEnabled": True, "forceDestroy": force, "tags": TAGS}
    id_, state = world.engine.create(BUCKET, inputs)
    rule = {"defaultRetention": {"mode": "GOVERNANCE", "days": 7}}
    world.engine.create(LOCK, {"bucket": id_, "rule": rule})
    for content in (b"one", b"two"):
        clients.of("s3").put_object(Bucket=id_, Key="record", Body=content)
    clients.of("s3").delete_object(Bucket=id_, Key="record")
    clients.of("s3").put_object(Bucket=id_, Key="other", Body=b"x")
    return id_, state


def test_the_objects_are_really_locked(world: World, clients: Any) -> None:
    id_, _ = locked(world, clients, force=True)
    version = clients.of("s3").head_object(Bucket=id_, Key="other")
    assert version["ObjectLockMode"] == "GOVERNANCE"
    with pytest.raises(clients.of("s3").exceptions.ClientError, match="AccessDenied"):
        clients.of("s3").delete_object(Bucket=id_, Key="other", VersionId=version["VersionId"])


def test_a_forced_deletion_takes_versions_markers_and_locked_objects(world: World, clients: Any) -> None:
    id_, state = locked(world, clients, force=True)
    world.engine.delete(BUCKET, id_, state)
    assert world.engine.read(BUCKET, id_, state, {})[0] == ""


def test_without_force_a_bucket_with_objects_stays(world: World, clients: Any) -> None:
    id_, state = locked(world, clients, force=False)
    with pytest.raises(ProviderError, match="BucketNotEmpty"):
        world.engine.delete(BUCKET, id_, state)
    assert world.engine.read(BUCKET, id_, state, {})[0] == id_


def test_a_compliance_lock_holds_even_by_force_and_is_named(world: World, clients: Any) -> None:
    inputs = {"bucket": world.name("c"), "objectLockEnabled": True, "forceDestroy": True, "tags": TAGS}
    id_, state = world.engine.create(BUCKET, inputs)
    world.engine.made.pop()
    until = datetime.now(UTC) + timedelta(days=1)
    clients.of("s3").put_object(
        Bucket=id_, Key="kept", Body=b"x", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until
    )
    with pytest.raises(ProviderError, match=r"1 objects of .* cannot be deleted, first kept: AccessDenied"):
        world.engine.delete(BUCKET, id_, state)


def test_a_lost_lock_configuration_reads_as_gone_and_the_bucket_does_not(world: World, clients: Any) -> None:
    """What a restart may lose must be made again, without replacing the bucket of the records."""
    inputs = {"bucket": world.name("l"), "forceDestroy": True, "tags": TAGS}
    id_, _ = world.engine.create(BUCKET, inputs)
    asked = {**inputs, "objectLockEnabled": True}
    assert world.engine.read(BUCKET, id_, asked, asked)[2] == asked
    rule = {"bucket": id_, "rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 7}}}
    assert world.engine.read(LOCK, id_, rule, rule)[0] == ""


def test_a_bucket_of_many_objects_is_emptied_page_by_page(world: World, clients: Any) -> None:
    inputs = {"bucket": world.name("m"), "forceDestroy": True, "tags": TAGS}
    id_, state = world.engine.create(BUCKET, inputs)
    for number in range(1_001):
        clients.of("s3").put_object(Bucket=id_, Key=f"{number:04}", Body=b"")
    world.engine.delete(BUCKET, id_, state)
    assert world.engine.read(BUCKET, id_, state, {})[0] == ""


def test_a_policy_that_asks_for_tls_leaves_the_bucket_reachable_and_reads_as_given(
    world: World, clients: Any
) -> None:
    token = "aws:s3/bucketPolicy:BucketPolicy"
    bucket = world.bucket()
    policy = json.loads(bucket_policy(bucket, "s3:GetObject"))
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    policy["Statement"].append(
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": tls}
    )
    inputs = {"bucket": bucket, "policy": json.dumps(policy)}
    id_, state = world.engine.create(token, inputs)
    assert world.engine.read(token, id_, state, inputs)[2] == inputs
    live = json.loads(clients.of("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    assert live["Statement"] == policy["Statement"][:1]
    clients.of("s3").put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket, "s3:PutObject"))
    assert world.engine.read(token, id_, state, inputs)[2] != inputs

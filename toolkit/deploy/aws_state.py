"""Where the state of an account's stacks lies: a bucket of the account, made on first use.

    s3://tfkit-state-ACCOUNT   private, versioned, encrypted by the key behind alias/tfkit-state

One for all stacks of the account, in the region of the first `up`; Pulumi keeps them apart by name. A stack's
secrets are encrypted by the same key (`awskms://`), so who may use it can work on the stacks from any
machine. A setting (`backend`) puts another place instead, and nothing of this is made then.
The name can be guessed, so whose bucket it is is asked at every use (`ExpectedBucketOwner`):
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
"""

import contextlib
import json
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from toolkit import __version__
from toolkit.cloud import Cloud
from toolkit.deploy.buckets import remove_versions, versions
from toolkit.errors import DeployFailed

ALIAS = "alias/tfkit-state"
COMPLETE = "tfkit:state"
OLD_VERSIONS_DAYS = 90
KEY_DELETION_DAYS = 7
STACKS = ".pulumi/stacks/"

STATE_SUFFIXES = (".json", ".json.gz", ".json.zst")
"""A state's name ends so; which, the CLI decides by PULUMI_DIY_BACKEND_GZIP and its kin (pkg/backend/diy).
What is only a copy ends otherwise (`.bak`)."""


class StateStore:
    """The bucket and the key of an account's states."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.bucket = f"tfkit-state-{cloud.account}"

    # -- looking ---------------------------------------------------------------------------------

    def region(self) -> str:
        """Where the bucket is; empty where there is none. Raises `DeployFailed` for somebody else's."""
        try:
            head = self._s3(self._cloud).head_bucket(**self._mine)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return ""
            raise DeployFailed(
                f"the bucket {self.bucket}, which is to hold Pulumi's state, cannot be used: it is another"
                " account's, or these credentials may not see it",
                "let an administrator grant s3:ListBucket on it, or name another place: TFKIT_BACKEND=s3://…",
            ) from error
        return str(head.get("BucketRegion") or self._cloud.region)

    def url(self, region: str) -> str:
        """The bucket as a backend of Pulumi's (https://www.pulumi.com/docs/iac/concepts/state-and-backends/)."""
        return f"s3://{self.bucket}?region={region}&awssdk=v2"

    def secrets_provider(self, region: str) -> str:
        """The key as a secrets provider of Pulumi's."""
        return f"awskms://{ALIAS}?region={region}&awssdk=v2"

    def has(self, project: str, stack: str) -> bool:
        """Whether the bucket holds a state of the stack."""
        names = {f"{STACKS}{project}/{stack}{suffix}" for suffix in STATE_SUFFIXES}
        return not names.isdisjoint(self._states())

    def _states(self) -> list[str]:
        pages = (
            self._s3(self._cloud)
            .get_paginator("list_objects_v2")
            .paginate(Bucket=self.bucket, Prefix=STACKS, ExpectedBucketOwner=self._cloud.account)
        )
        keys = [str(entry["Key"]) for page in pages for entry in page.get("Contents", [])]
        return [key for key in keys if key.endswith(STATE_SUFFIXES)]

    # -- making ----------------------------------------------------------------------------------

    def make(self) -> str:
        """Make what is missing, and return the region. A kill in the middle is made good by the next call."""
        region = self.region()
        if region and self._complete():
            return region
        region = region or self._cloud.region
        place = replace(self._cloud, region=region)
        self._create(place)
        self._close(place)
        self._encrypt(place, self._key(place))
        tags = [{"Key": COMPLETE, "Value": "complete"}, {"Key": "tfkit:version", "Value": __version__}]
        self._s3(place).put_bucket_tagging(**self._mine, Tagging={"TagSet": tags})
        return region

    @property
    def _mine(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "ExpectedBucketOwner": self._cloud.account}

    def _complete(self) -> bool:
        try:
            tags = self._s3(self._cloud).get_bucket_tagging(**self._mine)["TagSet"]
        except ClientError:
            return False
        return any(tag["Key"] == COMPLETE for tag in tags)

    def _create(self, place: Cloud) -> None:
        where: dict[str, Any] = {}
        if place.region != "us-east-1":  # which is the default, and is refused where it is named
            where = {"CreateBucketConfiguration": {"LocationConstraint": place.region}}
        try:
            self._s3(place).create_bucket(Bucket=self.bucket, **where)
        except ClientError as error:
            if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
                raise DeployFailed(
                    f"the bucket {self.bucket} for Pulumi's state cannot be made: {error}",
                    "name another place for the state: TFKIT_BACKEND=s3://…",
                ) from error

    def _close(self, place: Cloud) -> None:
        """Private, over TLS only, with old versions for some time."""
        s3 = self._s3(place)
        closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(**self._mine, PublicAccessBlockConfiguration=dict.fromkeys(closed, True))
        s3.put_bucket_versioning(**self._mine, VersioningConfiguration={"Status": "Enabled"})
        arn = f"arn:{place.partition}:s3:::{self.bucket}"
        statement = {
            "Sid": "NothingWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        if not place.endpoint:  # an emulator has no TLS
            s3.put_bucket_policy(
                **self._mine, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            )
        rule = {
            "ID": "old-versions",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_VERSIONS_DAYS},
        }
        s3.put_bucket_lifecycle_configuration(**self._mine, LifecycleConfiguration={"Rules": [rule]})

    def _key(self, place: Cloud) -> str:
        """The key behind the alias: made, found, or called back from its deletion."""
        kms = place.client("kms")
        with contextlib.suppress(kms.exceptions.NotFoundException):
            found = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]
            if found["KeyState"] == "PendingDeletion":
                kms.cancel_key_deletion(KeyId=found["KeyId"])
                kms.enable_key(KeyId=found["KeyId"])
            return str(found["KeyId"])
        key = kms.create_key(
            Description="tfkit: the state of its stacks, and the secrets in it",
            Tags=[{"TagKey": COMPLETE, "TagValue": "key"}],
        )["KeyMetadata"]["KeyId"]
        kms.enable_key_rotation(KeyId=key)
        kms.create_alias(AliasName=ALIAS, TargetKeyId=key)
        return str(key)

    def _encrypt(self, place: Cloud, key: str) -> None:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
        self._s3(place).put_bucket_encryption(
            **self._mine, ServerSideEncryptionConfiguration={"Rules": [rule]}
        )

    # -- removing --------------------------------------------------------------------------------

    def remove_if_unused(self) -> str:
        """Remove bucket and key where nothing of a stack is in them. Returns what stays or goes, in words.

        Only what `make` made, which its tag tells, and only where Pulumi alone has written into it.
        """
        region = self.region()
        if not region or not self._complete():
            return ""
        if others := self._in_use():
            return f"the bucket {self.bucket} stays: it holds {others}"
        s3 = self._s3(self._cloud)
        remove_versions(s3, self.bucket, self._cloud.account)
        s3.delete_bucket(**self._mine)
        kms = replace(self._cloud, region=region).client("kms")
        with contextlib.suppress(kms.exceptions.NotFoundException):
            key = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
            later = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=KEY_DELETION_DAYS)
            day = later["DeletionDate"].date().isoformat()
            return f"the bucket {self.bucket} held no more states and is gone; its key goes on {day}"
        return ""

    def _in_use(self) -> str:
        """What is in the bucket that must not go, in words: states, and what is not Pulumi's."""
        if stacks := self._states():
            names = sorted(key.rpartition("/")[2].partition(".")[0] for key in stacks)
            return "the state of " + ", ".join(names)
        found = versions(self._s3(self._cloud), self.bucket, self._cloud.account)
        foreign = next((each.key for each in found if not each.key.startswith(".pulumi/")), "")
        return foreign and f"{foreign}, which Pulumi did not put there"

    def _s3(self, place: Cloud) -> Any:
        return place.client("s3")

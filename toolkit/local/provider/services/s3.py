"""S3 buckets. What belongs to a bucket (versioning, encryption, …) is in `s3_settings`."""

from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import ProviderError, code, gone_is_fine, is_gone
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.tags import from_list, to_list
from toolkit.local.provider.wire import Props


class Bucket(Kind):
    """A bucket; the id is its name. Its deletion with `forceDestroy` takes every version, locked ones too."""

    type_name = "aws:s3/bucket:Bucket"
    takes = "bucket!+ forceDestroy objectLockEnabled+ tags"
    gives = "arn bucketDomainName bucketRegionalDomainName bucketRegion"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        name: str = inputs["bucket"]
        return name if _exists(call, name) else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        try:
            return from_list(call.aws("s3").get_bucket_tagging(Bucket=id_)["TagSet"])
        except ClientError as error:
            if code(error) == "NoSuchTagSet":
                return {}
            raise

    @override
    def create(self, call: Call, inputs: Props) -> str:
        # The tags go with the creation, so that a kill right after it leaves a bucket known as ours.
        configuration: dict[str, Any] = (
            {"Tags": to_list(inputs.get("tags", {}))} if inputs.get("tags") else {}
        )
        if call.clients.region != "us-east-1":  # which must not be named (S3 API, CreateBucketConfiguration)
            configuration["LocationConstraint"] = call.clients.region
        given = {"CreateBucketConfiguration": configuration} if configuration else {}
        call.aws("s3").create_bucket(
            Bucket=inputs["bucket"], ObjectLockEnabledForBucket=bool(inputs.get("objectLockEnabled")), **given
        )
        return str(inputs["bucket"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        if not _exists(call, id_):
            return None
        region = call.clients.region
        return {
            "bucket": id_,
            "tags": self.tags(call, id_),
            # Only where it is there: Object Lock is put on a bucket by its configuration too, and a refresh
            # must never make an engine replace the bucket that holds the records.
            **({"objectLockEnabled": True} if _locks(call, id_) else {}),
            "arn": f"arn:{call.clients.partition}:s3:::{id_}",
            "bucketDomainName": f"{id_}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{id_}.s3.{region}.amazonaws.com",
            "bucketRegion": region,
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        if inputs.get("tags"):
            call.aws("s3").put_bucket_tagging(Bucket=id_, Tagging={"TagSet": to_list(inputs["tags"])})
        else:
            call.aws("s3").delete_bucket_tagging(Bucket=id_)

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            if props.get("forceDestroy"):
                _empty(call, id_)
            call.aws("s3").delete_bucket(Bucket=id_)


def _exists(call: Call, bucket: str) -> bool:
    try:
        call.aws("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        if is_gone(error):
            return False
        raise
    return True


def _locks(call: Call, bucket: str) -> bool:
    try:
        found = call.aws("s3").get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    except ClientError as error:
        if is_gone(error):
            return False
        raise
    return bool(found.get("ObjectLockEnabled") == "Enabled")


def _empty(call: Call, bucket: str) -> None:
    """Deletes all versions and delete markers; raises `ProviderError` for what a lock still keeps.

    Governance retention is bypassed, as pulumi-aws's `forceDestroy` does; a compliance lock holds.
    """
    s3 = call.aws("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
        if not objects:
            continue
        # A page holds at most 1,000 entries, which is also the most that one deletion takes (S3 API).
        answer = s3.delete_objects(
            Bucket=bucket, Delete={"Objects": objects, "Quiet": True}, BypassGovernanceRetention=True
        )
        if kept := answer.get("Errors"):
            first = kept[0]
            raise ProviderError(
                f"{Bucket.type_name} {call.name}: {len(kept)} objects of {bucket} cannot be deleted, first "
                f"{first.get('Key')}: {first.get('Code')}: {first.get('Message')}"
            )


KINDS: tuple[Kind, ...] = (Bucket(),)

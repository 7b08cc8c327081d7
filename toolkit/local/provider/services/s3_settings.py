"""What belongs to a bucket: settings with a put, a get and a deletion; the id is the bucket's name."""

import json
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.compare import same
from toolkit.local.provider.errors import code, gone_is_fine, is_gone
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.names import camel, pascal
from toolkit.local.provider.wire import Props

TLS_ONLY = {"Bool": {"aws:SecureTransport": "false"}}


class Setting(Kind):
    """A setting of a bucket: `given` turns inputs into boto3's arguments, `found` its answer back."""

    type_name = ""
    takes = ""
    put: ClassVar[str]
    get: ClassVar[str]
    remove: ClassVar[str]

    def given(self, inputs: Props) -> dict[str, Any]:
        """The arguments of the put, beside the bucket."""
        raise NotImplementedError

    def found(self, answer: dict[str, Any]) -> Props | None:
        """The properties in the answer of the get; None where the setting is not there."""
        raise NotImplementedError

    @override
    def create(self, call: Call, inputs: Props) -> str:
        self.update(call, inputs["bucket"], inputs)
        return str(inputs["bucket"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        try:
            found = self.found(getattr(call.aws("s3"), self.get)(Bucket=id_))
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        return None if found is None else {"bucket": id_, **found}

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        getattr(call.aws("s3"), self.put)(Bucket=id_, **self.given(inputs))

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            getattr(call.aws("s3"), self.remove)(Bucket=id_)


class BucketVersioning(Setting):
    """Versioning. It cannot be taken from a bucket again: a deletion suspends it, as in pulumi-aws."""

    type_name = "aws:s3/bucketVersioning:BucketVersioning"
    takes = "bucket!+ versioningConfiguration!{status!}"
    put, get = "put_bucket_versioning", "get_bucket_versioning"

    @override
    def given(self, inputs: Props) -> dict[str, Any]:
        return {"VersioningConfiguration": pascal(inputs["versioningConfiguration"])}

    @override
    def found(self, answer: dict[str, Any]) -> Props | None:
        return {"versioningConfiguration": {"status": answer["Status"]}} if answer.get("Status") else None

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        try:
            with gone_is_fine():
                self.update(call, id_, {"versioningConfiguration": {"status": "Suspended"}})
        except ClientError as error:
            # Object Lock holds it enabled for as long as the bucket lives.
            if code(error) != "InvalidBucketState":
                raise


class BucketServerSideEncryptionConfiguration(Setting):
    """Default encryption."""

    type_name = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    takes = """
        bucket!+ rules![applyServerSideEncryptionByDefault{sseAlgorithm! kmsMasterKeyId} bucketKeyEnabled]
    """
    put, get, remove = "put_bucket_encryption", "get_bucket_encryption", "delete_bucket_encryption"

    @override
    def given(self, inputs: Props) -> dict[str, Any]:
        return {"ServerSideEncryptionConfiguration": {"Rules": pascal(inputs["rules"])}}

    @override
    def found(self, answer: dict[str, Any]) -> Props | None:
        return {"rules": camel(answer["ServerSideEncryptionConfiguration"]["Rules"])}


class BucketPublicAccessBlock(Setting):
    """The block on public access."""

    type_name = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    takes = "bucket!+ blockPublicAcls blockPublicPolicy ignorePublicAcls restrictPublicBuckets"
    put, get, remove = "put_public_access_block", "get_public_access_block", "delete_public_access_block"

    @override
    def given(self, inputs: Props) -> dict[str, Any]:
        flags = {name: bool(inputs.get(name)) for name in self.table.properties if name != "bucket"}
        return {"PublicAccessBlockConfiguration": pascal(flags)}

    @override
    def found(self, answer: dict[str, Any]) -> Props | None:
        found: Props = camel(answer["PublicAccessBlockConfiguration"])
        return found


class BucketLifecycleConfiguration(Setting):
    """When objects and versions expire or move."""

    type_name = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    takes = """
        bucket!+ rules![
            id! status! filter{prefix objectSizeGreaterThan objectSizeLessThan tag{key! value!}}
            abortIncompleteMultipartUpload{daysAfterInitiation}
            expiration{date days expiredObjectDeleteMarker}
            noncurrentVersionExpiration{noncurrentDays newerNoncurrentVersions}
            noncurrentVersionTransitions[noncurrentDays! storageClass! newerNoncurrentVersions]
            transitions[date days storageClass!]
        ]
    """
    put = "put_bucket_lifecycle_configuration"
    get = "get_bucket_lifecycle_configuration"
    remove = "delete_bucket_lifecycle"

    @override
    def given(self, inputs: Props) -> dict[str, Any]:
        # S3 wants a filter in every rule; an empty prefix is its way to say "all".
        rules = [{"Filter": {"Prefix": ""}, **pascal(rule)} for rule in inputs["rules"]]
        return {"LifecycleConfiguration": {"Rules": rules}}

    @override
    def found(self, answer: dict[str, Any]) -> Props | None:
        return {"rules": camel(answer["Rules"])} if answer.get("Rules") else None


class BucketObjectLockConfiguration(Setting):
    """The default retention. A deletion leaves the lock without a default, as in pulumi-aws."""

    type_name = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
    takes = "bucket!+ objectLockEnabled+ rule!{defaultRetention!{mode! days years}}"
    put, get = "put_object_lock_configuration", "get_object_lock_configuration"

    @override
    def given(self, inputs: Props) -> dict[str, Any]:
        rule = {"Rule": pascal(inputs["rule"])} if "rule" in inputs else {}
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", **rule}}

    @override
    def found(self, answer: dict[str, Any]) -> Props | None:
        found: Props = camel(answer["ObjectLockConfiguration"])
        return found if found.get("rule") else None

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            self.update(call, id_, {})


class BucketPolicy(Setting):
    """Who may do what with the bucket.

    The emulator speaks HTTP on loopback and nothing else, so a statement that denies what does not come
    by TLS would deny everything: it is left out there. Everything else is written as it was given.
    """

    type_name = "aws:s3/bucketPolicy:BucketPolicy"
    takes = "bucket!+ policy!"
    put, get, remove = "put_bucket_policy", "get_bucket_policy", "delete_bucket_policy"

    @override
    def given(self, inputs: Props) -> dict[str, Any]:
        return {"Policy": _without_tls_only(inputs["policy"])}

    @override
    def found(self, answer: dict[str, Any]) -> Props | None:
        return {"policy": answer["Policy"]}

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = super().read(call, id_, props)
        given = props.get("policy")
        if found and given and same(found["policy"], _without_tls_only(given)):
            return {**found, "policy": given}
        return found


def _without_tls_only(policy: str) -> str:
    """The policy without the statements whose one condition is that the transport is not secure.

    One that has none of these, or is no policy at all, stays as it is: the latter is S3's to refuse.
    """
    try:
        statements = json.loads(policy)["Statement"]
        kept = [each for each in statements if each.get("Condition") != TLS_ONLY]
    except (ValueError, TypeError, KeyError, AttributeError):
        return policy
    return policy if len(kept) == len(statements) else json.dumps({**json.loads(policy), "Statement": kept})


class BucketOwnershipControls(Setting):
    """Who owns what others upload."""

    type_name = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    takes = "bucket!+ rule!{objectOwnership!}"
    put = "put_bucket_ownership_controls"
    get = "get_bucket_ownership_controls"
    remove = "delete_bucket_ownership_controls"

    @override
    def given(self, inputs: Props) -> dict[str, Any]:
        return {"OwnershipControls": {"Rules": [pascal(inputs["rule"])]}}

    @override
    def found(self, answer: dict[str, Any]) -> Props | None:
        rules = answer["OwnershipControls"]["Rules"]
        return {"rule": camel(rules[0])} if rules else None


class BucketLogging(Setting):
    """Where the log of accesses goes. A deletion turns it off, as in pulumi-aws."""

    type_name = "aws:s3/bucketLogging:BucketLogging"
    takes = "bucket!+ targetBucket! targetPrefix!"
    put, get = "put_bucket_logging", "get_bucket_logging"

    @override
    def given(self, inputs: Props) -> dict[str, Any]:
        target = pascal({name: inputs[name] for name in ("targetBucket", "targetPrefix")})
        return {"BucketLoggingStatus": {"LoggingEnabled": target}}

    @override
    def found(self, answer: dict[str, Any]) -> Props | None:
        target = answer.get("LoggingEnabled")
        return camel(target) if target else None

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("s3").put_bucket_logging(Bucket=id_, BucketLoggingStatus={})


KINDS: tuple[Kind, ...] = (
    BucketVersioning(),
    BucketServerSideEncryptionConfiguration(),
    BucketPublicAccessBlock(),
    BucketLifecycleConfiguration(),
    BucketObjectLockConfiguration(),
    BucketPolicy(),
    BucketOwnershipControls(),
    BucketLogging(),
)

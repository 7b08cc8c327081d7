"""The two buckets: private, versioned, encrypted; the runs expire, the audit records are locked."""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names
from stacks.policies import Statement, document
from toolkit.contracts import PlatformConfig

NONCURRENT_DAYS = 30
ABANDONED_UPLOAD_DAYS = 7
SOURCE_DAYS = 7


@dataclass(frozen=True)
class BucketArgs:
    """What a bucket is made from; `parent` is the component that it belongs to."""

    config: PlatformConfig
    key_arn: pulumi.Output[str]
    parent: pulumi.Resource


def runs_bucket(args: BucketArgs) -> aws.s3.Bucket:
    """Requests, workspaces and results of runs, which expire."""
    bucket, versioning = _private_bucket(args, names.RUNS)
    aws.s3.BucketLifecycleConfiguration(
        "runs-lifecycle",
        bucket=bucket.bucket,
        rules=[_expire_runs(args.config), *([] if args.config.agent_zip else [_expire_sources()])],
        opts=pulumi.ResourceOptions(parent=args.parent, depends_on=[versioning]),
    )
    return bucket


def audit_bucket(args: BucketArgs) -> aws.s3.Bucket:
    """Records under Object Lock: nobody can alter them, or delete them before their time.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
    """
    bucket, versioning = _private_bucket(args, names.AUDIT, locked=True)
    retention = aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
        mode=args.config.lock_mode, days=args.config.lock_days
    )
    aws.s3.BucketObjectLockConfiguration(
        "audit-lock",
        bucket=bucket.bucket,
        rule=aws.s3.BucketObjectLockConfigurationRuleArgs(default_retention=retention),
        opts=pulumi.ResourceOptions(parent=args.parent, depends_on=[versioning]),
    )
    return bucket


def _private_bucket(
    args: BucketArgs, kind: str, locked: bool = False
) -> tuple[aws.s3.Bucket, aws.s3.BucketVersioning]:
    """The bucket, and its versioning, which a lifecycle and a lock must wait for."""
    opts = pulumi.ResourceOptions(parent=args.parent)
    bucket = aws.s3.Bucket(
        f"{kind}-bucket",
        bucket=names.bucket_name(args.config, kind),
        object_lock_enabled=locked,
        force_destroy=args.config.force_destroy,
        tags=args.config.all_tags,
        opts=opts,
    )
    versioning = aws.s3.BucketVersioning(
        f"{kind}-versioning",
        bucket=bucket.bucket,
        versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
        opts=opts,
    )
    _encrypt(args, kind, bucket)
    _close(args, kind, bucket)
    if args.config.log_bucket:
        _log(args, kind, bucket)
    return bucket, versioning


def _encrypt(args: BucketArgs, kind: str, bucket: aws.s3.Bucket) -> None:
    default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="aws:kms", kms_master_key_id=args.key_arn
    )
    rule = aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=default, bucket_key_enabled=True
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        f"{kind}-encryption",
        bucket=bucket.bucket,
        rules=[rule],
        opts=pulumi.ResourceOptions(parent=args.parent),
    )


def _log(args: BucketArgs, kind: str, bucket: aws.s3.Bucket) -> None:
    """Accesses, into the user's central bucket; whose policy must let S3's logging service write there.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    aws.s3.BucketLogging(
        f"{kind}-logging",
        bucket=bucket.bucket,
        target_bucket=args.config.log_bucket,
        target_prefix=f"{args.config.prefix}/{kind}/",
        opts=pulumi.ResourceOptions(parent=args.parent),
    )


def _close(args: BucketArgs, kind: str, bucket: aws.s3.Bucket) -> None:
    ownership = aws.s3.BucketOwnershipControls(
        f"{kind}-ownership",
        bucket=bucket.bucket,
        rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
        opts=pulumi.ResourceOptions(parent=args.parent),
    )
    public_access = aws.s3.BucketPublicAccessBlock(
        f"{kind}-public-access",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=pulumi.ResourceOptions(parent=args.parent),
    )
    aws.s3.BucketPolicy(
        f"{kind}-policy",
        bucket=bucket.bucket,
        policy=document(_tls_only(args.config, kind)),
        # S3 refuses two changes of a bucket's access at the same time (OperationAborted).
        opts=pulumi.ResourceOptions(parent=args.parent, depends_on=[ownership, public_access]),
    )


def _tls_only(config: PlatformConfig, kind: str) -> Statement:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html"""
    bucket = names.bucket_arn(config, kind)
    return Statement(
        sid="NothingWithoutTls",
        effect="Deny",
        principals={"AWS": "*"},
        actions=["s3:*"],
        resources=[bucket, f"{bucket}/*"],
        condition={"Bool": {"aws:SecureTransport": "false"}},
    )


def _expire_runs(config: PlatformConfig) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="expire-runs",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="runs/"),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=config.runs_expire_days),
        noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=NONCURRENT_DAYS
        ),
        abort_incomplete_multipart_upload=(
            aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=ABANDONED_UPLOAD_DAYS
            )
        ),
    )


def _expire_sources() -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    """The archives that the image was built from: it is made again from the sources, never from these."""
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="expire-sources",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=names.BUILD_PREFIX),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=SOURCE_DAYS),
        noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=SOURCE_DAYS
        ),
    )

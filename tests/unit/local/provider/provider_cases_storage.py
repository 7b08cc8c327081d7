"""Cases of what keeps things: buckets, tables, keys, repositories, parameters; and of roles."""

from provider_world import MORE_TAGS, TAGS, Case, bucket_policy, image_policy, key_policy, keys, trust

STORAGE: list[Case] = [
    Case(
        "aws:s3/bucket:Bucket",
        lambda w: {"bucket": w.name("it"), "forceDestroy": True, "objectLockEnabled": True, "tags": TAGS},
        {"tags": MORE_TAGS},
    ),
    Case(
        "aws:dynamodb/table:Table",
        lambda w: {
            "name": w.name("it"),
            "billingMode": "PAY_PER_REQUEST",
            "hashKey": "PK",
            "rangeKey": "SK",
            "attributes": [
                {"name": "SK", "type": "S"},
                {"name": "PK", "type": "S"},
                {"name": "user", "type": "S"},
            ],
            "globalSecondaryIndexes": [
                {"name": "by-user", "keySchemas": keys("user", "SK"), "projectionType": "ALL"}
            ],
            "ttl": {"attributeName": "expires", "enabled": True},
            "pointInTimeRecovery": {"enabled": True},
            "serverSideEncryption": {"enabled": True},
            "deletionProtectionEnabled": False,
            "tags": TAGS,
        },
        {
            "attributes": [{"name": "PK", "type": "S"}, {"name": "SK", "type": "S"}],
            "globalSecondaryIndexes": [],
            "ttl": {"attributeName": "expires", "enabled": False},
            "pointInTimeRecovery": {"enabled": False},
            "tags": MORE_TAGS,
        },
    ),
    Case(
        "aws:iam/role:Role",
        lambda w: {
            "name": w.name("it"),
            "path": "/tfkit/",
            "assumeRolePolicy": trust("lambda.amazonaws.com"),
            "description": "a role",
            "maxSessionDuration": 7200,
            "tags": TAGS,
        },
        {
            "assumeRolePolicy": trust("firehose.amazonaws.com"),
            "description": "another",
            "maxSessionDuration": 3600,
            "tags": MORE_TAGS,
        },
    ),
    Case(
        "aws:s3/bucketVersioning:BucketVersioning",
        lambda w: {"bucket": w.bucket(), "versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": {"status": "Suspended"}},
        outlives=True,
    ),
    Case(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        lambda w: {
            "bucket": w.bucket(),
            "rules": [
                {
                    "applyServerSideEncryptionByDefault": {
                        "sseAlgorithm": "aws:kms",
                        "kmsMasterKeyId": w.key()["arn"],
                    },
                    "bucketKeyEnabled": True,
                }
            ],
        },
        {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
        outlives=True,
    ),
    Case(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        lambda w: {
            "bucket": w.bucket(),
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
        {"blockPublicPolicy": False},
    ),
    Case(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        lambda w: {
            "bucket": w.bucket(),
            "rules": [
                {
                    "id": "expire",
                    "status": "Enabled",
                    "filter": {"prefix": "runs/"},
                    "expiration": {"days": 90},
                    "noncurrentVersionExpiration": {"noncurrentDays": 7},
                    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1},
                },
                {
                    "id": "archive",
                    "status": "Enabled",
                    "filter": {},
                    "transitions": [{"days": 30, "storageClass": "STANDARD_IA"}],
                },
            ],
        },
        {"rules": [{"id": "expire", "status": "Enabled", "filter": {}, "expiration": {"days": 30}}]},
    ),
    Case(
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        lambda w: {
            "bucket": w.bucket(objectLockEnabled=True),
            "objectLockEnabled": "Enabled",
            "rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 7}},
        },
        {"rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 14}}},
    ),
    Case(
        "aws:s3/bucketPolicy:BucketPolicy",
        lambda w: {"bucket": w.bucket(), "policy": bucket_policy(w.name("bucket"), "s3:GetObject")},
        lambda w, _: {"policy": bucket_policy(w.name("bucket"), "s3:PutObject")},
    ),
    Case(
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        lambda w: {"bucket": w.bucket(), "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        {"rule": {"objectOwnership": "BucketOwnerPreferred"}},
    ),
    Case(
        "aws:s3/bucketLogging:BucketLogging",
        lambda w: {"bucket": w.bucket(), "targetBucket": w.bucket("logs"), "targetPrefix": "it/"},
        {"targetPrefix": "other/"},
    ),
    Case(
        "aws:kms/key:Key",
        lambda w: {
            "description": "of the platform",
            "enableKeyRotation": True,
            "deletionWindowInDays": 7,
            "policy": key_policy("One"),
            "tags": {**TAGS, "tfkit:stack": w.prefix},
        },
        lambda w, _: {
            "description": "of another",
            "enableKeyRotation": False,
            "policy": key_policy("Two"),
            "tags": {**MORE_TAGS, "tfkit:stack": w.prefix},
        },
    ),
    Case(
        "aws:kms/alias:Alias",
        lambda w: {"name": f"alias/{w.name('it')}", "targetKeyId": w.key()["keyId"]},
        lambda w, _: {"targetKeyId": w.key("other")["arn"]},
    ),
    Case(
        "aws:ecr/repository:Repository",
        lambda w: {
            "name": w.name("it"),
            "imageScanningConfiguration": {"scanOnPush": True},
            "imageTagMutability": "IMMUTABLE",
            "forceDelete": True,
            "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": w.key()["arn"]}],
            "tags": TAGS,
        },
        {
            "imageScanningConfiguration": {"scanOnPush": False},
            "imageTagMutability": "MUTABLE",
            "tags": MORE_TAGS,
        },
    ),
    Case(
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        lambda w: {
            "repository": w.make(
                "aws:ecr/repository:Repository", "repository", {"name": w.name("repository"), "tags": TAGS}
            )[0],
            "policy": image_policy(10),
        },
        {"policy": image_policy(5)},
    ),
    Case(
        "aws:ssm/parameter:Parameter",
        lambda w: {
            "name": f"/{w.name('it')}/registry",
            "type": "String",
            "value": '{"default": "haiku"}',
            "description": "models",
            "tier": "Standard",
            "tags": TAGS,
        },
        {"value": '{"default": "sonnet"}', "description": "more models", "tags": MORE_TAGS},
    ),
    Case(
        "aws:ssm/parameter:Parameter",
        lambda w: {
            "name": f"/{w.name('it')}/secret",
            "type": "SecureString",
            "value": "one",
            "keyId": w.key()["arn"],
            "tags": TAGS,
        },
        {"value": "two", "tags": MORE_TAGS},
    ),
]

"""What a setting may look like, each form with the same in words, for whoever gets it wrong.

Here stands only what a value tells by itself. What needs the account, the region or another setting is
refused by `stacks.program.check`.
"""

from typing import Annotated, Literal

import msgspec


def _text(pattern: str, words: str, longest: int | None = None) -> msgspec.Meta:
    """The form of a text. Empty is allowed too: it means that the setting was not made."""
    # `\Z`, because `$` would let a line feed through at the end.
    return msgspec.Meta(pattern=rf"^(?:{pattern})?\Z", max_length=longest, description=words)


def _whole(least: int, most: int, why: str = "") -> msgspec.Meta:
    return msgspec.Meta(ge=least, le=most, description=f"a whole number from {least:,} to {most:,}{why}")


StackName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?\Z",
        description="a lower-case letter, then up to 19 lower-case letters, digits and hyphens, "
        "no hyphen last",
    ),
]

Region = Annotated[
    str, _text(r"[a-z]{2,3}(?:-[a-z]+)+-[0-9]+", "the name of an AWS region, like eu-central-1")
]

Account = Annotated[str, _text(r"[0-9]{12}", "the 12 digits of an AWS account, in quotes")]

Prefix = Annotated[
    str,
    _text(
        r"(?!aws|ssm|xn--|sthree-|amzn-s3-demo-)[a-z][a-z0-9-]{0,29}[a-z0-9]",
        "2 to 31 lower-case letters, digits and hyphens: a letter first, no hyphen last, and not beginning "
        "with aws, ssm, xn--, sthree- or amzn-s3-demo-, which AWS keeps to itself",
    ),
]
"""Parameters may not begin with aws or ssm, nor buckets with the others:
https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-parameter-name-constraints.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""

Email = Annotated[
    str,
    _text(
        r"none|[^\s@<>()\[\],;:\"\\]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
        "an e-mail address like ops@example.com, or none for no more mail",
        254,
    ),
]

Tags = dict[
    Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9 _.:/=+@-]{1,127}\Z")],
    Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9 _.:/=+@-]{0,255}\Z")],
]
"""Every resource gets every tag, so the narrowest of the services counts: Bedrock's profiles take these
characters only, CodeBuild's projects no more of them.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Tag.html
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Tag.html"""

TAG_COUNT = 47
"""What AWS allows on a resource, less tfkit's own; a test compares it with `stacks.limits`."""

TAG_WORDS = (
    f"up to {TAG_COUNT} tags, each a key of up to 127 and a value of up to 255 letters of a to z, digits, "
    "spaces and _ . : / = + - @, which is what every service takes that a tag goes to"
)

PolicyArn = Annotated[
    str,
    _text(
        r"arn:aws[a-z-]*:iam::(?:[0-9]{12}|aws):policy/[!-~]+",
        "the ARN of a managed policy, like arn:aws:iam::123456789012:policy/boundary",
        2048,
    ),
]
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""

RolePath = Annotated[
    str,
    _text(
        r"/(?:[!-.0-~]+/)*", "a path with a slash at the beginning and at the end, like /team/platform/", 512
    ),
]
"""https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"""

KeyArn = Annotated[
    str,
    _text(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+",
        "the ARN of a key, not of an alias, like arn:aws:kms:eu-central-1:123456789012:key/1234abcd-…",
        2048,
    ),
]
"""https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-ARN"""

BucketName = Annotated[
    str,
    _text(
        r"(?![0-9]+(?:\.[0-9]+){3}\Z)(?!.*\.\.)(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        "the name of an S3 bucket: 3 to 63 lower-case letters, digits, dots and hyphens, a letter or a digit "
        "first and last",
    ),
]
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""

# fmt: off
LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
# fmt: on
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""

LockDays = Annotated[int, _whole(1, 36_500, ", the most days that S3 locks an object")]
"""100 years: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html"""

RESERVED_WORDS = (
    "-1, which reserves nothing, or the runs at a time that are reserved, 1 or more; "
    "to stop the platform, run: tfkit stop"
)
Reserved = Annotated[int, msgspec.Meta(ge=-1, le=1_000_000, description=RESERVED_WORDS)]
"""0 is refused besides: Lambda would run nothing at all, until somebody changes it.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""

FRESHNESS_S = 120
"""A record is not late before; a test compares it with `stacks.limits`, which says why."""

Freshness = Annotated[
    int,
    _whole(
        FRESHNESS_S,
        86_400,
        ", in seconds: Firehose holds every record back for a minute, and none for longer than a day",
    ),
]
"""https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html (direct put: 24 hours)"""

Days = Annotated[int, _whole(1, 36_500)]
Count = Annotated[int, _whole(1, 1_000_000_000_000)]

Subnets = Annotated[
    list[Annotated[str, msgspec.Meta(pattern=r"^subnet-[0-9a-z]+\Z")]],
    msgspec.Meta(max_length=16, description="up to 16 ids of subnets, like subnet-0123456789abcdef0"),
]
SecurityGroups = Annotated[
    list[Annotated[str, msgspec.Meta(pattern=r"^sg-[0-9a-zA-Z]+\Z")]],
    msgspec.Meta(max_length=5, description="up to 5 ids of security groups, like sg-0123456789abcdef0"),
]
"""https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html"""

ModelUrl = Annotated[
    str, _text(r"none|https?://[^\s/]+\S*", "the http:// or https:// URL of a server, or none for no more")
]
Dollars = Annotated[
    Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] | None,
    msgspec.Meta(description="US dollars: over 0, at most 1,000,000; leave it out for no limit"),
]
RunSeconds = Annotated[float, msgspec.Meta(ge=1, le=86_400, description="seconds: 1 to 86,400")]

Url = Annotated[
    str, _text(r"https?://[^\s/@?#]+(?:/[^\s?#]*)?", "an http:// or https:// URL without a password in it")
]

SecretPlace = Annotated[
    str,
    _text(
        r"/?[A-Za-z0-9_./-]{1,1011}"
        r"|arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9_./-]+"
        r"|arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+",
        "the name or ARN of a parameter, like /tools/otlp-headers, or the ARN of a secret in Secrets Manager",
        2048,
    ),
]
"""https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-parameter-name-constraints.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html"""

ModelSeconds = Annotated[float, msgspec.Meta(gt=0, le=3600, description="seconds: over 0, at most 3,600")]

"""Well-formed values by the name of a variable: an id of a network where a network is asked for.

They name nothing that exists. Addresses are from the ranges for documentation (RFC 5737, RFC 2606), the
account is the one of AWS's own examples.
"""

import re
from typing import Final

_ACCOUNT = "123456789012"
_ARN = f"arn:aws:{{}}:us-east-1:{_ACCOUNT}:{{}}"
_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIHkC5hHq4p2cPqQW5oQmXo8f6uVwL3bGv3h2m4w0yq1a"

# The first that is found in the name; `#` is a digit that counts, from 1.
_TEXTS: Final = tuple(
    (re.compile(pattern), value)
    for pattern, value in (
        (
            r"certificate.*arn|acm.*arn",
            _ARN.format("acm", "certificate/00000000-0000-4000-8000-00000000000#"),
        ),
        (r"(?:kms|key).*arn", _ARN.format("kms", "key/00000000-0000-4000-8000-00000000000#")),
        (r"topic.*arn|sns.*arn", _ARN.format("sns", "example-#")),
        (r"queue.*arn|sqs.*arn", _ARN.format("sqs", "example-#")),
        (r"(?:function|lambda).*arn", _ARN.format("lambda", "function:example-#")),
        (r"secret.*arn", _ARN.format("secretsmanager", "secret:example-#-AbCdEf")),
        (r"table.*arn", _ARN.format("dynamodb", "table/example-#")),
        (r"log.*arn", _ARN.format("logs", "log-group:example-#")),
        (r"bucket.*arn", "arn:aws:s3:::example-bucket-#"),
        (r"policy.*arn|polic.*arn|boundary", f"arn:aws:iam::{_ACCOUNT}:policy/example-#"),
        (r"arn", f"arn:aws:iam::{_ACCOUNT}:role/example-#"),
        (r"subnet.*cidr|cidr.*subnet|cidrs|cidr_blocks|cidr_list", "10.0.#.0/24"),
        (r"cidr", "10.#.0.0/16"),
        (r"vpc_?id|^vpcs?$", "vpc-0123456789abcde#0"),
        (r"subnet_?(?:group_?)?name", "example-#"),
        (r"subnet", "subnet-0123456789abcde#0"),
        (r"(?:security_?group|\bsg|_sg).*id|^sgs?$|security_groups?$", "sg-0123456789abcde#0"),
        (r"route_?table.*id", "rtb-0123456789abcde#0"),
        (r"\bami|_ami|image_id", "ami-0123456789abcde#0"),
        (r"instance_?(?:type|class|size)", "t3.micro"),
        (r"instance_?id", "i-0123456789abcde#0"),
        (r"(?:hosted_?)?zone_?id", "Z0123456789ABCDEFGH#"),
        (r"kms_?key|key_?id", "00000000-0000-4000-8000-00000000000#"),
        (r"account", _ACCOUNT),
        (r"availability_?zone|^azs?$|_azs?$|^zones?$", "us-east-1{}"),
        (r"region", "us-east-1"),
        (r"e?mail", "someone-#@example.com"),
        (r"url|uri|webhook|endpoint", "https://example.com/#"),
        (r"domain|fqdn|host_?name|dns", "example-#.com"),
        (r"public_?key|ssh_key$", f"ssh-ed25519 {_KEY} example"),
        (r"passw|secret|token|api_?key", "Example-Passw0rd-#"),
        (r"bucket", "example-bucket-name-#"),
        (r"cron|schedule", "rate(1 hour)"),
        (r"image|container", "public.ecr.aws/docker/library/alpine:3.2#"),
        (r"(?:^|_)ips?(?:$|_)|ip_?addr", "192.0.2.#"),
        (r"^env|environment|stage$", "dev"),
        (r"port$", "808#"),
        (r"database|db_?name|user_?name", "example#"),
        (r"json|policy$|document", "{}"),
        (r"date|timestamp", "2030-01-0#T00:00:00Z"),
    )
)

_NUMBERS: Final = tuple(
    (re.compile(pattern), value)
    for pattern, value in (
        (r"port", 8080),
        (r"days|retention", 30),
        (r"memory", 512),
        (r"cpu", 256),
        (r"timeout|seconds", 30),
        (r"storage|disk|size_gb|volume", 20),
        (r"percent|threshold", 50),
        (r"account", int(_ACCOUNT)),
    )
)

ENVIRONMENT = ("dev", "prod", "staging", "test", "stage", "production", "development")
_ZONES = "abcdef"


def text(name: str, count: int = 1) -> str:
    """A text for a variable of this name; another for each count (1 to 6) where that makes sense."""
    for pattern, value in _TEXTS:
        if pattern.search(name.lower()):
            return value.replace("#", str(count)).replace(
                "{}", _ZONES[(count - 1) % 6] if "-1{}" in value else "{}"
            )
    return "example" if count == 1 else f"example-{count}"


def number(name: str, count: int = 1) -> int:
    """A number for a variable of this name."""
    found = next((value for pattern, value in _NUMBERS if pattern.search(name.lower())), 1)
    return found + count - 1


def flag(name: str) -> bool:
    """Parts that can be switched on are, so that they are seen; other switches stay off."""
    return re.match(r"create|enable|deploy|use", name.lower()) is not None


def is_plural(name: str) -> bool:
    """Whether a variable without a type looks like a list."""
    return re.search(r"(?:id|arn|cidr|name|zone|subnet|group|region|email|domain|ip|az)s$", name) is not None


def is_map(name: str) -> bool:
    """Whether a variable without a type looks like a map."""
    return re.search(r"tags$|labels$", name) is not None

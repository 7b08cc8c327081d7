"""The rules of a team, as `tfkit-policy.toml` says them.

    [tags]
    required = ["team", "cost-center"]          # on every resource that can have tags
    except = ["aws_iam_*"]                       # but not on these
    values = { team = "platform|data" }          # a regular expression that the whole value matches

    [names]
    aws_s3_bucket = "acme-[a-z0-9-]+"            # likewise, for the name of each resource of this type

    [forbidden]
    types = ["aws_iam_user", "aws_iam_access_key"]
    attributes = { "aws_db_instance.publicly_accessible" = [true] }   # ["*"]: whatever the value

    [allowed]
    regions = ["eu-central-1"]
    instance_types = ["t3.*", "db.t4g.*"]

Every part may be left out.
"""

import re
from typing import Any

import msgspec

from toolkit.contracts import Shape
from toolkit.errors import UsageError


class Tags(Shape, frozen=True, rename={"exceptions": "except"}):
    """Keys that must be there, types that need none, and what values look like."""

    required: list[str] = []
    exceptions: list[str] = []
    values: dict[str, str] = {}


class Forbidden(Shape, frozen=True):
    """Types of resources (`*` stands for anything), and values of arguments by `TYPE.ARGUMENT`."""

    types: list[str] = []
    attributes: dict[str, list[str | bool | int]] = {}


class Allowed(Shape, frozen=True):
    """What may be used; an empty list allows everything."""

    regions: list[str] = []
    instance_types: list[str] = []


class Rules(Shape, frozen=True):
    """All of it."""

    tags: Tags = Tags()
    names: dict[str, str] = {}
    forbidden: Forbidden = Forbidden()
    allowed: Allowed = Allowed()


def rules_of(document: dict[str, Any]) -> Rules:
    """The rules of a document. Raises `UsageError` for what is no rule, or says nothing at all."""
    try:
        rules = msgspec.convert(document, Rules)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"the policy cannot be used: {error}", "see docs/plugins.md for what it may say"
        ) from error
    if rules == Rules():
        raise UsageError("the policy has no rules", "see docs/plugins.md for what it may say")
    for pattern in (*rules.tags.values.values(), *rules.names.values()):
        try:
            re.compile(pattern)
        except re.error as error:
            raise UsageError(f"the policy has a pattern that is none: {pattern!r}: {error}") from error
    if wrong := [name for name in rules.forbidden.attributes if name.count(".") < 1]:
        raise UsageError(f"the policy forbids {wrong[0]!r}", "write TYPE.ARGUMENT or TYPE.BLOCK.ARGUMENT")
    return rules

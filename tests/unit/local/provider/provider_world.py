"""What the cases are written in: documents, a world that makes parents, and the form of a case."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

TAGS = {"tfkit:stack": "dev", "tfkit:version": "0.1.0"}
MORE_TAGS = {"tfkit:stack": "dev", "tfkit:version": "0.2.0", "team": "platform"}
REGION = "us-east-1"
ACCOUNT = "000000000000"

Props = dict[str, Any]


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(actions: list[str], resource: str = "*") -> str:
    statement = {"Sid": "One", "Effect": "Allow", "Action": actions, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def bucket_policy(bucket: str, action: str) -> str:
    who = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statement = {
        "Effect": "Allow",
        "Principal": who,
        "Action": action,
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def key_policy(sid: str) -> str:
    who = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statement = {"Sid": sid, "Effect": "Allow", "Principal": who, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def topic_policy(topic: str, service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sns:Publish",
        "Resource": f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def image_policy(count: int) -> str:
    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": count}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    return json.dumps({"rules": [rule]}, indent=2)


def dashboard(title: str) -> str:
    widget = {"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": {"title": title}}
    return json.dumps({"widgets": [widget]})


def token_query(id_: str, metric: str) -> Props:
    named = {"metricName": metric, "namespace": "AWS/Bedrock", "period": 86400, "stat": "Sum"}
    return {"id": id_, "metric": {**named, "dimensions": {"ModelId": "haiku"}}, "returnData": False}


def keys(hash_key: str, range_key: str) -> list[Props]:
    return [
        {"attributeName": hash_key, "keyType": "HASH"},
        {"attributeName": range_key, "keyType": "RANGE"},
    ]


def glue_storage(location: str, columns: list[Props]) -> Props:
    serde = {"serializationLibrary": "org.openx.data.jsonserde.JsonSerDe", "parameters": {"mapping.a": "A"}}
    formats = {"inputFormat": "in.Format", "outputFormat": "out.Format", "compressed": True}
    return {"location": location, **formats, "columns": columns, "serDeInfo": serde}


def archive(source: str) -> Props:
    signature = "4dabf18193072939515e22adb298388d"
    asset = {signature: "c44067f5952c0a294b673a41bacd8c17", "text": source, "hash": str(len(source))}
    return {signature: "0def7320c3a5731c473e5ecbe6d01bc7", "assets": {"index.py": asset}, "hash": "x"}


class World:
    """Makes what a case needs beside itself, through the provider, under names that no other test uses."""

    def __init__(self, engine: Any, prefix: str) -> None:
        self.engine = engine
        self.prefix = prefix

    def name(self, what: str) -> str:
        return f"{self.prefix}-{what}"

    def make(self, token: str, what: str, inputs: Props) -> tuple[str, Props]:
        made: tuple[str, Props] = self.engine.create(token, inputs, what)
        return made

    def bucket(self, what: str = "bucket", **more: Any) -> str:
        inputs = {"bucket": self.name(what), "forceDestroy": True, "tags": TAGS, **more}
        return self.make("aws:s3/bucket:Bucket", what, inputs)[0]

    def role(self, service: str = "lambda.amazonaws.com", what: str = "role") -> Props:
        inputs = {"name": self.name(what), "assumeRolePolicy": trust(service), "tags": TAGS}
        return self.make("aws:iam/role:Role", what, inputs)[1]

    def key(self, what: str = "key") -> Props:
        inputs = {"deletionWindowInDays": 7, "tags": {**TAGS, "tfkit:stack": self.prefix}}
        return self.make("aws:kms/key:Key", what, inputs)[1]

    def topic(self, what: str = "topic") -> str:
        return self.make("aws:sns/topic:Topic", what, {"name": self.name(what), "tags": TAGS})[0]

    def queue(self, what: str = "queue") -> Props:
        return self.make("aws:sqs/queue:Queue", what, {"name": self.name(what), "tags": TAGS})[1]

    def rule(self, what: str = "rule") -> str:
        inputs = {"name": self.name(what), "scheduleExpression": "rate(1 hour)", "tags": TAGS}
        return self.make("aws:cloudwatch/eventRule:EventRule", what, inputs)[0]

    def log_group(self, what: str = "logs") -> str:
        return self.make("aws:cloudwatch/logGroup:LogGroup", what, {"name": self.name(what), "tags": TAGS})[0]

    def database(self, what: str = "database") -> str:
        inputs = {"name": self.name(what), "tags": TAGS}
        return self.make("aws:glue/catalogDatabase:CatalogDatabase", what, inputs)[1]["name"]

    def policy(self, actions: list[str], what: str = "policy") -> str:
        inputs = {"name": self.name(what), "policy": allow(actions), "tags": TAGS}
        return self.make("aws:iam/policy:Policy", what, inputs)[0]

    def function(self, what: str = "function") -> str:
        inputs = {
            "name": self.name(what),
            "role": self.role()["arn"],
            "packageType": "Zip",
            "code": archive("def handler(event, context): return 1"),
            "handler": "index.handler",
            "runtime": "python3.11",
            "tags": TAGS,
        }
        return self.make("aws:lambda/function:Function", what, inputs)[0]


class Case(NamedTuple):
    """`inputs` needs the world for the parents; `change` overrides top-level inputs (None removes)."""

    token: str
    inputs: Callable[[World], Props]
    change: Mapping[str, Any] | Callable[[World, Props], Props] = MappingProxyType({})
    outlives: bool = False
    """Whether AWS keeps something of it after the deletion (a bucket's versioning can only be suspended)."""


def changed(case: Case, world: World, inputs: Props) -> Props:
    """The inputs after the case's change; those unchanged where it has none."""
    change = case.change(world, inputs) if callable(case.change) else case.change
    return {name: value for name, value in {**inputs, **change}.items() if value is not None}

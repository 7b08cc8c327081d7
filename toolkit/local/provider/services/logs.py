"""CloudWatch log groups and streams."""

from typing import Any, ClassVar

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.tags import settle
from toolkit.local.provider.wire import Props


class LogGroup(Kind):
    """A log group; the id is its name."""

    type_name = "aws:cloudwatch/logGroup:LogGroup"
    takes = "name!+ retentionInDays tags"
    gives = "arn"
    stored_only: ClassVar = {"kmsKeyId": "the emulator encrypts nothing and has no AssociateKmsKey"}

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return inputs["name"] if _group(call, inputs["name"]) else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        found: dict[str, str] = call.aws("logs").list_tags_for_resource(resourceArn=_arn(call, id_))["tags"]
        return found

    @override
    def ours(self, call: Call, id_: str, inputs: Props) -> bool:
        # Lambda makes the group of a function again when a last line of it arrives after the deletion;
        # such a group has no tags at all.
        if id_.startswith("/aws/lambda/") and not self.tags(call, id_):
            return True
        return super().ours(call, id_, inputs)

    @override
    def create(self, call: Call, inputs: Props) -> str:
        tags = {"tags": inputs["tags"]} if inputs.get("tags") else {}
        call.aws("logs").create_log_group(logGroupName=inputs["name"], **tags)
        _retain(call, inputs)
        return str(inputs["name"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = _group(call, id_)
        if found is None:
            return None
        return {
            "name": id_,
            "retentionInDays": found.get("retentionInDays", 0),
            "tags": self.tags(call, id_),
            "arn": _arn(call, id_),
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        logs = call.aws("logs")
        _retain(call, inputs)
        arn = _arn(call, id_)
        settle(
            inputs.get("tags", {}),
            self.tags(call, id_),
            lambda tags: logs.tag_resource(resourceArn=arn, tags=tags),
            lambda names: logs.untag_resource(resourceArn=arn, tagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("logs").delete_log_group(logGroupName=id_)


class LogStream(Kind):
    """A stream of a log group; the id is its name."""

    type_name = "aws:cloudwatch/logStream:LogStream"
    takes = "name!+ logGroupName!+"
    gives = "arn"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return inputs["name"] if self.read(call, inputs["name"], inputs) else None

    @override
    def create(self, call: Call, inputs: Props) -> str:
        call.aws("logs").create_log_stream(logGroupName=inputs["logGroupName"], logStreamName=inputs["name"])
        return str(inputs["name"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        group: str = props["logGroupName"]
        try:
            pages = (
                call.aws("logs")
                .get_paginator("describe_log_streams")
                .paginate(logGroupName=group, logStreamNamePrefix=id_)
            )
            names = {stream["logStreamName"] for page in pages for stream in page["logStreams"]}
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        if id_ not in names:
            return None
        return {"name": id_, "logGroupName": group, "arn": f"{_arn(call, group)}:log-stream:{id_}"}

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        """Nothing of a stream can be changed."""

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("logs").delete_log_stream(logGroupName=props["logGroupName"], logStreamName=id_)


def _group(call: Call, name: str) -> dict[str, Any] | None:
    for page in call.aws("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name):
        for group in page["logGroups"]:
            if group["logGroupName"] == name:
                found: dict[str, Any] = group
                return found
    return None


def _arn(call: Call, name: str) -> str:
    """The ARN without the `:*` that the service appends, as pulumi-aws has it."""
    at = call.clients
    return f"arn:{at.partition}:logs:{at.region}:{at.account}:log-group:{name}"


def _retain(call: Call, inputs: Props) -> None:
    """Sets the retention; 0 or none keeps for ever, as in pulumi-aws."""
    days = inputs.get("retentionInDays")
    if days:
        call.aws("logs").put_retention_policy(logGroupName=inputs["name"], retentionInDays=days)
    else:
        call.aws("logs").delete_retention_policy(logGroupName=inputs["name"])


KINDS: tuple[Kind, ...] = (LogGroup(), LogStream())

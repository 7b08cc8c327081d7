"""SQS queues."""

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.tags import settle
from toolkit.local.provider.wire import Props

ATTRIBUTES = {
    "messageRetentionSeconds": ("MessageRetentionPeriod", "345600"),
    "visibilityTimeoutSeconds": ("VisibilityTimeout", "30"),
    "kmsMasterKeyId": ("KmsMasterKeyId", ""),
    "sqsManagedSseEnabled": ("SqsManagedSseEnabled", "true"),
    "policy": ("Policy", ""),
    "redrivePolicy": ("RedrivePolicy", ""),
}
"""Property → SQS's attribute and the default that it falls back to (SQS API, SetQueueAttributes)."""


class Queue(Kind):
    """A queue; the id is its URL."""

    type_name = "aws:sqs/queue:Queue"
    takes = "name!+ tags " + " ".join(ATTRIBUTES)
    gives = "url arn"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return _url(call, inputs["name"])

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        found: dict[str, str] = call.aws("sqs").list_queue_tags(QueueUrl=id_).get("Tags", {})
        return found

    @override
    def create(self, call: Call, inputs: Props) -> str:
        made = call.aws("sqs").create_queue(
            QueueName=inputs["name"], Attributes=_attributes(inputs, False), tags=inputs.get("tags", {})
        )
        return str(made["QueueUrl"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        # By name: the address in the URL is the emulator's, which may be another after a restart.
        name = id_.rsplit("/", 1)[-1]
        url = _url(call, name)
        if url is None:
            return None
        found = call.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        live = {ours: _typed(found.get(theirs, default)) for ours, (theirs, default) in ATTRIBUTES.items()}
        return {**live, "name": name, "tags": self.tags(call, url), "url": url, "arn": found["QueueArn"]}

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        sqs = call.aws("sqs")
        sqs.set_queue_attributes(QueueUrl=id_, Attributes=_attributes(inputs, True))
        settle(
            inputs.get("tags", {}),
            self.tags(call, id_),
            lambda tags: sqs.tag_queue(QueueUrl=id_, Tags=tags),
            lambda names: sqs.untag_queue(QueueUrl=id_, TagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("sqs").delete_queue(QueueUrl=id_)


def _url(call: Call, name: str) -> str | None:
    try:
        return str(call.aws("sqs").get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        if is_gone(error):
            return None
        raise


def _attributes(inputs: Props, resetting: bool) -> dict[str, str]:
    """The attributes that are asked for; with `resetting` also the defaults of those that are not."""
    given = {theirs: _text(inputs[ours]) for ours, (theirs, _) in ATTRIBUTES.items() if ours in inputs}
    defaults = dict(ATTRIBUTES.values()) if resetting else {}
    if given.get("KmsMasterKeyId"):
        defaults.pop("SqsManagedSseEnabled", None)  # a queue has one kind of encryption at a time (SQS API)
    return {**defaults, **given}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _typed(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() else text


KINDS: tuple[Kind, ...] = (Queue(),)

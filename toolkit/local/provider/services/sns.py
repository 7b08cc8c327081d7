"""SNS topics, their policies and their subscriptions."""

from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.tags import from_list, settle, to_list
from toolkit.local.provider.wire import Props

ATTRIBUTES = {"kmsMasterKeyId": "KmsMasterKeyId", "displayName": "DisplayName", "policy": "Policy"}


class Topic(Kind):
    """A topic; the id is its ARN."""

    type_name = "aws:sns/topic:Topic"
    takes = "name!+ kmsMasterKeyId displayName policy tags"
    gives = "arn owner"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        at = call.clients
        arn = f"arn:{at.partition}:sns:{at.region}:{at.account}:{inputs['name']}"
        return arn if _attributes(call, arn) else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        return from_list(call.aws("sns").list_tags_for_resource(ResourceArn=id_)["Tags"])

    @override
    def create(self, call: Call, inputs: Props) -> str:
        made = call.aws("sns").create_topic(
            Name=inputs["name"],
            Attributes={theirs: inputs[ours] for ours, theirs in ATTRIBUTES.items() if inputs.get(ours)},
            Tags=to_list(inputs.get("tags", {})),
        )
        return str(made["TopicArn"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = _attributes(call, id_)
        if found is None:
            return None
        return {
            **{ours: found.get(theirs, "") for ours, theirs in ATTRIBUTES.items()},
            "name": id_.rsplit(":", 1)[-1],
            "tags": self.tags(call, id_),
            "arn": id_,
            "owner": found.get("Owner", call.clients.account),
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        sns = call.aws("sns")
        for ours, theirs in ATTRIBUTES.items():
            # A topic always has a policy: one that is not asked for stays what it is.
            if ours in inputs or ours != "policy":
                sns.set_topic_attributes(
                    TopicArn=id_, AttributeName=theirs, AttributeValue=inputs.get(ours, "")
                )
        settle(
            inputs.get("tags", {}),
            self.tags(call, id_),
            lambda tags: sns.tag_resource(ResourceArn=id_, Tags=to_list(tags)),
            lambda names: sns.untag_resource(ResourceArn=id_, TagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("sns").delete_topic(TopicArn=id_)


class TopicPolicy(Kind):
    """Who may publish to a topic; the id is its ARN. A deletion puts the default back, as in pulumi-aws."""

    type_name = "aws:sns/topicPolicy:TopicPolicy"
    takes = "arn!+ policy!"
    gives = "owner"

    @override
    def create(self, call: Call, inputs: Props) -> str:
        self.update(call, inputs["arn"], inputs)
        return str(inputs["arn"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = _attributes(call, id_)
        if found is None or not found.get("Policy"):
            return None
        return {"arn": id_, "policy": found["Policy"], "owner": found.get("Owner", call.clients.account)}

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        call.aws("sns").set_topic_attributes(
            TopicArn=id_, AttributeName="Policy", AttributeValue=inputs["policy"]
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("sns").set_topic_attributes(TopicArn=id_, AttributeName="Policy", AttributeValue="")


class TopicSubscription(Kind):
    """A subscription; the id is its ARN. One that waits for confirmation by e-mail exists all the same."""

    type_name = "aws:sns/topicSubscription:TopicSubscription"
    takes = "topic!+ protocol!+ endpoint!+ rawMessageDelivery"
    gives = "arn ownerId pendingConfirmation"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        pages = (
            call.aws("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=inputs["topic"])
        )
        for page in pages:
            for found in page["Subscriptions"]:
                if (found["Protocol"], found["Endpoint"]) == (inputs["protocol"], inputs["endpoint"]):
                    return str(found["SubscriptionArn"])
        return None

    @override
    def create(self, call: Call, inputs: Props) -> str:
        made = call.aws("sns").subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            Attributes=_delivery(inputs),
            ReturnSubscriptionArn=True,
        )
        return str(made["SubscriptionArn"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        try:
            found = call.aws("sns").get_subscription_attributes(SubscriptionArn=id_)["Attributes"]
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        return {
            "topic": found["TopicArn"],
            "protocol": found["Protocol"],
            "endpoint": found["Endpoint"],
            "rawMessageDelivery": found.get("RawMessageDelivery") == "true",
            "arn": id_,
            "ownerId": found.get("Owner", call.clients.account),
            "pendingConfirmation": found.get("PendingConfirmation") == "true",
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        for name, value in _delivery(inputs).items():
            call.aws("sns").set_subscription_attributes(
                SubscriptionArn=id_, AttributeName=name, AttributeValue=value
            )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("sns").unsubscribe(SubscriptionArn=id_)


def _attributes(call: Call, arn: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = call.aws("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return found


def _delivery(inputs: Props) -> dict[str, str]:
    return {"RawMessageDelivery": str(bool(inputs.get("rawMessageDelivery"))).lower()}


KINDS: tuple[Kind, ...] = (Topic(), TopicPolicy(), TopicSubscription())

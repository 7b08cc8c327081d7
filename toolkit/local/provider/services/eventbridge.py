"""EventBridge rules on the default bus, and what they call."""

from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone, there
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.tags import from_list, settle, to_list
from toolkit.local.provider.wire import Props


class EventRule(Kind):
    """A rule; the id is its name."""

    type_name = "aws:cloudwatch/eventRule:EventRule"
    takes = "name!+ description scheduleExpression eventPattern state tags"
    gives = "arn"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return inputs["name"] if _rule(call, inputs["name"]) else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        arn = there(_rule(call, id_))["Arn"]
        return from_list(call.aws("events").list_tags_for_resource(ResourceARN=arn)["Tags"])

    @override
    def create(self, call: Call, inputs: Props) -> str:
        tags = to_list(inputs.get("tags", {}))
        call.aws("events").put_rule(**_given(inputs), **({"Tags": tags} if tags else {}))
        return str(inputs["name"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        rule = _rule(call, id_)
        if rule is None:
            return None
        return {
            "name": id_,
            "description": rule.get("Description", ""),
            "scheduleExpression": rule.get("ScheduleExpression", ""),
            "eventPattern": rule.get("EventPattern", ""),
            "state": rule["State"],
            "tags": self.tags(call, id_),
            "arn": rule["Arn"],
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        events = call.aws("events")
        arn = there(_rule(call, id_))["Arn"]
        events.put_rule(**_given(inputs))
        settle(
            inputs.get("tags", {}),
            self.tags(call, id_),
            lambda tags: events.tag_resource(ResourceARN=arn, Tags=to_list(tags)),
            lambda names: events.untag_resource(ResourceARN=arn, TagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("events").delete_rule(Name=id_)


class EventTarget(Kind):
    """What a rule calls; the id is made of the names of the rule and of the target, as pulumi-aws does."""

    type_name = "aws:cloudwatch/eventTarget:EventTarget"
    takes = "rule!+ targetId!+ arn! input"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        found = _target(call, inputs["rule"], inputs["targetId"])
        return f"{inputs['rule']}-{inputs['targetId']}" if found else None

    @override
    def create(self, call: Call, inputs: Props) -> str:
        id_ = f"{inputs['rule']}-{inputs['targetId']}"
        self.update(call, id_, inputs)
        return id_

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = _target(call, props["rule"], props["targetId"])
        if found is None:
            return None
        given = {"rule": props["rule"], "targetId": props["targetId"], "arn": found["Arn"]}
        return {**given, "input": found.get("Input", "")}

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        target = {"Id": inputs["targetId"], "Arn": inputs["arn"]}
        if inputs.get("input"):
            target["Input"] = inputs["input"]
        call.aws("events").put_targets(Rule=inputs["rule"], Targets=[target])

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("events").remove_targets(Rule=props["rule"], Ids=[props["targetId"]])


def _rule(call: Call, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = call.aws("events").describe_rule(Name=name)
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return found


def _given(inputs: Props) -> dict[str, Any]:
    given = {"Name": inputs["name"], "Description": inputs.get("description", "")}
    given["State"] = inputs.get("state", "ENABLED")
    for ours, theirs in (("scheduleExpression", "ScheduleExpression"), ("eventPattern", "EventPattern")):
        if inputs.get(ours):
            given[theirs] = inputs[ours]
    return given


def _target(call: Call, rule: str, target: str) -> dict[str, Any] | None:
    try:
        found = call.aws("events").list_targets_by_rule(Rule=rule)["Targets"]
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return next((each for each in found if each["Id"] == target), None)


KINDS: tuple[Kind, ...] = (EventRule(), EventTarget())

"""DynamoDB tables, billed by request."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone, there
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.names import camel, pascal
from toolkit.local.provider.tags import from_list, settle, to_list
from toolkit.local.provider.wire import Props


class Table(Kind):
    """A table; the id is its name."""

    type_name = "aws:dynamodb/table:Table"
    takes = """
        name!+ billingMode! hashKey!+ rangeKey+ attributes[name! type!] deletionProtectionEnabled tags
        globalSecondaryIndexes[name! keySchemas![attributeName! keyType!] projectionType! nonKeyAttributes]
        ttl{attributeName enabled} pointInTimeRecovery{enabled! recoveryPeriodInDays}
        serverSideEncryption{enabled! kmsKeyArn}
    """
    gives = "arn"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return inputs["name"] if _described(call, inputs["name"]) else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        pages = (
            call.aws("dynamodb").get_paginator("list_tags_of_resource").paginate(ResourceArn=_arn(call, id_))
        )
        return from_list(pair for page in pages for pair in page["Tags"])

    @override
    def create(self, call: Call, inputs: Props) -> str:
        name: str = inputs["name"]
        indexes = [_index(index) for index in inputs.get("globalSecondaryIndexes", [])]
        call.aws("dynamodb").create_table(
            TableName=name,
            KeySchema=_keys(inputs),
            AttributeDefinitions=_attributes(inputs),
            BillingMode=inputs["billingMode"],
            DeletionProtectionEnabled=bool(inputs.get("deletionProtectionEnabled")),
            Tags=to_list(inputs.get("tags", {})),
            **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
            **({"SSESpecification": _encryption(inputs)} if _encryption(inputs)["Enabled"] else {}),
        )
        _wait(call, name)
        _settle_parts(call, name, inputs)
        return name

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        table = _described(call, id_)
        if table is None:
            return None
        dynamodb = call.aws("dynamodb")
        ttl = dynamodb.describe_time_to_live(TableName=id_)["TimeToLiveDescription"]
        backups = dynamodb.describe_continuous_backups(TableName=id_)["ContinuousBackupsDescription"]
        keys = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
        return {
            "name": id_,
            "arn": table["TableArn"],
            "billingMode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "hashKey": keys["HASH"],
            "rangeKey": keys.get("RANGE"),
            "attributes": [
                {"name": each["AttributeName"], "type": each["AttributeType"]}
                for each in table["AttributeDefinitions"]
            ],
            "globalSecondaryIndexes": [
                _live_index(index) for index in table.get("GlobalSecondaryIndexes", [])
            ],
            "deletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
            "ttl": {
                "attributeName": ttl.get("AttributeName", ""),
                "enabled": ttl.get("TimeToLiveStatus") in ("ENABLED", "ENABLING"),
            },
            "pointInTimeRecovery": _live_recovery(backups),
            "serverSideEncryption": _live_encryption(table.get("SSEDescription", {})),
            "tags": self.tags(call, id_),
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        table = there(_described(call, id_))
        for step in _steps(inputs, table):
            call.aws("dynamodb").update_table(TableName=id_, AttributeDefinitions=_attributes(inputs), **step)
            _wait(call, id_)
        _settle_parts(call, id_, inputs)
        arn = _arn(call, id_)
        settle(
            inputs.get("tags", {}),
            self.tags(call, id_),
            lambda tags: call.aws("dynamodb").tag_resource(ResourceArn=arn, Tags=to_list(tags)),
            lambda names: call.aws("dynamodb").untag_resource(ResourceArn=arn, TagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("dynamodb").delete_table(TableName=id_)
            call.aws("dynamodb").get_waiter("table_not_exists").wait(
                TableName=id_, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600}
            )


def _described(call: Call, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = call.aws("dynamodb").describe_table(TableName=name)["Table"]
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return found


def _arn(call: Call, name: str) -> str:
    at = call.clients
    return f"arn:{at.partition}:dynamodb:{at.region}:{at.account}:table/{name}"


def _wait(call: Call, name: str) -> None:
    call.aws("dynamodb").get_waiter("table_exists").wait(
        TableName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600}
    )


def _keys(props: Props) -> list[dict[str, str]]:
    keys = [{"AttributeName": props["hashKey"], "KeyType": "HASH"}]
    if props.get("rangeKey"):
        keys.append({"AttributeName": props["rangeKey"], "KeyType": "RANGE"})
    return keys


def _attributes(inputs: Props) -> list[dict[str, str]]:
    return [
        {"AttributeName": each["name"], "AttributeType": each["type"]}
        for each in inputs.get("attributes", [])
    ]


def _index(index: Props) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": index["projectionType"]}
    if index.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = index["nonKeyAttributes"]
    return {"IndexName": index["name"], "KeySchema": pascal(index["keySchemas"]), "Projection": projection}


def _live_index(index: dict[str, Any]) -> Props:
    live = {
        "name": index["IndexName"],
        "keySchemas": camel(index["KeySchema"]),
        "projectionType": index["Projection"]["ProjectionType"],
    }
    if index["Projection"].get("NonKeyAttributes"):
        live["nonKeyAttributes"] = index["Projection"]["NonKeyAttributes"]
    return live


def _live_recovery(backups: dict[str, Any]) -> Props:
    found = backups.get("PointInTimeRecoveryDescription", {})
    live: Props = {"enabled": found.get("PointInTimeRecoveryStatus") == "ENABLED"}
    if "RecoveryPeriodInDays" in found:
        live["recoveryPeriodInDays"] = found["RecoveryPeriodInDays"]
    return live


def _live_encryption(found: dict[str, Any]) -> Props:
    live: Props = {"enabled": found.get("Status") in ("ENABLED", "ENABLING", "UPDATING")}
    if "KMSMasterKeyArn" in found:
        live["kmsKeyArn"] = found["KMSMasterKeyArn"]
    return live


def _encryption(inputs: Props) -> dict[str, Any]:
    asked = inputs.get("serverSideEncryption", {})
    if not asked.get("enabled"):
        return {"Enabled": False}
    key = {"KMSMasterKeyId": asked["kmsKeyArn"]} if asked.get("kmsKeyArn") else {}
    return {"Enabled": True, "SSEType": "KMS", **key}


def _steps(inputs: Props, table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The updates of a table, one at a time: UpdateTable takes one kind of change, and one index, a call."""
    if table.get("BillingModeSummary", {}).get("BillingMode") != inputs["billingMode"]:
        yield {"BillingMode": inputs["billingMode"]}
    if table.get("DeletionProtectionEnabled", False) != bool(inputs.get("deletionProtectionEnabled")):
        yield {"DeletionProtectionEnabled": bool(inputs.get("deletionProtectionEnabled"))}
    if (table.get("SSEDescription", {}).get("Status") == "ENABLED") or _encryption(inputs)["Enabled"]:
        yield {"SSESpecification": _encryption(inputs)}
    wanted = {index["name"]: index for index in inputs.get("globalSecondaryIndexes", [])}
    live = {index["IndexName"]: _live_index(index) for index in table.get("GlobalSecondaryIndexes", [])}
    for name in live:
        if live[name] != wanted.get(name):
            yield {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]}
    for name, index in wanted.items():
        if live.get(name) != index:
            yield {"GlobalSecondaryIndexUpdates": [{"Create": _index(index)}]}


def _settle_parts(call: Call, name: str, inputs: Props) -> None:
    """Time to live and recovery, which have calls of their own; DynamoDB refuses one that changes nothing."""
    dynamodb = call.aws("dynamodb")
    ttl = inputs.get("ttl", {})
    live = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    enabled = live.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    if enabled != bool(ttl.get("enabled")):
        attribute = ttl.get("attributeName") or live.get("AttributeName")
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": not enabled, "AttributeName": attribute}
        )
    asked = inputs.get("pointInTimeRecovery", {"enabled": False})
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    if any(_live_recovery(backups).get(key) != value for key, value in asked.items()):
        period = (
            {"RecoveryPeriodInDays": asked["recoveryPeriodInDays"]} if "recoveryPeriodInDays" in asked else {}
        )
        dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": bool(asked["enabled"]), **period},
        )


KINDS: tuple[Kind, ...] = (Table(),)

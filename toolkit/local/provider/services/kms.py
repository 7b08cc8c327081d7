"""KMS keys and aliases."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone, there
from toolkit.local.provider.kind import NAME_TAG, STACK_TAG, Call, Kind
from toolkit.local.provider.tags import from_list, settle, shown, to_list
from toolkit.local.provider.wire import Props

SYMMETRIC = "SYMMETRIC_DEFAULT"


class Key(Kind):
    """A key; its id is made up by AWS, so it is found again by tags. One that awaits its deletion is gone."""

    type_name = "aws:kms/key:Key"
    takes = """
        description enableKeyRotation deletionWindowInDays policy keyUsage+ customerMasterKeySpec+ tags
    """
    gives = "keyId arn"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        asked = inputs.get("tags", {})
        wanted = {STACK_TAG: asked.get(STACK_TAG), NAME_TAG: asked.get(NAME_TAG, call.name)}
        for id_ in _keys(call):
            tags = _tags(call, id_)
            if {name: tags.get(name) for name in wanted} == wanted and _described(call, id_):
                return id_
        return None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        return _tags(call, id_)

    @override
    def create(self, call: Call, inputs: Props) -> str:
        tags = {NAME_TAG: call.name, **inputs.get("tags", {})}
        made = call.aws("kms").create_key(
            Description=inputs.get("description", ""),
            KeyUsage=inputs.get("keyUsage", "ENCRYPT_DECRYPT"),
            KeySpec=inputs.get("customerMasterKeySpec", SYMMETRIC),
            Tags=to_list(tags, "TagKey", "TagValue"),
            **({"Policy": inputs["policy"]} if "policy" in inputs else {}),
        )
        id_: str = made["KeyMetadata"]["KeyId"]
        _rotate(call, id_, inputs)
        return id_

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        key = _described(call, id_)
        if key is None:
            return None
        kms = call.aws("kms")
        live = {
            "description": key.get("Description", ""),
            "keyUsage": key["KeyUsage"],
            "customerMasterKeySpec": key["KeySpec"],
            "policy": kms.get_key_policy(KeyId=id_, PolicyName="default")["Policy"],
            "tags": shown(_tags(call, id_), props.get("tags", {})),
            "keyId": key["KeyId"],
            "arn": key["Arn"],
        }
        if key["KeySpec"] == SYMMETRIC:
            live["enableKeyRotation"] = kms.get_key_rotation_status(KeyId=id_)["KeyRotationEnabled"]
        return live

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        kms = call.aws("kms")
        kms.update_key_description(KeyId=id_, Description=inputs.get("description", ""))
        if "policy" in inputs:
            kms.put_key_policy(KeyId=id_, PolicyName="default", Policy=inputs["policy"])
        _rotate(call, id_, inputs)
        settle(
            inputs.get("tags", {}),
            _tags(call, id_),
            lambda tags: kms.tag_resource(KeyId=id_, Tags=to_list(tags, "TagKey", "TagValue")),
            lambda names: kms.untag_resource(KeyId=id_, TagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        days = props.get("deletionWindowInDays", 30)
        with gone_is_fine():
            if _described(call, id_):
                call.aws("kms").schedule_key_deletion(KeyId=id_, PendingWindowInDays=days)


class Alias(Kind):
    """An alias; the id is its name. It has no tags, so it is ours when the key that it stands for is."""

    type_name = "aws:kms/alias:Alias"
    takes = "name!+ targetKeyId!"
    gives = "arn targetKeyArn"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return inputs["name"] if _alias(call, inputs["name"]) else None

    @override
    def ours(self, call: Call, id_: str, inputs: Props) -> bool:
        found = there(_alias(call, id_))
        try:
            stacks = {
                _tags(call, key).get(STACK_TAG) for key in (found["TargetKeyId"], inputs["targetKeyId"])
            }
        except ClientError as error:
            if is_gone(error):
                return False
            raise
        return len(stacks) == 1 and None not in stacks

    @override
    def create(self, call: Call, inputs: Props) -> str:
        call.aws("kms").create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
        return str(inputs["name"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = _alias(call, id_)
        if found is None:
            return None
        target, asked = str(found["TargetKeyId"]), str(props.get("targetKeyId", ""))
        return {
            "name": id_,
            "targetKeyId": asked if asked.endswith(target) else target,  # asked for by id or by ARN
            "arn": found["AliasArn"],
            "targetKeyArn": f"{found['AliasArn'].rsplit(':', 1)[0]}:key/{target}",
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        call.aws("kms").update_alias(AliasName=id_, TargetKeyId=inputs["targetKeyId"])

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("kms").delete_alias(AliasName=id_)


def _keys(call: Call) -> Iterator[str]:
    for page in call.aws("kms").get_paginator("list_keys").paginate():
        yield from (str(key["KeyId"]) for key in page["Keys"])


def _described(call: Call, id_: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = call.aws("kms").describe_key(KeyId=id_)["KeyMetadata"]
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return None if found["KeyState"] == "PendingDeletion" else found


def _tags(call: Call, id_: str) -> dict[str, str]:
    pages = call.aws("kms").get_paginator("list_resource_tags").paginate(KeyId=id_)
    return from_list((pair for page in pages for pair in page["Tags"]), "TagKey", "TagValue")


def _rotate(call: Call, id_: str, inputs: Props) -> None:
    kms = call.aws("kms")
    if inputs.get("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=id_)
    elif (
        inputs.get("customerMasterKeySpec", SYMMETRIC) == SYMMETRIC
    ):  # others never rotate (KMS, "Rotating keys")
        kms.disable_key_rotation(KeyId=id_)


def _alias(call: Call, name: str) -> dict[str, Any] | None:
    for page in call.aws("kms").get_paginator("list_aliases").paginate():
        for alias in page["Aliases"]:
            if alias["AliasName"] == name:
                found: dict[str, Any] = alias
                return found
    return None


KINDS: tuple[Kind, ...] = (Key(), Alias())

"""IAM roles and policies. What the emulator needs beside them to reach Bedrock is in `iam_bedrock`."""

import json
from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.services import iam_bedrock
from toolkit.local.provider.tags import from_list, settle, to_list
from toolkit.local.provider.wire import Props


class Role(Kind):
    """A role; the id is its name."""

    type_name = "aws:iam/role:Role"
    takes = "name!+ path+ assumeRolePolicy! description permissionsBoundary maxSessionDuration tags"
    gives = "arn uniqueId createDate"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return inputs["name"] if _role(call, inputs["name"]) else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        pages = call.aws("iam").get_paginator("list_role_tags").paginate(RoleName=id_)
        return from_list(pair for page in pages for pair in page["Tags"])

    @override
    def create(self, call: Call, inputs: Props) -> str:
        optional = {"description": "Description", "permissionsBoundary": "PermissionsBoundary"}
        call.aws("iam").create_role(
            RoleName=inputs["name"],
            Path=inputs.get("path", "/"),
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            MaxSessionDuration=inputs.get("maxSessionDuration", 3600),
            Tags=to_list(inputs.get("tags", {})),
            **{aws: inputs[name] for name, aws in optional.items() if inputs.get(name)},
        )
        return str(inputs["name"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        role = _role(call, id_)
        if role is None:
            return None
        return {
            "name": role["RoleName"],
            "path": role["Path"],
            "assumeRolePolicy": document(role["AssumeRolePolicyDocument"]),
            "description": role.get("Description", ""),
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "maxSessionDuration": role["MaxSessionDuration"],
            "tags": self.tags(call, id_),
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "createDate": role["CreateDate"].isoformat(),
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        iam = call.aws("iam")
        iam.update_assume_role_policy(RoleName=id_, PolicyDocument=inputs["assumeRolePolicy"])
        iam.update_role(
            RoleName=id_,
            Description=inputs.get("description", ""),
            MaxSessionDuration=inputs.get("maxSessionDuration", 3600),
        )
        boundary = inputs.get("permissionsBoundary")
        if boundary:
            iam.put_role_permissions_boundary(RoleName=id_, PermissionsBoundary=boundary)
        elif (_role(call, id_) or {}).get("PermissionsBoundary"):
            iam.delete_role_permissions_boundary(RoleName=id_)
        settle(
            inputs.get("tags", {}),
            self.tags(call, id_),
            lambda tags: iam.tag_role(RoleName=id_, Tags=to_list(tags)),
            lambda names: iam.untag_role(RoleName=id_, TagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            iam_bedrock.withdraw(call.aws("iam"), id_)
            call.aws("iam").delete_role(RoleName=id_)


def document(found: Any) -> str:
    """A policy document as text; boto3 has already parsed the ones that IAM encodes."""
    return found if isinstance(found, str) else json.dumps(found)


def _role(call: Call, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = call.aws("iam").get_role(RoleName=name)["Role"]
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return found


KINDS: tuple[Kind, ...] = (Role(),)

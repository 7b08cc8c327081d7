"""IAM policies: managed ones, inline ones, and what attaches the first to a role."""

from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.services import iam_bedrock
from toolkit.local.provider.services.iam import document
from toolkit.local.provider.tags import from_list, settle, to_list
from toolkit.local.provider.wire import Props

VERSIONS_KEPT = 5
"""A managed policy has at most five versions (IAM quotas): the oldest goes before a sixth."""


class Policy(Kind):
    """A managed policy; the id is its ARN."""

    type_name = "aws:iam/policy:Policy"
    takes = "name!+ path+ policy! description+ tags"
    gives = "arn policyId"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        at = call.clients
        arn = f"arn:{at.partition}:iam::{at.account}:policy{inputs.get('path', '/')}{inputs['name']}"
        return arn if _policy(call, arn) else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        pages = call.aws("iam").get_paginator("list_policy_tags").paginate(PolicyArn=id_)
        return from_list(pair for page in pages for pair in page["Tags"])

    @override
    def create(self, call: Call, inputs: Props) -> str:
        made = call.aws("iam").create_policy(
            PolicyName=inputs["name"],
            Path=inputs.get("path", "/"),
            PolicyDocument=inputs["policy"],
            Tags=to_list(inputs.get("tags", {})),
            **({"Description": inputs["description"]} if inputs.get("description") else {}),
        )
        return str(made["Policy"]["Arn"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = _policy(call, id_)
        if found is None:
            return None
        version = call.aws("iam").get_policy_version(PolicyArn=id_, VersionId=found["DefaultVersionId"])
        return {
            "name": found["PolicyName"],
            "path": found["Path"],
            "policy": document(version["PolicyVersion"]["Document"]),
            "description": found.get("Description", ""),
            "tags": self.tags(call, id_),
            "arn": id_,
            "policyId": found["PolicyId"],
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        iam = call.aws("iam")
        versions = iam.list_policy_versions(PolicyArn=id_)["Versions"]
        if len(versions) >= VERSIONS_KEPT:
            oldest = min((v for v in versions if not v["IsDefaultVersion"]), key=lambda v: v["CreateDate"])
            iam.delete_policy_version(PolicyArn=id_, VersionId=oldest["VersionId"])
        iam.create_policy_version(PolicyArn=id_, PolicyDocument=inputs["policy"], SetAsDefault=True)
        for role in _attached_to(call, id_):
            iam_bedrock.settle(iam, role)
        settle(
            inputs.get("tags", {}),
            self.tags(call, id_),
            lambda tags: iam.tag_policy(PolicyArn=id_, Tags=to_list(tags)),
            lambda names: iam.untag_policy(PolicyArn=id_, TagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        iam = call.aws("iam")
        with gone_is_fine():
            for version in iam.list_policy_versions(PolicyArn=id_)["Versions"]:
                if not version["IsDefaultVersion"]:
                    iam.delete_policy_version(PolicyArn=id_, VersionId=version["VersionId"])
            iam.delete_policy(PolicyArn=id_)


class RolePolicy(Kind):
    """An inline policy of a role; the id is `role:name`."""

    type_name = "aws:iam/rolePolicy:RolePolicy"
    takes = "name!+ role!+ policy!"

    @override
    def create(self, call: Call, inputs: Props) -> str:
        id_ = f"{inputs['role']}:{inputs['name']}"
        self.update(call, id_, inputs)
        return id_

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        role, name = id_.split(":", 1)
        try:
            found = call.aws("iam").get_role_policy(RoleName=role, PolicyName=name)
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        return {"name": name, "role": role, "policy": document(found["PolicyDocument"])}

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        role, name = id_.split(":", 1)
        call.aws("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=inputs["policy"])
        iam_bedrock.settle(call.aws("iam"), role)

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        role, name = id_.split(":", 1)
        with gone_is_fine():
            call.aws("iam").delete_role_policy(RoleName=role, PolicyName=name)
        iam_bedrock.settle(call.aws("iam"), role)


class RolePolicyAttachment(Kind):
    """A managed policy at a role; the id is `role/policy ARN`, as in pulumi-aws."""

    type_name = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    takes = "role!+ policyArn!+"

    @override
    def create(self, call: Call, inputs: Props) -> str:
        self.update(call, "", inputs)
        return f"{inputs['role']}/{inputs['policyArn']}"

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        role, arn = id_.split("/", 1)
        try:
            pages = call.aws("iam").get_paginator("list_attached_role_policies").paginate(RoleName=role)
            attached = {policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]}
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        return {"role": role, "policyArn": arn} if arn in attached else None

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        call.aws("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        iam_bedrock.settle(call.aws("iam"), inputs["role"])

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        role, arn = id_.split("/", 1)
        with gone_is_fine():
            call.aws("iam").detach_role_policy(RoleName=role, PolicyArn=arn)
        iam_bedrock.settle(call.aws("iam"), role)


def _policy(call: Call, arn: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = call.aws("iam").get_policy(PolicyArn=arn)["Policy"]
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return found


def _attached_to(call: Call, arn: str) -> list[str]:
    pages = (
        call.aws("iam").get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, EntityFilter="Role")
    )
    return [role["RoleName"] for page in pages for role in page["PolicyRoles"]]


KINDS: tuple[Kind, ...] = (Policy(), RolePolicy(), RolePolicyAttachment())

"""The emulator's quirk with Bedrock, and the policy that makes up for it.

AWS lets a role call Converse and ConverseStream when it may `bedrock:InvokeModel` and
`bedrock:InvokeModelWithResponseStream`, on the inference profile (Bedrock API, "Converse"). The emulator
asks for actions named `bedrock:Converse` and `bedrock:ConverseStream` and does not see the profile as
the resource, so a policy that is right on AWS is refused. A role that may invoke therefore gets one
more inline policy, named `tfkit-emulator-bedrock`, with just these actions; the real policies stay
exactly as the program gave them. The policy follows from the others: whenever they change it is set
or withdrawn.
"""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any

from toolkit.local.provider.errors import gone_is_fine

POLICY = "tfkit-emulator-bedrock"
NEEDS = {
    "bedrock:InvokeModel": "bedrock:Converse",
    "bedrock:InvokeModelWithResponseStream": "bedrock:ConverseStream",
}

_settling = Lock()  # two policies of a role may change at once, and what follows from both must be right


def settle(iam: Any, role: str) -> None:
    """Sets or withdraws the extra policy of a role, as its own policies ask; none where the role is gone."""
    with _settling, gone_is_fine():
        actions = granted(_documents(iam, role))
        if actions:
            iam.put_role_policy(RoleName=role, PolicyName=POLICY, PolicyDocument=_policy(actions))
        else:
            withdraw(iam, role)


def withdraw(iam: Any, role: str) -> None:
    """Takes the extra policy from a role, if it has it."""
    with gone_is_fine():
        iam.delete_role_policy(RoleName=role, PolicyName=POLICY)


def granted(documents: Iterator[dict[str, Any]]) -> list[str]:
    """The emulator's actions that answer to what the documents allow."""
    patterns = [
        pattern
        for document in documents
        for statement in _listed(document.get("Statement", []))
        if statement.get("Effect") == "Allow"
        for pattern in _listed(statement.get("Action", []))
    ]
    return [
        theirs for aws, theirs in NEEDS.items() if any(fnmatchcase(aws.lower(), p.lower()) for p in patterns)
    ]


def _documents(iam: Any, role: str) -> Iterator[dict[str, Any]]:
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            if name != POLICY:
                yield _parsed(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for attached in page["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            yield _parsed(
                iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            )


def _parsed(document: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(document) if isinstance(document, str) else document
    return parsed


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _policy(actions: list[str]) -> str:
    statement = {"Sid": "EmulatorAsksForConverse", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

"""Bedrock's application inference profiles."""

from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone, there
from toolkit.local.provider.kind import STACK_TAG, Call, Kind
from toolkit.local.provider.tags import from_list, settle, to_list
from toolkit.local.provider.wire import Props


class InferenceProfile(Kind):
    """A profile over a model; its id is made up by AWS, so it is found again by its name and stack tag."""

    type_name = "aws:bedrock/inferenceProfile:InferenceProfile"
    takes = "name!+ description+ modelSource!+{copyFrom!} tags"
    gives = "arn status type models createdAt updatedAt"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        stack = inputs.get("tags", {}).get(STACK_TAG)
        pages = (
            call.aws("bedrock").get_paginator("list_inference_profiles").paginate(typeEquals="APPLICATION")
        )
        for page in pages:
            for found in page["inferenceProfileSummaries"]:
                if found["inferenceProfileName"] == inputs["name"]:
                    tags = _tags(call, found["inferenceProfileArn"])
                    if stack is not None and tags.get(STACK_TAG) == stack:
                        return str(found["inferenceProfileId"])
        return None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        found = _described(call, id_)
        return _tags(call, found["inferenceProfileArn"]) if found else {}

    @override
    def create(self, call: Call, inputs: Props) -> str:
        made = call.aws("bedrock").create_inference_profile(
            inferenceProfileName=inputs["name"],
            modelSource={"copyFrom": inputs["modelSource"]["copyFrom"]},
            tags=to_list(inputs.get("tags", {}), "key", "value"),
            **({"description": inputs["description"]} if inputs.get("description") else {}),
        )
        return str(made["inferenceProfileArn"].rsplit("/", 1)[-1])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = _described(call, id_)
        if found is None:
            return None
        return {
            "name": found["inferenceProfileName"],
            "description": found.get("description", ""),
            "tags": _tags(call, found["inferenceProfileArn"]),
            "arn": found["inferenceProfileArn"],
            "status": found["status"],
            "type": found["type"],
            "models": [{"modelArn": model["modelArn"]} for model in found["models"]],
            "createdAt": found["createdAt"].isoformat(),
            "updatedAt": found["updatedAt"].isoformat(),
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        found = there(_described(call, id_))
        arn = found["inferenceProfileArn"]
        bedrock = call.aws("bedrock")
        settle(
            inputs.get("tags", {}),
            _tags(call, arn),
            lambda tags: bedrock.tag_resource(resourceARN=arn, tags=to_list(tags, "key", "value")),
            lambda names: bedrock.untag_resource(resourceARN=arn, tagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("bedrock").delete_inference_profile(inferenceProfileIdentifier=id_)


def _described(call: Call, id_: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = call.aws("bedrock").get_inference_profile(inferenceProfileIdentifier=id_)
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return found


def _tags(call: Call, arn: str) -> dict[str, str]:
    return from_list(call.aws("bedrock").list_tags_for_resource(resourceARN=arn)["tags"], "key", "value")


KINDS: tuple[Kind, ...] = (InferenceProfile(),)

"""SSM parameters."""

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.tags import from_list, settle, to_list
from toolkit.local.provider.wire import Props


class Parameter(Kind):
    """A parameter; the id is its name."""

    type_name = "aws:ssm/parameter:Parameter"
    takes = "name!+ type!+ value! description tier keyId tags"
    gives = "arn version"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return inputs["name"] if self.read(call, inputs["name"], inputs) else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        answer = call.aws("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId=id_)
        return from_list(answer["TagList"])

    @override
    def create(self, call: Call, inputs: Props) -> str:
        call.aws("ssm").put_parameter(Tags=to_list(inputs.get("tags", {})), **_given(inputs))
        return str(inputs["name"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        ssm = call.aws("ssm")
        try:
            found = ssm.get_parameter(Name=id_, WithDecryption=True)["Parameter"]
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        named = [{"Key": "Name", "Option": "Equals", "Values": [id_]}]
        described = (ssm.describe_parameters(ParameterFilters=named)["Parameters"] or [{}])[0]
        return {
            "name": id_,
            "type": found["Type"],
            "value": found["Value"],
            "description": described.get("Description", ""),
            "tier": described.get("Tier", "Standard"),
            "keyId": described.get("KeyId"),
            "tags": self.tags(call, id_),
            "arn": found["ARN"],
            "version": found["Version"],
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        ssm = call.aws("ssm")
        ssm.put_parameter(Overwrite=True, **_given(inputs))
        settle(
            inputs.get("tags", {}),
            self.tags(call, id_),
            lambda tags: ssm.add_tags_to_resource(
                ResourceType="Parameter", ResourceId=id_, Tags=to_list(tags)
            ),
            lambda names: ssm.remove_tags_from_resource(
                ResourceType="Parameter", ResourceId=id_, TagKeys=names
            ),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("ssm").delete_parameter(Name=id_)


def _given(inputs: Props) -> dict[str, str]:
    given = {
        "Name": inputs["name"],
        "Type": inputs["type"],
        "Value": inputs["value"],
        "Description": inputs.get("description", ""),
        "Tier": inputs.get("tier", "Standard"),
    }
    return {**given, "KeyId": inputs["keyId"]} if inputs.get("keyId") else given


KINDS: tuple[Kind, ...] = (Parameter(),)

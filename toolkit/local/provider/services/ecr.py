"""ECR repositories and their lifecycle policies."""

from typing import Any

from botocore.exceptions import ClientError
from typing_extensions import override

from toolkit.local.provider.errors import gone_is_fine, is_gone, there
from toolkit.local.provider.kind import Call, Kind
from toolkit.local.provider.tags import from_list, settle, to_list
from toolkit.local.provider.wire import Props


class Repository(Kind):
    """A repository; the id is its name."""

    type_name = "aws:ecr/repository:Repository"
    takes = """
        name!+ imageScanningConfiguration{scanOnPush!} imageTagMutability forceDelete
        encryptionConfigurations+[encryptionType kmsKey] tags
    """
    gives = "repositoryUrl arn registryId"

    @override
    def find(self, call: Call, inputs: Props) -> str | None:
        return inputs["name"] if _described(call, inputs["name"]) else None

    @override
    def tags(self, call: Call, id_: str) -> dict[str, str]:
        found = there(_described(call, id_))
        return from_list(call.aws("ecr").list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"])

    @override
    def create(self, call: Call, inputs: Props) -> str:
        encryption = inputs.get("encryptionConfigurations") or [{}]
        call.aws("ecr").create_repository(
            repositoryName=inputs["name"],
            tags=to_list(inputs.get("tags", {})),
            imageTagMutability=inputs.get("imageTagMutability", "MUTABLE"),
            imageScanningConfiguration=inputs.get("imageScanningConfiguration", {"scanOnPush": False}),
            encryptionConfiguration={"encryptionType": "AES256", **encryption[0]},
        )
        return str(inputs["name"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        found = _described(call, id_)
        if found is None:
            return None
        return {
            "name": id_,
            "imageTagMutability": found["imageTagMutability"],
            "imageScanningConfiguration": found.get("imageScanningConfiguration", {"scanOnPush": False}),
            "encryptionConfigurations": [found.get("encryptionConfiguration", {"encryptionType": "AES256"})],
            "tags": self.tags(call, id_),
            "repositoryUrl": found["repositoryUri"],
            "arn": found["repositoryArn"],
            "registryId": found["registryId"],
        }

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        ecr = call.aws("ecr")
        ecr.put_image_tag_mutability(
            repositoryName=id_, imageTagMutability=inputs.get("imageTagMutability", "MUTABLE")
        )
        ecr.put_image_scanning_configuration(
            repositoryName=id_,
            imageScanningConfiguration=inputs.get("imageScanningConfiguration", {"scanOnPush": False}),
        )
        arn = there(_described(call, id_))["repositoryArn"]
        settle(
            inputs.get("tags", {}),
            self.tags(call, id_),
            lambda tags: ecr.tag_resource(resourceArn=arn, tags=to_list(tags)),
            lambda names: ecr.untag_resource(resourceArn=arn, tagKeys=names),
        )

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("ecr").delete_repository(repositoryName=id_, force=bool(props.get("forceDelete")))


class LifecyclePolicy(Kind):
    """Which images of a repository expire; the id is the repository's name."""

    type_name = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    takes = "repository!+ policy!"
    gives = "registryId"

    @override
    def create(self, call: Call, inputs: Props) -> str:
        self.update(call, inputs["repository"], inputs)
        return str(inputs["repository"])

    @override
    def read(self, call: Call, id_: str, props: Props) -> Props | None:
        try:
            found = call.aws("ecr").get_lifecycle_policy(repositoryName=id_)
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        registry = found.get("registryId", call.clients.account)
        return {"repository": id_, "policy": found["lifecyclePolicyText"], "registryId": registry}

    @override
    def update(self, call: Call, id_: str, inputs: Props) -> None:
        call.aws("ecr").put_lifecycle_policy(repositoryName=id_, lifecyclePolicyText=inputs["policy"])

    @override
    def delete(self, call: Call, id_: str, props: Props) -> None:
        with gone_is_fine():
            call.aws("ecr").delete_lifecycle_policy(repositoryName=id_)


def _described(call: Call, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = call.aws("ecr").describe_repositories(repositoryNames=[name])["repositories"][
            0
        ]
    except ClientError as error:
        if is_gone(error):
            return None
        raise
    return found


KINDS: tuple[Kind, ...] = (Repository(), LifecyclePolicy())

"""Who may think: an inference profile for each Bedrock model, the policy to invoke them, the agent's role."""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import pulumi
import pulumi_aws as aws

from stacks import names, parts
from stacks.foundation import FoundationOutputs
from stacks.policies import Statement, document, trust
from toolkit.contracts import GEOGRAPHIES, ModelEntry, PlatformConfig, Registry, to_json

INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")


ROOM = 4_096
"""Characters of a parameter of the standard tier.
https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm"""


@dataclass(frozen=True)
class ModelsArgs:
    """What the models are made from; `secrets` are the keys of providers other than Bedrock, by name."""

    config: PlatformConfig
    foundation: FoundationOutputs
    secrets: Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True)
class ModelsOutputs:
    """Profiles' ARNs by the model's name; `invoke_attachment` must be there before the role is used."""

    profiles: Mapping[str, pulumi.Output[str]]
    agent_role_name: pulumi.Output[str]
    agent_role_arn: pulumi.Output[str]
    invoke_attachment: aws.iam.RolePolicyAttachment
    registry_parameter: pulumi.Output[str]
    secret_parameters: Mapping[str, pulumi.Output[str]]


class Models(pulumi.ComponentResource):
    """Inference profiles, the invoke policy, the assumable agent role, the registry, the providers' keys."""

    outputs: ModelsOutputs

    def __init__(self, args: ModelsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfkit:platform:Models", "models", None, opts)
        self._config = args.config
        self._child = pulumi.ResourceOptions(parent=self)

        bedrock = {
            name: entry for name, entry in args.config.registry.models.items() if entry.provider == "bedrock"
        }
        profiles = {name: self._profile(name, entry).arn for name, entry in bedrock.items()}
        role = self._agent_role()
        self.outputs = ModelsOutputs(
            profiles=profiles,
            agent_role_name=role.name,
            agent_role_arn=role.arn,
            invoke_attachment=self._may_invoke(role, profiles),
            registry_parameter=self._registry(profiles).name,
            secret_parameters={
                name: self._secret(name, value, args.foundation).name for name, value in args.secrets.items()
            },
        )
        self.register_outputs(
            {
                "profiles": profiles,
                "agent_role_arn": role.arn,
                "registry_parameter": self.outputs.registry_parameter,
            }
        )

    def _profile(self, name: str, entry: ModelEntry) -> aws.bedrock.InferenceProfile:
        logical = f"profile-{name}"
        return aws.bedrock.InferenceProfile(
            logical,
            name=names.profile_name(self._config, name),
            # Single separators only, as in the name; else Bedrock refuses it.
            description=f"tfkit {names.profile_name(self._config, name)}",
            model_source=aws.bedrock.InferenceProfileModelSourceArgs(
                copy_from=model_source(self._config, entry.id)
            ),
            tags=names.named_tags(self._config, logical),
            opts=self._child,
        )

    def _agent_role(self) -> aws.iam.Role:
        description = "What the tfkit agent may do, in Lambda and on a developer's machine"
        return parts.role(self._config, names.AGENT_ROLE, description, agent_trust(self._config), self._child)

    def _may_invoke(
        self, role: aws.iam.Role, profiles: Mapping[str, pulumi.Output[str]]
    ) -> aws.iam.RolePolicyAttachment:
        policy = aws.iam.Policy(
            "invoke-policy",
            name=names.iam_name(self._config, names.INVOKE_POLICY),
            path=self._config.role_path or None,
            description="Invoke the models of the tfkit registry, through their inference profiles only",
            policy=pulumi.Output.all(*profiles.values()).apply(
                lambda arns: invoke_policy(self._config, arns)
            ),
            tags=self._config.all_tags,
            opts=self._child,
        )
        return aws.iam.RolePolicyAttachment(
            "agent-invokes", role=role.name, policy_arn=policy.arn, opts=self._child
        )

    def _registry(self, profiles: Mapping[str, pulumi.Output[str]]) -> aws.ssm.Parameter:
        return aws.ssm.Parameter(
            "registry",
            name=names.registry_parameter(self._config),
            description="The models that the tfkit agent may use",
            type="String",
            value=pulumi.Output.all(**profiles).apply(
                lambda arns: registry_json(self._config.registry, arns)
            ),
            tags=self._config.all_tags,
            opts=self._child,
        )

    def _secret(
        self, name: str, value: pulumi.Input[str], foundation: FoundationOutputs
    ) -> aws.ssm.Parameter:
        """A provider's key, encrypted by our key; in the engine's state it is a secret too."""
        return aws.ssm.Parameter(
            f"secret-{name}",
            name=names.secret_parameter(self._config, name),
            description=f"The key of the model provider {name}",
            type="SecureString",
            key_id=foundation.kms_key_arn,
            value=pulumi.Output.secret(value),
            tags=self._config.all_tags,
            opts=self._child,
        )


def bedrock_models(config: PlatformConfig) -> dict[str, ModelEntry]:
    """The models of the registry that Bedrock serves; a ValueError where there is none."""
    models = {name: entry for name, entry in config.registry.models.items() if entry.provider == "bedrock"}
    if not models:
        raise ValueError("the registry names no Bedrock model, so the agent would have nothing to invoke")
    return models


def check_room(config: PlatformConfig) -> None:
    """Raises a ValueError for a registry that the parameter has no room for, once its profiles are made."""
    arn = names.arn(config, "bedrock", "application-inference-profile/abcdefghijkl")
    size = len(registry_json(config.registry, dict.fromkeys(bedrock_models(config), arn)))
    if size > ROOM:
        raise ValueError(
            f"the registry of models has {size:,} characters with the profiles of its models, and a "
            f"parameter has room for {ROOM:,}: remove a model (tfkit models remove NAME)"
        )


def model_source(config: PlatformConfig, model_id: str) -> str:
    """What a profile copies: a foundation model of the region, or the system profile of a geography.

    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-create.html
    """
    if _geography(model_id):
        return names.arn(config, "bedrock", f"inference-profile/{model_id}")
    return f"arn:{config.partition}:bedrock:{config.region}::foundation-model/{model_id}"


def foundation_models(config: PlatformConfig, model_id: str) -> list[str]:
    """The foundation models that a profile routes to.

    A profile of a geography routes to regions that AWS adds to over time, hence the wildcard in their
    place; a global one is also checked against an ARN without region.
    https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
    """
    geography = _geography(model_id)
    if not geography:
        return [model_source(config, model_id)]
    base = model_id.removeprefix(f"{geography}.")
    regions = ["*", ""] if geography == "global" else ["*"]
    return [f"arn:{config.partition}:bedrock:{region}::foundation-model/{base}" for region in regions]


def invoke_policy(config: PlatformConfig, profiles: Sequence[str]) -> str:
    """Invoke through our profiles, and the models behind them only when the call comes through one of these.

    Who may use a profile must be allowed its models in every region too, and the condition key
    bedrock:InferenceProfileArn is what keeps them from being called directly:
    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    """
    models = {arn for entry in bedrock_models(config).values() for arn in foundation_models(config, entry.id)}
    return document(
        Statement(sid="InvokeTheModelsOfTheRegistry", actions=INVOKE, resources=profiles),
        Statement(
            sid="ReachTheirModelsThroughAProfileOnly",
            actions=INVOKE,
            resources=sorted(models),
            condition={"StringLike": {"bedrock:InferenceProfileArn": sorted(profiles)}},
        ),
    )


def agent_trust(config: PlatformConfig) -> str:
    """Lambda, and whoever in the account is allowed sts:AssumeRole by policies of their own.

    No aws:SourceAccount for Lambda: its page on execution roles asks for the service principal alone and does
    not say that Lambda sets the key when it assumes one, so the condition could shut it out. What keeps
    other accounts away is that a function can only be given a role of its own account (iam:PassRole).
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    return document(
        trust("LambdaRunsTheAgent", {"Service": "lambda.amazonaws.com"}),
        trust("DevelopersMayAssumeItWhereIamAllows", {"AWS": names.account_root(config)}),
    )


def registry_json(registry: Registry, profiles: Mapping[str, str]) -> str:
    """The registry with the profiles filled in, as the agent reads it."""
    models = {
        name: msgspec.structs.replace(entry, profile=profiles.get(name, entry.profile))
        for name, entry in registry.models.items()
    }
    return to_json(msgspec.structs.replace(registry, models=models)).decode()


def _geography(model_id: str) -> str:
    first = model_id.partition(".")[0]
    return first if first in GEOGRAPHIES else ""

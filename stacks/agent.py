"""The agent itself: one function under the agent's role, with its log, its policy and no retries."""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from collections.abc import Callable
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names
from stacks.agent_policy import agent_policy
from stacks.audit import AuditOutputs
from stacks.foundation import FoundationOutputs
from stacks.models import ModelsOutputs
from toolkit.contracts import PlatformConfig

MAXIMUM_EVENT_AGE_SECONDS = 3600


@dataclass(frozen=True)
class AgentArgs:
    """What the agent is made from; `build_image` makes the image's URI from the repository's URL."""

    config: PlatformConfig
    foundation: FoundationOutputs
    models: ModelsOutputs
    audit: AuditOutputs
    build_image: Callable[[str], str] | None = None


@dataclass(frozen=True)
class AgentOutputs:
    """What the other components use of it."""

    function_name: pulumi.Output[str]
    function_arn: pulumi.Output[str]
    log_group: pulumi.Output[str]


class Agent(pulumi.ComponentResource):
    """Log group, inline policy, function and the rules of its asynchronous invocation."""

    outputs: AgentOutputs

    def __init__(self, args: AgentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfkit:platform:Agent", "agent", None, opts)
        self._args = args
        self._config = args.config
        self._child = pulumi.ResourceOptions(parent=self)

        log_group = self._log_group()
        # The function never runs before its role can do what a run needs.
        ready: list[pulumi.Resource] = [log_group, self._policy(), args.models.invoke_attachment]
        function = self._function(ready)
        self._invocation(function)
        self.outputs = AgentOutputs(
            function_name=function.name, function_arn=function.arn, log_group=log_group.name
        )
        self.register_outputs(vars(self.outputs))

    def _log_group(self) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            "agent-log",
            name=names.function_log_group(self._config),
            retention_in_days=self._config.log_retention_days,
            kms_key_id=self._args.foundation.kms_key_arn,
            tags=self._config.all_tags,
            opts=self._child,
        )

    def _policy(self) -> aws.iam.RolePolicy:
        return aws.iam.RolePolicy(
            "agent-policy",
            name="run",
            role=self._args.models.agent_role_name,
            policy=self._args.foundation.kms_key_arn.apply(lambda key: agent_policy(self._config, key)),
            opts=self._child,
        )

    def _function(self, ready: list[pulumi.Resource]) -> aws.lambda_.Function:
        code = self._code()
        config = self._config
        return aws.lambda_.Function(
            "agent-function",
            name=names.function_name(config),
            description=f"tfkit {config.version}: writes Terraform",
            role=self._args.models.agent_role_arn,
            package_type=code.package_type,
            code=code.archive,
            handler=code.handler,
            runtime=code.runtime,
            image_uri=code.image_uri,
            architectures=code.architectures,
            memory_size=config.agent_memory_mb,
            timeout=config.agent_timeout_s,
            ephemeral_storage=aws.lambda_.FunctionEphemeralStorageArgs(size=config.agent_storage_mb),
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active"),
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=self._environment()),
            tags=config.all_tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=ready),
        )

    def _code(self) -> _Code:
        if self._config.agent_zip:
            return _zip(self._config)
        assert self._args.build_image is not None, "see `stacks.program.check`"
        return _Code("Image", image_uri=self._args.foundation.repository_url.apply(self._args.build_image))

    def _environment(self) -> dict[str, pulumi.Input[str]]:
        foundation, config = self._args.foundation, self._config
        return {
            **config.agent_environment,
            "TFKIT_STACK": config.stack,
            "TFKIT_RUNS_TABLE": foundation.runs_table,
            "TFKIT_RUNS_BUCKET": foundation.runs_bucket,
            "TFKIT_AUDIT_BUCKET": foundation.audit_bucket,
            "TFKIT_DELIVERY_STREAM": self._args.audit.delivery_stream,
            "TFKIT_REGISTRY_PARAMETER": self._args.models.registry_parameter,
        }

    def _invocation(self, function: aws.lambda_.Function) -> None:
        """A run that failed is not run again by itself: it costs money, and the caller knows better."""
        on_failure = aws.lambda_.FunctionEventInvokeConfigDestinationConfigOnFailureArgs(
            destination=self._args.foundation.dead_letter_queue_arn
        )
        aws.lambda_.FunctionEventInvokeConfig(
            "agent-invocation",
            function_name=function.name,
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=MAXIMUM_EVENT_AGE_SECONDS,
            destination_config=aws.lambda_.FunctionEventInvokeConfigDestinationConfigArgs(
                on_failure=on_failure
            ),
            opts=self._child,
        )


@dataclass(frozen=True)
class _Code:
    """How Lambda gets the code: a container image for arm64, or a Zip for whatever the emulator runs on."""

    package_type: str
    image_uri: pulumi.Output[str] | None = None
    archive: pulumi.Archive | None = None
    handler: str | None = None
    runtime: str | None = None

    @property
    def architectures(self) -> list[str] | None:
        return ["arm64"] if self.package_type == "Image" else None


def _zip(config: PlatformConfig) -> _Code:
    files: dict[str, pulumi.Asset | pulumi.Archive] = {
        path: pulumi.StringAsset(text) for path, text in config.agent_zip.items()
    }
    return _Code(
        "Zip", archive=pulumi.AssetArchive(files), handler="index.handler", runtime=config.agent_runtime
    )

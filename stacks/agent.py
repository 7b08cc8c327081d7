"""The agent itself: one function under the agent's role, with its log, its policy and no retries.

Beside it the function that checks for it (`checker`), and where the code is an image, its builder (`build`).
"""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from collections.abc import Callable
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names, parts
from stacks.agent_policy import agent_policy
from stacks.audit import AuditOutputs
from stacks.build import BuildArgs, build_project
from stacks.checker import CheckerArgs, checker_function
from stacks.code import Code, image_code, zip_code
from stacks.foundation import FoundationOutputs
from stacks.models import ModelsOutputs
from stacks.signing import STATEMENTS, signing_key
from toolkit.contracts import PlatformConfig, metrics_namespace

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
    checker_function: pulumi.Input[str]
    build_project: pulumi.Input[str]
    statement_key_arn: pulumi.Output[str]
    image_uri: pulumi.Output[str] | None = None


class Agent(pulumi.ComponentResource):
    """Log group, key of statements, inline policy, function, how it is invoked; its checker, its builder."""

    outputs: AgentOutputs
    _image_uri: pulumi.Output[str] | None = None

    def __init__(self, args: AgentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfkit:platform:Agent", "agent", None, opts)
        self._args = args
        self._config = args.config
        self._child = pulumi.ResourceOptions(parent=self)

        project = None if args.config.agent_zip else self._build_project()
        if project:
            self._image_uri = self._image(project)
        checker = self._checker() if args.config.checker_handler else None
        log_group = self._log_group()
        self._statement_key = signing_key(args.config, STATEMENTS, self._child)
        # The function never runs before its role can do what a run needs.
        ready: list[pulumi.Resource] = [log_group, self._policy(), args.models.invoke_attachment]
        function = self._function(ready)
        self._invocation(function)
        self.outputs = AgentOutputs(
            function_name=function.name,
            function_arn=function.arn,
            log_group=log_group.name,
            checker_function=checker.name if checker else "",
            build_project=project.name if project else "",
            statement_key_arn=self._statement_key.arn,
            image_uri=self._image_uri,
        )
        self.register_outputs(vars(self.outputs))

    def _log_group(self) -> aws.cloudwatch.LogGroup:
        name = names.function_log_group(self._config)
        return parts.log_group(self._config, "agent", name, self._args.foundation.kms_key_arn, self._child)

    def _policy(self) -> aws.iam.RolePolicy:
        return aws.iam.RolePolicy(
            "agent-policy",
            name="run",
            role=self._args.models.agent_role_name,
            policy=pulumi.Output.all(self._args.foundation.kms_key_arn, self._statement_key.arn).apply(
                lambda arns: agent_policy(
                    self._config, arns[0], arns[1], list(self._args.models.secret_parameters)
                )
            ),
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
            # Given also where nothing is reserved, so that a stop by hand shows, and `up` releases it.
            reserved_concurrent_executions=config.reserved_concurrency,
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active"),
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=self._environment()),
            tags=config.all_tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=ready),
        )

    def _code(self) -> Code:
        return image_code(self._image_uri) if self._image_uri else zip_code(self._config)

    def _build_project(self) -> aws.codebuild.Project:
        foundation = self._args.foundation
        return build_project(BuildArgs(self._config, foundation.kms_key_arn, foundation.runs_bucket, self))

    def _image(self, project: aws.codebuild.Project) -> pulumi.Output[str]:
        """The image's URI; the builder is called when it can have the project build it."""
        build = self._args.build_image
        assert build is not None, "see `stacks.program.check`"
        url = self._args.foundation.repository_url
        return pulumi.Output.all(url, project.arn).apply(lambda known: build(known[0]))

    def _checker(self) -> aws.lambda_.Function:
        handler = self._config.checker_handler
        code = image_code(self._image_uri, handler) if self._image_uri else zip_code(self._config, handler)
        return checker_function(CheckerArgs(self._config, self._args.foundation.kms_key_arn, code, self))

    def _environment(self) -> dict[str, pulumi.Input[str]]:
        foundation, config = self._args.foundation, self._config
        checker = {"TFKIT_CHECKER_FUNCTION": names.checker_name(config)} if config.checker_handler else {}
        return {
            **config.agent_environment,
            **checker,
            **{
                f"TFKIT_{secret.upper()}_KEY_PARAMETER": parameter
                for secret, parameter in self._args.models.secret_parameters.items()
            },
            **(
                {"TFKIT_OTLP_HEADERS_PARAMETER": config.otlp_headers_parameter}
                if config.otlp_headers_parameter
                else {}
            ),
            "TFKIT_STACK": config.stack,
            "TFKIT_METRICS_NAMESPACE": metrics_namespace(config.prefix),
            "TFKIT_RUNS_TABLE": foundation.runs_table,
            "TFKIT_RUNS_BUCKET": foundation.runs_bucket,
            "TFKIT_AUDIT_BUCKET": foundation.audit_bucket,
            "TFKIT_DELIVERY_STREAM": self._args.audit.delivery_stream,
            "TFKIT_REGISTRY_PARAMETER": self._args.models.registry_parameter,
            "TFKIT_STATEMENT_KEY": self._statement_key.arn,
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

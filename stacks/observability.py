"""What a person sees (dashboards), what wakes them (alarms), and what they may do (ready policies)."""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import dashboards, names
from stacks.access import AccessArgs, access_policies
from stacks.agent import AgentOutputs
from stacks.alarms import TOKENS, AlarmArgs, alarms
from stacks.audit import AuditOutputs
from stacks.digests import DigestOutputs
from stacks.foundation import FoundationOutputs
from stacks.models import ModelsOutputs
from toolkit.contracts import PlatformConfig, metrics_namespace

MODELS, LAMBDA, INSIGHTS, COST = "models", "lambda", "insights", "cost"


@dataclass(frozen=True)
class ObservabilityArgs:
    """What is observed, and whom to tell."""

    config: PlatformConfig
    foundation: FoundationOutputs
    models: ModelsOutputs
    audit: AuditOutputs
    agent: AgentOutputs
    digest: DigestOutputs


@dataclass(frozen=True)
class ObservabilityOutputs:
    """What the program exports of it: names by what they are about, ARNs by whom they are for."""

    dashboard: pulumi.Output[str]
    token_alarm: pulumi.Output[str]
    dashboards: Mapping[str, pulumi.Output[str]]
    alarms: Mapping[str, pulumi.Output[str]]
    policies: Mapping[str, pulumi.Output[str]]


class Observability(pulumi.ComponentResource):
    """Four dashboards, the alarms, and the policies for a user, an auditor and an operator."""

    outputs: ObservabilityOutputs

    def __init__(self, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tfkit:platform:Observability", "observability", None, opts)
        self._config = args.config
        ids = {name: profile.apply(metric_id) for name, profile in args.models.profiles.items()}

        shown = self._dashboards(ids)
        watched = alarms(
            AlarmArgs(
                args.config,
                args.foundation.topic_arn,
                ids,
                args.agent.function_name,
                args.digest.function_name,
                args.audit.delivery_stream,
                self,
            )
        )
        self.outputs = ObservabilityOutputs(
            dashboard=shown[MODELS],
            token_alarm=watched[TOKENS],
            dashboards=shown,
            alarms=watched,
            policies=access_policies(
                AccessArgs(
                    args.config,
                    args.foundation.kms_key_arn,
                    args.digest.key_arn,
                    args.agent.statement_key_arn,
                    self,
                )
            ),
        )
        self.register_outputs(vars(self.outputs))

    def _dashboards(self, metric_ids: Mapping[str, pulumi.Output[str]]) -> dict[str, pulumi.Output[str]]:
        config = self._config
        region, models = config.region, config.registry.models
        functions = [names.function_name(config)]
        if config.checker_handler:
            functions.append(names.checker_name(config))
        ids = pulumi.Output.all(**metric_ids)
        bodies: dict[str, pulumi.Input[str]] = {
            MODELS: ids.apply(
                lambda known: dashboards.models_body(
                    region, known, metrics_namespace(config.prefix), config.registry.models
                )
            ),
            LAMBDA: dashboards.lambda_body(region, functions),
            INSIGHTS: dashboards.insights_body(region, functions, with_extension=not config.agent_zip),
            COST: ids.apply(lambda known: dashboards.cost_body(region, known, models)),
        }
        return {what: self._dashboard(what, body).dashboard_name for what, body in bodies.items()}

    def _dashboard(self, what: str, body: pulumi.Input[str]) -> aws.cloudwatch.Dashboard:
        return aws.cloudwatch.Dashboard(
            f"{what}-dashboard",
            dashboard_name=names.name(self._config, what),
            dashboard_body=body,
            opts=pulumi.ResourceOptions(parent=self),
        )


def metric_id(profile_arn: str) -> str:
    """What Bedrock reports as ModelId for calls through an application inference profile: the id in its ARN.

    AWS's page on the metrics does not say which; its sample on cost allocation by profile does ("Use AIP ID,
    not full ARN, as CloudWatch ModelId dimension"):
    https://github.com/aws-samples/sample-bedrock-cost-allocation (labs/lab_helpers/cloudwatch.py)
    """
    return profile_arn.rpartition("/")[2]

"""The inline program: makes the five components in order and exports what a client needs to know.

foundation ──▶ models ──▶ audit ──▶ agent ──▶ observability ──▶ StackOutputs
"""

from collections.abc import Callable, Mapping, Sequence

import pulumi

from stacks import names
from stacks.access import check_access
from stacks.agent import Agent, AgentArgs, AgentOutputs
from stacks.alarms import check_token_metrics
from stacks.audit import Audit, AuditArgs
from stacks.checker import check_network
from stacks.code import image_code, zip_code
from stacks.digests import HANDLER, DigestArgs, DigestOutputs, hourly_digest
from stacks.directory import publish
from stacks.foundation import Foundation, FoundationArgs, FoundationOutputs
from stacks.limits import check_limits
from stacks.models import Models, ModelsArgs, bedrock_models, check_room
from stacks.observability import Observability, ObservabilityArgs
from toolkit.contracts import PlatformConfig


def platform(
    config: PlatformConfig,
    build_image: Callable[[str], str] | None = None,
    secrets: Mapping[str, pulumi.Input[str]] | None = None,
) -> Callable[[], None]:
    """The program of a platform, for `pulumi.automation` and for the embedded engine.

    `build_image` gets the repository's URL, sees to it that the image is there, and returns its URI;
    it is called only where `config.agent_zip` is empty, and in a first preview not at all.
    `secrets` are the keys of model providers by name (`mistral`); they become encrypted parameters, and
    are apart from `config` because that is written to disk as it is.
    What AWS would refuse halfway is refused here, before anything is made, with a ValueError.
    """
    keys = dict(secrets or {})
    check(config, build_image, list(keys))

    def program() -> None:
        foundation = Foundation(FoundationArgs(config)).outputs
        models = Models(ModelsArgs(config, foundation, keys)).outputs
        audit_component = Audit(AuditArgs(config, foundation))
        audit = audit_component.outputs
        agent = Agent(AgentArgs(config, foundation, models, audit, build_image)).outputs
        digest = _digest(config, foundation, agent, audit_component)
        observability = Observability(
            ObservabilityArgs(config, foundation, models, audit, agent, digest)
        ).outputs

        publish(
            config,
            {
                "version": config.version,
                "function_name": agent.function_name,
                "function_arn": agent.function_arn,
                "agent_role_arn": models.agent_role_arn,
                "runs_bucket": foundation.runs_bucket,
                "audit_bucket": foundation.audit_bucket,
                "runs_table": foundation.runs_table,
                "delivery_stream": audit.delivery_stream,
                "registry_parameter": models.registry_parameter,
                "kms_key_arn": foundation.kms_key_arn,
                "repository_url": foundation.repository_url,
                "topic_arn": foundation.topic_arn,
                "dead_letter_queue_url": foundation.dead_letter_queue_url,
                "log_group": agent.log_group,
                "dashboard": observability.dashboard,
                "token_alarm": observability.token_alarm,
                "profiles": models.profiles,
                "checker_function": agent.checker_function,
                "build_project": agent.build_project,
                "glue_database": audit.glue_database,
                "glue_table": audit.glue_table,
                "alarms": observability.alarms,
                "dashboards": observability.dashboards,
                "policies": observability.policies,
                "digest_function": digest.function_name,
                "digest_key_arn": digest.key_arn,
                "statement_key_arn": agent.statement_key_arn,
                "lock_mode": config.lock_mode,
                "lock_days": config.lock_days,
            },
        )

    return program


def _digest(
    config: PlatformConfig, foundation: FoundationOutputs, agent: AgentOutputs, parent: pulumi.Resource
) -> DigestOutputs:
    """A part of the audit pipeline, made when the agent's image is there, which it shares."""
    code = image_code(agent.image_uri, HANDLER) if agent.image_uri else zip_code(config, HANDLER)
    key, bucket, table = foundation.kms_key_arn, foundation.audit_bucket, foundation.runs_table
    return hourly_digest(DigestArgs(config, key, bucket, table, code, parent))


def check(
    config: PlatformConfig, build_image: Callable[[str], str] | None, secrets: Sequence[str] = ()
) -> None:
    """Raises a ValueError for a name that is too long, a registry that cannot be, an agent without code, and
    for what else AWS would refuse halfway."""
    names.check(config)
    check_limits(config)
    for secret in secrets:
        names.secret_parameter(config, secret)
    check_network(config)
    check_access(config)
    check_token_metrics(len(bedrock_models(config)))
    check_room(config)
    if not config.agent_zip and build_image is None:
        raise ValueError("the agent needs code: config.agent_zip, or build_image for a container image")

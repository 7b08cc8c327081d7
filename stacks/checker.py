"""The checker: the function that runs what a model wrote, with nothing to steal and little way out.

Its role may write its own log and nothing else, no credentials or names are in its environment, and with
subnets of the user's it has no network but theirs. It is made only where `checker_handler` names its entry.
"""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names, parts
from stacks.code import Code
from stacks.policies import Statement, document, trust
from toolkit.contracts import PlatformConfig

INTERFACE_ACTIONS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)
INTERFACE_READS = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")


@dataclass(frozen=True)
class CheckerArgs:
    """What the checker is made from; `parent` is the component that it belongs to."""

    config: PlatformConfig
    kms_key_arn: pulumi.Output[str]
    code: Code
    parent: pulumi.Resource


def checker_function(args: CheckerArgs) -> aws.lambda_.Function:
    """The function, with its log group and a role of its own."""
    config, opts = args.config, pulumi.ResourceOptions(parent=args.parent)
    log_group = parts.log_group(config, "checker", names.checker_log_group(config), args.kms_key_arn, opts)
    description = "Lets the tfkit checker write its own log, and nothing else"
    trusted = document(trust("LambdaRunsTheChecker", {"Service": "lambda.amazonaws.com"}))
    role = parts.role(config, names.CHECKER_ROLE, description, trusted, opts)
    policy = aws.iam.RolePolicy(
        "checker-policy", name="check", role=role.name, policy=checker_policy(config), opts=opts
    )
    return aws.lambda_.Function(
        "checker-function",
        name=names.checker_name(config),
        description=f"tfkit {config.version}: checks what a model wrote",
        role=role.arn,
        package_type=args.code.package_type,
        code=args.code.archive,
        handler=args.code.handler,
        runtime=args.code.runtime,
        image_uri=args.code.image_uri,
        image_config=args.code.image_config,
        architectures=args.code.architectures,
        memory_size=config.agent_memory_mb,
        timeout=config.checker_timeout_s,
        ephemeral_storage=aws.lambda_.FunctionEphemeralStorageArgs(size=config.agent_storage_mb),
        vpc_config=_vpc(config),
        tags=config.all_tags,
        opts=pulumi.ResourceOptions(parent=args.parent, depends_on=[log_group, policy]),
    )


def check_network(config: PlatformConfig) -> None:
    """Raises a ValueError where subnets come without security groups, or the other way round."""
    if bool(config.checker_subnet_ids) != bool(config.checker_security_group_ids):
        raise ValueError("the checker's subnets and security groups must be given together")
    if config.checker_subnet_ids and not config.checker_handler:
        raise ValueError("subnets for the checker need a checker: checker_handler is empty")


def checker_policy(config: PlatformConfig) -> str:
    """Its own log; in subnets, also the network interfaces that Lambda (not the code) makes with the role.

    The actions, the resources and the denial to the function's own code are those of
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html (required permissions, and how to
    keep a function's code from using them).
    """
    group = names.arn(config, "logs", f"log-group:{names.checker_log_group(config)}")
    log = Statement(
        sid="WriteItsOwnLog",
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[f"{group}:*"],
    )
    if not config.checker_subnet_ids:
        return document(log)
    return document(
        log,
        Statement(
            sid="LambdaMakesItsNetworkInterfaces",
            actions=INTERFACE_ACTIONS,
            resources=[names.arn(config, "ec2", "*/*")],
        ),
        Statement(sid="LambdaSeesInterfacesWhichHaveNoResources", actions=INTERFACE_READS, resources=["*"]),
        Statement(
            sid="TheCodeItselfMustNotTouchThem",
            effect="Deny",
            actions=[*INTERFACE_ACTIONS, *INTERFACE_READS],
            resources=["*"],
            condition={
                "ArnEquals": {
                    "lambda:SourceFunctionArn": names.function_arn(config, names.checker_name(config))
                }
            },
        ),
    )


def _vpc(config: PlatformConfig) -> aws.lambda_.FunctionVpcConfigArgs | None:
    if not config.checker_subnet_ids:
        return None
    return aws.lambda_.FunctionVpcConfigArgs(
        subnet_ids=config.checker_subnet_ids, security_group_ids=config.checker_security_group_ids
    )

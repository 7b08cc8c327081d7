"""The image's builder where there is no Docker: a CodeBuild project that builds an archive and pushes it.

A build is started with `IMAGE_URI` (repository and tag) and with the archive as its source; it costs
nothing while none runs.
"""

from __future__ import annotations  # a type of pulumi_aws in a signature must not load its service

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from stacks import names, parts
from stacks.policies import Statement, document, trust
from toolkit.contracts import PlatformConfig

# https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-available.html
BUILD_IMAGE = "aws/codebuild/amazonlinux-aarch64-standard:3.0"
BUILD_MINUTES = 30
SOURCE = f"{names.BUILD_PREFIX}source.zip"


@dataclass(frozen=True)
class BuildArgs:
    """What the project is made from; `parent` is the component that it belongs to."""

    config: PlatformConfig
    kms_key_arn: pulumi.Output[str]
    runs_bucket: pulumi.Output[str]
    parent: pulumi.Resource


def build_project(args: BuildArgs) -> aws.codebuild.Project:
    """The project, with its log group and a role of its own; usable as soon as it is there."""
    config, opts = args.config, pulumi.ResourceOptions(parent=args.parent)
    log_group = parts.log_group(config, "build", names.build_log_group(config), args.kms_key_arn, opts)
    description = "Lets CodeBuild build and push the image of the tfkit agent"
    role = parts.role(config, names.BUILD_ROLE, description, build_trust(config), opts)
    policy = aws.iam.RolePolicy(
        "build-policy",
        name="build",
        role=role.name,
        policy=args.kms_key_arn.apply(lambda key: build_policy(config, key)),
        opts=opts,
    )
    return aws.codebuild.Project(
        "build-project",
        name=names.build_name(config),
        description=f"tfkit {config.version}: builds the agent's image",
        service_role=role.arn,
        build_timeout=BUILD_MINUTES,
        source=aws.codebuild.ProjectSourceArgs(
            type="S3",
            location=args.runs_bucket.apply(lambda bucket: f"{bucket}/{SOURCE}"),
            buildspec="buildspec.yml",  # of the archive
        ),
        artifacts=aws.codebuild.ProjectArtifactsArgs(type="NO_ARTIFACTS"),
        environment=aws.codebuild.ProjectEnvironmentArgs(
            type="ARM_CONTAINER",
            compute_type="BUILD_GENERAL1_LARGE",
            image=BUILD_IMAGE,
            privileged_mode=True,  # a Docker daemon needs it
        ),
        logs_config=aws.codebuild.ProjectLogsConfigArgs(
            cloudwatch_logs=aws.codebuild.ProjectLogsConfigCloudwatchLogsArgs(
                group_name=log_group.name, status="ENABLED"
            )
        ),
        tags=config.all_tags,
        opts=pulumi.ResourceOptions(parent=args.parent, depends_on=[policy]),
    )


def build_trust(config: PlatformConfig) -> str:
    """CodeBuild, and only for this project.

    https://docs.aws.amazon.com/codebuild/latest/userguide/cross-service-confused-deputy-prevention.html
    """
    project = names.arn(config, "codebuild", f"project/{names.build_name(config)}")
    condition = {"StringEquals": {"aws:SourceAccount": config.account, "aws:SourceArn": project}}
    return document(trust("CodeBuildBuildsThisProject", {"Service": "codebuild.amazonaws.com"}, condition))


def build_policy(config: PlatformConfig, key_arn: str) -> str:
    """Read the archive, push to the one repository, log.

    https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
    """
    bucket = names.bucket_arn(config, names.RUNS)
    return document(
        Statement(
            sid="WriteTheLogOfBuilds",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[names.arn(config, "logs", f"log-group:{names.build_log_group(config)}:*")],
        ),
        Statement(
            sid="ReadTheSourceArchive",
            actions=["s3:GetObject", "s3:GetObjectVersion"],
            resources=[f"{bucket}/{names.BUILD_PREFIX}*"],
        ),
        Statement(
            sid="FindTheBucketOfTheArchive",
            actions=["s3:GetBucketAcl", "s3:GetBucketLocation"],
            resources=[bucket],
        ),
        Statement(
            sid="DecryptTheArchiveThroughS3",
            actions=["kms:Decrypt"],
            resources=[key_arn],
            condition={"StringEquals": {"kms:ViaService": f"s3.{config.region}.amazonaws.com"}},
        ),
        # https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
        Statement(sid="LogInToEcrWhichHasNoResource", actions=["ecr:GetAuthorizationToken"], resources=["*"]),
        Statement(
            sid="PushTheImageToItsRepository",
            actions=[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:CompleteLayerUpload",
                "ecr:InitiateLayerUpload",
                "ecr:PutImage",
                "ecr:UploadLayerPart",
            ],
            resources=[names.arn(config, "ecr", f"repository/{names.name(config, 'agent')}")],
        ),
    )

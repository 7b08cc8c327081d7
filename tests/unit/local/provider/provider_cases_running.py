"""What runs and reports: queues, topics, profiles, policies, logs, alarms, streams, functions, builds."""

import json

from provider_world import (
    ACCOUNT,
    MORE_TAGS,
    REGION,
    TAGS,
    Case,
    allow,
    archive,
    dashboard,
    glue_storage,
    token_query,
    topic_policy,
)

RUNNING: list[Case] = [
    Case(
        "aws:sqs/queue:Queue",
        lambda w: {
            "name": w.name("it"),
            "messageRetentionSeconds": 1209600,
            "visibilityTimeoutSeconds": 60,
            "kmsMasterKeyId": w.key()["arn"],
            "tags": TAGS,
        },
        {
            "messageRetentionSeconds": 86400,
            "visibilityTimeoutSeconds": 30,
            "kmsMasterKeyId": None,
            "sqsManagedSseEnabled": True,
            "tags": MORE_TAGS,
        },
    ),
    Case(
        "aws:sns/topic:Topic",
        lambda w: {
            "name": w.name("it"),
            "displayName": "tfkit",
            "kmsMasterKeyId": w.key()["arn"],
            "policy": topic_policy(w.name("it"), "budgets.amazonaws.com"),
            "tags": TAGS,
        },
        lambda w, _: {
            "displayName": "tfkit alarms",
            "policy": topic_policy(w.name("it"), "cloudwatch.amazonaws.com"),
            "tags": MORE_TAGS,
        },
    ),
    Case(
        "aws:sns/topicPolicy:TopicPolicy",
        lambda w: {"arn": w.topic(), "policy": topic_policy(w.name("topic"), "budgets.amazonaws.com")},
        lambda w, _: {"policy": topic_policy(w.name("topic"), "cloudwatch.amazonaws.com")},
        outlives=True,
    ),
    Case(
        "aws:sns/topicSubscription:TopicSubscription",
        lambda w: {"topic": w.topic(), "protocol": "email", "endpoint": "someone@example.com"},
    ),
    Case(
        "aws:bedrock/inferenceProfile:InferenceProfile",
        lambda w: {
            "name": w.name("it"),
            "description": "the offline model",
            "modelSource": {
                "copyFrom": f"arn:aws:bedrock:{REGION}::foundation-model/tfkit.offline-composer-v1"
            },
            "tags": TAGS,
        },
        {"tags": MORE_TAGS},
    ),
    Case(
        "aws:iam/policy:Policy",
        lambda w: {
            "name": w.name("it"),
            "path": "/tfkit/",
            "description": "a policy",
            "policy": allow(["s3:GetObject"]),
            "tags": TAGS,
        },
        {"policy": allow(["s3:PutObject"]), "tags": MORE_TAGS},
    ),
    Case(
        "aws:iam/rolePolicy:RolePolicy",
        lambda w: {
            "name": w.name("it"),
            "role": w.role()["name"],
            "policy": allow(["bedrock:InvokeModel"], "arn:aws:bedrock:*:*:application-inference-profile/x"),
        },
        {"policy": allow(["s3:GetObject"])},
    ),
    Case(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        lambda w: {"role": w.role()["name"], "policyArn": w.policy(["s3:GetObject"])},
    ),
    Case(
        "aws:cloudwatch/logGroup:LogGroup",
        lambda w: {
            "name": f"/tfkit/{w.name('it')}",
            "retentionInDays": 30,
            "kmsKeyId": w.key()["arn"],
            "tags": TAGS,
        },
        {"retentionInDays": 7, "tags": MORE_TAGS},
    ),
    Case(
        "aws:cloudwatch/logStream:LogStream",
        lambda w: {"name": "S3Delivery", "logGroupName": w.log_group()},
    ),
    Case(
        "aws:cloudwatch/dashboard:Dashboard",
        lambda w: {"dashboardName": w.name("it"), "dashboardBody": dashboard("tokens")},
        {"dashboardBody": json.dumps({"widgets": []})},
    ),
    Case(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        lambda w: {
            "name": w.name("it"),
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 1,
            "threshold": 1_000_000,
            "alarmDescription": "tokens in a day",
            "treatMissingData": "notBreaching",
            "alarmActions": [w.topic()],
            "okActions": [w.topic("ok")],
            "metricQueries": [
                {"id": "total", "expression": "input + output", "label": "tokens", "returnData": True},
                token_query("input", "InputTokenCount"),
                token_query("output", "OutputTokenCount"),
            ],
            "tags": TAGS,
        },
        {"threshold": 2_000_000, "evaluationPeriods": 2, "okActions": [], "tags": MORE_TAGS},
    ),
    Case(
        "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
        lambda w: {
            "name": w.name("it"),
            "destination": "extended_s3",
            "extendedS3Configuration": {
                "roleArn": w.role("firehose.amazonaws.com")["arn"],
                "bucketArn": f"arn:aws:s3:::{w.bucket()}",
                "prefix": "year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/",
                "errorOutputPrefix": "errors/!{firehose:error-output-type}/",
                "bufferingInterval": 60,
                "bufferingSize": 5,
                "compressionFormat": "GZIP",
                "customTimeZone": "UTC",
                "kmsKeyArn": w.key()["arn"],
                "cloudwatchLoggingOptions": {
                    "enabled": True,
                    "logGroupName": w.log_group(),
                    "logStreamName": "S3Delivery",
                },
            },
            "serverSideEncryption": {"enabled": True, "keyType": "AWS_OWNED_CMK"},
            "tags": TAGS,
        },
        lambda w, inputs: {
            "extendedS3Configuration": {**inputs["extendedS3Configuration"], "bufferingInterval": 120},
            "serverSideEncryption": {"enabled": False},
            "tags": MORE_TAGS,
        },
    ),
    Case(
        "aws:glue/catalogDatabase:CatalogDatabase",
        lambda w: {"name": w.name("it"), "description": "of the audit", "tags": TAGS},
        {"description": "of another", "parameters": {"someKey": "1"}, "tags": MORE_TAGS},
    ),
    Case(
        "aws:glue/catalogTable:CatalogTable",
        lambda w: {
            "name": w.name("it"),
            "databaseName": w.database(),
            "tableType": "EXTERNAL_TABLE",
            "parameters": {"projection.enabled": "true", "classification": "json"},
            "partitionKeys": [{"name": "year", "type": "int"}],
            "storageDescriptor": glue_storage("s3://bucket/", [{"name": "v", "type": "int"}]),
        },
        {
            "description": "with more columns",
            "parameters": {"projection.enabled": "false"},
            "storageDescriptor": glue_storage(
                "s3://bucket/", [{"name": "v", "type": "int"}, {"name": "x", "type": "string"}]
            ),
        },
    ),
    Case(
        "aws:lambda/function:Function",
        lambda w: {
            "name": w.name("it"),
            "role": w.role()["arn"],
            "packageType": "Zip",
            "code": archive("def handler(event, context): return 1"),
            "handler": "index.handler",
            "runtime": "python3.11",
            "architectures": ["x86_64"],
            "memorySize": 3008,
            "timeout": 900,
            "description": "the agent",
            "environment": {"variables": {"TFKIT_STACK": "dev", "lower_case": "1"}},
            "ephemeralStorage": {"size": 4096},
            "tracingConfig": {"mode": "Active"},
            "deadLetterConfig": {"targetArn": w.queue()["arn"]},
            "loggingConfig": {"logFormat": "Text", "logGroup": w.log_group()},
            "kmsKeyArn": w.key()["arn"],
            "reservedConcurrentExecutions": 2,
            "vpcConfig": {"subnetIds": ["subnet-1", "subnet-2"], "securityGroupIds": ["sg-1"]},
            "tags": TAGS,
        },
        {
            "code": archive("def handler(event, context): return 2"),
            "memorySize": 512,
            "timeout": 60,
            "description": "another",
            "environment": {"variables": {"TFKIT_STACK": "dev", "more": "2"}},
            "tracingConfig": {"mode": "PassThrough"},
            "reservedConcurrentExecutions": -1,
            "deadLetterConfig": None,
            "vpcConfig": None,
            "tags": MORE_TAGS,
        },
    ),
    Case(
        "aws:lambda/function:Function",
        lambda w: {
            "name": w.name("it"),
            "role": w.role()["arn"],
            "packageType": "Image",
            "imageUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/agent:1",
            "imageConfig": {"commands": ["toolkit.checker.handler.handler"]},
            "architectures": ["arm64"],
            "tags": TAGS,
        },
        {
            "imageUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/agent:2",
            "imageConfig": {"commands": ["another.handler"]},
            "tags": MORE_TAGS,
        },
    ),
    Case(
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        lambda w: {
            "functionName": w.function(),
            "maximumRetryAttempts": 0,
            "maximumEventAgeInSeconds": 3600,
            "destinationConfig": {"onFailure": {"destination": w.queue()["arn"]}},
        },
        {"maximumRetryAttempts": 1, "maximumEventAgeInSeconds": 60},
    ),
    Case(
        "aws:lambda/permission:Permission",
        lambda w: {
            "statementId": "events",
            "function": w.function(),
            "action": "lambda:InvokeFunction",
            "principal": "events.amazonaws.com",
            "sourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/nightly",
        },
    ),
    Case(
        "aws:cloudwatch/eventRule:EventRule",
        lambda w: {
            "name": w.name("it"),
            "description": "each hour",
            "scheduleExpression": "rate(1 hour)",
            "tags": TAGS,
        },
        {"description": "each day", "scheduleExpression": "rate(1 day)", "tags": MORE_TAGS},
    ),
    Case(
        "aws:cloudwatch/eventTarget:EventTarget",
        lambda w: {"rule": w.rule(), "targetId": "it", "arn": w.queue()["arn"]},
        lambda w, _: {"arn": w.queue("other")["arn"], "input": '{"a":1}'},
    ),
    Case(
        "aws:codebuild/project:Project",
        lambda w: {
            "name": w.name("it"),
            "description": "builds the image",
            "serviceRole": w.role("codebuild.amazonaws.com")["arn"],
            "buildTimeout": 30,
            "source": {"type": "S3", "location": "bucket/build/source.zip", "buildspec": '{"version": 0.2}'},
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": {
                "type": "ARM_CONTAINER",
                "computeType": "BUILD_GENERAL1_LARGE",
                "image": "aws/codebuild/amazonlinux-aarch64-standard:3.0",
                "privilegedMode": True,
            },
            "logsConfig": {"cloudwatchLogs": {"groupName": w.log_group(), "status": "ENABLED"}},
            "tags": TAGS,
        },
        lambda w, inputs: {
            "description": None,
            "serviceRole": w.role("codebuild.amazonaws.com", "another-role")["arn"],
            "buildTimeout": None,
            "source": {"type": "S3", "location": "bucket/another.zip"},
            "environment": {**inputs["environment"], "computeType": "BUILD_GENERAL1_SMALL"},
            "tags": MORE_TAGS,
        },
    ),
]

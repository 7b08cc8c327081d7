"""What the platform's roles and policies are worth: the whole program on a real emulator that enforces IAM.

Each denial is tried twice: with the agent's role assumed through STS, and from inside a function that runs
under it. What the emulator's IAM cannot tell (FACTS, Bedrock) goes through IAM's policy simulation.
"""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from provider_world import ACCOUNT, REGION, trust

from stacks.program import platform
from toolkit.contracts import ModelEntry, PlatformConfig, Price, Registry, StackOutputs
from toolkit.deploy.embedded import EmbeddedEngine
from toolkit.digest import document
from toolkit.emulator import Emulator
from toolkit.local.provider import EmulatorProvider
from toolkit.local.provider.services.iam_bedrock import POLICY as EMULATOR_POLICY
from toolkit.tables import budget_key

HANDLER = '''
import os
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

def handler(event, context):
    """Calls what it is told to, with the role that it has, and says what became of it."""
    said = []
    for service, method, arguments in event["calls"]:
        client = boto3.client(service, config=Config(s3={"addressing_style": "path"}))
        try:
            getattr(client, method)(**arguments)
            said.append("ok")
        except ClientError as error:
            said.append(error.response["Error"]["Code"])
    return said

def check(event, context):
    return "checked"
'''

MISTRAL = "the-key-of-the-provider"
Asked = list[tuple[str, str]]

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


class Try(NamedTuple):
    """A call, as a function of the platform's outputs and of what others have in the account."""

    what: str
    service: str
    method: str
    arguments: Any


def platform_config(stack: str, **changes: Any) -> PlatformConfig:
    entry = ModelEntry(provider="bedrock", id="tfkit.offline-composer-v1", price=Price(input=1, output=2))
    values: dict[str, Any] = {
        "stack": stack,
        "account": ACCOUNT,
        "region": REGION,
        "partition": "aws",
        "prefix": stack,
        "version": "0.1.0",
        "registry": Registry(default="m", models={"m": entry}),
        "agent_zip": {"index.py": HANDLER},
        "checker_handler": "index.check",
        "email": "ops@example.com",
        "role_path": "/platform/",
        "force_destroy": True,
    }
    return PlatformConfig(**values | changes)


@pytest.fixture(scope="module")
def root(emulator: Emulator) -> Any:
    """Clients of whoever provisions."""
    return clients_of(emulator.endpoint, emulator.key, emulator.secret)


def clients_of(endpoint: str, key: str, secret: str, token: str | None = None) -> Any:
    session = boto3.Session(key, secret, token, REGION)
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, endpoint_url=endpoint, config=config)
        return made[service]

    return client


class Deployed(NamedTuple):
    """A platform that is up, with what somebody else has beside it."""

    outputs: StackOutputs
    others: Any
    engine: EmbeddedEngine
    config: PlatformConfig
    folder: Path


@pytest.fixture(scope="module")
def deployed(emulator: Emulator, root: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("platform")
    stack = f"r{uuid.uuid4().hex[:6]}"
    others = made_by_others(root, f"other-{stack}")
    config = platform_config(stack, log_bucket=others.bucket)
    provider = EmulatorProvider(emulator.endpoint, REGION, emulator.key, emulator.secret)
    engine = EmbeddedEngine(folder, "tfkit", stack, provider, {"region": REGION})
    summary = engine.up(platform(config, secrets={"mistral": MISTRAL}), lambda event: None)
    yield Deployed(StackOutputs(**summary.outputs), others, engine, config, folder)
    engine.destroy(lambda event: None)


def made_by_others(root: Any, name: str) -> Any:
    root("s3").create_bucket(Bucket=name)
    root("s3").put_object(Bucket=name, Key="theirs", Body=b"x")
    root("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )
    root("ssm").put_parameter(Name=f"/{name}/p", Type="String", Value="x")
    role = root("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return 1")
    root("lambda").create_function(
        FunctionName=name,
        Role=role["Role"]["Arn"],
        Runtime="python3.11",
        Handler="index.handler",
        Code={"ZipFile": buffer.getvalue()},
    )
    return SimpleNamespace(
        bucket=name, table=name, parameter=f"/{name}/p", role=role["Role"]["Arn"], function=name
    )


@pytest.fixture(scope="module")
def record(root: Any, deployed: Deployed) -> dict[str, str]:
    """An audit object under its lock."""
    put = root("s3").put_object(Bucket=deployed.outputs.audit_bucket, Key="year=2026/r", Body=b"record")
    return {"Bucket": deployed.outputs.audit_bucket, "Key": "year=2026/r", "VersionId": put["VersionId"]}


def denied(deployed: Deployed, record: dict[str, str]) -> list[Try]:
    o, others = deployed.outputs, deployed.others
    role_name = o.agent_role_arn.rpartition("/")[2]
    key = {"pk": {"S": "x"}}
    plain = {name: record[name] for name in ("Bucket", "Key")}
    soon = {"Mode": "GOVERNANCE", "RetainUntilDate": "2020-01-01T00:00:00Z"}
    day = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
    new_function = {
        "FunctionName": "escape",
        "Role": o.agent_role_arn,
        "Runtime": "python3.11",
        "Handler": "index.handler",
        "Code": {"ZipFile": "x"},
    }
    mine = {"RoleName": role_name}
    allow_all = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    bypass = {"BypassGovernanceRetention": True}
    return [
        Try("read another bucket", "s3", "get_object", {"Bucket": others.bucket, "Key": "theirs"}),
        Try("write another bucket", "s3", "put_object", {"Bucket": others.bucket, "Key": "x"}),
        Try("list all buckets", "s3", "list_buckets", {}),
        Try("read another table", "dynamodb", "get_item", {"TableName": others.table, "Key": key}),
        Try("delete the table", "dynamodb", "delete_table", {"TableName": o.runs_table}),
        Try(
            "delete a run's record",
            *("dynamodb", "delete_item"),
            {"TableName": o.runs_table, "Key": {**key, "sk": {"S": "x"}}},
        ),
        Try("delete an audit object", "s3", "delete_object", plain),
        Try("delete a version of it", "s3", "delete_object", record),
        Try("bypass governance", "s3", "delete_object", {**record, **bypass}),
        Try("shorten a retention", "s3", "put_object_retention", {**record, **bypass, "Retention": soon}),
        Try(
            "shorten the default retention",
            *("s3", "put_object_lock_configuration"),
            {"Bucket": o.audit_bucket, "ObjectLockConfiguration": day},
        ),
        Try("read an audit object", "s3", "get_object", plain),
        Try("list the audit bucket", "s3", "list_objects_v2", {"Bucket": o.audit_bucket}),
        Try("put beside the fallback", "s3", "put_object", {"Bucket": o.audit_bucket, "Key": "year=2026/x"}),
        Try("put outside runs/", "s3", "put_object", {"Bucket": o.runs_bucket, "Key": "build/source.zip"}),
        Try("list outside runs/", "s3", "list_objects_v2", {"Bucket": o.runs_bucket}),
        Try("delete a run's file", "s3", "delete_object", {"Bucket": o.runs_bucket, "Key": "runs/a"}),
        Try("open the bucket", "s3", "put_bucket_policy", {"Bucket": o.runs_bucket, "Policy": allow_all}),
        Try(
            "change its own policy",
            *("iam", "put_role_policy"),
            {**mine, "PolicyName": "run", "PolicyDocument": allow_all},
        ),
        Try("attach a policy", "iam", "attach_role_policy", {**mine, "PolicyArn": ADMINISTRATOR}),
        Try("drop its boundary", "iam", "delete_role_permissions_boundary", mine),
        Try("create a user", "iam", "create_user", {"UserName": "escape"}),
        Try("pass its role on", "lambda", "create_function", new_function),
        Try(
            "assume another role", "sts", "assume_role", {"RoleArn": others.role, "RoleSessionName": "escape"}
        ),
        Try("read another parameter", "ssm", "get_parameter", {"Name": others.parameter}),
        Try(
            "change the registry",
            *("ssm", "put_parameter"),
            {"Name": o.registry_parameter, "Value": "x", "Overwrite": True},
        ),
        Try("invoke another function", "lambda", "invoke", {"FunctionName": others.function}),
        Try(
            "change its own limits",
            *("lambda", "update_function_configuration"),
            {"FunctionName": o.function_name, "Timeout": 1},
        ),
        Try(
            "delete the stream",
            *("firehose", "delete_delivery_stream"),
            {"DeliveryStreamName": o.delivery_stream},
        ),
        Try("schedule the key's deletion", "kms", "schedule_key_deletion", {"KeyId": o.kms_key_arn}),
        Try("use the key directly", "kms", "encrypt", {"KeyId": o.kms_key_arn, "Plaintext": "x"}),
        Try("silence an alarm", "cloudwatch", "delete_alarms", {"AlarmNames": [o.token_alarm]}),
        Try("delete its log", "logs", "delete_log_group", {"logGroupName": o.log_group}),
        Try("put a digest", "s3", "put_object", {"Bucket": o.audit_bucket, "Key": "digests/00000000.json"}),
        Try(
            "sign a digest",
            *("kms", "sign"),
            {"KeyId": o.digest_key_arn, "Message": "x", "SigningAlgorithm": "ECDSA_SHA_256"},
        ),
        Try("have a digest made", "lambda", "invoke", {"FunctionName": o.digest_function}),
        Try("stop the digests", "events", "disable_rule", {"Name": o.digest_function}),
        Try("delete their key", "kms", "schedule_key_deletion", {"KeyId": o.digest_key_arn}),
        Try(
            "let another sign",
            "kms",
            "create_grant",
            {
                "KeyId": o.statement_key_arn,
                "GranteePrincipal": others.role,
                "Operations": ["Sign"],
            },
        ),
        Try("delete its own key", "kms", "schedule_key_deletion", {"KeyId": o.statement_key_arn}),
        Try(
            "take a statement away",
            *("s3", "delete_object"),
            {"Bucket": o.runs_bucket, "Key": "statements/0.json"},
        ),
        Try("read dead letters", "sqs", "receive_message", {"QueueUrl": o.dead_letter_queue_url}),
    ]


def allowed(deployed: Deployed) -> list[Try]:
    o = deployed.outputs
    key = {"pk": {"S": "RUN#a"}, "sk": {"S": "RECORD"}}
    row = {**key, "gsi1pk": {"S": "RUNS#2026"}, "gsi1sk": {"S": "a"}}
    table, run = {"TableName": o.runs_table}, {"Bucket": o.runs_bucket, "Key": "runs/a/result.json"}
    batch = {"DeliveryStreamName": o.delivery_stream, "Records": [{"Data": "{}\n"}]}
    query = {
        **table,
        "IndexName": "gsi1",
        "KeyConditionExpression": "gsi1pk = :d",
        "ExpressionAttributeValues": {":d": {"S": "RUNS#2026"}},
    }
    update = {
        **table,
        "Key": key,
        "UpdateExpression": "SET step = :s",
        "ExpressionAttributeValues": {":s": {"S": "x"}},
    }
    return [
        Try("take a run", "dynamodb", "put_item", {**table, "Item": row}),
        Try("read it", "dynamodb", "get_item", {**table, "Key": key}),
        Try("say how far it is", "dynamodb", "update_item", update),
        Try("list the day's", "dynamodb", "query", query),
        Try(
            "count its dollars",
            "dynamodb",
            "update_item",
            {**update, "Key": budget_key("2026-11-21", "PLATFORM")},
        ),
        Try("store its files", "s3", "put_object", {**run, "Body": "{}"}),
        Try("read them", "s3", "get_object", run),
        Try("list them", "s3", "list_objects_v2", {"Bucket": o.runs_bucket, "Prefix": "runs/a/"}),
        Try("know the models", "ssm", "get_parameter", {"Name": o.registry_parameter}),
        Try(
            "read a provider's key",
            *("ssm", "get_parameter"),
            {"Name": f"/{deployed.config.prefix}/secrets/mistral", "WithDecryption": True},
        ),
        Try("send records", "firehose", "put_record_batch", batch),
        Try(
            "put them where the stream is away",
            *("s3", "put_object"),
            {"Bucket": o.audit_bucket, "Key": "fallback/a", "Body": "{}"},
        ),
        Try(
            "leave a dead letter",
            "sqs",
            "send_message",
            {"QueueUrl": o.dead_letter_queue_url, "MessageBody": "x"},
        ),
        Try(
            "sign what it claims",
            *("kms", "sign"),
            {"KeyId": o.statement_key_arn, "Message": "x", "SigningAlgorithm": "ECDSA_SHA_256"},
        ),
        Try(
            "let that be found",
            *("s3", "put_object"),
            {"Bucket": o.runs_bucket, "Key": "statements/0.json", "Body": "{}"},
        ),
        Try("have something checked", "lambda", "invoke", {"FunctionName": o.checker_function}),
        Try(
            "hand a long run over to itself",
            *("lambda", "invoke"),
            {"FunctionName": o.function_name, "InvocationType": "Event", "Payload": '{"calls": []}'},
        ),
    ]


def outcome(client: Any, attempt: Try) -> str:
    try:
        getattr(client(attempt.service), attempt.method)(**attempt.arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def inside(root: Any, deployed: Deployed, tries: list[Try]) -> dict[str, str]:
    """The outcomes of the calls, made by a function under the agent's role."""
    calls = [[each.service, each.method, each.arguments] for each in tries]
    answer = root("lambda").invoke(
        FunctionName=deployed.outputs.function_name, Payload=json.dumps({"calls": calls}).encode()
    )
    assert "FunctionError" not in answer, answer["Payload"].read()
    said = json.loads(answer["Payload"].read())
    return {each.what: code for each, code in zip(tries, said, strict=True)}


@pytest.fixture(scope="module")
def agent(emulator: Emulator, root: Any, deployed: Deployed) -> Any:
    """Clients of whoever assumed the agent's role."""
    found = root("sts").assume_role(RoleArn=deployed.outputs.agent_role_arn, RoleSessionName="test")
    key = found["Credentials"]
    return clients_of(emulator.endpoint, key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])


REFUSED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}


def test_by_sts_the_agents_role_is_refused_what_it_does_not_need(
    agent: Any, deployed: Deployed, record: dict[str, str]
) -> None:
    found = {each.what: outcome(agent, each) for each in denied(deployed, record)}
    assert len(found) >= 12
    assert {what: code for what, code in found.items() if code not in REFUSED} == {}


def test_inside_the_function_it_is_refused_the_same(
    root: Any, deployed: Deployed, record: dict[str, str]
) -> None:
    found = inside(root, deployed, denied(deployed, record))
    assert {what: code for what, code in found.items() if code not in REFUSED} == {}


def test_by_sts_the_agents_role_may_do_what_a_run_needs(agent: Any, deployed: Deployed) -> None:
    found = {each.what: outcome(agent, each) for each in allowed(deployed)}
    assert {what: code for what, code in found.items() if code != "ok"} == {}


def test_inside_the_function_it_may_do_the_same(root: Any, deployed: Deployed) -> None:
    found = inside(root, deployed, allowed(deployed))
    assert {what: code for what, code in found.items() if code != "ok"} == {}


def documents(root: Any, arn: str) -> list[str]:
    """What a role's or a policy's documents say; the emulator's own quirk for Bedrock left out."""
    iam = root("iam")
    if ":role/" not in arn:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        return [found if isinstance(found, str) else json.dumps(found)]
    name = arn.rpartition("/")[2]
    inline = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        if policy != EMULATOR_POLICY
    ]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    texts = [found if isinstance(found, str) else json.dumps(found) for found in inline]
    return texts + [text for policy in attached for text in documents(root, policy["PolicyArn"])]


def decisions(root: Any, arn: str, asked: Asked) -> dict[tuple[str, str], str]:
    """What IAM's simulator says of a role or a policy, for pairs of an action and a resource.

    The emulator's simulator takes no context and does not find a role with a path: so the documents are
    handed to it, and a condition counts as not met. What the conditions say is in `test_stacks_policies`.
    """
    texts = documents(root, arn)
    said = {}
    for action, resource in asked:
        answer = root("iam").simulate_custom_policy(
            PolicyInputList=texts, ActionNames=[action], ResourceArns=[resource]
        )
        said[action, resource] = answer["EvaluationResults"][0]["EvalDecision"]
    return said


def allowed_of(root: Any, arn: str, asked: Asked) -> set[tuple[str, str]]:
    return {case for case, said in decisions(root, arn, asked).items() if said == "allowed"}


INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")


def test_models_by_simulation(root: Any, deployed: Deployed) -> None:
    role, (profile,) = deployed.outputs.agent_role_arn, deployed.outputs.profiles.values()
    models = f"arn:aws:bedrock:{REGION}::foundation-model"
    others = (f"{models}/vendor.other", f"{models}/tfkit.offline-composer-v1", profile[:-3] + "xyz")
    asked = [(action, resource) for action in INVOKE for resource in (profile, *others)]
    # Its own model too is refused where the call does not come through the profile.
    assert allowed_of(root, role, asked) == {(action, profile) for action in INVOKE}


def test_logs_by_simulation(root: Any, deployed: Deployed) -> None:
    # In a call the emulator checks the bare group, where AWS checks the group with what follows it:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    o = deployed.outputs
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"
    own, another = (f"{group}{name}:log-stream:x" for name in (o.log_group, "/aws/lambda/another"))
    asked = [
        (action, arn) for action in ("logs:CreateLogStream", "logs:PutLogEvents") for arn in (own, another)
    ]
    assert {resource for _, resource in allowed_of(root, o.agent_role_arn, asked)} == {own}


def test_the_checkers_role_may_write_its_log_and_nothing_else(root: Any, deployed: Deployed) -> None:
    o = deployed.outputs
    role = root("lambda").get_function(FunctionName=o.checker_function)["Configuration"]["Role"]
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"
    own = ("logs:PutLogEvents", f"{group}/aws/lambda/{o.checker_function}:log-stream:x")
    asked = [
        own,
        ("logs:CreateLogStream", f"{group}{o.log_group}:log-stream:x"),
        ("s3:GetObject", f"arn:aws:s3:::{o.runs_bucket}/runs/a"),
        ("dynamodb:GetItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{o.runs_table}"),
        ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{o.registry_parameter}"),
        ("bedrock:InvokeModel", next(iter(o.profiles.values()))),
        ("kms:Decrypt", o.kms_key_arn),
        ("lambda:InvokeFunction", o.function_arn),
    ]
    assert allowed_of(root, role, asked) == {own}


def test_the_digest_is_made_and_signed_under_a_role_that_may_do_no_more(
    root: Any, deployed: Deployed, record: dict[str, str]
) -> None:
    o = deployed.outputs
    answer = root("lambda").invoke(FunctionName=o.digest_function)
    said = answer["Payload"].read()
    assert "FunctionError" not in answer, said
    assert json.loads(said)["objects"] >= 1
    stored = root("s3").get_object(Bucket=o.audit_bucket, Key="digests/00000000.json")
    assert stored["ObjectLockMode"] == "GOVERNANCE"
    _, digest = document.read(stored["Body"].read())
    assert record["Key"] in {item.key for item in digest.objects}

    audit, here = f"arn:aws:s3:::{o.audit_bucket}", f"{REGION}:{ACCOUNT}"
    may = {
        ("s3:GetObject", f"{audit}/{record['Key']}"),
        ("s3:ListBucket", audit),
        ("s3:PutObject", f"{audit}/digests/00000001.json"),
        ("kms:Sign", o.digest_key_arn),
        ("dynamodb:Query", f"arn:aws:dynamodb:{here}:table/{o.runs_table}/index/gsi1"),
    }
    may_not = {
        ("s3:PutObject", f"{audit}/{record['Key']}"),
        ("s3:DeleteObject", f"{audit}/digests/00000000.json"),
        ("s3:DeleteObjectVersion", f"{audit}/digests/00000000.json"),
        ("s3:PutObjectRetention", f"{audit}/digests/00000000.json"),
        ("s3:GetObject", f"arn:aws:s3:::{o.runs_bucket}/runs/a/result.json"),
        ("dynamodb:UpdateItem", f"arn:aws:dynamodb:{here}:table/{o.runs_table}"),
        ("kms:Sign", o.kms_key_arn),
        ("kms:PutKeyPolicy", o.digest_key_arn),
        ("lambda:InvokeFunction", o.function_arn),
    }
    role = root("lambda").get_function(FunctionName=o.digest_function)["Configuration"]["Role"]
    assert allowed_of(root, role, sorted(may | may_not)) == may


def resources(deployed: Deployed) -> dict[str, str]:
    o, prefix = deployed.outputs, deployed.config.prefix
    here = f"{REGION}:{ACCOUNT}"
    return {
        "function": o.function_arn,
        "other function": f"arn:aws:lambda:{here}:function:{deployed.others.function}",
        "table": f"arn:aws:dynamodb:{here}:table/{o.runs_table}",
        "other table": f"arn:aws:dynamodb:{here}:table/{deployed.others.table}",
        "run": f"arn:aws:s3:::{o.runs_bucket}/runs/a/result.json",
        "record": f"arn:aws:s3:::{o.audit_bucket}/year=2026/r",
        "audit": f"arn:aws:s3:::{o.audit_bucket}",
        "other bucket": f"arn:aws:s3:::{deployed.others.bucket}",
        "role": o.agent_role_arn,
        "other role": deployed.others.role,
        "registry": f"arn:aws:ssm:{here}:parameter{o.registry_parameter}",
        "glue": f"arn:aws:glue:{here}:table/{o.glue_database}/{o.glue_table}",
        "alarm": f"arn:aws:cloudwatch:{here}:alarm:{o.token_alarm}",
        "other alarm": f"arn:aws:cloudwatch:{here}:alarm:theirs",
        "operator": o.policies["operator"],
        "invoke": o.policies["operator"].replace("-operator", "-invoke-models"),
        "key": o.kms_key_arn,
        "signing key": o.digest_key_arn,
        "statement key": o.statement_key_arn,
        "statement": f"arn:aws:s3:::{o.runs_bucket}/statements/0.json",
        "schedule": f"arn:aws:events:{here}:rule/{o.digest_function}",
        "other key": f"arn:aws:kms:{here}:key/theirs",
        "secret": f"arn:aws:ssm:{here}:parameter/{prefix}/secrets/mistral",
        "user": f"arn:aws:iam::{ACCOUNT}:user/escape",
    }


MAY = {
    "user": [
        ("lambda:InvokeFunction", "function"), ("dynamodb:GetItem", "table"), ("s3:GetObject", "run"),
        ("ssm:GetParameter", "registry"), ("s3:GetObject", "statement"),
        ("kms:GetPublicKey", "statement key"),
    ],
    "auditor": [
        ("s3:GetObject", "record"), ("s3:GetObjectRetention", "record"), ("s3:ListBucket", "audit"),
        ("dynamodb:Query", "table"), ("glue:GetTable", "glue"), ("s3:GetObject", "run"),
        ("kms:GetPublicKey", "signing key"), ("s3:ListBucketVersions", "audit"),
        ("s3:GetObject", "statement"), ("kms:GetPublicKey", "statement key"),
    ],
    "operator": [
        ("lambda:PutFunctionConcurrency", "function"), ("lambda:UpdateFunctionCode", "function"),
        ("dynamodb:UpdateItem", "table"), ("dynamodb:DeleteTable", "table"), ("iam:PutRolePolicy", "role"),
        ("iam:DeleteRole", "role"), ("cloudwatch:PutMetricAlarm", "alarm"), ("s3:PutBucketPolicy", "audit"),
        ("iam:CreatePolicyVersion", "invoke"), ("iam:DeletePolicy", "operator"),
        ("ssm:PutParameter", "registry"), ("kms:ScheduleKeyDeletion", "key"), ("glue:UpdateTable", "glue"),
        ("kms:PutKeyPolicy", "signing key"), ("kms:ScheduleKeyDeletion", "statement key"),
        ("events:PutRule", "schedule"),
        ("events:PutTargets", "schedule"), ("lambda:AddPermission", "function"),
    ],
}  # fmt: skip
MAY_NOT = {
    "user": [
        ("lambda:InvokeFunction", "other function"), ("dynamodb:PutItem", "table"),
        ("dynamodb:Scan", "table"), ("dynamodb:GetItem", "other table"),
        ("s3:GetObject", "record"), ("s3:PutObject", "run"),
        ("lambda:UpdateFunctionCode", "function"), ("ssm:GetParameter", "secret"), ("sts:AssumeRole", "role"),
        ("s3:PutObject", "statement"), ("kms:Sign", "statement key"),
    ],
    "auditor": [
        ("s3:DeleteObject", "record"), ("s3:DeleteObjectVersion", "record"), ("s3:PutObject", "record"),
        ("s3:PutObjectRetention", "record"), ("s3:BypassGovernanceRetention", "record"),
        ("s3:PutBucketObjectLockConfiguration", "audit"), ("lambda:InvokeFunction", "function"),
        ("glue:DeleteTable", "glue"), ("ssm:GetParameter", "secret"), ("dynamodb:UpdateItem", "table"),
        ("kms:Sign", "signing key"), ("kms:Sign", "statement key"), ("s3:PutObject", "statement"),
    ],
    "operator": [
        ("s3:GetObject", "record"), ("s3:DeleteObject", "record"), ("s3:BypassGovernanceRetention", "record"),
        ("s3:PutObjectRetention", "record"), ("s3:DeleteBucket", "other bucket"),
        ("iam:PutRolePolicy", "other role"),
        ("iam:CreatePolicyVersion", "operator"), ("iam:SetDefaultPolicyVersion", "operator"),
        ("iam:PassRole", "other role"), ("iam:CreateUser", "user"), ("sts:AssumeRole", "role"),
        ("lambda:DeleteFunction", "other function"), ("dynamodb:DeleteTable", "other table"),
        ("cloudwatch:DeleteAlarms", "other alarm"), ("kms:ScheduleKeyDeletion", "other key"),
        ("kms:Sign", "signing key"), ("kms:Sign", "statement key"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", MAY)
def test_the_ready_policies_by_simulation(kind: str, root: Any, deployed: Deployed) -> None:
    known, arn = resources(deployed), deployed.outputs.policies[kind]
    may = [(action, known[what]) for action, what in MAY[kind]]
    may_not = [(action, known[what]) for action, what in MAY_NOT[kind]]
    assert set(may) - allowed_of(root, arn, may) == set()
    assert allowed_of(root, arn, may_not) == set()


def test_nothing_changes_when_it_is_brought_up_again(deployed: Deployed) -> None:
    program = platform(deployed.config, secrets={"mistral": MISTRAL})
    changes = deployed.engine.up(program, lambda event: None).changes
    assert (changes.create, changes.update, changes.replace, changes.delete) == (0, 0, 0, 0)
    assert changes.same > 50


def test_the_providers_key_is_nowhere_in_the_clear(root: Any, deployed: Deployed) -> None:
    for file in deployed.folder.rglob("*"):
        assert not file.is_file() or MISTRAL.encode() not in file.read_bytes(), file
    name = f"/{deployed.config.prefix}/secrets/mistral"
    assert root("ssm").get_parameter(Name=name)["Parameter"]["Value"] != MISTRAL
    assert root("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == MISTRAL


def test_accesses_go_to_the_central_bucket(root: Any, deployed: Deployed) -> None:
    for bucket in (deployed.outputs.runs_bucket, deployed.outputs.audit_bucket):
        target = root("s3").get_bucket_logging(Bucket=bucket)["LoggingEnabled"]
        assert target["TargetBucket"] == deployed.others.bucket

"""No real model is ever asked; one emulator serves all of these tests."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pydantic_ai.models
import pytest
from agent_platform import AUDIT, PARAMETER, PREFIX, RUNS, STREAM, TABLE, Platform
from agent_scripts import ScriptedChecker, needs

import toolkit.agent.run
from toolkit.agent.config import AgentConfig, Clients
from toolkit.checker.selection import Choice
from toolkit.contracts import ModelEntry, Price, Registry, to_json
from toolkit.emulator import Emulator
from toolkit.telemetry.sink import FirehoseSink

pydantic_ai.models.ALLOW_MODEL_REQUESTS = False

REGISTRY = Registry(
    default="priced",
    models={
        "priced": ModelEntry(provider="bedrock", id="nobody.prices-this-v1", price=Price(input=1, output=10)),
        "unpriced": ModelEntry(provider="bedrock", id="nobody.prices-this-v1"),
    },
)
STATEMENT_KEY: list[str] = []
"""The key of the emulator of the session, once that runs."""

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def agent_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path_factory.mktemp("agent-emulator"))
    emulator.start()
    boto3.DEFAULT_SESSION = None  # whatever keys the tests before us had
    try:
        make_platform(emulator)
        yield emulator
    finally:
        emulator.stop()


def make_platform(emulator: Emulator) -> None:
    """What `stacks` makes of a platform, as far as the agent uses it."""

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=emulator.endpoint,
            region_name="us-east-1",
            aws_access_key_id=emulator.key,
            aws_secret_access_key=emulator.secret,
        )

    keys = ("pk", "sk", "gsi1pk", "gsi1sk")
    client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=_schema("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "gsi1",
                "KeySchema": _schema("gsi1pk", "gsi1sk"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    client("s3").create_bucket(Bucket=AUDIT, ObjectLockEnabledForBucket=True)
    client("s3").create_bucket(Bucket=RUNS)
    STATEMENT_KEY.append(
        client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    )
    client("ssm").put_parameter(Name=PARAMETER, Type="String", Value=to_json(REGISTRY).decode())
    client("firehose").create_delivery_stream(
        DeliveryStreamName=STREAM,
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::000000000000:role/firehose",
            "BucketARN": f"arn:aws:s3:::{AUDIT}",
            "Prefix": PREFIX,
            "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
        },
    )


def _schema(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


@pytest.fixture
def agent_environment(agent_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that the function has, put into this process."""
    variables = {
        "AWS_ACCESS_KEY_ID": agent_emulator.key,
        "AWS_SECRET_ACCESS_KEY": agent_emulator.secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": agent_emulator.endpoint,
        "TFKIT_STACK": "dev",
        "TFKIT_RUNS_TABLE": TABLE,
        "TFKIT_RUNS_BUCKET": RUNS,
        "TFKIT_AUDIT_BUCKET": AUDIT,
        "TFKIT_DELIVERY_STREAM": STREAM,
        "TFKIT_REGISTRY_PARAMETER": PARAMETER,
        "TFKIT_STATEMENT_KEY": STATEMENT_KEY[-1],
        # Whatever linters this machine has.
        "TFKIT_VALIDATORS": Choice(named=("fmt", "validate")).to_text(),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def platform(agent_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    """A platform on the emulator, whose model and checker the test scripts."""
    real = Clients()
    clients = SimpleNamespace(
        dynamodb=real.dynamodb,
        s3=real.s3,
        firehose=real.firehose,
        ssm=real.ssm,
        kms=real.kms,
        bedrock=None,
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    made = Platform(
        config=AgentConfig.from_environment(agent_environment),
        clients=clients,
        run_id=f"run-{os.getpid()}-{next(_numbers):04d}",
        temporary=temporary,
        checker=ScriptedChecker(needs("main.tf")),
    )
    monkeypatch.setattr(toolkit.agent.lineup, "build", lambda *_: made.script.model)
    monkeypatch.setattr(toolkit.agent.checking, "InProcessChecker", lambda folder, **_: made.checker)
    monkeypatch.setattr(toolkit.agent.run, "FirehoseSink", partial(FirehoseSink, sleep=lambda _: None))
    return made

"""The rehearsal's emulator: fresh when wanted, for its own key only, and it runs nothing that it is given."""

import contextlib
import io
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from toolkit.checker.sandbox import level
from toolkit.checker.throwaway import Throwaway, emulator_tool

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "lambda.amazonaws.com"}}]}'
)


@pytest.fixture(scope="module")
def throwaway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Throwaway]:
    made = Throwaway(tmp_path_factory.mktemp("t") / "emulator", level())
    made.ready()
    yield made
    made.stop()


def client(throwaway: Throwaway, service: str, secret: str = "") -> Any:
    there = throwaway.environment
    return boto3.client(
        service,
        endpoint_url=there["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=there["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=secret or there["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def test_it_starts_anew_where_it_was(throwaway: Throwaway) -> None:
    s3 = client(throwaway, "s3")
    s3.create_bucket(Bucket="left-over")
    throwaway.ready()
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["left-over"]
    throwaway.fresh()
    assert s3.list_buckets()["Buckets"] == []


def test_another_key_opens_nothing(throwaway: Throwaway) -> None:
    with pytest.raises(ClientError, match=r"Forbidden|AccessDenied|signature|403"):
        client(throwaway, "s3", secret="x" * 40).list_buckets()


def test_a_function_is_made_and_never_runs(throwaway: Throwaway, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("m.py", f"def h(event, context):\n  open({str(marker)!r}, 'w').close()\n")
    role = client(throwaway, "iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    functions = client(throwaway, "lambda")
    functions.create_function(
        FunctionName="f",
        Runtime="python3.11",
        Handler="m.h",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": archive.getvalue()},
    )
    said = functions.invoke(FunctionName="f")["Payload"].read().decode()
    assert "in a rehearsal" in said  # neither unpacked nor started
    assert not marker.exists()


def test_it_reaches_nothing_outside(throwaway: Throwaway) -> None:
    """Not this machine at its own port either, by another of its addresses: Landlock knows ports alone."""
    heard: list[bytes] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.2", throwaway.port))
        listener.listen()
        listener.settimeout(1.5)
        sns = client(throwaway, "sns")
        topic = sns.create_topic(Name="t")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"http://127.0.0.2:{throwaway.port}/x")
        sns.publish(TopicArn=topic, Message="a message")
        with contextlib.suppress(TimeoutError):
            heard.append(listener.accept()[0].recv(100))
    assert heard == []


def test_it_is_in_the_sandbox(throwaway: Throwaway) -> None:
    if not level().confines_reads:
        pytest.skip("no Landlock here")
    said = Path(f"/proc/{throwaway._emulator.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in said
    assert "Seccomp:\t2" in said


def test_it_leaves_nothing(tmp_path: Path) -> None:
    made = Throwaway(tmp_path / "emulator", level())
    made.ready()
    made.stop()
    made.stop()
    assert list(tmp_path.iterdir()) == []


def test_its_tool_is_the_emulator() -> None:
    tool = emulator_tool()
    assert tool
    assert (tool.name, tool.version[:2]) == ("ministack", "1.")

"""The gate before a real emulator: attacks that worked without it, and clients that must work with it."""

import hashlib
import http.client
import io
import json
import stat
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from toolkit.cloud import Cloud
from toolkit.emulator import Emulator
from toolkit.errors import TfkitError
from toolkit.traces.fetch import Bucket

REGION = "us-east-1"
ROLE = "arn:aws:iam::000000000000:role/the-role"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:look"
LOOK = """
import os, boto3

def handler(event, context):
    if event.get("create"):
        try:
            boto3.client("s3").create_bucket(Bucket="more-than-the-role-may")
        except Exception as error:
            return str(error)
    return {"environment": dict(os.environ), "arn": boto3.client("sts").get_caller_identity()["Arn"]}
"""


class Answer(NamedTuple):
    """What came back: the status, the headers by lower-case name, the body."""

    status: int
    headers: dict[str, str]
    body: str


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    made = Emulator(tmp_path_factory.mktemp("gated"))
    made.start()
    client(made, "s3").create_bucket(Bucket="kept")
    client(made, "s3").put_object(Bucket="kept", Key="a folder/ü + 100%", Body=b"kept")
    trusted = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    client(made, "iam").create_role(RoleName="the-role", AssumeRolePolicyDocument=document(trusted))
    client(made, "lambda").create_function(**function("look"))
    yield made
    made.stop()


def client(there: Emulator, service: str, key: str = "", secret: str = "", token: str | None = None) -> Any:
    return boto3.client(
        service,
        endpoint_url=there.endpoint,
        region_name=REGION,
        aws_access_key_id=key or there.key,
        aws_secret_access_key=secret or there.secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def function(name: str) -> dict[str, Any]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", LOOK)
    code = {"Runtime": "python3.11", "Handler": "index.handler", "Code": {"ZipFile": archive.getvalue()}}
    return {"FunctionName": name, "Role": ROLE, "Timeout": 60, **code}


def invoke(there: Emulator, **event: Any) -> Any:
    reply = client(there, "lambda").invoke(FunctionName="look", Payload=json.dumps(event))
    return json.loads(reply["Payload"].read())


def ask(there: Emulator, method: str, path: str, *headers: tuple[str, str], body: bytes = b"") -> Answer:
    """A request as it is given, with the Host of the emulator unless another is named."""
    connection = http.client.HTTPConnection("127.0.0.1", there.port, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    names = {name.lower() for name, _ in headers}
    for name, value in [*headers, *([] if "host" in names else [("Host", f"127.0.0.1:{there.port}")])]:
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    found = connection.getresponse()
    answer = Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read().decode())
    connection.close()
    return answer


def signed(there: Emulator, method: str, path: str, **headers: str) -> list[tuple[str, str]]:
    """The headers of a request that root has signed, these included."""
    request = AWSRequest(method, there.endpoint + path, headers=headers)
    SigV4Auth(Credentials(there.key, there.secret), "sts", REGION).add_auth(request)
    return list(request.headers.items())


IDENTITY = "/?Action=GetCallerIdentity&Version=2011-06-15"


def assert_refused(answer: Answer, why: str) -> None:
    assert answer.status == 403
    assert why in answer.body
    assert "refused by tfkit" in answer.body
    assert "access-control-allow-origin" not in answer.headers


def test_a_request_that_root_signed_by_hand_is_let_through(emulator: Emulator) -> None:
    """The others below are this one, changed in one thing."""
    answer = ask(emulator, "GET", IDENTITY, *signed(emulator, "GET", IDENTITY))
    assert answer.status == 200
    assert "arn:aws:iam::000000000000:root" in answer.body


KEYS = {
    "the emulator's own": ("test", "test"),
    "twelve digits": ("000000000000", "test"),
    "a made-up one": ("AKIAIOSFODNN7EXAMPLE", "x"),
    "a made-up session": ("ASIAIOSFODNN7EXAMPLE", "x"),
}


@pytest.mark.parametrize("key", KEYS)
def test_nobody_else_makes_a_function_and_runs_code_as_the_user(emulator: Emulator, key: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        client(emulator, "lambda", *KEYS[key]).create_function(**function("planted"))
    names = [found["FunctionName"] for found in client(emulator, "lambda").list_functions()["Functions"]]
    assert names == ["look"]


@pytest.mark.parametrize("service", ["s3", "sqs", "dynamodb", "iam"])
def test_roots_key_without_its_secret_is_refused_in_each_protocol(emulator: Emulator, service: str) -> None:
    call = {"s3": "list_buckets", "sqs": "list_queues", "dynamodb": "list_tables", "iam": "list_roles"}[
        service
    ]
    with pytest.raises(ClientError, match="signature we calculated does not match") as refused:
        getattr(client(emulator, service, emulator.key, "a guess"), call)()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    getattr(client(emulator, service), call)()


def test_roots_key_with_a_session_token_is_not_roots(emulator: Emulator) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        client(emulator, "sts", token="a token").get_caller_identity()


def test_another_emulators_key_is_refused(emulator: Emulator, tmp_path: Path) -> None:
    other = Emulator(tmp_path)
    assert (other.key, other.secret) != (emulator.key, emulator.secret)
    with pytest.raises(ClientError, match="AccessDenied"):
        client(emulator, "sts", other.key, other.secret).get_caller_identity()


def test_an_anonymous_request_is_refused(emulator: Emulator) -> None:
    for method, path in (("GET", "/"), ("GET", "/kept/x"), ("POST", "/"), ("OPTIONS", "/"), ("GET", "/v2/")):
        assert_refused(ask(emulator, method, path), "not signed by a key of this emulator")
    basic = ("Authorization", "Basic QVdTOnRlc3Q=")
    assert_refused(ask(emulator, "GET", "/v2/", basic), "not signed by a key of this emulator")


def test_an_old_signature_is_refused(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = datetime.now(UTC) - timedelta(minutes=20)

    def then(*_: object) -> datetime:
        return earlier

    monkeypatch.setattr(botocore.auth, "get_current_datetime", then)
    headers = signed(emulator, "GET", IDENTITY)
    assert_refused(ask(emulator, "GET", IDENTITY, *headers), "Signature expired")


def test_a_signature_is_for_one_request(emulator: Emulator) -> None:
    other = IDENTITY.replace("GetCallerIdentity", "GetSessionToken")
    headers = signed(emulator, "GET", IDENTITY)
    assert_refused(ask(emulator, "GET", other, *headers), "signature we calculated does not match")
    assert_refused(ask(emulator, "POST", IDENTITY, *headers), "signature we calculated does not match")
    assert_refused(
        ask(emulator, "GET", IDENTITY, *headers, body=b"another body"),
        "signature we calculated does not match",
    )


def test_presigned_addresses_are_refused(emulator: Emulator) -> None:
    made = client(emulator, "s3").generate_presigned_url("list_buckets")
    path = made.removeprefix(emulator.endpoint)
    assert "X-Amz-Signature" in path or "Signature" in path
    assert_refused(ask(emulator, "GET", path), "refused")


@pytest.mark.parametrize("name", ["X-Amz-Credential", "x-amz-credential", "AWSAccessKeyId"])
def test_no_second_key_comes_with_a_good_signature(emulator: Emulator, name: str) -> None:
    path = f"{IDENTITY}&{name}=test/20260101/us-east-1/sts/aws4_request"
    assert_refused(ask(emulator, "GET", path, *signed(emulator, "GET", path)), "a key in the query")


def test_no_second_key_hides_in_the_header(emulator: Emulator) -> None:
    """MiniStack takes the first `Credential=` that it finds for the caller's."""
    headers = dict(signed(emulator, "GET", IDENTITY))
    good = headers.pop("Authorization")
    planted = "Credential=test/20260101/us-east-1/sts/aws4_request"
    algorithm, _, rest = good.partition(" ")
    for bad in (f"{algorithm} X{planted}, {rest}", f"{algorithm} {planted}, {rest}", f"{good}, X{planted}"):
        answer = ask(emulator, "GET", IDENTITY, *headers.items(), ("Authorization", bad))
        assert_refused(answer, "not signed by a key of this emulator")
    twice = [("Authorization", f"{algorithm} {planted}"), ("Authorization", good)]
    answer = ask(emulator, "GET", IDENTITY, *headers.items(), *twice)
    assert_refused(answer, "not signed by a key of this emulator")


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/config", "/_localstack/state/reset"])
def test_its_own_paths_are_closed_to_root_as_well(emulator: Emulator, path: str) -> None:
    assert_refused(ask(emulator, "POST", path), "own paths are closed")
    assert_refused(ask(emulator, "POST", path, *signed(emulator, "POST", path)), "own paths are closed")
    assert [found["Name"] for found in client(emulator, "s3").list_buckets()["Buckets"]] == ["kept"]


def test_health_needs_no_key(emulator: Emulator) -> None:
    for path in ("/_localstack/health", "/_ministack/health"):
        assert ask(emulator, "GET", path).status == 200
        assert_refused(ask(emulator, "POST", path), "own paths are closed")


@pytest.mark.parametrize(
    "header", [("Origin", "https://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")]
)
def test_a_web_page_is_refused_whatever_it_asks(emulator: Emulator, header: tuple[str, str]) -> None:
    good = signed(emulator, "GET", IDENTITY)
    assert_refused(ask(emulator, "GET", IDENTITY, *good, header), "web pages")
    assert_refused(ask(emulator, "GET", "/_localstack/health", header), "web pages")
    preflight = ("Access-Control-Request-Method", "POST")
    assert_refused(ask(emulator, "OPTIONS", "/", header, preflight), "web pages")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{port}",
        "localhost.evil.example:{port}",
        "kept.localhost:{port}",
        "127.0.0.1:1",
        "127.0.0.1",
    ],
)
def test_a_name_that_was_rebound_to_loopback_is_refused(emulator: Emulator, host: str) -> None:
    name = host.format(port=emulator.port)
    good = signed(emulator, "GET", IDENTITY, Host=name)
    assert_refused(ask(emulator, "GET", IDENTITY, *good), "Host")
    assert_refused(ask(emulator, "GET", "/_localstack/health", ("Host", name)), "Host")


def test_localhost_is_the_emulators_name_too(emulator: Emulator) -> None:
    good = signed(emulator, "GET", IDENTITY, Host=f"localhost:{emulator.port}")
    assert ask(emulator, "GET", IDENTITY, *good).status == 200


def test_web_sockets_are_refused(emulator: Emulator) -> None:
    asked = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]
    key = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    for host in (f"127.0.0.1:{emulator.port}", f"aaaaaaaa.execute-api.localhost:{emulator.port}"):
        assert ask(emulator, "GET", "/x", *asked, key, ("Host", host)).status == 403


# -- what has to work ----------------------------------------------------------------------------


def test_large_and_oddly_named_objects_by_boto3(emulator: Emulator, tmp_path: Path) -> None:
    s3, large = client(emulator, "s3"), tmp_path / "large"
    large.write_bytes(b"x" * (9 << 20))  # above the threshold at which boto3 uploads in parts
    s3.upload_file(str(large), "kept", "large")
    assert s3.head_object(Bucket="kept", Key="large")["ContentLength"] == 9 << 20
    assert s3.get_object(Bucket="kept", Key="a folder/ü + 100%")["Body"].read() == b"kept"
    s3.delete_object(Bucket="kept", Key="large")


def test_the_traces_reader_with_the_key_and_without(emulator: Emulator) -> None:
    def bucket(**keys: str) -> Bucket:
        return Bucket(Cloud("local", REGION, "000000000000", endpoint=emulator.endpoint, **keys), "kept")

    good = bucket(key=emulator.key, secret=emulator.secret)
    assert [found.key for found in good.list("a folder/")] == ["a folder/ü + 100%"]
    assert good.get("a folder/ü + 100%") == b"kept"
    with pytest.raises(TfkitError, match="could not read"):
        bucket().list("a folder/")


def test_a_role_that_was_assumed_may_what_it_may(emulator: Emulator) -> None:
    iam, role = client(emulator, "iam"), "assumed"
    trusted = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(trusted))["Role"]["Arn"]
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::kept"}
    iam.put_role_policy(RoleName=role, PolicyName="list", PolicyDocument=document(listing))
    found = client(emulator, "sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    keys = (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    s3 = client(emulator, "s3", *keys)
    assert s3.list_objects_v2(Bucket="kept")["KeyCount"] == 1
    with pytest.raises(ClientError, match="not authorized"):  # MiniStack's own refusal, by its policies
        s3.list_buckets()
    for wrong in ((keys[0], keys[1]), (keys[0], "a guess", keys[2])):
        with pytest.raises(ClientError, match="AccessDenied"):
            client(emulator, "sts", *wrong).get_caller_identity()


def test_a_function_calls_back_under_its_role_and_does_not_get_roots_key(emulator: Emulator) -> None:
    looked = invoke(emulator)
    assert looked["arn"] == "arn:aws:sts::000000000000:assumed-role/the-role/look"
    assert not {emulator.key, emulator.secret} & set(looked["environment"].values())
    assert "AccessDenied" in invoke(emulator, create=True)


def test_nobody_can_work_out_a_functions_credentials(emulator: Emulator) -> None:
    """MiniStack makes them of the function's name and its role's, which are no secret."""
    digest = hashlib.sha256(f"{FUNCTION}:{ROLE}".encode()).hexdigest()
    keys = (
        f"ASIA{digest[:16].upper()}",
        hashlib.sha256(f"secret:{digest}".encode()).hexdigest(),
        hashlib.sha256(f"token:{digest}".encode()).hexdigest(),
    )
    environment = invoke(emulator)["environment"]
    assert environment["AWS_ACCESS_KEY_ID"] != keys[0]
    with pytest.raises(ClientError, match="AccessDenied"):
        client(emulator, "sts", *keys).get_caller_identity()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_key_is_in_the_process_and_nowhere_else(emulator: Emulator) -> None:
    process = Path(f"/proc/{emulator.pid}")
    seen = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    assert b"toolkit.gated" in seen
    everywhere = [seen, *(path.read_bytes() for path in emulator.folder.rglob("*") if path.is_file())]
    assert not [text for text in everywhere if emulator.secret.encode() in text]
    assert emulator.key.encode() not in seen


def test_what_it_keeps_is_its_owners_alone_and_the_key_outlives_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "emulator"
    folder.mkdir(mode=0o755)  # the modes of the files have to do
    one = Emulator(folder)
    try:
        one.start()
        client(one, "ssm").put_parameter(Name="/p", Value="in the clear", Type="SecureString")
        client(one, "s3").create_bucket(Bucket="kept")
        one.stop()
        kept = [path for path in folder.rglob("*") if path.is_file()]
        assert [path for path in kept if b"in the clear" in path.read_bytes()] == [
            folder / "state" / "ssm.json"
        ]
        assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in kept} == {0}
        one.start()
        assert client(one, "ssm").get_parameter(Name="/p")["Parameter"]["Type"] == "SecureString"
    finally:
        one.stop()

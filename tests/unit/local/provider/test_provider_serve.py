"""The provider over real gRPC, as the Pulumi CLI has it, and called from many threads, as engines do."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from provider_world import TAGS, World
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from toolkit.emulator import Emulator
from toolkit.local.provider import EmulatorProvider, ProviderError
from toolkit.local.provider.clients import Clients
from toolkit.local.provider.wire import from_struct, to_struct

BUCKET = "aws:s3/bucket:Bucket"


class NoContext:
    """Calls a stub as the in-process servicer is called: with a context that it does not want."""

    def __init__(self, stub: Any) -> None:
        self.stub = stub

    def __getattr__(self, method: str) -> Any:
        return lambda request, context: getattr(self.stub, method)(request)


@pytest.fixture
def served(emulator: Emulator) -> Iterator[Any]:
    environment = {
        "PATH": os.environ["PATH"],
        "TFKIT_EMULATOR_ENDPOINT": emulator.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": emulator.key,
        "AWS_SECRET_ACCESS_KEY": emulator.secret,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "toolkit.local.provider.serve"], env=environment, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield NoContext(provider_pb2_grpc.ResourceProviderStub(channel))
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_program_through_grpc(served: Any, world: World) -> None:
    args = to_struct({"region": "eu-west-1", "skipCredentialsValidation": "true"})
    answer = served.Configure(provider_pb2.ConfigureRequest(args=args, acceptSecrets=True), None)
    assert answer.supportsPreview
    assert not answer.acceptSecrets
    assert served.GetPluginInfo(empty_pb2.Empty(), None).version == version("pulumi-aws")

    world.engine.provider = served
    inputs = {"bucket": world.name("b"), "forceDestroy": True, "tags": TAGS}
    id_, state = world.engine.create(BUCKET, inputs)
    assert state["bucketRegion"] == "eu-west-1"
    news = {**inputs, "tags": {**TAGS, "more": "1"}}
    assert world.engine.update(BUCKET, id_, state, inputs, news)["tagsAll"]["more"] == "1"
    assert world.engine.diff(BUCKET, news, inputs).changes == provider_pb2.DiffResponse.DIFF_SOME
    world.engine.delete(BUCKET, id_, state)
    assert world.engine.read(BUCKET, id_, state, inputs)[0] == ""


def test_a_refusal_is_a_status_over_grpc(served: Any, world: World) -> None:
    request = provider_pb2.CheckRequest(urn="urn:pulumi:dev::tfkit::aws:ec2/vpc:Vpc::it")
    with pytest.raises(grpc.RpcError) as refused:
        served.Check(request, None)
    assert refused.value.code() == grpc.StatusCode.UNKNOWN
    assert "does not know aws:ec2/vpc:Vpc" in refused.value.details()


def test_without_an_endpoint_it_says_what_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "toolkit.local.provider.serve"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert "TFKIT_EMULATOR_ENDPOINT is not set" in done.stderr


def test_it_ends_with_the_engine_that_started_it() -> None:
    """The engine is killed here as by kill -9: it starts the provider, and is gone without a word."""
    engine = (
        "import os, subprocess, sys\n"
        "made = subprocess.Popen([sys.executable, '-m', 'toolkit.local.provider.serve'],"
        " stdout=subprocess.PIPE, process_group=0)\n"
        "made.stdout.readline()\n"
        "print(made.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "TFKIT_EMULATOR_ENDPOINT": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "s",
    }
    with subprocess.Popen(
        [sys.executable, "-c", engine], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        provider = int(process.stdout.readline())
        try:
            _, said = process.communicate(timeout=60)  # the provider has both pipes open until it ends
            assert said == b""
        finally:
            with suppress(ProcessLookupError):
                os.kill(provider, signal.SIGKILL)


def test_many_threads_at_once(world: World) -> None:
    def live(number: int) -> str:
        inputs = {"name": f"/{world.name(str(number))}/p", "type": "String", "value": "x", "tags": TAGS}
        id_, state = world.engine.create("aws:ssm/parameter:Parameter", inputs)
        queue, _ = world.engine.create("aws:sqs/queue:Queue", {"name": world.name(str(number)), "tags": TAGS})
        world.engine.delete("aws:sqs/queue:Queue", queue, {})
        read: str = world.engine.read("aws:ssm/parameter:Parameter", id_, state, inputs)[0]
        return read

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(live, range(32)))
    assert found == [f"/{world.name(str(number))}/p" for number in range(32)]


def test_look_ups(engine: Any) -> None:
    def look_up(name: str) -> dict[str, Any]:
        answer = engine.provider.Invoke(provider_pb2.InvokeRequest(tok=f"aws:index/{name}:{name}"), None)
        return from_struct(getattr(answer, "return"))

    assert look_up("getCallerIdentity")["accountId"] == "000000000000"
    assert look_up("getRegion")["region"] == "us-east-1"
    assert look_up("getPartition")["partition"] == "aws"


def test_an_emulator_that_is_not_there_is_an_error_of_the_providers() -> None:
    request = provider_pb2.InvokeRequest(tok="aws:index/getCallerIdentity:getCallerIdentity")
    with pytest.raises(ProviderError, match="Could not connect to the endpoint URL"):
        EmulatorProvider("http://127.0.0.1:1", "us-east-1").Invoke(request, None)


def test_a_client_is_made_once() -> None:
    clients = Clients("http://127.0.0.1:1", "us-east-1")
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: id(clients.of("sqs")), range(8)))) == 1

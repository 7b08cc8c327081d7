"""Plain `pulumi up` in the root: run as Pulumi's host for Python does, it is tfkit's own program."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
import yaml
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    resource_pb2,
    resource_pb2_grpc,
)
from typing_extensions import override

from stacks.__main__ import CHECKER_HANDLER
from toolkit.cloud import Cloud
from toolkit.contracts import PlatformConfig
from toolkit.deploy import plan
from toolkit.settings import Settings

ROOT = Path(__file__).parents[3]
ACCOUNT, REGION = "123456789012", "us-east-1"
IMAGE_TAG = "tag"

# In short, what pulumi/sdk/python/cmd/pulumi-language-python-exec does: the settings come in the environment,
# the working folder is `main` of Pulumi.yaml, and the program is `.` there.
HOST = """
import asyncio, logging, os, runpy, sys
from pulumi import runtime
config, address, folder = runtime.get_config_env(), *sys.argv[1:]
runtime.set_all_config(config, runtime.get_config_secret_keys_env())
runtime.configure(runtime.Settings(
    project="tfkit", stack="dev", monitor=address, engine=address, parallel=16, dry_run=False))
os.chdir(folder)
logging.getLogger("asyncio").setLevel(logging.CRITICAL)
program = runtime.run_in_stack(lambda: runpy.run_path(".", run_name="__main__"))
asyncio.new_event_loop().run_until_complete(program)
"""

LOOK_UPS: dict[str, dict[str, Any]] = {
    "getCallerIdentity": {"accountId": ACCOUNT, "arn": "arn", "id": "id", "userId": "user"},
    "getRegion": {"region": REGION, "id": REGION, "description": "", "name": REGION},
    "getPartition": {"partition": "aws", "id": "aws", "dnsSuffix": "", "reverseDnsPrefix": ""},
}


class Recorder(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """Takes every registration, makes nothing, and gives each resource an id and an ARN."""

    def __init__(self) -> None:
        self.inputs: dict[str, dict[str, Any]] = {}
        self._root = ""

    @override
    def SupportsFeature(self, request: Any, context: Any) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id == "secrets")

    @override
    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    @override
    def Invoke(self, request: Any, context: Any) -> Any:
        response = provider_pb2.InvokeResponse()
        answer = struct_pb2.Struct()
        answer.update(LOOK_UPS[request.tok.rpartition(":")[2]])
        getattr(response, "return").CopyFrom(answer)
        return response

    @override
    def RegisterResource(self, request: Any, context: Any) -> Any:
        key = f"{request.type}::{request.name}"
        self.inputs[key] = json_format.MessageToDict(request.object)
        given = struct_pb2.Struct()
        given.CopyFrom(request.object)
        if request.custom:
            given.update({"arn": f"arn:{key}", "keyId": "key", "url": key, "repositoryUrl": "repository"})
        return resource_pb2.RegisterResourceResponse(
            urn=f"urn:pulumi:dev::tfkit::{key}", id=key, object=given
        )

    @override
    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    @override
    def Log(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    @override
    def GetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    @override
    def SetRootResource(self, request: Any, context: Any) -> Any:
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()


@pytest.fixture
def recorder() -> Iterator[tuple[Recorder, str]]:
    """A recorder, and the address at which it listens."""
    made = Recorder()
    server = grpc.server(futures.ThreadPoolExecutor(16))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(made, server)
    engine_pb2_grpc.add_EngineServicer_to_server(made, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield made, f"127.0.0.1:{port}"
    server.stop(grace=None).wait()


def project() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    return found


def own_config() -> PlatformConfig:
    """What tfkit itself would deploy to AWS with nothing set."""
    settings = msgspec.structs.replace(Settings(), target="aws", prefix="tfkit-dev", region=REGION)
    return plan.platform_config(settings, Cloud(target="aws", region=REGION, account=ACCOUNT))


def run(host: str, address: str, *arguments: str, **config: str) -> None:
    environment = {"PULUMI_CONFIG": json.dumps(config), "PULUMI_CONFIG_SECRET_KEYS": "[]", "PATH": "/bin"}
    done = subprocess.run(
        [sys.executable, "-u", "-c", host, address, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


OWN = """
import asyncio, sys
import msgspec
from pulumi import runtime
from stacks.program import platform
from toolkit.contracts import PlatformConfig
address, config, tag = sys.argv[1:]
runtime.reset_options(project="tfkit", stack="dev", monitor_address=address, engine_address=address)
program = platform(msgspec.json.decode(config, type=PlatformConfig), lambda url: f"{url}:{tag}")
asyncio.new_event_loop().run_until_complete(runtime.run_in_stack(program))
"""


def test_the_root_program_is_the_one_that_tfkit_deploys(recorder: tuple[Recorder, str]) -> None:
    seen, address = recorder
    assert set(project()["config"]) == {"tfkit:imageTag"}
    run(HOST, address, project()["main"], **{"tfkit:imageTag": IMAGE_TAG})
    plain, seen.inputs = seen.inputs, {}
    # What the deadline for a model's answer is tfkit derives from a setting; the agent has a default.
    config = msgspec.structs.replace(own_config(), agent_environment={})
    run(OWN, address, msgspec.json.encode(config).decode(), IMAGE_TAG)
    assert len(seen.inputs) > 60
    assert plain == seen.inputs


def test_the_root_program_has_the_checker_of_tfkit() -> None:
    assert CHECKER_HANDLER == plan.CHECKER_HANDLER

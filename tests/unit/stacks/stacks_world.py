"""Runs the program against Pulumi's own mocks: no engine, no cloud, no network."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks, rpc

from stacks.program import platform
from toolkit.contracts import ModelEntry, PlatformConfig, Registry

ACCOUNT = "123456789012"
REGION = "eu-central-1"
UNKNOWN = rpc.UNKNOWN

IMAGE: dict[str, Any] = {"agent_zip": {}, "build_image": lambda url: f"{url}:tag"}
"""What makes the function a container image."""

HAIKU = ModelEntry(provider="bedrock", id="anthropic.claude-haiku-v1:0")
SONNET = ModelEntry(provider="bedrock", id="eu.anthropic.claude-sonnet-v1:0")


@dataclass
class Made:
    """A resource as the program asked for it."""

    type: str
    name: str
    inputs: dict[str, Any]
    depends_on: list[str]


@dataclass
class Deployed:
    """What a run of the program registered, and what it exported."""

    resources: list[Made] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)
    secrets: set[tuple[str, str]] = field(default_factory=set)

    def all(self, kind: str) -> list[Made]:
        """The resources whose type ends with `kind`."""
        return [made for made in self.resources if made.type.endswith(f":{kind}")]

    def one(self, kind: str, name: str = "") -> Made:
        """The only resource of a kind, or the one of that name."""
        found = [made for made in self.all(kind) if name in ("", made.name)]
        assert len(found) == 1, found
        return found[0]

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """The statements of every policy document, by resource and property."""
        keys = ("policy", "assumeRolePolicy")
        return {
            f"{made.name}.{key}": json.loads(made.inputs[key])["Statement"]
            for made in self.resources
            for key in keys
            if key in made.inputs and "Statement" in made.inputs[key]
        }


class Cloud(mocks.Mocks):
    """Gives what AWS would make up, except in a preview, where it is unknown."""

    def __init__(self, preview: bool) -> None:
        self.preview = preview

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        state = dict(args.inputs)
        if args.custom and not self.preview:
            state |= {"arn": f"arn:aws:x:{REGION}:{ACCOUNT}:{args.typ}/{args.name}-id", "keyId": "key-id"}
            state |= {"url": f"https://queue/{args.name}", "repositoryUrl": f"registry/{args.name}"}
        return (None if self.preview else f"{args.name}-id"), state

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"the program looked something up: {args.token}")


class Monitor(mocks.MockMonitor):
    """Pulumi's mock monitor, which also keeps what the resources depend on and what the stack exports."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.seen = Deployed()

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
            self.seen.secrets |= {
                (request.name, key) for key, value in inputs.items() if rpc.is_rpc_secret(value)
            }
            inputs = {key: rpc.unwrap_rpc_secret(value) for key, value in inputs.items()}
            depends_on = [urn.rpartition("::")[2] for urn in request.dependencies]
            self.seen.resources.append(Made(request.type, request.name, inputs, depends_on))
        return super().RegisterResource(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if "pulumi:pulumi:Stack::" in request.urn:
            self.seen.exports |= rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        return empty_pb2.Empty()


def run(
    config: PlatformConfig,
    preview: bool = False,
    build_image: Callable[[str], str] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Deployed:
    """Runs the program once."""
    program = platform(config, build_image, secrets)
    cloud = Cloud(preview)
    monitor = Monitor(cloud)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        mocks.set_mocks(cloud, project="tfkit", stack=config.stack, preview=preview, monitor=monitor)
        pulumi.runtime.settings.set_root_resource(None)  # `run_in_stack` makes the root itself
        loop.run_until_complete(pulumi.runtime.run_in_stack(program))
    finally:
        pulumi.runtime.reset_options()
        asyncio.set_event_loop(None)
        loop.close()
    return monitor.seen


def make_config(**changes: Any) -> PlatformConfig:
    """A platform with two models and everything optional set."""
    values: dict[str, Any] = {
        "stack": "dev",
        "account": ACCOUNT,
        "region": REGION,
        "partition": "aws",
        "prefix": "tfkit-dev",
        "version": "0.1.0",
        "registry": Registry(default="haiku", models={"haiku": HAIKU, "sonnet": SONNET}),
        "tags": {"team": "platform"},
        "agent_zip": {"index.py": "def handler(event, context): ..."},
        "agent_environment": {"TFKIT_EXTRA": "1"},
        "email": "ops@example.com",
        "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    }
    return PlatformConfig(**values | changes)

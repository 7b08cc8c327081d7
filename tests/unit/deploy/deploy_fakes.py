"""A cloud of one resource type, in memory, behind a real Pulumi provider interface."""

import itertools
from typing import Any

import pulumi
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from toolkit.deploy import wire
from toolkit.errors import DeployFailed

TOKEN = "aws:test/thing:Thing"
Diff = provider_pb2.DiffResponse


class Thing(pulumi.CustomResource):
    """A resource with whatever properties; changing `name` or `parent_id` replaces it."""

    out: pulumi.Output[str]

    def __init__(self, label: str, opts: pulumi.ResourceOptions | None = None, **props: Any) -> None:
        super().__init__(TOKEN, label, {"out": None, **props}, opts)


class FakeCloud(provider_pb2_grpc.ResourceProviderServicer):
    """Keeps things by id and writes down every call. `fail` maps a label to an error message."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.fail: dict[tuple[str, str], str] = {}
        self.delete_first = False
        self._ids = itertools.count(1)

    def _call(self, operation: str, request: Any) -> None:
        self.calls.append((operation, request.name))
        if message := self.fail.get((operation, request.name)):
            raise DeployFailed(message)

    def of(self, operation: str) -> list[str]:
        return [name for kind, name in self.calls if kind == operation]

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = wire.to_plain(request.old_inputs), wire.to_plain(request.news)
        changed = [
            key for key in {*old, *new} if old.get(key) != new.get(key) and key not in request.ignoreChanges
        ]
        return Diff(
            changes=Diff.DIFF_SOME if changed else Diff.DIFF_NONE,
            diffs=changed,
            replaces=[key for key in changed if key in ("name", "parent_id")],
            deleteBeforeReplace=self.delete_first,
        )

    def Create(self, request: Any, context: Any) -> Any:
        self._call("create", request)
        inputs = wire.to_plain(request.properties)
        for known, thing in self.things.items():
            if thing.get("name") == inputs.get("name") and "name" in inputs:
                return provider_pb2.CreateResponse(id=known, properties=self._properties(known, inputs))
        made = f"id-{next(self._ids)}"
        return provider_pb2.CreateResponse(id=made, properties=self._properties(made, inputs))

    def Update(self, request: Any, context: Any) -> Any:
        self._call("update", request)
        return provider_pb2.UpdateResponse(
            properties=self._properties(request.id, wire.to_plain(request.news))
        )

    def Read(self, request: Any, context: Any) -> Any:
        self._call("read", request)
        if request.id not in self.things:
            return provider_pb2.ReadResponse()
        live = self.things[request.id]
        inputs = {name: value for name, value in live.items() if name != "out"}
        return provider_pb2.ReadResponse(
            id=request.id, properties=wire.to_struct(live), inputs=wire.to_struct(inputs)
        )

    def Delete(self, request: Any, context: Any) -> Any:
        self._call("delete", request)
        self.things.pop(request.id, None)

    def _properties(self, made: str, inputs: dict[str, Any]) -> Any:
        self.things[made] = {**inputs, "out": f"out-of-{made}"}
        return wire.to_struct(self.things[made])

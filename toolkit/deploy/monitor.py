"""The two services that Pulumi's SDK talks to while a program runs, on loopback.

`ResourceMonitor` receives the registrations, `Engine` the log and the root resource (the protocol of
`pulumi.runtime.proto`). A program may ask for much more than the platform's does; whatever is not
served here is refused by name, so that nothing is silently ignored.
"""

import logging
from concurrent import futures
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, resource_pb2, resource_pb2_grpc
from typing_extensions import override

from toolkit.deploy import wire
from toolkit.deploy.state import STACK_TYPE, Resource
from toolkit.deploy.steps import Steps
from toolkit.errors import TfkitError

log = logging.getLogger(__name__)

WORKERS = 16

# Options of a registration that change its meaning and that this engine does not have.
REFUSED = (
    "importId", "remote", "aliases", "transforms", "hooks", "deletedWith", "replace_with",
    "replaceOnChanges", "providers", "packageRef", "envVarMappings",
    "replacement_trigger", "state_migrations",
)  # fmt: skip


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Turns registrations into steps. One instance serves one run of the program."""

    def __init__(self, steps: Steps, project: str, stack: str, provider_ref: str) -> None:
        self._steps = steps
        self._project = project
        self._stack = stack
        self._provider_ref = provider_ref
        self.stack_outputs: dict[str, Any] = {}
        self.seen: set[str] = set()

    @override
    def SupportsFeature(self, request: Any, context: grpc.ServicerContext) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id == "secrets")

    @override
    def SignalAndWaitForShutdown(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    @override
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        return self._answer(context, lambda: self._invoke(request))

    @override
    def RegisterResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        return self._answer(context, lambda: self._register(request))

    @override
    def RegisterResourceOutputs(self, request: Any, context: grpc.ServicerContext) -> Any:
        return self._answer(context, lambda: self._register_outputs(request))

    def _answer(self, context: grpc.ServicerContext, call: Any) -> Any:
        try:
            return call()
        except TfkitError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, error.message)
        except ValueError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        raise AssertionError("abort raises")

    def _invoke(self, request: Any) -> Any:
        call = provider_pb2.InvokeRequest(tok=request.tok, args=request.args)
        return self._steps.providers.current.Invoke(call, None)

    def _register(self, request: Any) -> Any:
        goal = self._goal(request)
        if goal.urn in self.seen:
            raise ValueError(f"two resources have the URN {goal.urn}")
        self.seen.add(goal.urn)
        # pulumi-aws gives aliases of its own (a bucket was once a BucketV2); they matter only if used.
        if renamed := [urn for urn in request.aliasURNs if urn in self._steps.state.live]:
            raise ValueError(f"the embedded engine does not rename resources ({renamed[0]} to {goal.urn})")
        if request.custom:
            done = self._steps.register(goal, _ignored(request), request.deleteBeforeReplace)
        else:
            done = self._settle_component(goal)
        known = {**done.inputs, **done.outputs} if self._steps.preview else done.outputs
        return resource_pb2.RegisterResourceResponse(
            urn=done.urn, id=done.id, object=wire.to_struct(known if request.custom else {})
        )

    def _goal(self, request: Any) -> Resource:
        _refuse(request)
        inputs = wire.with_hashes(wire.to_plain(request.object))
        return Resource(
            urn=self._urn(request.type, request.name, request.parent),
            custom=request.custom,
            type=request.type,
            inputs=inputs,
            parent=request.parent,
            protect=request.protect,
            retain_on_delete=request.retainOnDelete,
            additional_secret_outputs=sorted(request.additionalSecretOutputs),
            provider=self._provider_ref if request.custom else "",
            dependencies=sorted(request.dependencies),
            property_dependencies={
                key: sorted(value.urns)
                for key, value in sorted(request.propertyDependencies.items())
                if value.urns
            },
        )

    def _urn(self, kind: str, name: str, parent: str) -> str:
        """A URN as Pulumi forms it: the types of the parents, without the stack's, joined by `$`."""
        above = parent.split("::")[2] if parent else ""
        path = f"{above}${kind}" if above and above != STACK_TYPE else kind
        return f"urn:pulumi:{self._stack}::{self._project}::{path}::{name}"

    def _settle_component(self, goal: Resource) -> Resource:
        old = self._steps.state.live.get(goal.urn)
        goal.outputs = old.outputs if old else {}
        if not self._steps.preview:
            self._steps.state.settle(goal, write=goal != old)
        return goal

    def _register_outputs(self, request: Any) -> Any:
        outputs = wire.to_plain(request.outputs)
        resource = self._steps.state.live.get(request.urn)
        if resource is not None and not self._steps.preview and resource.outputs != outputs:
            resource.outputs = outputs
            self._steps.state.save()
        if request.urn.split("::")[2] == STACK_TYPE:
            self.stack_outputs = outputs
        return empty_pb2.Empty()


class EngineService(engine_pb2_grpc.EngineServicer):
    """Keeps the root resource and what the program logs as errors."""

    def __init__(self) -> None:
        self._root = ""
        self.errors: list[str] = []

    @override
    def Log(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.severity == engine_pb2.ERROR:
            self.errors.append(request.message)
        log.debug("%s", request.message)
        return empty_pb2.Empty()

    @override
    def GetRootResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    @override
    def SetRootResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()


def serve(monitor: Monitor, engine: EngineService) -> tuple[grpc.Server, str]:
    """Serve both on a free port of 127.0.0.1; returns the server, to be stopped, and its address."""
    server = grpc.server(
        futures.ThreadPoolExecutor(WORKERS),
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, f"127.0.0.1:{port}"


def _ignored(request: Any) -> list[str]:
    paths = list(request.ignoreChanges)
    if nested := [path for path in paths if "." in path or "[" in path]:
        raise ValueError(f"the embedded engine ignores changes of whole properties only, not of {nested}")
    return paths


def _is_empty(value: Any) -> bool:
    return hasattr(value, "ByteSize") and value.ByteSize() == 0


def _refuse(request: Any) -> None:
    """Raise ValueError for an option or a value that this engine would have to ignore."""
    # A message that is there but empty asks for nothing; the SDK sends such ones.
    used = {field.name for field, value in request.ListFields() if not _is_empty(value)}
    if wanted := sorted(used.intersection(REFUSED)):
        raise ValueError(f"the embedded engine does not have {', '.join(wanted)} (on {request.name})")
    if request.custom and not request.type.startswith("aws:"):
        raise ValueError(f"the embedded engine has no provider for {request.type} (on {request.name})")
    if request.provider:
        raise ValueError(f"the embedded engine has the default provider only (on {request.name})")

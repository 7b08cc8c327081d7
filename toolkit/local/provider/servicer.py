"""The provider as Pulumi's protocol has it: one method per request, thin, over `kind` and `compare`."""

from collections.abc import Callable
from functools import partial, wraps
from importlib.metadata import version
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from typing_extensions import override

from toolkit.cloud import NO_KEY
from toolkit.local.provider import invokes
from toolkit.local.provider.clients import Clients
from toolkit.local.provider.compare import changed
from toolkit.local.provider.elided import evened, with_contents
from toolkit.local.provider.errors import ProviderError, translated
from toolkit.local.provider.kind import Call, Kind, make, properties, refreshed
from toolkit.local.provider.kinds import kind_of
from toolkit.local.provider.settings import region_of, settings_of
from toolkit.local.provider.table import problems
from toolkit.local.provider.wire import UNKNOWN, Props, from_struct, to_struct

Answer = TypeVar("Answer")


def _answering(method: Callable[..., Answer]) -> Callable[..., Answer]:
    """Lets `ProviderError` through to a caller in this process, and turns it into a status over gRPC."""

    @wraps(method)
    def answer(self: Any, request: Any, context: Any = None) -> Answer:
        try:
            return method(self, request, context)
        except ProviderError as error:
            if not isinstance(context, grpc.ServicerContext):
                raise
            text = f"{error.message} ({error.hint})" if error.hint else error.message
            context.abort(grpc.StatusCode.UNKNOWN, text)
            raise

    return answer


class EmulatorProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Pulumi's provider protocol over the emulator at `endpoint`, by its root key and secret.

    Its methods may be called from several threads at once, in-process with the context None. They raise
    `ProviderError` for whatever the emulator refuses and for types that are not known.
    """

    def __init__(self, endpoint: str, region: str, key: str = NO_KEY, secret: str = NO_KEY) -> None:
        self._clients_in = partial(Clients, endpoint, key=key, secret=secret)
        self._clients = self._clients_in(region)

    @override
    def GetPluginInfo(self, request: Any, context: Any = None) -> plugin_pb2.PluginInfo:
        """The version of pulumi-aws that this stands in for."""
        return plugin_pb2.PluginInfo(version=version("pulumi-aws"))

    @override
    @_answering
    def GetSchema(self, request: Any, context: Any = None) -> provider_pb2.GetSchemaResponse:
        """Refused: the programs bring pulumi_aws's own schema with them."""
        raise ProviderError(
            "tfkit's provider for the emulator has no schema of its own: it follows pulumi-aws"
        )

    @override
    @_answering
    def CheckConfig(self, request: Any, context: Any = None) -> provider_pb2.CheckResponse:
        """Refuses provider settings that would change what a program does and have no effect here."""
        _, refused = settings_of(_settings(request.news))
        failures = [provider_pb2.CheckFailure(property=name, reason=why) for name, why in refused]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    @override
    @_answering
    def DiffConfig(self, request: Any, context: Any = None) -> provider_pb2.DiffResponse:
        """Another region replaces everything that is in it; nothing else matters here.

        The new ones are made before the old ones go: the emulator keeps regions apart (tried with every
        type of the platform), and what is global, IAM and buckets, has the region in its name.
        """
        news, olds = (
            region_of(from_struct(props)) for props in (request.news, request.old_inputs or request.olds)
        )
        answer = _diff(["region"] if news and olds and news != olds else [], frozenset({"region"}))
        answer.deleteBeforeReplace = False
        return answer

    @override
    @_answering
    def Configure(self, request: Any, context: Any = None) -> provider_pb2.ConfigureResponse:
        """Takes the region; raises `ProviderError` for a setting that is refused."""
        given = {
            **_settings(request.args),
            **{k.rsplit(":", 1)[-1]: v for k, v in request.variables.items() if "__" not in k},
        }
        region, refused = settings_of(given)
        if refused:
            raise ProviderError("; ".join(why for _, why in refused))
        if region and region != self._clients.region:
            self._clients = self._clients_in(region)
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    @override
    @_answering
    def Check(self, request: Any, context: Any = None) -> provider_pb2.CheckResponse:
        """The inputs as given, with a failure for each property that is not known or is missing."""
        kind = kind_of(_type_of(request.urn))
        found = problems(kind.table, _without_region(from_struct(request.news), self._clients.region))
        failures = [provider_pb2.CheckFailure(property=name, reason=why) for name, why in found]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    @override
    @_answering
    def Diff(self, request: Any, context: Any = None) -> provider_pb2.DiffResponse:
        """New inputs with old inputs; an unknown differs from whatever was known."""
        kind = kind_of(_type_of(request.urn))
        olds = from_struct(request.old_inputs)
        if not olds:  # an engine that sends outputs only
            olds = {name: v for name, v in from_struct(request.olds).items() if name in kind.table.properties}
        differing = changed(*evened(from_struct(request.news), olds))
        return _diff([n for n in differing if n not in request.ignoreChanges], kind.table.replacing)

    @override
    @_answering
    def Create(self, request: Any, context: Any = None) -> provider_pb2.CreateResponse:
        """Makes the resource, or adopts what an interrupted run left of it."""
        kind, call, inputs = self._asked(request.urn, request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(
                properties=to_struct({**dict.fromkeys(kind.outputs, UNKNOWN), **inputs})
            )
        with translated(kind.type_name, call.name):
            id_ = make(kind, call, inputs)
            return provider_pb2.CreateResponse(id=id_, properties=_state(kind, call, id_, inputs))

    @override
    @_answering
    def Read(self, request: Any, context: Any = None) -> provider_pb2.ReadResponse:
        """The live properties; an empty id where the resource, or a part of it, is gone."""
        kind, call, props = self._asked(request.urn, request.properties)
        inputs = from_struct(request.inputs) or {k: v for k, v in props.items() if k in kind.table.properties}
        with translated(kind.type_name, call.name):
            # Code of which the contents are not told is taken to be what runs.
            live = kind.read(call, request.id, with_contents({**props, **inputs}))
        if live is None:
            return provider_pb2.ReadResponse()
        inputs = inputs or {name: live[name] for name in kind.table.properties if live.get(name) is not None}
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=to_struct(properties(kind, inputs, live)),
            inputs=to_struct(refreshed(inputs, live)),
        )

    @override
    @_answering
    def Update(self, request: Any, context: Any = None) -> provider_pb2.UpdateResponse:
        """Brings the resource to the new inputs."""
        kind, call, inputs = self._asked(request.urn, request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=to_struct({**from_struct(request.olds), **inputs}))
        with translated(kind.type_name, call.name):
            kind.update(call, request.id, inputs)
            return provider_pb2.UpdateResponse(properties=_state(kind, call, request.id, inputs))

    @override
    @_answering
    def Delete(self, request: Any, context: Any = None) -> empty_pb2.Empty:
        """Deletes the resource; gone already is fine."""
        kind, call, props = self._asked(request.urn, request.properties)
        with translated(kind.type_name, call.name):
            kind.delete(call, request.id, {**props, **from_struct(request.old_inputs)})
        return empty_pb2.Empty()

    @override
    @_answering
    def Invoke(self, request: Any, context: Any = None) -> provider_pb2.InvokeResponse:
        """The look-ups that the stacks use: caller identity, region, partition."""
        answer = invokes.answer(request.tok, self._clients)
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(answer))  # a keyword of Python's as a field's name
        return response

    @override
    def Cancel(self, request: Any, context: Any = None) -> empty_pb2.Empty:
        """Nothing to do: every call is short, and the engine starts no more."""
        return empty_pb2.Empty()

    def _asked(self, urn: str, props: struct_pb2.Struct) -> tuple[Kind, Call, Props]:
        return kind_of(_type_of(urn)), Call(self._clients, urn), from_struct(props)


def _settings(given: struct_pb2.Struct) -> Props:
    """The provider's settings, without what the engine keeps beside them for itself (`__internal`)."""
    return {name: value for name, value in from_struct(given).items() if not name.startswith("__")}


def _type_of(urn: str) -> str:
    """The type in a URN (`urn:pulumi:stack::project::parent$type::name`)."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _state(kind: Kind, call: Call, id_: str, inputs: Props) -> struct_pb2.Struct:
    live = kind.read(call, id_, inputs)
    if live is None:
        raise ProviderError(f"{kind.type_name} {call.name}: the emulator accepted {id_} and does not know it")
    return to_struct(properties(kind, inputs, live))


def _diff(differing: list[str], replacing: frozenset[str]) -> provider_pb2.DiffResponse:
    """The answer to a comparison. Replacing deletes first: the names are fixed and would collide."""
    replaces = [name for name in differing if name in replacing]
    changes = provider_pb2.DiffResponse.DIFF_SOME if differing else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=changes, diffs=differing, replaces=replaces, deleteBeforeReplace=bool(replaces)
    )


def _without_region(inputs: Props, region: str) -> Props:
    """The inputs without a `region` that is the provider's own; another one stays, to be refused."""
    return {name: value for name, value in inputs.items() if name != "region" or value != region}

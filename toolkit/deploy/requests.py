"""What the embedded engine asks a provider: the messages of Pulumi's protocol, made from the state."""

from collections.abc import Iterable
from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2

from toolkit.deploy import wire
from toolkit.deploy.secrets import reveal
from toolkit.deploy.state import Properties, Resource


def check_request(goal: Resource, old: Resource | None) -> provider_pb2.CheckRequest:
    """Are these inputs valid, and what do they become."""
    return provider_pb2.CheckRequest(
        **_named(goal), olds=plain(old.inputs if old else {}), news=plain(goal.inputs)
    )


def diff_request(
    old: Resource, inputs: Properties, ignore_changes: Iterable[str] = ()
) -> provider_pb2.DiffRequest:
    """What would it take to bring the resource to these inputs."""
    return provider_pb2.DiffRequest(
        **_known(old),
        olds=plain(old.outputs),
        old_inputs=plain(old.inputs),
        news=plain(inputs),
        ignoreChanges=list(ignore_changes),
    )


def create_request(goal: Resource) -> provider_pb2.CreateRequest:
    """Make it."""
    return provider_pb2.CreateRequest(**_named(goal), properties=plain(goal.inputs))


def update_request(old: Resource, goal: Resource) -> provider_pb2.UpdateRequest:
    """Bring it to the goal's inputs."""
    return provider_pb2.UpdateRequest(
        **_known(old), olds=plain(old.outputs), old_inputs=plain(old.inputs), news=plain(goal.inputs)
    )


def read_request(resource: Resource) -> provider_pb2.ReadRequest:
    """How is it now."""
    return provider_pb2.ReadRequest(
        **_known(resource), properties=plain(resource.outputs), inputs=plain(resource.inputs)
    )


def delete_request(resource: Resource) -> provider_pb2.DeleteRequest:
    """Delete it."""
    return provider_pb2.DeleteRequest(
        **_known(resource), properties=plain(resource.outputs), old_inputs=plain(resource.inputs)
    )


def plain(properties: Properties) -> struct_pb2.Struct:
    """Properties as a provider takes them: on the wire, and without the marks of secrets."""
    return wire.to_struct(reveal(properties))


def secret_keys(properties: Properties) -> set[str]:
    """The names of the properties that are, or hold, a secret."""
    return {key for key, value in properties.items() if wire.has_marker(value, wire.SECRET)}


def _named(resource: Resource) -> dict[str, Any]:
    return {"urn": resource.urn, "name": resource.name, "type": resource.type}


def _known(resource: Resource) -> dict[str, Any]:
    return {"id": resource.id, **_named(resource)}

"""The embedded engine's calls of a provider: a request made from the state, and what the answer means."""

from collections.abc import Iterable

from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2

from toolkit.deploy import wire
from toolkit.deploy.providers import Providers
from toolkit.deploy.report import Report
from toolkit.deploy.requests import (
    check_request,
    create_request,
    delete_request,
    diff_request,
    read_request,
    secret_keys,
    update_request,
)
from toolkit.deploy.secrets import mark_keys
from toolkit.deploy.state import Properties, Resource

Diff = provider_pb2.DiffResponse


class Calls:
    """Each goes to the provider that the resource belongs to, and raises `DeployFailed` that names it."""

    def __init__(self, providers: Providers, report: Report) -> None:
        self._providers = providers
        self._report = report

    def check(self, goal: Resource, old: Resource | None) -> Properties:
        """The inputs as the provider takes them."""
        request = check_request(goal, old)
        answer = self._report.guarded(goal, "check", lambda: self._providers.current.Check(request, None))
        if answer.failures:
            reasons = "; ".join(
                f"{f.property}: {f.reason}" if f.property else f.reason for f in answer.failures
            )
            raise self._report.failed(goal, "check", reasons)
        return mark_keys(wire.to_plain(answer.inputs), secret_keys(goal.inputs))

    def diff(self, old: Resource, inputs: Properties, ignore_changes: Iterable[str] = ()) -> Diff:
        """What it would take to bring the resource to these inputs."""
        request = diff_request(old, inputs, ignore_changes)
        return self._report.guarded(old, "diff", lambda: self._providers.of(old).Diff(request, None))

    def create(self, goal: Resource) -> None:
        """Make the resource and put its id and outputs into the goal."""
        request = create_request(goal)
        answer = self._report.guarded(goal, "create", lambda: self._providers.of(goal).Create(request, None))
        goal.id, goal.outputs = answer.id, _outputs(goal, answer.properties)

    def update(self, old: Resource, new: Resource) -> None:
        """Bring the resource to the new inputs, and put the outputs into the new one."""
        answer = self._providers.of(new).Update(update_request(old, new), None)
        new.outputs = _outputs(new, answer.properties)

    def delete(self, resource: Resource) -> None:
        """Delete the resource."""
        self._providers.of(resource).Delete(delete_request(resource), None)

    def read(self, resource: Resource) -> Resource | None:
        """The resource as it is now, or None where it is gone.

        A provider that gives no inputs leaves them to the engine, as in Pulumi.
        """
        request = read_request(resource)
        answer = self._report.guarded(
            resource, "refresh", lambda: self._providers.of(resource).Read(request, None)
        )
        if not answer.id:
            return None
        inputs = mark_keys(wire.to_plain(answer.inputs), secret_keys(resource.inputs))
        return resource.with_properties(
            inputs or resource.inputs, _outputs(resource, answer.properties) or resource.outputs
        )


def _outputs(resource: Resource, properties: struct_pb2.Struct) -> Properties:
    """What the provider answered, with what is secret marked again."""
    hidden = secret_keys(resource.inputs) | set(resource.additional_secret_outputs)
    return mark_keys(wire.to_plain(properties), hidden)

"""One resource at a time: check it, compare it with what the state knows, and do what is left to do.

`Steps` is what the embedded engine does for a registration; the executor is the provider, called in
process. In a preview nothing is called that changes anything, and what only a deployment will tell is
Pulumi's unknown value.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from threading import Event, Lock
from typing import Any

import msgspec
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2

from toolkit.contracts import ResourceEvent
from toolkit.deploy import wire
from toolkit.deploy.engine import OnEvent, Provider
from toolkit.deploy.secrets import mark_keys, reveal
from toolkit.deploy.state import Properties, Resource, State, now
from toolkit.errors import DeployFailed, Interrupted, TfkitError

Diff = provider_pb2.DiffResponse


class Steps:
    """Performs the steps of one operation on one stack; shared by the threads that serve registrations."""

    def __init__(
        self,
        provider: Provider,
        state: State,
        on_event: OnEvent,
        *,
        preview: bool,
    ) -> None:
        self.provider = provider
        self.state = state
        self.preview = preview
        self.counts: Counter[str] = Counter()
        self.deleted: list[str] = []
        self.failures: list[str] = []
        self.stop = Event()
        self._on_event = on_event
        self._lock = Lock()
        self._replacing: set[str] = set()

    def register(self, goal: Resource, ignore_changes: Iterable[str], delete_first: bool) -> Resource:
        """Bring a custom resource from what the state knows to the goal, and return how it is then.

        Raises `DeployFailed` with the resource and the cause.
        """
        old = self.state.live.get(goal.urn)
        inputs = self._check(goal, old)
        if old is not None:
            inputs |= {key: old.inputs[key] for key in ignore_changes if key in old.inputs}
        goal = msgspec.structs.replace(goal, inputs=inputs)
        if old is None:
            return self._create(goal, "replace" if goal.urn in self._replacing else "create")
        diff = self._diff(old, inputs, ignore_changes)
        if diff.replaces:
            return self._replace(old, goal, delete_first or diff.deleteBeforeReplace)
        if diff.changes == Diff.DIFF_NONE:
            return self._same(old, goal)
        return self._update(old, goal)

    def delete(self, resource: Resource) -> None:
        """Delete a resource that nothing needs any more; protected ones are refused."""
        if not resource.custom or resource.is_provider:
            if not self.preview:
                self.state.forget(resource)
            return
        if resource.protect:
            raise self._failed(resource, "delete", "it is protected; take the protection off first")
        if self.preview or resource.retain_on_delete:
            self._tell(resource, "delete", "done")
        else:
            self._perform(resource, "delete", "deleting", lambda: self._call_delete(resource))
        if not self.preview:
            self.state.forget(resource)
        with self._lock:
            # What a replacement left behind is part of the replacement, which is already counted.
            if not resource.delete:
                self.counts["delete"] += 1
            self.deleted.append(resource.urn)

    def read(self, resource: Resource) -> None:
        """Ask the provider for a resource and take over what it says; forget the resource if it is gone."""
        request = read_request(resource)
        answer = self._guard(resource, "refresh", lambda: self.provider.Read(request, None))
        if not answer.id:
            self._tell(resource, "refresh", "done", error="gone")
            self.state.forget(resource)
            with self._lock:
                self.counts["delete"] += 1
                self.deleted.append(resource.urn)
            return
        resource.outputs = self._outputs(resource, answer.properties) or resource.outputs
        with self._lock:
            self.counts["same"] += 1

    def recover(self) -> None:
        """Finish creations of which the end is not known because the process was killed in between.

        The provider takes over what exists already, so afterwards the state knows of everything.
        """
        for operation in list(self.state.pending):
            if operation.type != "creating":
                continue
            resource, old = operation.resource, self.state.live.get(operation.resource.urn)
            self._call_create(resource)
            if old is None or old.id != resource.id:
                self.state.adopt(resource)

    # -- what a registration can come to ---------------------------------------------------------

    def _create(self, goal: Resource, operation: str, replaced: Resource | None = None) -> Resource:
        if self.preview:
            self._count(goal, operation)
            return goal
        goal.created = goal.modified = now()
        self._perform(goal, operation, "creating", lambda: self._call_create(goal))
        self.state.settle(goal, replaced=replaced)
        self._count(goal, operation, told=True)
        return goal

    def _same(self, old: Resource, goal: Resource) -> Resource:
        new = msgspec.structs.replace(
            goal, id=old.id, outputs=old.outputs, created=old.created, modified=old.modified
        )
        if not self.preview:
            self.state.settle(new, write=new != old)
        self._count(new, "same")
        return new

    def _update(self, old: Resource, goal: Resource) -> Resource:
        new = msgspec.structs.replace(
            goal, id=old.id, outputs={**old.outputs, **goal.inputs}, created=old.created, modified=now()
        )
        if self.preview:
            self._count(new, "update")
            return new

        def call() -> None:
            request = provider_pb2.UpdateRequest(
                **_known(old),
                olds=_plain(old.outputs),
                old_inputs=_plain(old.inputs),
                news=_plain(goal.inputs),
            )
            new.outputs = self._outputs(goal, self.provider.Update(request, None).properties)

        self._perform(old, "update", "updating", call)
        self.state.settle(new)
        self._count(new, "update", told=True)
        return new

    def _replace(self, old: Resource, goal: Resource, delete_first: bool) -> Resource:
        if old.protect:
            raise self._failed(old, "replace", "it is protected; take the protection off first")
        if not delete_first:
            return self._create(goal, "replace", replaced=old)
        for dependent in self._replaced_with(old):
            self._replacing.add(dependent.urn)
            self._delete_old(dependent)
        return self._create(goal, "replace")

    def _delete_old(self, old: Resource) -> None:
        if self.preview:
            self.state.live.pop(old.urn, None)
            return
        self._perform(old, "delete", "deleting", lambda: self._call_delete(old))
        self.state.forget(old)

    def _replaced_with(self, root: Resource) -> list[Resource]:
        """The resource and those that cannot outlive it, dependents first.

        As in Pulumi: a dependent goes along only if not knowing the properties that come from the
        replaced resource would replace the dependent too.
        """
        order: list[Resource] = []

        def visit(resource: Resource) -> None:
            for other in list(self.state.live.values()):
                lost = [k for k, urns in other.property_dependencies.items() if resource.urn in urns]
                if not other.custom or not lost or other in order:
                    continue
                unknown = {**other.inputs, **dict.fromkeys(lost, wire.UNKNOWN)}
                if self._diff(other, unknown, ()).replaces:
                    visit(other)
            if resource not in order:
                order.append(resource)

        visit(root)
        return order

    # -- the provider ----------------------------------------------------------------------------

    def _check(self, goal: Resource, old: Resource | None) -> Properties:
        request = provider_pb2.CheckRequest(
            **_named(goal), olds=_plain(old.inputs if old else {}), news=_plain(goal.inputs)
        )
        answer = self._guard(goal, "check", lambda: self.provider.Check(request, None))
        if answer.failures:
            reasons = "; ".join(
                f"{f.property}: {f.reason}" if f.property else f.reason for f in answer.failures
            )
            raise self._failed(goal, "check", reasons)
        return mark_keys(wire.to_plain(answer.inputs), _secret_keys(goal.inputs))

    def _diff(self, old: Resource, inputs: Properties, ignore_changes: Iterable[str]) -> Diff:
        request = provider_pb2.DiffRequest(
            **_known(old),
            olds=_plain(old.outputs),
            old_inputs=_plain(old.inputs),
            news=_plain(inputs),
            ignoreChanges=list(ignore_changes),
        )
        return self._guard(old, "diff", lambda: self.provider.Diff(request, None))

    def _call_create(self, goal: Resource) -> None:
        request = provider_pb2.CreateRequest(**_named(goal), properties=_plain(goal.inputs))
        answer = self._guard(goal, "create", lambda: self.provider.Create(request, None))
        goal.id, goal.outputs = answer.id, self._outputs(goal, answer.properties)

    def _outputs(self, resource: Resource, properties: struct_pb2.Struct) -> Properties:
        """What the provider answered, with what is secret marked again."""
        hidden = _secret_keys(resource.inputs) | set(resource.additional_secret_outputs)
        return mark_keys(wire.to_plain(properties), hidden)

    def _call_delete(self, resource: Resource) -> None:
        request = provider_pb2.DeleteRequest(
            **_known(resource), properties=_plain(resource.outputs), old_inputs=_plain(resource.inputs)
        )
        self.provider.Delete(request, None)

    # -- events and errors -----------------------------------------------------------------------

    def _perform(self, resource: Resource, operation: str, pending: str, call: Callable[[], None]) -> None:
        """Do a step that changes the cloud: written down before, reported before and after."""
        if self.stop.is_set():
            raise Interrupted(f"stopped before {operation} of {resource.name}")
        self.state.start(resource, pending)
        self._tell(resource, operation, "started")
        started = time.monotonic()
        try:
            self._guard(resource, operation, call)
        except DeployFailed:
            self.state.fail(resource)
            raise
        self._tell(resource, operation, "done", time.monotonic() - started)

    def _guard(self, resource: Resource, operation: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except DeployFailed as error:
            if error.message in self.failures:
                raise
            raise self._failed(resource, operation, error.message, error.hint) from error
        except TfkitError as error:
            raise self._failed(resource, operation, error.message, error.hint) from error
        except Exception as error:  # a provider may raise anything; the reader wants to know where
            raise self._failed(resource, operation, f"{type(error).__name__}: {error}") from error

    def _failed(self, resource: Resource, operation: str, why: str, hint: str = "") -> DeployFailed:
        message = f"{operation} of {resource.name} ({resource.type}) failed: {why}"
        with self._lock:
            self.failures.append(message)
        self._tell(resource, operation, "failed", error=why)
        return DeployFailed(message, hint or "mend the cause and run the command again; it goes on from here")

    def _count(self, resource: Resource, operation: str, *, told: bool = False) -> None:
        with self._lock:
            self.counts[operation] += 1
        if not told:
            self._tell(resource, operation, "done")

    def _tell(
        self, resource: Resource, operation: str, state: str, seconds: float = 0.0, error: str = ""
    ) -> None:
        self._on_event(
            ResourceEvent(resource.urn, resource.type, resource.name, operation, state, seconds, error)
        )


def _secret_keys(properties: Properties) -> set[str]:
    return {key for key, value in properties.items() if wire.has_marker(value, wire.SECRET)}


def read_request(resource: Resource) -> provider_pb2.ReadRequest:
    """Ask for a resource as the state knows it."""
    return provider_pb2.ReadRequest(
        **_known(resource), properties=_plain(resource.outputs), inputs=_plain(resource.inputs)
    )


def _plain(properties: Properties) -> struct_pb2.Struct:
    """Properties as a provider takes them: on the wire, and without the marks of secrets."""
    return wire.to_struct(reveal(properties))


def _named(resource: Resource) -> dict[str, Any]:
    return {"urn": resource.urn, "name": resource.name, "type": resource.type}


def _known(resource: Resource) -> dict[str, Any]:
    return {"id": resource.id, **_named(resource)}

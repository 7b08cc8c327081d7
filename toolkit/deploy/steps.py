"""One resource at a time: check it, compare it with what the state knows, and do what is left to do.

`Steps` is what the embedded engine does for a registration; the executor is the provider, called in
process (`calls`). In a preview nothing is called that changes anything, and what only a deployment will
tell is Pulumi's unknown value.
"""

import time
from collections.abc import Callable, Iterable
from graphlib import TopologicalSorter
from threading import Event

import msgspec

from toolkit.deploy import wire
from toolkit.deploy.calls import Calls, Diff
from toolkit.deploy.engine import Drift, OnEvent
from toolkit.deploy.providers import Providers
from toolkit.deploy.report import Report
from toolkit.deploy.state import Resource, State, now
from toolkit.errors import DeployFailed, Interrupted


class Steps:
    """Performs the steps of one operation on one stack; shared by the threads that serve registrations."""

    def __init__(self, providers: Providers, state: State, on_event: OnEvent, *, preview: bool) -> None:
        self.providers = providers
        self.state = state
        self.preview = preview
        self.report = Report(on_event)
        self.stop = Event()
        self._calls = Calls(providers, self.report)
        self._replacing: set[str] = set()

    def register(self, goal: Resource, ignore_changes: Iterable[str], delete_first: bool) -> Resource:
        """Bring a custom resource from what the state knows to the goal, and return how it is then.

        Raises `DeployFailed` with the resource and the cause.
        """
        old = self.state.live.get(goal.urn)
        inputs = self._calls.check(goal, old)
        if old is not None:
            inputs |= {key: old.inputs[key] for key in ignore_changes if key in old.inputs}
        goal = msgspec.structs.replace(goal, inputs=inputs)
        if old is None:
            return self._create(goal, "replace" if goal.urn in self._replacing else "create")
        if self.providers.moved(old):  # as in Pulumi, whatever the provider would say of the properties
            return self._replace(old, goal, delete_first)
        diff = self._calls.diff(old, inputs, ignore_changes)
        if diff.replaces:
            return self._replace(old, goal, delete_first or diff.deleteBeforeReplace)
        if diff.changes == Diff.DIFF_NONE:
            return self._same(old, goal)
        return self._update(old, goal)

    def delete(self, resource: Resource) -> None:
        """Delete a resource that nothing needs any more; protected ones are refused."""
        if not resource.custom or resource.is_provider or self._taken_over(resource):
            if not self.preview:
                self.state.forget(resource)
            return
        if resource.protect:
            raise self.report.failed(resource, "delete", "it is protected; take the protection off first")
        if self.preview or resource.retain_on_delete:
            self.report.tell(resource, "delete", "done")
        else:
            self._perform(resource, "delete", "deleting", lambda: self._calls.delete(resource))
        if not self.preview:
            self.state.forget(resource)
        # What a replacement left behind is part of the replacement, which is already counted.
        if not resource.delete:
            self.report.count("delete")
        self.report.gone(resource)

    def refresh(self, resource: Resource) -> None:
        """Take over how the resource is now; forget it where it is gone."""
        live = self._calls.read(resource)
        if live is not None:
            self.state.reread(live)
            self.report.count("same")
            return
        self.state.forget(resource)
        self.report.tell(resource, "refresh", "done", error="gone")
        self.report.count("delete")
        self.report.gone(resource)

    def drift(self, resource: Resource) -> Drift | None:
        """How the resource differs from the state, or None where it does not.

        As in a refresh of Pulumi's (`RefreshStep.Apply`), the provider is asked what would bring the live
        resource to the inputs that the state has.
        """
        live = self._calls.read(resource)
        self.report.tell(resource, "refresh", "done", error="" if live else "gone")
        changed = sorted(self._calls.diff(live, resource.inputs).diffs) if live else []
        if live and not changed:
            return None
        return Drift(urn=resource.urn, type=resource.type, name=resource.name, gone=not live, changed=changed)

    def recover(self) -> None:
        """Settle what was under way when the process was killed, so that the state knows what there is.

        A creation is done again: the provider takes over what exists already. For any other step the
        resource is read.
        """
        for operation in list(self.state.pending):
            resource, old = operation.resource, self.state.live.get(operation.resource.urn)
            if operation.type == "creating":
                self._calls.create(resource)
                if old is None or old.id != resource.id or not self.providers.together(old, resource):
                    self.state.adopt(resource)
            elif old is not None and old.id == resource.id:
                live = self._calls.read(old)
                if live is None:
                    self.state.forget(old)
                else:
                    self.state.reread(live)

    def _taken_over(self, resource: Resource) -> bool:
        """Whether another resource of the state is the same thing in the cloud.

        A replacement that was cut off and taken back leaves that: its creation has taken over what was
        left to be deleted. An id alone does not say it: two log groups may have a stream of one name.
        """
        others = [
            other
            for other in list(self.state.live.values())
            if other is not resource and (other.type, other.id) == (resource.type, resource.id)
        ]
        return any(
            self.providers.together(resource, other) and not self._calls.diff(resource, other.inputs).replaces
            for other in others
        )

    # -- what a registration can come to ---------------------------------------------------------

    def _create(self, goal: Resource, operation: str, replaced: Resource | None = None) -> Resource:
        if self.preview:
            self._done(goal, operation)
            return goal
        goal.created = goal.modified = now()
        self._perform(goal, operation, "creating", lambda: self._calls.create(goal))
        self.state.settle(goal, replaced=replaced)
        self.report.count(operation)
        return goal

    def _same(self, old: Resource, goal: Resource) -> Resource:
        new = msgspec.structs.replace(
            goal, id=old.id, outputs=old.outputs, created=old.created, modified=old.modified
        )
        if not self.preview:
            self.state.settle(new, write=new != old)
        self._done(new, "same")
        return new

    def _update(self, old: Resource, goal: Resource) -> Resource:
        new = msgspec.structs.replace(
            goal, id=old.id, outputs={**old.outputs, **goal.inputs}, created=old.created, modified=now()
        )
        if self.preview:
            self._done(new, "update")
            return new
        self._perform(old, "update", "updating", lambda: self._calls.update(old, new))
        self.state.settle(new)
        self.report.count("update")
        return new

    def _replace(self, old: Resource, goal: Resource, delete_first: bool) -> Resource:
        if old.protect:
            raise self.report.failed(old, "replace", "it is protected; take the protection off first")
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
        self._perform(old, "delete", "deleting", lambda: self._calls.delete(old))
        self.state.forget(old)

    def _replaced_with(self, root: Resource) -> list[Resource]:
        """The resource and those that cannot outlive it, dependents first.

        As in Pulumi: a dependent goes along only if not knowing the properties that come from the
        replaced resource would replace the dependent too. The order goes by all that one needs of another,
        properties or not.
        """
        found = {root.urn: root}
        todo = [root]
        while todo:
            gone = todo.pop()
            for other in list(self.state.live.values()):
                lost = [k for k, urns in other.property_dependencies.items() if gone.urn in urns]
                if not other.custom or not lost or other.urn in found:
                    continue
                unknown = {**other.inputs, **dict.fromkeys(lost, wire.UNKNOWN)}
                if self._calls.diff(other, unknown).replaces:
                    found[other.urn] = other
                    todo.append(other)
        order = TopologicalSorter({urn: each.needs & found.keys() - {urn} for urn, each in found.items()})
        return [found[urn] for urn in reversed(list(order.static_order()))]

    def _perform(self, resource: Resource, operation: str, pending: str, call: Callable[[], None]) -> None:
        """Do a step that changes the cloud: written down before, reported before and after."""
        if self.stop.is_set():
            raise Interrupted(f"stopped before {operation} of {resource.name}")
        self.state.start(resource, pending)
        self.report.tell(resource, operation, "started")
        started = time.monotonic()
        try:
            self.report.guarded(resource, operation, call)
        except DeployFailed:
            self.state.close(resource)
            raise
        self.report.tell(resource, operation, "done", time.monotonic() - started)

    def _done(self, resource: Resource, operation: str) -> None:
        """A step that called nothing: of a preview, or one that leaves all as it is."""
        self.report.count(operation)
        self.report.tell(resource, operation, "done")

"""What an `Engine` does, in operations of Pulumi's CLI; `automation` speaks to the CLI.

    preview, up ──▶ what lives in another region is to be replaced; what a kill left open is settled first
    drift       ──▶ a refresh that is not done
    destroy     ──▶ everything, or with something kept a targeted destroy of the rest

What the CLI does with it was read in its source (github.com/pulumi/pulumi, pkg/resource/deploy), as named
below, and is not run in this repository, where there is no CLI.
"""

import json
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import msgspec

from toolkit.contracts import Changes, ResourceEvent
from toolkit.deploy.engine import Drift, OnEvent, Program, Summary
from toolkit.deploy.imported import checked
from toolkit.deploy.order import kept_with
from toolkit.deploy.pulumi_events import Journal
from toolkit.deploy.pulumi_place import PASSPHRASE, Place
from toolkit.deploy.pulumi_state import blanked, elsewhere, resources_of, sealed, without_outputs
from toolkit.deploy.state import Resource
from toolkit.errors import DeployFailed

Stack = Any
"""A `pulumi.automation.Stack`, which only `automation` imports."""


@dataclass(frozen=True)
class PulumiEngine(ABC):
    """An `Engine` over the Pulumi CLI. `place` says where the stack lives."""

    place: Place
    project: str
    stack: str

    # -- what every engine does ------------------------------------------------------------------

    def preview(self, program: Program, on_event: OnEvent) -> Summary:
        """What `up` would do. A stack that is not there yet is previewed in a backend that is thrown away."""
        stack = self._select()
        if stack is not None:
            moved = elsewhere(resources_of(self._export(stack)), self.place.region)
            return self._operate(stack, on_event, stack.preview, program=program, replace=moved)
        with self._throwaway() as other:
            copy = other._create()
            return other._operate(copy, on_event, copy.preview, program=program)

    def up(self, program: Program, on_event: OnEvent) -> Summary:
        """Make the cloud what the program says; first settle what an interrupted run left open."""
        stack = self._create()
        moved = elsewhere(resources_of(self._settled(stack, on_event)), self.place.region)
        return self._operate(stack, on_event, stack.up, program=program, replace=moved, show_secrets=False)

    def refresh(self, on_event: OnEvent) -> Summary:
        """Take over into the state how everything is now, and drop what is gone; `up` then mends it.

        A creation that was cut off is dropped too.
        """
        stack = self._select()
        if stack is None:
            return Summary(changes=Changes())
        return self._refresh(stack, on_event)

    def drift(self, on_event: OnEvent) -> list[Drift]:
        """What differs between the state and the cloud, by a preview of a refresh; changes neither."""
        stack = self._select()
        if stack is None:
            return []
        journal = Journal(on_event, refreshing=True, hidden=self.place.hidden)
        self._follow(stack, journal, stack.preview_refresh)
        return journal.drift()

    def destroy(self, on_event: OnEvent, keep: Collection[str] = ()) -> Summary:
        """Delete everything in the state, dependents first, and the stack with it.

        With something of `keep` there, that and what it needs stays, and so does the stack. Pulumi would
        leave its outputs as they were; they are taken out of the state before anything is deleted, so
        that no moment has outputs of a platform that is not whole.
        """
        stack = self._select()
        if stack is None:
            return Summary(changes=Changes())
        document = self._settled(stack, on_event)
        gone, kept = _divided(resources_of(document), keep)
        if not kept:
            return self._operate(stack, on_event, stack.destroy, show_secrets=False, remove=True)
        self._import(stack, without_outputs(document))
        if not gone:
            return Summary(changes=Changes())
        return self._operate(stack, on_event, stack.destroy, show_secrets=False, target=gone)

    def plan_destroy(self, on_event: OnEvent, keep: Collection[str] = ()) -> Summary:
        """What `destroy` would delete; changes nothing."""
        stack = self._select()
        if stack is None:
            return Summary(changes=Changes())
        gone, kept = _divided(resources_of(self._export(stack)), keep) if keep else ([], set[str]())
        if kept and not gone:
            return Summary(changes=Changes())
        return self._operate(stack, on_event, stack.preview_destroy, target=gone if kept else None)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets masked; empty where nothing is deployed."""
        stack = self._select()
        return {} if stack is None else self._ask(stack, "stack", "output", "--json")

    def export_state(self) -> dict[str, Any]:
        """The state as a deployment document of version 3; secrets stay encrypted."""
        stack = self._select()
        return {"version": 3, "deployment": None} if stack is None else self._export(stack)

    def import_state(self, document: Mapping[str, Any], *, force: bool = False) -> None:
        """Take over a deployment document, also one of the embedded engine's (same passphrase file).

        Raises `DeployFailed` for one of another stack, and, unless `force`, where something is deployed.
        Pulumi drops creations that were cut off on import; `up` makes them again.
        """
        checked(document, self.project, self.stack)
        stack = self._create()
        if not force and any(r.custom and not r.is_provider for r in resources_of(self._export(stack))):
            raise DeployFailed(
                f"the stack {self.stack!r} has resources, which the imported state would replace",
                "take it down first (tfkit down), or put the imported one in its place: --force",
            )
        self._import(stack, document)

    def cancel(self) -> None:
        """Take every lock off the stack. For a lock whose owner is known to be gone."""
        stack = self._select()
        if stack is not None:
            self._guarded(stack.cancel)

    def resources(self) -> list[Resource]:
        """What the state knows, in its order, also what a replacement left behind."""
        return resources_of(self.export_state())

    def still_there(self, resources: Iterable[Resource]) -> list[Resource]:
        """Those of these resources that the provider still finds.

        The CLI has no command that reads one resource, so a copy of the state, without its secrets, is
        refreshed in a backend that is thrown away. `resources` is a whole state, as `resources()` gives it.
        """
        given = list(resources)
        custom = [r for r in given if r.custom and not r.is_provider]
        if not custom:
            return []
        copies = [{"custom": False, **blanked(msgspec.to_builtins(r))} for r in given]
        with self._throwaway() as other:
            other._import(other._create(), {"version": 3, "deployment": {"resources": copies}})
            other.refresh(lambda _event: None)
            left = {r.urn for r in other.resources()}
        return [r for r in custom if r.urn in left]

    # -- parts -----------------------------------------------------------------------------------

    def _settled(self, stack: Stack, on_event: OnEvent) -> dict[str, Any]:
        """The state, in which nothing is left open by an interrupted run: creations cut off are dropped.

        Each is reported. If one did happen, `up` meets it: the emulator's provider takes over what carries
        the stack's tag; AWS refuses most names that are taken, and `pulumi_errors` says what to do then.
        """
        document = self._export(stack)
        pending = (document.get("deployment") or {}).get("pending_operations") or []
        if not pending:
            return document
        self._refresh(stack, lambda _event: None)
        for operation in pending:
            urn, kind = operation["resource"]["urn"], operation["resource"].get("type", "")
            why = f"it was cut off while {operation.get('type', 'under way')}"
            on_event(ResourceEvent(urn, kind, urn.rsplit("::", 1)[-1], "refresh", "done", 0.0, why))
        return self._export(stack)

    def _refresh(self, stack: Stack, on_event: OnEvent) -> Summary:
        return self._operate(
            stack, on_event, stack.refresh, refreshing=True, show_secrets=False, clear_pending_creates=True
        )

    def _operate(
        self,
        stack: Stack,
        on_event: OnEvent,
        method: Callable[..., Any],
        *,
        refreshing: bool = False,
        **options: Any,
    ) -> Summary:
        """Run one operation of the SDK to its end, with its events as ours. Raises its error as ours."""
        started = time.monotonic()
        journal = Journal(on_event, refreshing=refreshing, hidden=self.place.hidden)
        outputs = getattr(self._follow(stack, journal, method, **options), "outputs", {})
        plain = {key: "[secret]" if value.secret else value.value for key, value in outputs.items()}
        return journal.summary(plain, time.monotonic() - started)

    @contextmanager
    def _throwaway(self) -> Iterator[Self]:
        """The same engine over an empty backend that is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="tfkit-") as folder:
            place = replace(self.place, folder=Path(folder), backend_url="", secrets_provider=PASSPHRASE)
            yield replace(self, place=place)

    def _export(self, stack: Stack) -> dict[str, Any]:
        return self._ask(stack, "stack", "export")

    def _import(self, stack: Stack, document: Mapping[str, Any]) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self.place.work, suffix=".json") as file:
            json.dump(sealed(document), file)
            file.flush()
            self._run(stack, "stack", "import", "--file", file.name)

    def _ask(self, stack: Stack, *words: str) -> dict[str, Any]:
        """A command that answers with a JSON object."""
        answer: dict[str, Any] = json.loads(self._run(stack, *words) or "{}")
        return answer

    # -- the CLI ---------------------------------------------------------------------------------

    @abstractmethod
    def _select(self) -> Stack | None:
        """The stack, or None where there is none."""

    @abstractmethod
    def _create(self) -> Stack:
        """The stack, made where there is none."""

    @abstractmethod
    def _follow(self, stack: Stack, journal: Journal, method: Callable[..., Any], **options: Any) -> Any:
        """Run one operation of the SDK to its end, with its events in the journal; returns its result."""

    @abstractmethod
    def _guarded(self, call: Callable[[], Any]) -> Any:
        """Do it; an error of the SDK's becomes one of ours."""

    @abstractmethod
    def _run(self, stack: Stack, *words: str) -> str:
        """A command on the stack; what it printed."""


def _divided(resources: list[Resource], keep: Collection[str]) -> tuple[list[str], set[str]]:
    """The URNs that go, in the state's order, and those that stay.

    A targeted destroy of Pulumi's refuses to delete what depends on a target and is none itself
    (`GenerateDeletes` in pkg/resource/deploy/step_generator.go); since everything that something kept
    needs is kept, whatever depends on what goes is in the list.
    """
    kept = kept_with(resources, keep)
    return list(dict.fromkeys(r.urn for r in resources if r.urn not in kept)), kept

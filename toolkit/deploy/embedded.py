"""The embedded engine: the platform's Pulumi program, run with nothing but what PyPI has.

It is the same SDK and the same program as with the real engine, spoken to over Pulumi's public
protocol:

    program ──gRPC──▶ Monitor ──▶ Steps: check, diff, create / update / replace ──▶ provider
                                    │                                       (providers: which one)
                                    └──▶ State: deployment format 3, after each step

    destroy ──▶ order: what stays, dependents first ──▶ Steps

It has no more of Pulumi's semantics than the platform's program uses; the rest is refused by name.
"""

import asyncio
import contextvars
import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc
import pulumi

from toolkit.contracts import Changes
from toolkit.deploy.disk import exclusive, remove_leftovers
from toolkit.deploy.engine import Drift, OnEvent, Program, Provider, Summary
from toolkit.deploy.imported import checked, understood
from toolkit.deploy.interrupts import to_the_end
from toolkit.deploy.monitor import EngineService, Monitor, serve
from toolkit.deploy.order import WORKERS, delete_all, in_parallel, kept_with
from toolkit.deploy.providers import ProviderFor, Providers
from toolkit.deploy.report import GOES_ON
from toolkit.deploy.requests import read_request
from toolkit.deploy.state import Resource, State, read_outputs, urn_prefix
from toolkit.deploy.steps import Steps
from toolkit.errors import DeployFailed

BEFORE_IMPORT = "state.before-import.json"
"""The state that the last forced import replaced."""


def _silent(_text: str) -> None:
    """Note nothing."""


class EmbeddedEngine:
    """An `Engine` over a provider in this process; the state lies in `folder`.

    `provider_for` gives a provider for other inputs than `provider_inputs`; what an earlier `up` made in
    another region is read and deleted by it. Without one, a resource in another region is an error.
    `note` hears what a person should know of an operation that went well.
    """

    def __init__(
        self,
        folder: Path,
        project: str,
        stack: str,
        provider: Provider,
        provider_inputs: Mapping[str, Any],
        provider_for: ProviderFor | None = None,
        note: Callable[[str], None] = _silent,
    ) -> None:
        self._folder = folder
        self._project = project
        self._stack = stack
        self._provider = provider
        self._provider_inputs = provider_inputs
        self._provider_for = provider_for
        self._note = note

    def preview(self, program: Program, on_event: OnEvent) -> Summary:
        """What `up` would do; changes nothing, neither the cloud nor the state."""
        started = time.monotonic()
        steps = self._steps(on_event, preview=True)
        outputs = self._run(program, steps)
        delete_all([r for r in steps.state.unsettled() if r.urn not in self._seen], steps.delete)
        return _summary(steps, outputs, started)

    def up(self, program: Program, on_event: OnEvent) -> Summary:
        """Make the cloud what the program says; what it no longer mentions is deleted at the end."""
        started = time.monotonic()
        with self._alone():
            steps = self._steps(on_event)
            steps.state.begin()
            steps.recover()
            outputs = self._run(program, steps)
            delete_all(steps.state.unsettled(), steps.delete)
            steps.state.save()
        return _summary(steps, outputs, started)

    def refresh(self, on_event: OnEvent) -> Summary:
        """Take over into the state how everything is now, and drop what is gone; `up` then mends it."""
        started = time.monotonic()
        with self._alone():
            steps = self._steps(on_event)
            in_parallel(_custom(steps.state.live.values()), steps.refresh)
            if steps.state.everything:
                steps.state.save()
        return _summary(steps, self.outputs(), started)

    def drift(self, on_event: OnEvent) -> list[Drift]:
        """What differs between the state and the cloud, in the state's order; changes neither."""
        steps = self._steps(on_event, preview=True)
        known = _custom(steps.state.live.values())
        found: dict[str, Drift | None] = {}

        def look(resource: Resource) -> None:
            found[resource.urn] = steps.drift(resource)

        in_parallel(known, look)
        return [drift for resource in known if (drift := found[resource.urn])]

    def destroy(self, on_event: OnEvent, keep: Collection[str] = ()) -> Summary:
        """Delete everything in the state, dependents first, and the state with it.

        With something of `keep` there, that and what it needs stays, and so does the state, without
        outputs: the next `up` goes on with it as its own.
        """
        started = time.monotonic()
        with self._alone():
            steps = self._steps(on_event)
            steps.recover()
            kept = kept_with(steps.state.everything, keep)
            if kept:
                steps.state.empty_outputs()
            delete_all([r for r in steps.state.everything if r.urn not in kept], steps.delete)
            if not kept:
                self.state_path.unlink(missing_ok=True)
        return _summary(steps, {}, started)

    def plan_destroy(self, on_event: OnEvent, keep: Collection[str] = ()) -> Summary:
        """What `destroy` would delete; changes nothing."""
        started = time.monotonic()
        steps = self._steps(on_event, preview=True)
        kept = kept_with(steps.state.everything, keep)
        delete_all([r for r in steps.state.everything if r.urn not in kept], steps.delete)
        return _summary(steps, {}, started)

    def resources(self) -> list[Resource]:
        """Everything in the state."""
        return list(self._state().live.values())

    def still_there(self, resources: Iterable[Resource]) -> list[Resource]:
        """Ask the provider for each of these; those that it still finds, in the same order."""
        given = list(resources)
        providers = self._providers(self._state(), given)
        custom = _custom(given)
        found: set[int] = set()

        def look(resource: Resource) -> None:
            if providers.of(resource).Read(read_request(resource), None).id:
                found.add(id(resource))

        in_parallel(custom, look)
        return [r for r in custom if id(r) in found]

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs; empty where nothing is deployed."""
        return read_outputs(self.state_path, urn_prefix(self._project, self._stack))

    def export_state(self) -> dict[str, Any]:
        """The state as a deployment document of version 3, as `pulumi stack import` takes it."""
        return self._state().document()

    def import_state(self, document: Mapping[str, Any], *, force: bool = False) -> None:
        """Take over a deployment document, also one of the real engine's (same passphrase file).

        Raises `DeployFailed` for one of another stack, one that this engine cannot go on with, and, unless
        `force`, where something is deployed. What is deployed is forgotten then, not deleted, and the state
        that knew of it stays beside the new one, as `BEFORE_IMPORT`, which `note` hears.
        """
        deployment = understood(checked(document, self._project, self._stack))
        with self._alone():
            state = self._state()
            if _custom(state.everything) and not force:
                raise DeployFailed(
                    f"the stack {self._stack!r} has resources, which the imported state would replace",
                    "take it down first (tfkit down), or put the imported one in its place: --force; "
                    f"this one is kept then, as {BEFORE_IMPORT}",
                )
            replaced = bool(state.everything)
            state.take_over(deployment)
            if replaced:
                copy = self.state_path.with_name(BEFORE_IMPORT)
                state.keep_copy(copy)
                self._note(f"the state that was replaced is kept as {copy}")
            state.save()

    def cancel(self) -> None:
        """Nothing to take off: the lock of this engine dies with its process.

        Raises `DeployFailed` naming the process that works on the stack, where one does.
        """
        if not self._folder.exists():
            return
        try:
            with self._alone():
                pass
        except DeployFailed as busy:
            raise DeployFailed(
                busy.message, "press Ctrl-C there, or end that process; its lock goes with it"
            ) from busy

    @property
    def state_path(self) -> Path:
        """The state's file."""
        return self._folder / "state.json"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the stack; what a killed process left half written goes."""
        with exclusive(self._folder / "lock"):
            for name in (self.state_path.name, BEFORE_IMPORT):
                remove_leftovers(self._folder / name)
            yield

    def _state(self) -> State:
        return State(self.state_path, version("pulumi"), urn_prefix(self._project, self._stack))

    def _steps(self, on_event: OnEvent, *, preview: bool = False) -> Steps:
        state = self._state()
        return Steps(self._providers(state), state, on_event, preview=preview)

    def _providers(self, state: State, others: Iterable[Resource] = ()) -> Providers:
        return Providers(self._provider, self._provider_inputs, state, self._provider_for, others)

    def _run(self, program: Program, steps: Steps) -> dict[str, Any]:
        """Run the program against a monitor of its own and return the stack's outputs."""
        provider = self._default_provider(steps)
        monitor = Monitor(steps, self._project, self._stack, f"{provider.urn}::{provider.id}")
        log = EngineService()
        server, address = serve(monitor, log)
        try:
            _, interrupts = to_the_end(
                lambda: contextvars.copy_context().run(self._in_sdk, program, address, steps.preview),
                on_interrupt=steps.stop.set,  # what is under way ends and is written down
            )
        except Exception as error:  # the SDK raises what it likes, also bare `Exception`
            raise self._cause(steps, log, error) from error
        finally:
            server.stop(grace=60).wait()
        if interrupts:
            raise KeyboardInterrupt
        if first := _first_failure(steps):
            raise first
        self._seen = monitor.seen
        return monitor.stack_outputs

    def _in_sdk(self, program: Program, address: str, preview: bool) -> None:
        """What `pulumi.automation._server.LanguageServer.Run` does for an inline program."""
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        pulumi.runtime.reset_options(
            project=self._project,
            stack=self._stack,
            monitor_address=address,
            engine_address=address,
            preview=preview,
            parallel=WORKERS,
        )
        loop = asyncio.new_event_loop()
        loop.set_default_executor(ThreadPoolExecutor(max_workers=WORKERS * 4))
        try:
            loop.run_until_complete(pulumi.runtime.run_in_stack(program))
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):  # the first failure is what counts
                    loop.run_until_complete(task)
            loop.close()

    def _default_provider(self, steps: Steps) -> Resource:
        """The provider's own resource, which `pulumi stack import` needs.

        In another region it is another one, made anew; the one of before stays in the state, marked for
        deletion, until what it made is gone.
        """
        name = "default_" + version("pulumi-aws").replace(".", "_")
        urn = f"urn:pulumi:{self._stack}::{self._project}::pulumi:providers:aws::{name}"
        resource, replaced = steps.providers.register(urn)
        if not steps.preview:
            steps.state.settle(resource, replaced=replaced, write=replaced is not None)
        return resource

    def _cause(self, steps: Steps, log: EngineService, error: Exception) -> DeployFailed:
        """The first failure, with its hint, or else what the program or the protocol said."""
        if first := _first_failure(steps):
            return first
        details = error.details() if isinstance(error, grpc.RpcError) else str(error)
        return DeployFailed(next(iter(log.errors), None) or str(details), GOES_ON)


def _first_failure(steps: Steps) -> DeployFailed | None:
    """Of the state, without which nothing can go on, or else of a resource; it says what to do."""
    first = steps.state.unwritten or next(iter(steps.report.failures), None)
    return DeployFailed(first.message, first.hint) if first else None


def _custom(resources: Iterable[Resource]) -> list[Resource]:
    """Those that are something in the cloud."""
    return [resource for resource in resources if resource.custom and not resource.is_provider]


def _summary(steps: Steps, outputs: dict[str, Any], started: float) -> Summary:
    report = steps.report
    counts = {kind: report.counts[kind] for kind in Changes.__struct_fields__}
    return Summary(
        changes=Changes(**counts),
        outputs=outputs,
        seconds=time.monotonic() - started,
        deleted=report.deleted,
    )

"""The embedded engine: the platform's Pulumi program, run with nothing but what PyPI has.

It is the same SDK and the same program as with the real engine, spoken to over Pulumi's public
protocol:

    program ──gRPC──▶ Monitor ──▶ Steps: check, diff, create / update / replace ──▶ provider
                                    │
                                    └──▶ State: deployment format 3, after each step

It has no more of Pulumi's semantics than the platform's program uses; the rest is refused by name.
"""

import asyncio
import contextvars
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc
import pulumi

from toolkit.contracts import Changes
from toolkit.deploy.engine import OnEvent, Program, Provider, Summary
from toolkit.deploy.interrupts import to_the_end
from toolkit.deploy.monitor import EngineService, Monitor, serve
from toolkit.deploy.state import Resource, State, exclusive, read_outputs
from toolkit.deploy.steps import Steps, read_request
from toolkit.errors import DeployFailed

WORKERS = 8


class EmbeddedEngine:
    """An `Engine` over a provider in this process; the state lies in `folder`."""

    def __init__(
        self,
        folder: Path,
        project: str,
        stack: str,
        provider: Provider,
        provider_inputs: dict[str, Any],
    ) -> None:
        self._folder = folder
        self._project = project
        self._stack = stack
        self._provider = provider
        self._provider_inputs = provider_inputs

    def preview(self, program: Program, on_event: OnEvent) -> Summary:
        """What `up` would do; changes nothing, neither the cloud nor the state."""
        started = time.monotonic()
        steps = Steps(self._provider, self._state(), on_event, preview=True)
        outputs = self._run(program, steps)
        self._delete(steps, [r for r in steps.state.unsettled() if r.urn not in self._seen])
        return _summary(steps, outputs, started)

    def up(self, program: Program, on_event: OnEvent) -> Summary:
        """Make the cloud what the program says; what it no longer mentions is deleted at the end."""
        started = time.monotonic()
        with exclusive(self._folder / "lock"):
            state = self._state()
            state.begin()
            steps = Steps(self._provider, state, on_event, preview=False)
            steps.recover()
            outputs = self._run(program, steps)
            self._delete(steps, state.unsettled())
            state.save()
        return _summary(steps, outputs, started)

    def refresh(self, on_event: OnEvent) -> Summary:
        """Read every resource and drop from the state what is gone."""
        started = time.monotonic()
        with exclusive(self._folder / "lock"):
            state = self._state()
            steps = Steps(self._provider, state, on_event, preview=False)
            known = [r for r in state.live.values() if r.custom and not r.is_provider]
            _in_order({r.urn: (r, set()) for r in known}, steps.read)
            state.save()
        return _summary(steps, self.outputs(), started)

    def destroy(self, on_event: OnEvent) -> Summary:
        """Delete everything in the state, dependents first, and the state with it."""
        started = time.monotonic()
        with exclusive(self._folder / "lock"):
            state = self._state()
            steps = Steps(self._provider, state, on_event, preview=False)
            steps.recover()
            self._delete(steps, [*state.live.values(), *state.doomed])
            self.state_path.unlink(missing_ok=True)
        return _summary(steps, {}, started)

    def plan_destroy(self, on_event: OnEvent) -> Summary:
        """What `destroy` would delete; changes nothing."""
        started = time.monotonic()
        steps = Steps(self._provider, self._state(), on_event, preview=True)
        self._delete(steps, [*steps.state.live.values(), *steps.state.doomed])
        return _summary(steps, {}, started)

    def resources(self) -> list[Resource]:
        """Everything in the state."""
        return list(self._state().live.values())

    def still_there(self, resources: Iterable[Resource]) -> list[Resource]:
        """Ask the provider for each of these; those that it still finds, in the same order."""
        custom = [r for r in resources if r.custom and not r.is_provider]
        found: set[str] = set()

        def look(resource: Resource) -> None:
            if self._provider.Read(read_request(resource), None).id:
                found.add(_key(resource))

        _in_order({_key(r): (r, ()) for r in custom}, look)
        return [r for r in custom if _key(r) in found]

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs; empty where nothing is deployed."""
        return read_outputs(self.state_path)

    def export_state(self) -> dict[str, Any]:
        """The state as a deployment document of version 3, as `pulumi stack import` takes it."""
        return self._state().document()

    @property
    def state_path(self) -> Path:
        """The state's file."""
        return self._folder / "state.json"

    def _state(self) -> State:
        return State(self.state_path, version("pulumi"))

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
        if steps.failures:
            raise DeployFailed(steps.failures[0])
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
                with suppress(asyncio.CancelledError):
                    loop.run_until_complete(task)
            loop.close()

    def _default_provider(self, steps: Steps) -> Resource:
        """The provider's own resource in the state, which `pulumi stack import` needs."""
        name = "default_" + version("pulumi-aws").replace(".", "_")
        urn = f"urn:pulumi:{self._stack}::{self._project}::pulumi:providers:aws::{name}"
        old = steps.state.live.get(urn)
        resource = Resource(
            urn=urn,
            custom=True,
            type="pulumi:providers:aws",
            id=old.id if old else str(uuid.uuid4()),
            inputs=self._provider_inputs,
            outputs=self._provider_inputs,
        )
        if not steps.preview:
            steps.state.settle(resource, write=False)
        return resource

    def _cause(self, steps: Steps, log: EngineService, error: Exception) -> DeployFailed:
        """The first failure of a resource, or else what the program or the protocol said."""
        details = error.details() if isinstance(error, grpc.RpcError) else str(error)
        message = next(iter(steps.failures), None) or next(iter(log.errors), None) or str(details)
        return DeployFailed(message, "mend the cause and run the command again; it goes on from here")

    def _delete(self, steps: Steps, resources: list[Resource]) -> None:
        """Delete in parallel, a resource only after everything that needs it."""
        nodes = {_key(r): r for r in resources}
        needed_by: dict[str, set[str]] = {key: set() for key in nodes}
        for key, resource in nodes.items():
            for urn in resource.needs:
                for other in (urn, urn + "#old"):
                    if other in nodes and other != key:
                        needed_by[other].add(key)
        _in_order({key: (nodes[key], needed_by[key]) for key in nodes}, steps.delete)


def _key(resource: Resource) -> str:
    return resource.urn + ("#old" if resource.delete else "")


def _in_order(nodes: dict[str, tuple[Resource, Iterable[str]]], step: Callable[[Resource], None]) -> None:
    """Call `step` for every node after the nodes it waits for, in parallel. Raises the first error."""
    order = TopologicalSorter({key: set(before) for key, (_, before) in nodes.items()})
    order.prepare()
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        while order.is_active():
            for key in order.get_ready():
                running[pool.submit(step, nodes[key][0])] = key
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                order.done(running.pop(future))


def _summary(steps: Steps, outputs: dict[str, Any], started: float) -> Summary:
    counts = {kind: steps.counts[kind] for kind in Changes.__struct_fields__}
    return Summary(
        changes=Changes(**counts), outputs=outputs, seconds=time.monotonic() - started, deleted=steps.deleted
    )

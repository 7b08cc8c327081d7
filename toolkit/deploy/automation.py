"""The Pulumi engine: the same program, run by Pulumi's own CLI through its Automation API.

    program ──▶ pulumi.automation ──▶ pulumi (CLI) ──▶ provider ──▶ cloud
                     │                    └──▶ state: a folder, a bucket, any backend Pulumi has
                     └──events──▶ pulumi_events ──▶ the renderer

The program runs in this process; the CLI calls it back. `pulumi_cli` finds the CLI, `pulumi_events` puts
its events into our words, `pulumi_errors` its errors. This is the one module that imports
`pulumi.automation`.

Written against Pulumi's SDK 3.272 from its source, and checked with an executable that stands in for the
CLI: it takes the command lines, streams recorded events and fails with texts of the real one. **Not run
against a real CLI in this repository**, where there is none; `test_deploy_contract.py` does that wherever
`pulumi` is on PATH. By hand, with CLI 3.260, the way itself was tried (FACTS §1).
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from pulumi import automation as auto

from toolkit.contracts import Changes, ResourceEvent
from toolkit.deploy import pulumi_cli
from toolkit.deploy.engine import OnEvent, Program, Summary
from toolkit.deploy.interrupts import to_the_end
from toolkit.deploy.pulumi_errors import redact, stale_lock, translate
from toolkit.deploy.pulumi_events import Journal
from toolkit.deploy.pulumi_place import PASSPHRASE, Place, blanked, sealed
from toolkit.deploy.state import Resource
from toolkit.errors import Interrupted, TfkitError, ToolMissing

PulumiCommand = auto.PulumiCommand

LAST_EVENTS_SECONDS = 3.0


def require_cli(consent: Callable[[str], bool]) -> auto.PulumiCommand:
    """The CLI that is here, or one that is downloaded now if `consent` agrees to the text it is given.

    Raises `ToolMissing` where there is none and the download is refused or fails.
    """
    found = pulumi_cli.find_cli()
    try:
        if found is not None:
            return auto.PulumiCommand(root=None if pulumi_cli.on_path(found) else str(found.parent.parent))
        if not consent(pulumi_cli.announcement()):
            raise ToolMissing("the Pulumi engine needs Pulumi's command line", pulumi_cli.HOW_TO_INSTALL)
        return auto.PulumiCommand.install(root=str(pulumi_cli.install_root()))
    except (OSError, subprocess.CalledProcessError, auto.InvalidVersionError) as error:
        output = getattr(error, "output", None) or b""
        why = " ".join((output.decode("utf-8", "replace") or str(error)).split())[-300:]
        raise ToolMissing(
            f"Pulumi's command line could not be installed: {why}", pulumi_cli.HOW_TO_INSTALL
        ) from error


@dataclass(frozen=True)
class AutomationEngine:
    """An `Engine` over the Pulumi CLI. `place` says where the stack lives."""

    place: Place
    project: str
    stack: str
    command: auto.PulumiCommand

    # -- what every engine does ------------------------------------------------------------------

    def preview(self, program: Program, on_event: OnEvent) -> Summary:
        """What `up` would do. A stack that is not there yet is previewed in a backend that is thrown away."""
        stack = self._select()
        if stack is not None:
            return self._operate(stack, on_event, stack.preview, program=program)
        with self._throwaway() as other:
            copy = other._create()
            return other._operate(copy, on_event, copy.preview, program=program)

    def up(self, program: Program, on_event: OnEvent) -> Summary:
        """Make the cloud what the program says; first settle what an interrupted run left open."""
        stack = self._create()
        self._settle(stack, on_event)
        return self._operate(stack, on_event, stack.up, program=program, show_secrets=False)

    def refresh(self, on_event: OnEvent) -> Summary:
        """Read every resource and drop from the state what is gone; a cut-off creation is dropped too."""
        stack = self._select()
        if stack is None:
            return Summary(changes=Changes())
        return self._refresh(stack, on_event)

    def destroy(self, on_event: OnEvent) -> Summary:
        """Delete everything in the state, dependents first, and the stack with it."""
        stack = self._select()
        if stack is None:
            return Summary(changes=Changes())
        self._settle(stack, on_event)
        return self._operate(stack, on_event, stack.destroy, show_secrets=False, remove=True)

    def plan_destroy(self, on_event: OnEvent) -> Summary:
        """What `destroy` would delete; changes nothing."""
        stack = self._select()
        if stack is None:
            return Summary(changes=Changes())
        return self._operate(stack, on_event, stack.preview_destroy)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets masked; empty where nothing is deployed."""
        stack = self._select()
        return {} if stack is None else self._ask(stack, "stack", "output", "--json")

    def export_state(self) -> dict[str, Any]:
        """The state as a deployment document of version 3; secrets stay encrypted."""
        stack = self._select()
        return {"version": 3, "deployment": None} if stack is None else self._ask(stack, "stack", "export")

    # -- what only this one needs ----------------------------------------------------------------

    def import_state(self, document: Mapping[str, Any]) -> None:
        """Take over a deployment document, also one of the embedded engine's (same passphrase file).

        Pulumi drops pending operations on import, so bring a state in that has none.
        """
        stack = self._create()
        with tempfile.NamedTemporaryFile("w", dir=self.place.work, suffix=".json") as file:
            json.dump(sealed(document), file)
            file.flush()
            self._run(stack, "stack", "import", "--file", file.name)

    def cancel(self) -> None:
        """Take every lock off the stack. For a lock whose owner is known to be gone."""
        stack = self._select()
        if stack is not None:
            self._guarded(stack.cancel)

    def resources(self) -> list[Resource]:
        """What the state knows, in its order; for the receipt."""
        deployment = self.export_state().get("deployment") or {}
        return msgspec.convert(deployment.get("resources") or [], list[Resource])

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
            other.import_state({"version": 3, "deployment": {"manifest": {}, "resources": copies}})
            other.refresh(lambda _event: None)
            left = {r.urn for r in other.resources()}
        return [r for r in custom if r.urn in left]

    # -- the stack -------------------------------------------------------------------------------

    def _select(self) -> auto.Stack | None:
        """The stack, or None where there is none."""
        if self.place.untouched:
            return None
        return self._open(auto.select_stack)

    def _create(self) -> auto.Stack:
        stack = self._open(auto.create_or_select_stack)
        if stack is None:
            raise translate(f"error: the stack {self.stack} could be neither found nor made")
        return stack

    def _open(self, way: Callable[..., auto.Stack]) -> auto.Stack | None:
        self.place.make()
        try:
            stack = way(self.stack, project_name=self.project, program=_nothing, opts=self._options())
            known = stack.workspace.stack_settings(self.stack).config or {}
            wanted = self.place.settings
            if any(known.get(key) != value for key, value in wanted.items()):
                stack.set_all_config({key: auto.ConfigValue(value) for key, value in wanted.items()})
        except auto.StackNotFoundError:
            return None
        except Exception as error:  # the SDK raises what it likes
            raise self._cause(error) from error
        return stack

    def _options(self) -> auto.LocalWorkspaceOptions:
        place = self.place
        settings = auto.ProjectSettings(
            name=self.project,
            runtime="python",
            main=str(place.work),  # the SDK would put the caller's working directory here
            backend=auto.ProjectBackend(url=place.backend),
        )
        key = None if place.secrets_provider == PASSPHRASE else place.secrets_provider
        first = auto.StackSettings(secrets_provider=key, config=place.settings)
        fresh = not (place.work / f"Pulumi.{self.stack}.yaml").exists()
        return auto.LocalWorkspaceOptions(
            work_dir=str(place.work),
            pulumi_home=str(place.home),
            env_vars=place.variables,
            secrets_provider=place.secrets_provider,
            project_settings=settings,
            # It replaces the file, and with it the salt of the secrets; so for a new one only.
            stack_settings={self.stack: first} if fresh else None,
            pulumi_command=self.command,
        )

    @contextmanager
    def _throwaway(self) -> Iterator["AutomationEngine"]:
        """The same engine over an empty backend that is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="tfkit-") as folder:
            place = replace(self.place, folder=Path(folder), backend_url="", secrets_provider=PASSPHRASE)
            yield replace(self, place=place)

    # -- operations ------------------------------------------------------------------------------

    def _settle(self, stack: auto.Stack, on_event: OnEvent) -> None:
        """Settle what an interrupted run left open: read what there is, drop creations that were cut off.

        A dropped creation is reported; if it did happen, `up` meets it and says so.
        """
        deployment = self._ask(stack, "stack", "export").get("deployment") or {}
        pending = deployment.get("pending_operations") or []
        if not pending:
            return
        self._refresh(stack, lambda _event: None)
        for operation in pending:
            urn, kind = operation["resource"]["urn"], operation["resource"].get("type", "")
            why = f"it was cut off while {operation.get('type', 'under way')}"
            on_event(ResourceEvent(urn, kind, urn.rsplit("::", 1)[-1], "refresh", "done", 0.0, why))

    def _refresh(self, stack: auto.Stack, on_event: OnEvent) -> Summary:
        return self._operate(
            stack, on_event, stack.refresh, refreshing=True, show_secrets=False, clear_pending_creates=True
        )

    def _operate(
        self,
        stack: auto.Stack,
        on_event: OnEvent,
        method: Callable[..., Any],
        *,
        refreshing: bool = False,
        **options: Any,
    ) -> Summary:
        """Run one operation of the SDK to its end, with its events as ours. Raises its error as ours."""
        started = time.monotonic()
        journal = Journal(on_event, refreshing=refreshing, hidden=self.place.hidden)

        def work() -> Any:
            return method(
                on_event=journal.take, color="never", suppress_outputs=True, suppress_progress=True, **options
            )

        try:
            result = self._to_the_end(stack, work)
        except TfkitError:
            raise
        except Exception as error:  # the SDK raises what it likes
            raise self._cause(error, journal) from error
        # The SDK closes the event stream without waiting for what is still under way in it.
        journal.ended.wait(LAST_EVENTS_SECONDS)
        outputs = getattr(result, "outputs", {})
        plain = {key: "[secret]" if value.secret else value.value for key, value in outputs.items()}
        return journal.summary(plain, time.monotonic() - started)

    def _to_the_end(self, stack: auto.Stack, work: Callable[[], Any]) -> Any:
        """Do the work, whatever the user presses, until the CLI has put its state in order.

        A Ctrl-C in a terminal reaches the CLI too: it finishes what is under way, starts nothing new,
        saves its state and ends; a second one ends it at once, and leaves its lock behind, which is taken
        off then. The SDK alone would go without waiting. A lock of a dead process of ours is taken off.
        """
        try:
            done, interrupts = to_the_end(work)
        except auto.ConcurrentUpdateError as busy:
            if not stale_lock(str(busy)):
                raise
            stack.cancel()
            done, interrupts = to_the_end(work)
        if interrupts > 1:
            with suppress(auto.CommandError):
                stack.cancel()
            raise Interrupted(
                "stopped at once; what was under way is noted in the state",
                "run it again: it looks what became of it, and goes on from there",
            )
        if interrupts:
            raise Interrupted("interrupted; Pulumi has saved its state", "run it again; it goes on from here")
        return done

    def _cause(self, error: Exception, journal: Journal | None = None) -> TfkitError:
        """Our error for one of the SDK's. What may be secret is taken out of both."""
        said = redact(str(error), self.place.hidden)
        gone = isinstance(error, FileNotFoundError) and str(error.filename) == self.command.command
        error.args = (said,)  # it stays the cause, and a cause may be printed
        if gone:
            return ToolMissing(f"Pulumi's command line is gone: {said}", pulumi_cli.HOW_TO_INSTALL)
        return translate(said, journal.failures if journal else (), journal.errors if journal else ())

    def _guarded(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:  # the SDK raises what it likes
            raise self._cause(error) from error

    def _ask(self, stack: auto.Stack, *words: str) -> dict[str, Any]:
        """A command that answers with a JSON object."""
        answer: dict[str, Any] = json.loads(self._run(stack, *words) or "{}")
        return answer

    def _run(self, stack: auto.Stack, *words: str) -> str:
        place = stack.workspace
        environment = {**place.env_vars, "PULUMI_HOME": str(self.place.home)}
        arguments = [*words, "--stack", self.stack]
        result = self._guarded(lambda: self.command.run(arguments, place.work_dir, environment))
        return str(result.stdout)


def _nothing() -> None:
    """The program of operations that run none."""

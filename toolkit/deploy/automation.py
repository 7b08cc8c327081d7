"""The Pulumi engine: the same program, run by Pulumi's own CLI through its Automation API.

    program ──▶ pulumi.automation ──▶ pulumi (CLI) ──▶ provider ──▶ cloud
                     │                    └──▶ state: a folder, a bucket, any backend Pulumi has
                     └──events──▶ pulumi_events ──▶ the renderer

The program runs in this process; the CLI calls it back. `pulumi_engine` says which operations make up an
`Engine`, `pulumi_cli` finds the CLI, `pulumi_events` puts its events into our words, `pulumi_errors` its
errors, `pulumi_state` reads its state. This is the one module that imports
`pulumi.automation`.

Written against Pulumi's SDK 3.272 from its source, and checked with an executable that stands in for the
CLI: it takes the command lines, streams recorded events and fails with texts of the real one. **Not run
against a real CLI in this repository**, where there is none; `test_deploy_contract.py` does that wherever
`pulumi` is on PATH. By hand, with CLI 3.260, the way itself was tried (FACTS §1).
"""

import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pulumi import automation as auto
from typing_extensions import override

from toolkit.deploy import pulumi_cli
from toolkit.deploy.interrupts import to_the_end
from toolkit.deploy.pulumi_engine import PulumiEngine
from toolkit.deploy.pulumi_errors import redact, stale_lock, translate
from toolkit.deploy.pulumi_events import Journal
from toolkit.deploy.pulumi_place import PASSPHRASE
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
class AutomationEngine(PulumiEngine):
    """An `Engine` over the Pulumi CLI; what it does is in `pulumi_engine`, how the CLI is asked is here."""

    command: auto.PulumiCommand

    # -- the stack -------------------------------------------------------------------------------

    @override
    def _select(self) -> auto.Stack | None:
        """The stack, or None where there is none."""
        if self.place.untouched:
            return None
        return self._open(auto.select_stack)

    @override
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

    # -- operations ------------------------------------------------------------------------------

    @override
    def _follow(self, stack: auto.Stack, journal: Journal, method: Callable[..., Any], **options: Any) -> Any:
        """Run one operation of the SDK to its end, with its events in the journal; returns its result.

        Raises its error as ours.
        """

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
        return result

    def _to_the_end(self, stack: auto.Stack, work: Callable[[], Any]) -> Any:
        """Do the work, whatever the user presses, until the CLI has put its state in order.

        A Ctrl-C in a terminal reaches the CLI too: it finishes what is under way, starts nothing new,
        saves its state and ends; a second one ends it at once, and leaves its lock behind, which is taken
        off then. The SDK alone would go without waiting.
        """
        done, interrupts = self._past_dead_locks(stack, lambda: to_the_end(work))
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

    def _past_dead_locks(self, stack: auto.Stack, work: Callable[[], Any]) -> Any:
        """Do the work; a lock that a dead process of ours left on the stack is taken off."""
        try:
            return work()
        except auto.ConcurrentUpdateError as busy:
            if not stale_lock(str(busy)):
                raise
            stack.cancel()
            return work()

    def _cause(self, error: Exception, journal: Journal | None = None) -> TfkitError:
        """Our error for one of the SDK's. What may be secret is taken out of both."""
        said = redact(str(error), self.place.hidden)
        gone = isinstance(error, FileNotFoundError) and str(error.filename) == self.command.command
        error.args = (said,)  # it stays the cause, and a cause may be printed
        if gone:
            return ToolMissing(f"Pulumi's command line is gone: {said}", pulumi_cli.HOW_TO_INSTALL)
        return translate(said, journal.failures if journal else (), journal.errors if journal else ())

    @override
    def _guarded(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:  # the SDK raises what it likes
            raise self._cause(error) from error

    @override
    def _run(self, stack: auto.Stack, *words: str) -> str:
        place = stack.workspace
        environment = {**place.env_vars, "PULUMI_HOME": str(self.place.home)}
        arguments = [*words, "--stack", self.stack]

        def run() -> Any:
            return self.command.run(arguments, place.work_dir, environment)

        return str(self._guarded(lambda: self._past_dead_locks(stack, run)).stdout)


def _nothing() -> None:
    """The program of operations that run none."""

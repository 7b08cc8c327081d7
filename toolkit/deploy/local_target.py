"""The local target: an emulator on this machine, which is a part of the platform.

`up` starts it, every other command finds it or brings it back, and `down` removes it when nothing is left
in it. It forgets things when it stops; the engine's state knows what, and they are made again.
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.cloud import LOCAL_ACCOUNT, NO_KEY, NOWHERE, Cloud
from toolkit.contracts import PlatformConfig
from toolkit.deploy.engine import Engine, Program, quiet
from toolkit.deploy.plan import PROJECT, routes
from toolkit.deploy.provider_keys import chosen, keys_in_account, keys_in_state
from toolkit.deploy.remembered import OUTPUTS, complete, forget, kept, last_config
from toolkit.deploy.state import Resource, exclusive, read_outputs, urn_prefix, write_atomically
from toolkit.deploy.target import Consent, OnLine
from toolkit.errors import DeployFailed, TfkitError, UsageError
from toolkit.local import control
from toolkit.settings import DEFAULT_REGION, Settings

if TYPE_CHECKING:
    from toolkit.deploy.automation import PulumiCommand
    from toolkit.deploy.embedded import EmbeddedEngine

EMBEDDED_STATE = "state.json"
PULUMI_FOLDER = "pulumi"
ROUTES = "routes.json"


class LocalTarget:
    """A stack on this machine, by either engine."""

    asks = False

    def __init__(self, settings: Settings, note: OnLine, consent: Consent, *, moving: bool = False) -> None:
        self._note = note
        self._consent = consent
        self.folder: Path = settings.stack_folder
        self.settings: Settings = complete(settings, self.folder, "embedded", DEFAULT_REGION, moving=moving)
        if settings.pin_account not in ("", self.account):
            raise UsageError(
                f"account {self.account} differs from the pinned one, {settings.pin_account}",
                "use the credentials of that account, or change pin_account",
            )

    @property
    def account(self) -> str:
        """The emulator's only account."""
        return LOCAL_ACCOUNT

    @property
    def exists(self) -> bool:
        """Whether there is a state of either engine."""
        return any((self.folder / name).exists() for name in (EMBEDDED_STATE, PULUMI_FOLDER))

    def outputs(self) -> dict[str, Any]:
        """From this machine: asking Pulumi's command line would take a second."""
        owner = urn_prefix(PROJECT, self.settings.stack)
        return read_outputs(self.folder / EMBEDDED_STATE, owner) or kept(self.folder, OUTPUTS)

    # -- the emulator ----------------------------------------------------------------------------

    @cached_property
    def cloud(self) -> Cloud:
        """The running emulator; one that died is brought back, with its resources."""
        running = control.find(self.folder)
        if running and not control.emptied(self.folder):
            return self._cloud(running)
        from toolkit.deploy.machine import prepare  # terraform is looked at by `up` alone

        mirror = prepare(self.settings.folder, self._note)
        with control.alone(self.folder):  # of several commands at once, one brings it back
            running = control.ensure(self.folder, self.settings.llm_timeout_s, mirror)
            if control.emptied(self.folder) and self.exists:
                self._restore(running)
            control.refilled(self.folder)
        return self._cloud(running)

    @property
    def endpoint(self) -> str | None:
        """The emulator's address, or None where it is stopped."""
        running = control.find(self.folder)
        return running.endpoint if running else None

    def look(self) -> Cloud:
        """The emulator where it runs, else an address where nothing answers."""
        return self._cloud(control.find(self.folder))

    def _cloud(self, running: control.Running | None, region: str = "") -> Cloud:
        return Cloud(
            target="local",
            region=region or self.settings.region,
            account=self.account,
            endpoint=running.endpoint if running else NOWHERE,
            key=running.key if running else NO_KEY,
            secret=running.secret if running else NO_KEY,
        )

    def _restore(self, running: control.Running) -> None:
        """The emulator loses things when it stops: find out what is gone, and make it again, as it was."""
        config = last_config(self.folder)
        cloud = self._cloud(running, config.region if config else "")
        engine = self.engine(cloud)
        known = self.deployed_keys(cloud)
        gone = engine.refresh(quiet).deleted
        if gone:
            self._note(
                f"the emulator had died and lost {len(gone)} resources, which are made again; "
                "the list of earlier runs went with them, their traces and files did not"
            )
        if config is None:
            return  # of another version of tfkit: the state knows what is gone, and `up` makes it again
        keys = chosen(self.settings.provider_keys, known)  # the emulator has lost what it was given
        summary = engine.up(self.program(config, keys, self._note), quiet)
        self.after_up(summary.outputs)

    # -- the engine ------------------------------------------------------------------------------

    def engine(self, cloud: Cloud) -> Engine:
        """The embedded one, unless the stack is Pulumi's."""
        return self._pulumi(cloud) if self.settings.engine == "pulumi" else self._embedded(cloud)

    def program(
        self,
        config: PlatformConfig,
        keys: Mapping[str, str],
        on_line: OnLine,  # noqa: ARG002 - no image is built here
    ) -> Program:
        """The program with the keys of other providers; importing it takes half a second."""
        from stacks.program import platform

        return platform(config, secrets=keys)

    def _embedded(self, cloud: Cloud) -> "EmbeddedEngine":
        from toolkit.deploy.embedded import EmbeddedEngine
        from toolkit.local.provider import EmulatorProvider

        def provider_for(inputs: Mapping[str, Any]) -> EmulatorProvider:
            return EmulatorProvider(cloud.endpoint, str(inputs["region"]), cloud.key, cloud.secret)

        inputs = {"region": cloud.region}
        return EmbeddedEngine(
            self.folder,
            PROJECT,
            self.settings.stack,
            provider_for(inputs),
            inputs,
            provider_for,
            note=self._note,
        )

    def _pulumi(self, cloud: Cloud) -> Engine:
        """Pulumi's own engine, with tfkit's provider for the emulator on the path of that process alone."""
        from toolkit.deploy.automation import AutomationEngine
        from toolkit.deploy.pulumi_place import Place
        from toolkit.local.launcher import local_environment, write_launcher

        home = self.settings.folder
        environment = local_environment(
            write_launcher(home), cloud.endpoint, cloud.region, cloud.key, cloud.secret
        )
        place = Place(self.folder, home / "pulumi-local", cloud.region, environment=environment)
        return AutomationEngine(place, PROJECT, self.settings.stack, self._command)

    @cached_property
    def _command(self) -> "PulumiCommand":
        from toolkit.deploy.automation import require_cli

        return require_cli(self._consent)

    def still_there(self, cloud: Cloud, resources: Iterable[Resource]) -> list[Resource]:
        """Asked of the provider alone, whichever engine it was."""
        return self._embedded(cloud).still_there(resources)

    def deployed_keys(self, cloud: Cloud) -> dict[str, str]:
        """From the embedded engine's state; Pulumi's own keeps them to itself, so there from the emulator."""
        if self.settings.engine == "pulumi":
            return keys_in_account(cloud, self.settings.prefix) if cloud.reachable else {}
        return keys_in_state(self._embedded(cloud).resources())

    # -- before and after ------------------------------------------------------------------------

    def ready(self) -> None:
        """Pulumi's command line, where it is Pulumi's stack."""
        if self.settings.engine == "pulumi":
            _ = self._command

    def before_up(self) -> None:
        """End a daemon that was told another key."""
        if self.settings.llm and control.told_otherwise(self.folder, self.settings.llm_timeout_s):
            with control.alone(self.folder):  # `cloud` starts it again, with the key of now
                control.stop(self.folder)

    def cause(self, error: DeployFailed) -> TfkitError:
        """The engine has said it."""
        return error

    def after_up(self, outputs: dict[str, Any]) -> None:
        """Tell the model server which model stands behind which inference profile."""
        config = last_config(self.folder)
        assert config is not None, "an up has just kept it"
        table = routes(self.settings, config.registry, outputs["profiles"])
        write_atomically(self.folder / ROUTES, json.dumps(table, indent=2).encode())

    def end(self) -> None:
        """End the emulator and remove what it has on disk; a state that was moved away can come back."""
        if self.folder.exists():
            with control.alone(self.folder), exclusive(self.folder / "lock"):
                control.clean(self.folder)
                forget(self.folder)
                (self.folder / "lock").unlink(missing_ok=True)

    def close(self, *, kept: bool) -> list[str]:
        """End the emulator; where nothing is kept, also remove what it has on disk."""
        if kept:
            with control.alone(self.folder), exclusive(self.folder / "lock"):
                control.stop(self.folder)
            return []
        shutil.rmtree(self.folder / PULUMI_FOLDER, ignore_errors=True)
        (self.folder / "passphrase").unlink(missing_ok=True)  # nothing is left that it encrypts
        self.end()
        return []

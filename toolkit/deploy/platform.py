"""One platform, by name: open it, preview it, bring it up, take it down.

On the local target the emulator is part of the platform: `up` starts it, every other command finds it
or brings it back, and `down` removes it when nothing is left in it.
"""

import contextlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from toolkit.cloud import LOCAL_ACCOUNT, Cloud
from toolkit.contracts import PlatformConfig, ResourceEvent, StackOutputs
from toolkit.deploy.engine import OnEvent, Program, Summary
from toolkit.deploy.machine import prepare
from toolkit.deploy.plan import PROJECT, platform_config, routes
from toolkit.deploy.state import exclusive, read_outputs, write_atomically
from toolkit.errors import NothingDeployed, TfkitError, UsageError
from toolkit.local import control
from toolkit.settings import DEFAULT_REGION, Settings

if TYPE_CHECKING:
    from toolkit.deploy.automation import AutomationEngine, PulumiCommand
    from toolkit.deploy.embedded import EmbeddedEngine
    from toolkit.deploy.receipt import Receipt


EMBEDDED_STATE = "state.json"
PULUMI_FOLDER = "pulumi"
OUTPUTS = "outputs.json"

NOWHERE = "http://127.0.0.1:9"
"""The endpoint of a plan that calls no cloud: the port is `discard`, where nothing answers."""

NO_LLM = "none"
"""The value of `--llm` that takes a model away again."""


def quiet(_event: ResourceEvent) -> None:
    """Report nothing."""


def silent(_text: str) -> None:
    """Note nothing."""


def refuse(_text: str) -> bool:
    """Agree to nothing."""
    return False


class Platform:
    """The platform that the settings name. Opening one touches nothing.

    `note` is told what takes long and what is downloaded; `consent` is asked before Pulumi's command line
    is downloaded, which only `--engine pulumi` needs.
    """

    def __init__(
        self,
        settings: Settings,
        note: Callable[[str], None] = silent,
        consent: Callable[[str], bool] = refuse,
    ) -> None:
        if settings.target == "aws":
            raise UsageError(
                "the aws target is not part of this version yet",
                "use the local target, which is the default: tfkit up",
            )
        if settings.pin_account not in ("", self.account):
            raise UsageError(
                f"account {self.account} differs from the pinned one, {settings.pin_account}",
                "use the credentials of that account, or change pin_account",
            )
        self._note = note
        self._consent = consent
        self.folder = settings.stack_folder
        self.settings = self._remembered(settings)

    # -- where it is -----------------------------------------------------------------------------

    @property
    def account(self) -> str:
        """The account number that the commands speak to."""
        return LOCAL_ACCOUNT

    @property
    def exists(self) -> bool:
        """Whether something was deployed and not taken down."""
        return any((self.folder / name).exists() for name in (EMBEDDED_STATE, PULUMI_FOLDER))

    def outputs(self) -> StackOutputs:
        """The platform's outputs. Raises `NothingDeployed` where there is none, or not a whole one."""
        if self.settings.engine == "pulumi":
            raw = self._kept(OUTPUTS)  # asking the command line takes a second
        else:
            raw = read_outputs(self.folder / EMBEDDED_STATE)
        if not raw:
            raise NothingDeployed(
                f"nothing is deployed as {self.settings.stack!r} on target {self.settings.target}",
                "bring it up: tfkit up",
            )
        try:
            return msgspec.convert(raw, StackOutputs)
        except msgspec.ValidationError as other:
            raise NothingDeployed(
                f"{self.settings.stack!r} was brought up by another version of tfkit",
                "bring it to this one: tfkit up",
            ) from other

    @cached_property
    def cloud(self) -> Cloud:
        """The cloud of a platform that is up; an emulator that died is brought back, with its resources."""
        running = control.find(self.folder)
        if running and not control.emptied(self.folder):
            return self._cloud(running.endpoint)
        mirror = prepare(self.settings.folder, self._note)
        with control.alone(self.folder):  # of several commands at once, one brings it back
            cloud = self._cloud(control.ensure(self.folder, self.settings.llm_timeout_s, mirror).endpoint)
            if control.emptied(self.folder) and self.exists:
                self._restore(cloud)
            control.refilled(self.folder)
        return cloud

    def _cloud(self, endpoint: str) -> Cloud:
        settings = self.settings
        return Cloud(target=settings.target, region=settings.region, account=self.account, endpoint=endpoint)

    def _restore(self, cloud: Cloud) -> None:
        """The emulator loses things when it stops: find out what is gone, and make it again."""
        engine = self._engine(cloud)
        gone = engine.refresh(quiet).deleted
        if gone:
            self._note(
                f"the emulator had died and lost {len(gone)} resources, which are made again; "
                "the list of earlier runs went with them, their traces and files did not"
            )
        try:
            config = msgspec.json.decode((self.folder / "config.json").read_bytes(), type=PlatformConfig)
        except (OSError, msgspec.MsgspecError):
            return  # of another version of tfkit: the state knows what is gone, and `up` makes it again
        summary = engine.up(program(config), quiet)
        self._write_routes(summary.outputs)

    # -- what can be done with it ----------------------------------------------------------------

    def preview(self, on_event: OnEvent) -> Summary:
        """What `up` would do; starts nothing and changes nothing."""
        running = control.find(self.folder)
        cloud = self._cloud(running.endpoint if running else NOWHERE)
        return self._engine(cloud).preview(program(platform_config(self.settings, cloud)), on_event)

    def up(self, on_event: OnEvent) -> Summary:
        """Make it what the settings say."""
        if self.settings.engine == "pulumi":
            _ = self._command  # before anything is started for it
        if self.settings.llm and control.told_otherwise(self.folder, self.settings.llm_timeout_s):
            with control.alone(self.folder):  # the next line starts it again, with the key of now
                control.stop(self.folder)
        cloud = self.cloud
        config = platform_config(self.settings, cloud)
        write_atomically(self.folder / "config.json", msgspec.json.encode(config))
        write_atomically(self.folder / "settings.json", msgspec.json.encode(self._to_remember()))
        summary = self._engine(cloud).up(program(config), on_event)
        write_atomically(self.folder / OUTPUTS, msgspec.json.encode(summary.outputs))
        self._write_routes(summary.outputs)
        return summary

    def plan_down(self, on_event: OnEvent) -> Summary:
        """What `destroy` would delete; changes nothing."""
        return self._engine(self._cloud(NOWHERE)).plan_destroy(on_event)

    def keep_the_past(self) -> None:
        """Read the traces of all runs into this machine's index, before the bucket that holds them goes."""
        from toolkit.traces import Traces

        now = datetime.now(UTC)
        try:
            outputs = self.outputs()
            reader = Traces(self.cloud, outputs.audit_bucket, outputs.runs_bucket, self.index_path)
            reader.refresh(now - timedelta(days=self.settings.runs_expire_days), now)
        except NothingDeployed:
            return  # a deployment that was cut off has no runs
        except TfkitError as error:
            self._note(f"the traces could not be kept on this machine: {error.message}")

    @property
    def index_path(self) -> Path:
        """The index of the traces of this stack; it outlives `down`."""
        return self.folder / "traces.sqlite"

    def destroy(self, on_event: OnEvent) -> "tuple[Summary, Receipt]":
        """Delete every resource, and list again. The emulator still runs afterwards: see `stop`."""
        from toolkit.deploy.receipt import write_receipt

        cloud = self.cloud
        self.keep_the_past()
        engine = self._engine(cloud)
        before = engine.resources()
        summary = engine.destroy(on_event)
        left = self._embedded(cloud).still_there(before)  # the provider alone, whichever engine it was
        return summary, write_receipt(cloud, self.settings.stack, before, left)

    def stop(self) -> None:
        """End the emulator and remove what it kept; for a platform that is down."""
        if not self.folder.exists():
            return
        with control.alone(self.folder), exclusive(self.folder / "lock"):
            control.clean(self.folder)
            shutil.rmtree(self.folder / PULUMI_FOLDER, ignore_errors=True)
            for name in ("config.json", "settings.json", OUTPUTS, "passphrase", "lock"):
                (self.folder / name).unlink(missing_ok=True)

    # -- parts -----------------------------------------------------------------------------------

    def _engine(self, cloud: Cloud) -> "EmbeddedEngine | AutomationEngine":
        return self._pulumi(cloud) if self.settings.engine == "pulumi" else self._embedded(cloud)

    def _pulumi(self, cloud: Cloud) -> "AutomationEngine":
        """Pulumi's own engine, with tfkit's provider for the emulator on the path of that process alone."""
        from toolkit.deploy.automation import AutomationEngine
        from toolkit.deploy.pulumi_place import Place
        from toolkit.local.launcher import local_environment, write_launcher

        home = self.settings.folder
        environment = local_environment(write_launcher(home), cloud.endpoint, cloud.region)
        place = Place(self.folder, home / "pulumi-local", cloud.region, environment=environment)
        return AutomationEngine(place, PROJECT, self.settings.stack, self._command)

    @cached_property
    def _command(self) -> "PulumiCommand":
        from toolkit.deploy.automation import require_cli

        return require_cli(self._consent)

    def _embedded(self, cloud: Cloud) -> "EmbeddedEngine":
        from toolkit.deploy.embedded import EmbeddedEngine
        from toolkit.local.provider import EmulatorProvider

        provider = EmulatorProvider(cloud.endpoint, cloud.region)
        return EmbeddedEngine(self.folder, PROJECT, self.settings.stack, provider, {"region": cloud.region})

    def _write_routes(self, outputs: dict[str, Any]) -> None:
        table = routes(self.settings, outputs["profiles"])
        write_atomically(self.folder / "routes.json", json.dumps(table, indent=2).encode())

    def _to_remember(self) -> dict[str, Any]:
        """What the next command must know without being told again."""
        settings = self.settings
        names = ("engine", "region", "llm", "llm_model")
        return {name: getattr(settings, name) for name in names}

    def _kept(self, name: str) -> dict[str, Any]:
        """What an earlier `up` left in a file of the stack's folder; empty without one."""
        with contextlib.suppress(OSError, ValueError):
            kept: dict[str, Any] = json.loads((self.folder / name).read_bytes())
            return kept
        return {}

    def _remembered(self, settings: Settings) -> Settings:
        """The settings, completed by those of the last `up` and by the defaults."""
        kept = self._kept("settings.json")
        engine = settings.engine or kept.get("engine") or "embedded"
        if kept.get("engine", engine) != engine:
            raise UsageError(
                f"the stack {settings.stack!r} was brought up by the {kept['engine']} engine",
                "take it down first (tfkit down), or give the other one a name: --stack NAME",
            )
        region = settings.region or settings.pin_region or kept.get("region", DEFAULT_REGION)
        if kept.get("region", region) != region:
            raise UsageError(
                f"the stack {settings.stack!r} lives in {kept['region']}, and cannot move to {region}",
                "take it down first (tfkit down), or give the other one a name: --stack NAME",
            )
        llm, llm_model = settings.llm, settings.llm_model
        if llm == NO_LLM:
            llm = llm_model = ""
        elif not llm:
            llm, llm_model = kept.get("llm", ""), llm_model or kept.get("llm_model", "")
        if llm and not llm_model:
            raise UsageError("--llm needs the model's name there", "add --llm-model NAME")
        return msgspec.structs.replace(settings, engine=engine, region=region, llm=llm, llm_model=llm_model)


def program(config: PlatformConfig) -> Program:
    """The platform's Pulumi program; importing it takes half a second."""
    from stacks.program import platform

    return platform(config)

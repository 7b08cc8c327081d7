"""One platform, by name: open it, preview it, bring it up, stop it, take it down.

    settings ──▶ Target (where) ──▶ Engine (how) ──▶ Program (what, from a PlatformConfig)

What is done is here, and is the same everywhere; where it is done is the target's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from toolkit.cloud import Cloud
from toolkit.contracts import PlatformConfig, Registry, ResourceEvent, StackOutputs
from toolkit.deploy.engine import OnEvent, Summary, quiet
from toolkit.deploy.plan import platform_config
from toolkit.deploy.provider_keys import chosen
from toolkit.deploy.remembered import CONFIG, OUTPUTS, keep, last_config
from toolkit.deploy.state import write_atomically
from toolkit.deploy.target import Consent, OnLine, open_target
from toolkit.errors import DeployFailed, NothingDeployed, TfkitError, UsageError
from toolkit.settings import Settings

if TYPE_CHECKING:
    from toolkit.deploy.brake import Stopped
    from toolkit.deploy.cost import Cost
    from toolkit.deploy.engine import Drift
    from toolkit.deploy.receipt import Receipt


def silent(_text: str) -> None:
    """Note nothing."""


def refuse(_text: str) -> bool:
    """Agree to nothing."""
    return False


class Platform:
    """The platform that the settings name. Opening one changes nothing.

    `note` is told what takes long and what is downloaded; `consent` is asked before a tool is downloaded.
    `moving` says that the command may bring the stack to another region, which only `up` does.
    """

    def __init__(
        self, settings: Settings, note: OnLine = silent, consent: Consent = refuse, *, moving: bool = False
    ) -> None:
        self._note = note
        self.target = open_target(settings, note, consent, moving=moving)
        self.settings: Settings = self.target.settings
        self.folder: Path = self.target.folder

    # -- where it is -----------------------------------------------------------------------------

    @property
    def account(self) -> str:
        """The account number that the commands speak to."""
        return self.target.account

    @property
    def where(self) -> dict[str, str]:
        """Target, account, region and stack, as the JSON of every command names them."""
        settings = self.settings
        return {
            "target": settings.target,
            "account": self.account,
            "region": settings.region,
            "stack": settings.stack,
        }

    @property
    def cloud(self) -> Cloud:
        """The cloud of a platform that is up."""
        return self.target.cloud

    @property
    def exists(self) -> bool:
        """Whether anything is deployed, or left of what was."""
        return self.target.exists

    @property
    def index_path(self) -> Path:
        """The index of the traces of this stack; it outlives `down`."""
        return self.folder / "traces.sqlite"

    def outputs(self) -> StackOutputs:
        """The platform's outputs. Raises `NothingDeployed` where there is none, or not a whole one."""
        raw = self.target.outputs()
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

    def ready(self) -> None:
        """See to the tools that the engine needs, while a person can still be asked about a download."""
        self.target.ready()

    # -- bringing it up --------------------------------------------------------------------------

    def config(self, cloud: Cloud) -> PlatformConfig:
        """The whole plan. Raises `UsageError` for settings that AWS would refuse halfway."""
        from stacks.program import check

        config = platform_config(self.settings, cloud, self._registry(cloud))
        try:
            check(config, str, list(self.settings.provider_keys))
        except ValueError as wrong:
            raise UsageError(str(wrong), "change the setting, and run the command again") from wrong
        return config

    def _registry(self, cloud: Cloud) -> Registry | None:
        """The registry of models as it is deployed, or as this machine last saw it; None where there is none.

        Raises `TfkitError` where it may not be read: an `up` that did not know the user's own models would
        take them out.
        """
        from toolkit.deploy import models

        last = last_config(self.folder)
        if not cloud.reachable or not self.target.outputs():
            return last.registry if last else None
        return models.deployed_registry(cloud, self.outputs()) or (last.registry if last else None)

    def preview(self, on_event: OnEvent) -> Summary:
        """What `up` would do; starts nothing and changes nothing."""
        cloud = self.target.look()
        program = self.target.program(self.config(cloud), self._keys(cloud), silent)
        return self.target.engine(cloud).preview(program, on_event)

    def costs(self, events: Iterable[ResourceEvent]) -> "list[Cost]":
        """What the resources of a preview cost in a month in which nothing happens, by resource."""
        from toolkit.deploy.cost import idle_costs

        return idle_costs(self.config(self.target.look()), events)

    @cached_property
    def moves(self) -> str:
        """What the settings change that replaces the whole platform, in words; empty for nothing."""
        last = last_config(self.folder)
        if last is None:
            return ""
        changes = [
            ("region", last.region, self.settings.region),
            ("prefix", last.prefix, self.settings.prefix),
        ]
        return " and ".join(f"the {what} from {old} to {new}" for what, old, new in changes if old != new)

    def up(self, on_event: OnEvent, on_line: OnLine = silent) -> Summary:
        """Make it what the settings say, and release the brake. `on_line` hears of the image's build."""
        from toolkit.deploy import brake

        self.target.ready()
        config = self.config(self.target.look())  # what cannot be is refused before anything is started
        self.target.before_up()
        cloud = self.target.cloud
        if self.moves:
            self._leave_the_old_place(cloud)
        keep(self.folder, self.settings, config)
        program = self.target.program(config, self._keys(cloud), on_line)
        try:
            summary = self.target.engine(cloud).up(program, on_event)
        except DeployFailed as error:
            raise self.target.cause(error) from error
        write_atomically(self.folder / OUTPUTS, msgspec.json.encode(summary.outputs))
        self.target.after_up(summary.outputs)
        brake.release(cloud, self.outputs(), config.reserved_concurrency)
        return summary

    def _keys(self, cloud: Cloud) -> dict[str, str]:
        """The keys of model providers: those given now, and for the others those that are deployed."""
        return chosen(self.settings.provider_keys, self.target.deployed_keys(cloud))

    def _leave_the_old_place(self, cloud: Cloud) -> None:
        """Keep the traces of what is going to be replaced; refuse where data would stand in the way."""
        from toolkit.deploy.teardown import filled_buckets

        last = last_config(self.folder)
        assert last is not None, "see `moves`"
        old = replace(cloud, region=last.region)
        if filled := filled_buckets(old, self.target.engine(cloud).resources()):
            raise UsageError(
                f"{self.moves} changes, which replaces {' and '.join(filled)}, and there is data in it",
                "take the stack down first (tfkit down), or give the new one a name of its own: --stack NAME",
            )
        self.keep_the_past(old)

    # -- while it is up --------------------------------------------------------------------------

    def drift(self, on_event: OnEvent = quiet) -> "list[Drift]":
        """What differs between the cloud and what `up` made; changes nothing.

        The user's own models are no drift, nor is their default.
        """
        from toolkit.deploy import models

        engine = self.target.engine(self.cloud)
        return models.without_own(engine.drift(on_event), engine, self.cloud)

    def refresh(self, on_event: OnEvent) -> Summary:
        """Take over into the state what the cloud says."""
        return self.target.engine(self.cloud).refresh(on_event)

    def export_state(self) -> dict[str, Any]:
        """The engine's state, a deployment document of version 3."""
        return self.target.engine(self.target.look()).export_state()

    def import_state(self, document: Mapping[str, Any], *, force: bool = False) -> None:
        """Put a deployment document in place of the state; `force` also of one that has resources."""
        self.target.engine(self.target.look()).import_state(document, force=force)

    def cancel(self) -> None:
        """Take off the lock of an update that is dead."""
        self.target.engine(self.target.look()).cancel()

    def stop(self) -> "Stopped":
        """The brake: no new runs, and those that run are cancelled. `up` releases it."""
        from toolkit.deploy import brake

        return brake.pull(self.cloud, self.outputs())

    # -- taking it down --------------------------------------------------------------------------

    def plan_down(self, on_event: OnEvent, *, keep_data: bool = False) -> "tuple[Summary, Receipt]":
        """What `down` would delete and what it would keep; changes nothing."""
        from toolkit.deploy.receipt import Receipt
        from toolkit.deploy.teardown import what_stays

        cloud = self.target.look()
        engine = self.target.engine(cloud)
        stays = what_stays(cloud, engine.resources(), keep_data=keep_data)
        summary = engine.plan_destroy(on_event, [one.urn for one in stays])
        return summary, Receipt(deleted=summary.deleted, kept=stays)

    def destroy(self, on_event: OnEvent, *, keep_data: bool = False) -> "tuple[Summary, Receipt]":
        """Delete every resource that may go, and list again. Then `close`.

        What has to stay (records under lock) or was asked to (`keep_data`) stays in the state too, so that
        the next `up` goes on with it.
        """
        from toolkit.deploy.receipt import write_receipt
        from toolkit.deploy.teardown import empty_buckets, what_stays

        cloud = self.target.cloud
        self.keep_the_past(cloud)
        engine = self.target.engine(cloud)
        before = engine.resources()
        stays = what_stays(cloud, before, keep_data=keep_data)
        for name in (OUTPUTS, CONFIG):  # from here on there is no whole platform
            (self.folder / name).unlink(missing_ok=True)
        stays += empty_buckets(cloud, before, {one.urn for one in stays}, self._note)
        summary = engine.destroy(on_event, [one.urn for one in stays])
        left = self.target.still_there(cloud, before)
        return summary, write_receipt(cloud, self.settings.stack, before, left, stays)

    def close(self) -> None:
        """After `destroy`: end what ran for the platform, and forget it where nothing of it was kept."""
        kept = self.exists and bool(self.target.engine(self.target.look()).resources())
        for text in self.target.close(kept=kept):
            self._note(text)

    def end(self) -> None:
        """End what runs on this machine for a platform that is not there."""
        self.target.end()

    def keep_the_past(self, cloud: Cloud) -> None:
        """Read the traces of all runs into this machine's index, before the bucket that holds them goes."""
        from toolkit.traces import Traces

        now = datetime.now(UTC)
        try:
            outputs = self.outputs()
            reader = Traces(cloud, outputs.audit_bucket, outputs.runs_bucket, self.index_path)
            reader.refresh(now - timedelta(days=self.settings.runs_expire_days), now)
        except NothingDeployed:
            return  # a deployment that was cut off has no runs
        except TfkitError as error:
            self._note(f"the traces could not be kept on this machine: {error.message}")

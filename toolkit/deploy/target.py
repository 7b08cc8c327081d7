"""Where a platform lives: the one place that knows which target there is.

`Platform` says what is done and in which order; a target says where: which account, which cloud, which
engine, and what has to be there before an `up` and can go after a `down`.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from toolkit.cloud import Cloud
from toolkit.contracts import PlatformConfig
from toolkit.deploy.engine import Engine, Program
from toolkit.deploy.state import Resource
from toolkit.errors import DeployFailed, TfkitError
from toolkit.settings import Settings

OnLine = Callable[[str], None]
Consent = Callable[[str], bool]


class Target(Protocol):
    """One stack's place. Opening one starts nothing and changes nothing."""

    settings: Settings
    """Completed: engine, region and prefix are known."""

    folder: Path
    """What this machine keeps of the stack."""

    asks: bool
    """Whether a person is asked before something changes here."""

    @property
    def account(self) -> str:
        """The account number."""
        ...

    @property
    def cloud(self) -> Cloud:
        """The cloud, ready to be used."""
        ...

    @property
    def endpoint(self) -> str | None:
        """The address of the emulator; empty where there is none to have, None where it is stopped."""
        ...

    def look(self) -> Cloud:
        """The cloud for a plan: nothing is started for it."""
        ...

    def engine(self, cloud: Cloud) -> Engine:
        """What runs the program here."""
        ...

    def program(self, config: PlatformConfig, keys: Mapping[str, str], on_line: OnLine) -> Program:
        """The platform's program, with what it needs of this place.

        `keys` are those of model providers, by name; `on_line` hears of long builds.
        """
        ...

    def outputs(self) -> dict[str, Any]:
        """What the deployed platform exports; empty where there is none."""
        ...

    @property
    def exists(self) -> bool:
        """Whether anything is deployed, or left of what was."""
        ...

    def deployed_keys(self, cloud: Cloud) -> dict[str, str]:
        """The keys of model providers that the platform has, by provider."""
        ...

    def ready(self) -> None:
        """See to the tools that the engine needs, asking a person where that means a download."""
        ...

    def before_up(self) -> None:
        """See to what an `up` needs."""
        ...

    def cause(self, error: DeployFailed) -> TfkitError:
        """What made an `up` fail, where the target knows it better than the engine could tell."""
        ...

    def after_up(self, outputs: dict[str, Any]) -> None:
        """See to what has to know the outputs of an `up`."""
        ...

    def still_there(self, cloud: Cloud, resources: Iterable[Resource]) -> list[Resource]:
        """Those of the resources that can still be found, asked of the provider and not of the state."""
        ...

    def end(self) -> None:
        """End what runs on this machine for a stack that has no state."""
        ...

    def close(self, *, kept: bool) -> list[str]:
        """After a `down`: end what was running for the platform; `kept` says that something stays.

        Returns what is still there and is no part of any one stack, in words.
        """
        ...


def open_target(settings: Settings, note: OnLine, consent: Consent, *, moving: bool = False) -> Target:
    """The target that the settings name.

    `note` is told what takes long and what is downloaded; `consent` is asked before a tool is. `moving` says
    that the command may bring the stack to another region.
    """
    if settings.target == "aws":
        from toolkit.deploy.aws_target import AwsTarget

        return AwsTarget(settings, note, consent, moving=moving)
    from toolkit.deploy.local_target import LocalTarget

    return LocalTarget(settings, note, consent, moving=moving)

"""Where a stack of the Pulumi engine lives: its folder, its backend, and what the CLI's processes get.

FOLDER/passphrase                the passphrase of its secrets, shared with the embedded engine
FOLDER/pulumi/Pulumi*.yaml       project and stack settings, written by the SDK
FOLDER/pulumi/state/             the state, unless a backend is given
HOME/plugins/                    the providers of this engine (PULUMI_HOME)
"""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PASSPHRASE = "passphrase"  # noqa: S105 - the name of Pulumi's secrets provider


@dataclass(frozen=True)
class Place:
    """The place of one stack.

    `backend_url` is any that Pulumi has (empty: a folder here); `secrets_provider` is `passphrase` or a
    key (`awskms://alias/x?region=y`); `config` is added to the stack's; `environment` is added to what
    the CLI's processes inherit, and is in no other process.
    """

    folder: Path
    home: Path
    region: str
    backend_url: str = ""
    secrets_provider: str = PASSPHRASE
    config: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def work(self) -> Path:
        """The project's folder."""
        return self.folder / "pulumi"

    @property
    def backend(self) -> str:
        """The backend's address."""
        return self.backend_url or (self.work / "state").as_uri()

    @property
    def untouched(self) -> bool:
        """Whether no stack can be here, which spares the CLI a look."""
        return not self.backend_url and not (self.work / "state").exists()

    @property
    def settings(self) -> dict[str, str]:
        """The stack's configuration."""
        return {"aws:region": self.region, **self.config}

    def make(self) -> None:
        """Make the folders, for their owner only; a backend that is a folder must be there before."""
        state = [] if self.backend_url else [self.work / "state"]
        for folder in (self.folder, self.work, self.home, *state):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def passphrase(self) -> str:
        """The passphrase of this stack's secrets, made on first use. Stripped, as Pulumi does it."""
        path = self.folder / "passphrase"
        with suppress(FileExistsError):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(32))
        return path.read_text("utf-8").strip()

    @property
    def variables(self) -> dict[str, str]:
        """What the CLI's processes get beside what they inherit; a name that is set here overrides."""
        return {
            "AWS_REGION": self.region,
            "PULUMI_BACKEND_URL": self.backend,  # in the user's environment it would beat the project's
            "PULUMI_CONFIG_PASSPHRASE": self.passphrase,  # this one beats PULUMI_CONFIG_PASSPHRASE_FILE
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",  # no provider from PATH: see toolkit.local.launcher
            "PULUMI_RUN_PROGRAM": "false",  # refresh and destroy go by the state; there is no program then
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **self.environment,
        }

    @property
    def hidden(self) -> list[str]:
        """What must be in no message."""
        secret = ("SECRET", "TOKEN", "PASSWORD", "PASSPHRASE")
        given = [value for name, value in self.environment.items() if any(part in name for part in secret)]
        return [self.passphrase, *given]

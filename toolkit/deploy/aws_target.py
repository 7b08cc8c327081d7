"""The aws target: the account of the caller, through Pulumi's own engine.

Nothing here is made by opening it; the credentials are asked whose they are, at once, because everything else
depends on that. The platform's outputs are a parameter of the account (`stacks.directory`), so that
whoever may use the platform needs neither Pulumi nor its state.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from toolkit.cloud import Cloud
from toolkit.contracts import PlatformConfig
from toolkit.deploy.aws_identity import find_cloud
from toolkit.deploy.aws_state import StateStore
from toolkit.deploy.engine import Program
from toolkit.deploy.plan import PROJECT
from toolkit.deploy.provider_keys import keys_in_account
from toolkit.deploy.pulumi_cli import plugin_download
from toolkit.deploy.pulumi_errors import translate
from toolkit.deploy.pulumi_place import PASSPHRASE, Place
from toolkit.deploy.remembered import complete, forget
from toolkit.deploy.state import Resource
from toolkit.deploy.target import Consent, OnLine
from toolkit.errors import DeployFailed, TfkitError, UsageError
from toolkit.settings import Settings

if TYPE_CHECKING:
    from toolkit.deploy.automation import AutomationEngine, PulumiCommand
    from toolkit.deploy.image import ImageBuilder

PULUMI_HOME = "pulumi"
"""Below TFKIT_HOME, and not the user's own, where a plugin could stand in for pulumi-aws."""

# The key of a session that was named wins over keys in the environment; in Pulumi's process it is the
# other way round, so the latter do not reach it then. These are what the SDK for Go takes before AWS_PROFILE,
# by either spelling (`resolveCredentialChain` and env_config.go in aws-sdk-go-v2/config).
FOREIGN_KEYS = (
    *("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN"),
    *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
)


class AwsTarget:
    """A stack in an account of AWS."""

    asks = True
    _builder: "ImageBuilder | None" = None

    def __init__(self, settings: Settings, note: OnLine, consent: Consent, *, moving: bool = False) -> None:
        if settings.engine == "embedded":
            raise UsageError(
                "the embedded engine speaks to the local target only", "leave --engine out: AWS is Pulumi's"
            )
        self._note = note
        self._consent = consent
        self._caller = find_cloud(settings)
        self.folder: Path = settings.folder / "aws" / self._caller.account / settings.stack
        self.settings: Settings = complete(
            settings, self.folder, "pulumi", self._caller.region, moving=moving
        )
        self._store = StateStore(self.cloud)

    @property
    def account(self) -> str:
        """The account of the credentials."""
        return self._caller.account

    @cached_property
    def cloud(self) -> Cloud:
        """The account, in the stack's region."""
        caller = self._caller
        return Cloud(
            target="aws",
            region=self.settings.region,
            account=caller.account,
            partition=caller.partition,
            profile=caller.profile,
        )

    @property
    def endpoint(self) -> str | None:
        """None of ours: AWS is where it is."""
        return ""

    def look(self) -> Cloud:
        """The same: looking costs nothing here."""
        return self.cloud

    # -- the engine ------------------------------------------------------------------------------

    def engine(self, cloud: Cloud) -> "AutomationEngine":
        """Pulumi's, over the account's state; before there is any, over an empty one."""
        from toolkit.deploy.automation import AutomationEngine

        home = self.settings.folder / PULUMI_HOME
        backend, key = self._backend()
        place = Place(
            self.folder,
            home,
            cloud.region,
            backend_url=backend,
            secrets_provider=key,
            # Pulumi's provider refuses any other account by itself too.
            config={"aws:allowedAccountIds": json.dumps([cloud.account])},
            environment=self._environment(),
        )
        return AutomationEngine(place, PROJECT, self.settings.stack, self._command)

    def _backend(self) -> tuple[str, str]:
        """Where the state lies, and what encrypts its secrets. Empty where nothing is made yet."""
        if self.settings.backend:
            return self.settings.backend, self.settings.secrets_provider or PASSPHRASE
        region = self._store.region()
        if not region:
            return "", PASSPHRASE
        return self._store.url(region), self.settings.secrets_provider or self._store.secrets_provider(region)

    def _environment(self) -> dict[str, str]:
        if not self.settings.profile:
            return {}
        return {"AWS_PROFILE": self.settings.profile, **dict.fromkeys(FOREIGN_KEYS, "")}

    @cached_property
    def _command(self) -> "PulumiCommand":
        from toolkit.deploy.automation import require_cli

        return require_cli(self._consent)

    def program(self, config: PlatformConfig, keys: Mapping[str, str], on_line: OnLine) -> Program:
        """The program, with the builder of the agent's image and the keys of other providers."""
        from stacks import names
        from stacks.program import platform
        from toolkit.deploy.image import ImageBuilder
        from toolkit.deploy.image_choice import image_options

        self._builder = ImageBuilder(
            self.cloud,
            image_options(self.settings),
            on_line,
            project=names.build_name(config),
            bucket=names.bucket_name(config, names.RUNS),
        )
        return platform(config, self._builder, keys)

    # -- what is there ---------------------------------------------------------------------------

    def outputs(self) -> dict[str, Any]:
        """From the parameter that the platform has for them."""
        name = f"/{self.settings.prefix}/platform"
        try:
            answer = self.cloud.client("ssm").get_parameter(Name=name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return {}
            raise translate(str(error)) from error
        found: dict[str, Any] = json.loads(answer["Parameter"]["Value"])
        return found

    @property
    def exists(self) -> bool:
        """Whether Pulumi has a state of the stack."""
        if self.settings.backend:
            return bool(self.engine(self.cloud).resources())
        return bool(self._store.region()) and self._store.has(PROJECT, self.settings.stack)

    def still_there(self, cloud: Cloud, resources: Iterable[Resource]) -> list[Resource]:
        """Asked of pulumi-aws, by a refresh of a copy of the state."""
        return self.engine(cloud).still_there(resources)

    def deployed_keys(self, cloud: Cloud) -> dict[str, str]:
        """From their parameters."""
        return keys_in_account(cloud, self.settings.prefix)

    # -- before and after ------------------------------------------------------------------------

    def ready(self) -> None:
        """Pulumi's command line, and word of what it will download by itself."""
        _ = self._command
        if download := plugin_download(self.settings.folder / PULUMI_HOME):
            self._note(download)

    def before_up(self) -> None:
        """Pin the image; make the place of the state, where there is none."""
        from toolkit.deploy.image_choice import pin

        pin(self.settings, self._note)
        if not self.settings.backend:
            if not self._store.region():
                self._note(
                    f"making the bucket {self._store.bucket} and a key: there lies the state of all stacks"
                )
            self._store.make()

    def cause(self, error: DeployFailed) -> TfkitError:
        """The end of the build's log, of which Pulumi passes on a text and no hint."""
        failed = self._builder.failed if self._builder else None
        return failed or error

    def after_up(self, outputs: dict[str, Any]) -> None:
        """Nothing: the platform publishes its outputs itself."""

    def end(self) -> None:
        """Nothing runs on this machine."""

    def close(self, *, kept: bool) -> list[str]:
        """Remove the place of the state where no stack is left in it, and forget the stack."""
        if kept:
            return []
        forget(self.folder)
        if self.settings.backend:
            return []
        try:
            left = self._store.remove_if_unused()
        except ClientError as error:
            left = f"the bucket of the states stays, because it cannot be removed: {error}"
        return [left] if left else []

"""The embedded engine's state: Pulumi's deployment format, version 3, on disk after every step.

The document is the one that `pulumi stack export` prints and `pulumi stack import` takes
(`apitype.DeploymentV3` in Pulumi's SDK), so that a stack can be taken over by the real engine at any
time. A write is atomic (temporary file, fsync, rename); what is under way stands in
`pending_operations`, so a kill in the middle loses nothing.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import msgspec

from toolkit.deploy.wire import SECRET, has_marker
from toolkit.errors import DeployFailed

if TYPE_CHECKING:
    from toolkit.deploy.secrets import Vault

Properties = dict[str, Any]

STACK_TYPE = "pulumi:pulumi:Stack"


class Resource(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A resource as the deployment format has it (`apitype.ResourceV3`); only the fields that are used."""

    urn: str
    custom: bool = msgspec.field(default=False)
    delete: bool = False
    id: str = ""
    type: str = ""
    inputs: Properties = {}
    outputs: Properties = {}
    parent: str = ""
    protect: bool = False
    dependencies: list[str] = []
    provider: str = ""
    property_dependencies: dict[str, list[str]] = {}
    retain_on_delete: bool = False
    additional_secret_outputs: list[str] = []
    created: str = ""
    modified: str = ""

    @property
    def name(self) -> str:
        """The logical name, which is the URN's last part."""
        return self.urn.rsplit("::", 1)[-1]

    @property
    def is_provider(self) -> bool:
        """Whether this is a provider, which the engine makes itself."""
        return self.type.startswith("pulumi:providers:")

    @property
    def needs(self) -> set[str]:
        """The URNs that must exist as long as this resource does."""
        provider = {self.provider.rsplit("::", 1)[0]} if self.provider else set()
        parent = {self.parent} if self.parent else set()
        properties = {urn for urns in self.property_dependencies.values() for urn in urns}
        return {*self.dependencies, *properties, *parent, *provider}


class Operation(msgspec.Struct, kw_only=True):
    """A step that was begun and of which the end is not known (`apitype.OperationV2`)."""

    resource: Resource
    type: str


def now() -> str:
    """The time as Pulumi writes it: RFC 3339, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _manifest(engine: str) -> dict[str, str]:
    """Pulumi refuses to import a state whose magic is not the hash of the version (`Manifest.NewMagic`)."""
    return {"time": now(), "magic": hashlib.sha256(engine.encode()).hexdigest(), "version": engine}


def read_outputs(path: Path) -> Properties:
    """The stack's outputs in a state file, without deciphering what else is in it; empty without one."""
    try:
        document = msgspec.json.decode(path.read_bytes())
        resources = document["deployment"]["resources"]
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as broken:
        raise _unreadable(path, broken) from broken
    return next((r.get("outputs", {}) for r in resources if r.get("type") == STACK_TYPE), {})


def _unreadable(path: Path, why: Exception) -> DeployFailed:
    return DeployFailed(
        f"the state of the stack cannot be read: {path}: {why}",
        "restore the file from a backup, or move it away to begin anew",
    )


class State:
    """The resources of one stack in memory and on disk. Every method may be called from any thread."""

    def __init__(self, path: Path, pulumi_version: str) -> None:
        self.path = path
        self._version = pulumi_version
        self._lock = RLock()
        self.live: dict[str, Resource] = {}
        self.doomed: list[Resource] = []
        self.pending: list[Operation] = []
        self._settled: dict[str, None] = {}
        self._vault: Vault | None = None
        self._load()

    def _load(self) -> None:
        if not self.path.exists():
            return
        try:
            document = msgspec.json.decode(self.path.read_bytes())
            deployment = document["deployment"] or {}
            provider = deployment.get("secrets_providers")
            if provider:
                self._vault = self._make_vault(provider["state"]["salt"])
                deployment = self._vault.open(deployment)
            resources = msgspec.convert(deployment.get("resources") or [], list[Resource])
            self.pending = msgspec.convert(deployment.get("pending_operations") or [], list[Operation])
        except (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError) as broken:
            raise _unreadable(self.path, broken) from broken
        self.doomed = [resource for resource in resources if resource.delete]
        self.live = {resource.urn: resource for resource in resources if not resource.delete}

    def begin(self) -> None:
        """A new run of the program starts: resources count as settled once it has registered them."""
        with self._lock:
            self._settled = {}

    def settle(self, resource: Resource, *, replaced: Resource | None = None, write: bool = True) -> None:
        """Put a resource that the running program has registered; its operation is over.

        What it `replaced` is there still, and is deleted at the end of the run.
        """
        with self._lock:
            self._doom(replaced)
            self.live[resource.urn] = resource
            self._settled[resource.urn] = None
            self._finish(resource.urn)
            if write:
                self.save()

    def adopt(self, resource: Resource) -> None:
        """Put a resource of an earlier, killed run; the program may or may not mention it again."""
        with self._lock:
            self._doom(self.live.get(resource.urn))
            self.live[resource.urn] = resource
            self._finish(resource.urn)
            self.save()

    def _doom(self, replaced: Resource | None) -> None:
        if replaced is not None:
            self.doomed.append(msgspec.structs.replace(replaced, delete=True))

    def forget(self, resource: Resource) -> None:
        """Take a resource out that no longer exists."""
        with self._lock:
            if resource.delete:
                self.doomed = [other for other in self.doomed if other is not resource]
            else:
                self.live.pop(resource.urn, None)
                self._settled.pop(resource.urn, None)
            self._finish(resource.urn)
            self.save()

    def start(self, resource: Resource, operation: str) -> None:
        """Write down that an operation (creating, updating, deleting) begins, before it does."""
        with self._lock:
            self._finish(resource.urn)
            self.pending.append(Operation(resource=resource, type=operation))
            self.save()

    def fail(self, resource: Resource) -> None:
        """An operation ended with an error that says that nothing was done."""
        with self._lock:
            self._finish(resource.urn)
            self.save()

    def _finish(self, urn: str) -> None:
        self.pending = [operation for operation in self.pending if operation.resource.urn != urn]

    def unsettled(self) -> list[Resource]:
        """Resources of earlier runs that the program no longer mentions, and those it replaced."""
        with self._lock:
            return [r for urn, r in self.live.items() if urn not in self._settled] + list(self.doomed)

    def document(self) -> dict[str, Any]:
        """The whole state as `{"version": 3, "deployment": …}`, in an order that Pulumi accepts:
        whatever a resource depends on stands before it."""
        with self._lock:
            settled = [self.live[urn] for urn in self._settled if urn in self.live]
            rest = [r for urn, r in self.live.items() if urn not in self._settled]
            deployment: dict[str, Any] = {
                "manifest": _manifest("v" + self._version),
                "resources": msgspec.to_builtins([*settled, *rest, *self.doomed]),
                "pending_operations": msgspec.to_builtins(self.pending),
                "metadata": {},
            }
        for resource in deployment["resources"]:
            resource.setdefault("custom", False)  # the one field that Pulumi never leaves out
        _drop_dangling(deployment["resources"])
        if has_marker(deployment, SECRET):
            self._vault = self._vault or self._make_vault("")
            deployment = {**self._vault.hide(deployment), "secrets_providers": self._vault.provider}
        return {"version": 3, "deployment": deployment}

    def _make_vault(self, salt: str) -> "Vault":
        from toolkit.deploy.secrets import Vault

        return Vault(self.path.with_name("passphrase"), salt)

    def save(self) -> None:
        """Write the document atomically. Raises `DeployFailed` where the folder cannot be written."""
        with self._lock:
            write_atomically(self.path, msgspec.json.format(msgspec.json.encode(self.document())))


def _drop_dangling(resources: list[dict[str, Any]]) -> None:
    """Leave out dependencies on what is gone: found gone by a refresh, or deleted to be replaced.

    Pulumi refuses a state that has one; who still needs it says so again at the next registration.
    """
    known = {resource["urn"] for resource in resources}
    for resource in resources:
        if "dependencies" in resource:
            resource["dependencies"] = [urn for urn in resource["dependencies"] if urn in known]
        by_property = resource.get("propertyDependencies", {})
        for name in by_property:
            by_property[name] = [urn for urn in by_property[name] if urn in known]


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content so that a reader, or a kill, sees the old or the new one, never a part."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise DeployFailed(
            f"cannot write {path}: {error.strerror}", "free the disk or fix the rights"
        ) from error


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a stack for one engine at a time. Raises `DeployFailed` naming the process that holds it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise DeployFailed(
                f"another tfkit is working on this stack (process {holder})", "wait until it is done"
            ) from busy
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)

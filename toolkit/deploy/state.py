"""The embedded engine's state: Pulumi's deployment format, version 3, on disk after every step.

The document is the one that `pulumi stack export` prints and `pulumi stack import` takes
(`apitype.DeploymentV3` in Pulumi's SDK), so that a stack can be taken over by the real engine at any
time. A write is atomic (temporary file, fsync, rename); what is under way stands in
`pending_operations`, so a kill in the middle loses nothing.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import msgspec

from toolkit.deploy.disk import exclusive as exclusive  # with `State` for whoever changes one
from toolkit.deploy.disk import write_atomically as write_atomically
from toolkit.deploy.resource import STACK_TYPE, Operation, Properties, Resource, now
from toolkit.deploy.wire import SECRET, has_marker
from toolkit.errors import DeployFailed

if TYPE_CHECKING:
    from toolkit.deploy.secrets import Vault


DEEPEST = 100
"""Levels of a deployment document. Pulumi's have some twenty; what walks through one is recursive."""

BROKEN = (OSError, RecursionError, msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError)
"""What reading a file that is no state raises."""


def urn_prefix(project: str, stack: str) -> str:
    """How the URN of every resource of this stack begins."""
    return f"urn:pulumi:{stack}::{project}::"


def deployment_of(document: Any) -> Properties:
    """The deployment in a document. Raises ValueError, in words, for what is no deployment of version 3."""
    if not isinstance(document, Mapping):
        raise ValueError("it is no JSON object")
    deployment = document.get("deployment")
    if document.get("version") != 3 or not isinstance(deployment, dict):
        raise ValueError("it is no deployment document of version 3")
    if _deeper(deployment, DEEPEST):
        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    return deployment


def _deeper(data: Any, levels: int) -> bool:
    level = [data]
    for _ in range(levels):
        inner = (item.values() if isinstance(item, dict) else item for item in level)
        level = [one for items in inner for one in items if isinstance(one, (dict, list))]
    return bool(level)


def _manifest(engine: str) -> dict[str, str]:
    """Pulumi refuses to import a state whose magic is not the hash of the version (`Manifest.NewMagic`)."""
    return {"time": now(), "magic": hashlib.sha256(engine.encode()).hexdigest(), "version": engine}


def read_outputs(path: Path, owner: str = "") -> Properties:
    """The stack's outputs in a state file, without deciphering what else is in it; empty without one.

    `owner` is the `urn_prefix` of the stack whose state it has to be.
    """
    try:
        deployment = deployment_of(msgspec.json.decode(path.read_bytes()))
        stacks = [r for r in deployment.get("resources") or [] if r["type"] == STACK_TYPE]
        _refuse_foreign(path, owner, (resource["urn"] for resource in stacks))
        return next((dict(resource.get("outputs") or {}) for resource in stacks), {})
    except FileNotFoundError:
        return {}
    except BROKEN as broken:
        raise _unreadable(path, broken) from broken


def _unreadable(path: Path, why: Exception) -> DeployFailed:
    said = {OSError: getattr(why, "strerror", None), RecursionError: "it is nested too deep"}
    reason = next((text for kind, text in said.items() if isinstance(why, kind) and text), why)
    return DeployFailed(
        f"the state of the stack cannot be read: {path}: {reason}",
        "restore the file from a backup, or move it away to begin anew",
    )


def _refuse_foreign(path: Path, owner: str, urns: Iterable[str]) -> None:
    """Raise `DeployFailed` for a resource of another stack: to go on with it would delete that stack's."""
    for urn in urns:
        if not urn.startswith(owner):
            raise DeployFailed(
                f"{path} is the state of {_stack_of(urn)}, not of {_stack_of(owner)}",
                "put the stack's own state back from a backup, or move the file away to begin anew",
            )


def _urns(deployment: Properties) -> list[str]:
    """Of every resource in it, those under way too."""
    pending = [operation["resource"] for operation in deployment.get("pending_operations") or []]
    return [resource["urn"] for resource in (*(deployment.get("resources") or []), *pending)]


def _stack_of(urn: str) -> str:
    """The stack and project in a URN, in words."""
    parts = urn.removeprefix("urn:pulumi:").split("::")
    return f"the stack {parts[0]!r} of {parts[1]!r}" if len(parts) > 2 else f"something else ({urn!r})"


class State:
    """The resources of one stack in memory and on disk. Every method may be called from any thread.

    `owner` is the stack's `urn_prefix`; the state of another stack is refused. `unwritten` is the first error
    of a write, which a program may have swallowed.
    """

    def __init__(self, path: Path, pulumi_version: str, owner: str = "") -> None:
        self.path = path
        self.unwritten: DeployFailed | None = None
        self._owner = owner
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
            self.take_over(deployment_of(msgspec.json.decode(self.path.read_bytes())))
        except BROKEN as broken:
            raise _unreadable(self.path, broken) from broken

    def take_over(self, deployment: Properties) -> None:
        """Make a deployment of version 3 the state, in memory; its secrets are deciphered.

        Raises `DeployFailed` with the wrong passphrase or for another stack's, and what is among `BROKEN` for
        what is no deployment.
        """
        _refuse_foreign(self.path, self._owner, _urns(deployment))  # before its secrets, under another key
        vault = None
        if provider := deployment.get("secrets_providers"):
            state = provider.get("state")
            salt = state.get("salt") if isinstance(state, dict) else None
            vault = self._make_vault(salt or "none")  # without one it is damaged, not new
            deployment = vault.open(deployment)
        resources = msgspec.convert(deployment.get("resources") or [], list[Resource])
        pending = msgspec.convert(deployment.get("pending_operations") or [], list[Operation])
        with self._lock:
            self._vault, self.pending = vault, pending
            self._settled.clear()
            self.doomed = [resource for resource in resources if resource.delete]
            self.live = {resource.urn: resource for resource in resources if not resource.delete}

    @property
    def everything(self) -> list[Resource]:
        """What there is, and what replacements left behind."""
        with self._lock:
            return [*self.live.values(), *self.doomed]

    def empty_outputs(self) -> None:
        """Take the stack's outputs away: it is no longer whole."""
        with self._lock:
            for resource in self.live.values():
                if resource.type == STACK_TYPE:
                    resource.outputs = {}
            self.save()

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

    def reread(self, resource: Resource) -> None:
        """Put a resource as it was found to be; whatever was under way with it is over."""
        with self._lock:
            self.live[resource.urn] = resource
            self._finish(resource.urn)
            self.save()

    def close(self, resource: Resource) -> None:
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
            content = msgspec.json.format(msgspec.json.encode(self.document()))
            try:
                write_atomically(self.path, content)
            except DeployFailed as error:
                self.unwritten = self.unwritten or error
                raise

    def keep_copy(self, path: Path) -> None:
        """Put a copy of what is on disk there, for its owner alone; of no state, no copy."""
        if self.path.exists():
            write_atomically(path, self.path.read_bytes())


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

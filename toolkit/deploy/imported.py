"""Whether a deployment document from elsewhere may become the state of a stack.

The rules are those of `pulumi stack import` (`Snapshot.VerifyIntegrity` and the check of the stack's name in
Pulumi's `pkg`): a state that breaks one of them would fail later, in the middle of an operation.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from toolkit.deploy.state import Operation, Resource, deployment_of, urn_prefix
from toolkit.deploy.wire import SECRET, SIGNATURE, has_marker
from toolkit.errors import DeployFailed, UsageError

PASSPHRASE = "passphrase"  # noqa: S105 - the name of Pulumi's secrets provider
EXPORT = "export it again from the stack that it belongs to: pulumi stack export, or tfkit's export_state"

REFUSED = ("external", "pendingReplacement", "viewOf", "taint", "deletedWith")
"""What a resource of Pulumi's can be and this engine would have to ignore."""

TYPES = ("aws:", "pulumi:providers:aws")
"""The types of custom resources that this engine has a provider for."""


def read_document(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises `UsageError` where there is none, saying what is there instead."""
    hint = "name a file that `state export` or `pulumi stack export` wrote"
    try:
        document = msgspec.json.decode(path.read_bytes())
    except (msgspec.MsgspecError, UnicodeDecodeError) as broken:
        raise UsageError(f"{path} is no JSON document: {broken}", hint) from broken
    except RecursionError as deep:
        raise UsageError(f"{path} is no deployment document: it is nested too deep", hint) from deep
    if not isinstance(document, dict):
        raise UsageError(f"{path} is no deployment document: it holds no JSON object", hint)
    return document


def checked(document: Mapping[str, Any], project: str, stack: str) -> dict[str, Any]:
    """The deployment in the document. Raises `DeployFailed` for another version or stack, or a broken one."""
    try:
        deployment = deployment_of(document)
        resources = msgspec.convert(deployment.get("resources") or [], list[Resource])
        pending = msgspec.convert(deployment.get("pending_operations") or [], list[Operation])
    except ValueError as broken:  # of which msgspec's is one
        raise _refused(str(broken)) from broken
    prefix = urn_prefix(project, stack)
    for problem in (*_under_way(pending, prefix), *_broken(resources, prefix)):
        raise _refused(problem)
    return deployment


def understood(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """The same for the embedded engine, its secrets readable. Raises `DeployFailed` for what it has not."""
    for resource in deployment.get("resources") or []:
        has = sorted(name for name in REFUSED if resource.get(name))
        if has:
            raise _foreign(f"{resource['urn']} is {', '.join(has)}")
        if resource.get("custom") and not str(resource.get("type")).startswith(TYPES):
            raise _foreign(f"it has no provider for {resource.get('type')}")
    provider = deployment.get("secrets_providers") or {}
    if not isinstance(provider, dict):
        raise _refused("its secrets_providers say nothing")
    if provider and provider.get("type") != PASSPHRASE:
        raise _foreign(f"its secrets are under {provider.get('type')!r}, not under a passphrase")
    if not provider and has_marker(deployment, SECRET) and '"ciphertext"' in json.dumps(deployment):
        raise _foreign("it has encrypted secrets and does not say how")
    opened: dict[str, Any] = _shown(dict(deployment))
    return opened


def _under_way(pending: Iterable[Operation], prefix: str) -> Iterator[str]:
    for operation in pending:
        if not operation.resource.urn.startswith(prefix):
            yield f"{operation.resource.urn}, which is under way in it, is of another stack or project"
        if operation.type != "creating":
            yield f"an operation is under way in it ({operation.type}); run `up` or `refresh` there first"


def _broken(resources: Iterable[Resource], prefix: str) -> Iterator[str]:
    known: set[str] = set()
    for resource in resources:
        if not resource.urn.startswith(prefix):
            yield f"{resource.urn} is of another stack or project"
        if resource.urn in known and not resource.delete:
            yield f"{resource.urn} is in it twice"
        for needed in sorted(resource.needs - known):
            yield f"{resource.urn} needs {needed}, which does not stand before it"
        known.add(resource.urn)


def _shown(data: Any) -> Any:
    """The data with secrets that were exported in the clear (`--show-secrets`) as the state has them."""
    if isinstance(data, list):
        return [_shown(item) for item in data]
    if not isinstance(data, dict):
        return data
    if data.get(SIGNATURE) == SECRET and "plaintext" in data:
        return {SIGNATURE: SECRET, "value": _plain(data["plaintext"])}
    return {key: _shown(item) for key, item in data.items()}


def _plain(text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as broken:
        raise _refused("a secret that was exported in the clear is no JSON text") from broken


def _refused(why: str) -> DeployFailed:
    return DeployFailed(f"the state cannot be taken over: {why}", EXPORT)


def _foreign(why: str) -> DeployFailed:
    return DeployFailed(
        f"the embedded engine cannot go on with this state: {why}", "go on with it there: --engine pulumi"
    )

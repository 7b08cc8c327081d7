"""Deployment documents of Pulumi's CLI: what is read of them, and what is changed before one goes back."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from toolkit.deploy.state import STACK_TYPE, Resource
from toolkit.deploy.wire import SECRET, SIGNATURE


def resources_of(document: Mapping[str, Any]) -> list[Resource]:
    """What the document knows, in its order."""
    deployment = document.get("deployment") or {}
    return msgspec.convert(deployment.get("resources") or [], list[Resource])


def elsewhere(resources: Iterable[Resource], region: str) -> list[str]:
    """The URNs of what lives in another region than this.

    pulumi-aws 7 does not move resources when the region of its provider changes: it took that out again
    (pulumi-aws pull request 5656), since each resource has a `region` of its own now, which the state
    keeps, so they would stay where they are. What has none (IAM, dashboards) is global, or made by tfkit's
    own provider, which replaces everything by itself (`DiffConfig`).
    """
    return [
        resource.urn
        for resource in resources
        if resource.custom and not resource.delete and resource.outputs.get("region", region) != region
    ]


def without_outputs(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without the stack's outputs."""
    deployment = dict(document.get("deployment") or {})
    deployment["resources"] = [
        {
            name: value
            for name, value in resource.items()
            if name != "outputs" or resource["type"] != STACK_TYPE
        }
        for resource in deployment.get("resources") or []
    ]
    return {**document, "deployment": deployment}


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the seal that Pulumi checks on import: `Manifest.NewMagic`, a hash of the version.

    (`VerifyIntegrity` in pkg/resource/deploy/snapshot.go: "magic cookie mismatch" without it.)
    """
    deployment = dict(document.get("deployment") or {})
    manifest = dict(deployment.get("manifest") or {})
    release = str(manifest.get("version", ""))
    manifest["magic"] = hashlib.sha256(release.encode()).hexdigest() if release else ""
    return {**document, "deployment": {**deployment, "manifest": manifest}}


def blanked(data: Any) -> Any:
    """The data with every secret replaced by nothing."""
    if isinstance(data, list):
        return [blanked(item) for item in data]
    if not isinstance(data, dict):
        return data
    if data.get(SIGNATURE) == SECRET:
        return ""
    return {key: blanked(item) for key, item in data.items()}

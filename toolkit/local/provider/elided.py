"""What Pulumi's engine leaves out: where a provider only looks, it gets of an archive the hash alone.

So it is with assets too, in Diff, Read and Delete (`ElideAssetContents` in provider_plugin.go, of
pulumi/sdk/go/common/resource/plugin); Create and Update get the contents. What Read hands back with a hash,
the engine fills in again (`restoreElidedAssetContents` there). The embedded engine always sends the contents.
"""

from collections.abc import Mapping
from typing import Any

from toolkit.local.provider.wire import ARCHIVE, ASSET, SIGNATURE, Props

CONTENTS = frozenset({"text", "path", "uri", "assets"})


def elided(value: Any) -> bool:
    """Whether this is an asset or an archive without its contents."""
    return _is_asset(value) and CONTENTS.isdisjoint(value)


def evened(one: Props, other: Props) -> tuple[Props, Props]:
    """Both, with every pair of assets of which one is without contents reduced to what they are known by."""
    pairs = {name: _pair(one[name], other[name]) for name in one.keys() & other.keys()}
    return (
        {name: pairs[name][0] if name in pairs else value for name, value in one.items()},
        {name: pairs[name][1] if name in pairs else value for name, value in other.items()},
    )


def with_contents(props: Props) -> Props:
    """The properties without those of which the contents are not told."""
    return {name: value for name, value in props.items() if not elided(value)}


def _pair(one: Any, other: Any) -> tuple[Any, Any]:
    if elided(one) or elided(other):
        return _known_by(one), _known_by(other)
    return one, other


def _known_by(value: Any) -> Any:
    # Not under `hash`: comparisons skip that key, because contents count where there are any.
    return {SIGNATURE: value[SIGNATURE], "known by": value.get("hash")} if _is_asset(value) else value


def _is_asset(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get(SIGNATURE) in (ASSET, ARCHIVE)

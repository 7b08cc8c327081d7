"""The code of a function: Pulumi's archives as a zip whose bytes depend on their content alone."""

import base64
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

from toolkit.local.provider.errors import ProviderError
from toolkit.local.provider.wire import ARCHIVE, ASSET, SIGNATURE, Props

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold; a real one would make equal code differ."""


def zipped(archive: Props) -> bytes:
    """An archive (as on the wire) as a zip; raises `ProviderError` for a form of it that is not known."""
    if archive.get(SIGNATURE) != ARCHIVE:
        raise ProviderError("the property code must be an archive")
    if "path" in archive and "assets" not in archive:
        return _file(Path(archive["path"]))
    files = _files(archive, "")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16  # readable by the function's user
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, files[name])
    return buffer.getvalue()


def sha256(content: bytes) -> str:
    """The digest as Lambda reports it (CodeSha256): base64 of SHA-256."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _files(archive: Props, folder: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, item in archive.get("assets", {}).items():
        if item.get(SIGNATURE) == ARCHIVE:
            found.update(_files(item, f"{folder}{name}/"))
        else:
            found[folder + name] = _content(name, item)
    if not found:
        raise ProviderError("the archive of a function's code is empty, or of a form that is not known")
    return found


def _content(name: str, asset: dict[str, Any]) -> bytes:
    if asset.get(SIGNATURE) == ASSET and "text" in asset:
        return str(asset["text"]).encode()
    if asset.get(SIGNATURE) == ASSET and "path" in asset:
        return _file(Path(asset["path"]))
    raise ProviderError(f"the asset {name} is neither a text nor a file")


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProviderError(f"{path} cannot be read: {error.strerror}") from error

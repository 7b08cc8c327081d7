"""Runs while the image is built: download, compare with the pinned hash, and only then unpack.

    python3 fetch.py URL#sha256=HASH FOLDER [MEMBER]

With MEMBER the download is a zip, and that one file of it is written as an executable; without, the
download itself is written under its name. Standard library only: it runs in the base image as it is.
"""

import hashlib
import io
import re
import sys
import urllib.request
import zipfile
from pathlib import Path

SOURCE = re.compile(r"(?P<url>\S+/(?P<name>[^/#\s]+))#sha256=(?P<sha256>[0-9a-f]{64})")
TIMEOUT_S = 120


def fetch(source: str, folder: Path, member: str = "") -> Path:
    """The path of the file written. Raises SystemExit, with nothing written, where the hash differs."""
    match = SOURCE.fullmatch(source)
    if match is None:
        raise SystemExit(f"not URL#sha256=HASH: {source!r}")
    with urllib.request.urlopen(match["url"], timeout=TIMEOUT_S) as answer:  # noqa: S310 - the hash decides
        content = answer.read()
    found = hashlib.sha256(content).hexdigest()
    if found != match["sha256"]:
        raise SystemExit(
            f"{match['url']} has sha256 {found}, and {match['sha256']} is pinned. If its publisher"
            " has replaced it, empty the hash in the file of pins (image-pins.toml) and run `tfkit up` again."
        )
    if member:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read(member)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / (member or match["name"])
    target.write_bytes(content)
    target.chmod(0o755 if member else 0o644)
    return target


if __name__ == "__main__":
    fetch(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:4])

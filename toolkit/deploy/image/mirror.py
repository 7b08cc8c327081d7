"""Runs while the image is built: an unpacked provider mirror, held against the lock file.

    python3 mirror.py PACKED PLATFORM LOCK_FILE OUT

PACKED is what `terraform providers mirror` wrote (zips). Unpacked, `terraform init` links to a provider
instead of unpacking hundreds of megabytes in every run. Each is compared with its `h1:` hash in the lock
file, which is copied to OUT/terraform.lock.hcl. Standard library only.
Layout: https://developer.hashicorp.com/terraform/cli/config/config-file#filesystem_mirror
Hash: https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1
"""

import base64
import hashlib
import re
import sys
import zipfile
from pathlib import Path

ARCHIVE = re.compile(r"terraform-provider-[^_]+_(?P<version>[^_]+)_(?P<platform>\w+)\.zip")


def unpack(packed: Path, platform: str, lock: Path, out: Path) -> list[Path]:
    """The folders made, one a provider. Raises SystemExit for none, or one unlike the lock file."""
    text = lock.read_text("utf-8")
    made = []
    for archive in sorted(packed.rglob("*.zip")):
        match = ARCHIVE.fullmatch(archive.name)
        if match is None or match["platform"] != platform:
            continue
        folder = out / archive.parent.relative_to(packed) / match["version"] / platform
        _unzip(archive, folder)
        if f'"{h1(folder)}"' not in text:
            raise SystemExit(f"{archive.name} is not what the lock file says: {h1(folder)}")
        made.append(folder)
    if not made:
        raise SystemExit(f"no provider for {platform} in {packed}")
    (out / "terraform.lock.hcl").write_text(text, "utf-8")
    return made


def h1(folder: Path) -> str:
    """The hash of a package as lock files have it: of its files' names and hashes, so archive or not."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in files]
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unzip(archive: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)  # terraform has checked its signature
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.name.startswith("terraform-provider-") else 0o644)


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))

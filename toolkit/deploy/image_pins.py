"""What the image is made from, by content: base images by digest, downloads by hash, in `image/bases.toml`.

    bases.toml ──▶ load_pins ──▶ Pins ──▶ build_args ──▶ the Dockerfile's ARGs
         ▲                        │
         └──── write_pins ◀── resolve_pins (asks the publishers, over HTTPS)

An unknown digest stays empty and nothing is built from it. `image_choice.pin` fills in what is empty at the
first `up`; `python -m toolkit.deploy.image_pins [FILE]` does it in the package's own file or in a copy that
the setting `image_pins` names. Both take what the publisher says at that moment: look before you commit it.
"""

import hashlib
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from toolkit.contracts import Shape
from toolkit.deploy.image_registry import tag_digest
from toolkit.deploy.image_web import read
from toolkit.deploy.state import write_atomically
from toolkit.errors import DeployFailed, TfkitError, UsageError

PINS = Path(__file__).parent / "image" / "bases.toml"
COMMAND = "python -m toolkit.deploy.image_pins"
# A laptop's Docker may be of either kind; CodeBuild's and Lambda's are arm64.
PLATFORMS = {("linux", "amd64"), ("linux", "arm64")}

_HEADER = f"""\
# What the agent's image is made from, by content. An empty digest or hash is not known yet: nothing is built
# until `tfkit up` or `{COMMAND} FILE` has filled it in.
"""

# These go into a shell's command line and a Dockerfile, so their forms are narrow.
Digest = Annotated[str, msgspec.Meta(pattern=r"^(sha256:[0-9a-f]{64})?$")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$")]
Url = Annotated[str, msgspec.Meta(pattern=r"^(https://[\w./:{}~+%-]+)?$")]
Image = Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+(:[0-9]+)?(/[\w.-]+)+$")]  # REGISTRY/NAME
Name = Annotated[str, msgspec.Meta(pattern=r"^[\w./-]+$")]
Version = Annotated[str, msgspec.Meta(pattern=r"^[\w.+-]*$")]


class Base(Shape, frozen=True):
    """A base image. Without a digest it is only a tag, and a tag may be another image tomorrow."""

    image: Image
    tag: Name
    digest: Digest = ""

    @property
    def reference(self) -> str:
        """As a Dockerfile has it after FROM."""
        return f"{self.image}:{self.tag}" + (f"@{self.digest}" if self.digest else "")


class Download(Shape, frozen=True):
    """A file by architecture. `sums` is the publisher's list of hashes, empty where there is none."""

    url: Url
    version: Version = ""
    sums: Url = ""
    sha256: dict[Name, Sha256] = {}

    def address(self, arch: str) -> str:
        """Where the file for an architecture (`arm64`) is."""
        return self.url.format(version=self.version, arch=arch)


class Pins(Shape, frozen=True):
    """The content of `bases.toml`."""

    base: dict[Name, Base]
    download: dict[Name, Download]
    providers: dict[Name, Version]

    def build_args(self) -> dict[str, str]:
        """The Dockerfile's arguments; a hash that is not known is empty in them, see `missing`."""
        bases = {f"{name.upper()}_BASE": base.reference for name, base in self.base.items()}
        files = {
            f"{name}_{arch}".upper(): f"{one.address(arch)}#sha256={value}"
            for name, one in self.download.items()
            for arch, value in one.sha256.items()
        }
        return dict(sorted({**bases, **files}.items()))

    def missing(self, allow_tags: bool = False) -> list[str]:
        """What has no digest or hash yet. `allow_tags` lets base images go by their tags."""
        bases = [base.reference for base in self.base.values() if not base.digest and not allow_tags]
        files = [
            one.address(arch)
            for one in self.download.values()
            for arch, value in one.sha256.items()
            if not value
        ]
        return bases + files


def load_pins(path: Path = PINS) -> Pins:
    """The pins of a file. Raises `UsageError` where it cannot be read or has another form."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Pins)
    except (OSError, ValueError) as wrong:  # those of tomllib, msgspec and decoding are ValueErrors
        raise UsageError(f"the pins of the image in {path} cannot be used: {wrong}") from wrong


def write_pins(path: Path, pins: Pins) -> None:
    """Write them, whole or not at all, so that `load_pins` reads the same; comments of the file's are lost.

    Raises `DeployFailed`.
    """
    blocks = [_HEADER]
    for name, base in pins.base.items():
        blocks.append(_table(f"base.{name}", msgspec.to_builtins(base)))
    for name, one in pins.download.items():
        blocks.append(_table(f"download.{name}", {"version": one.version, "url": one.url, "sums": one.sums}))
        blocks.append(_table(f"download.{name}.sha256", one.sha256))
    blocks.append(_table("providers", {json.dumps(key): value for key, value in pins.providers.items()}))
    write_atomically(path, "\n".join(blocks).encode())
    path.chmod(0o644)  # nothing in it is secret


def _table(name: str, values: dict[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])


def resolve_pins(pins: Pins, allow_tags: bool = False) -> Pins:
    """The same pins with every empty digest and hash filled in; what is pinned is not asked for again.

    With `allow_tags` base images stay as they are. Raises `DeployFailed`.
    """
    bases = {
        name: base if base.digest or allow_tags else _with_digest(base) for name, base in pins.base.items()
    }
    files = {
        name: msgspec.structs.replace(
            one, sha256={arch: value or _sha256(one, arch) for arch, value in one.sha256.items()}
        )
        for name, one in pins.download.items()
    }
    return msgspec.structs.replace(pins, base=bases, download=files)


def _with_digest(base: Base) -> Base:
    return msgspec.structs.replace(base, digest=tag_digest(base.image, base.tag, PLATFORMS))


def _sha256(one: Download, arch: str) -> str:
    address = one.address(arch)
    if not one.sums:
        return hashlib.sha256(read(address)).hexdigest()
    sums = one.sums.format(version=one.version, arch=arch)
    wanted = address.rpartition("/")[2]
    for line in read(sums).decode("utf-8", "replace").splitlines():
        value, _, name = line.partition(" ")
        if name.strip().lstrip("*") == wanted:
            if re.fullmatch("[0-9a-f]{64}", value):
                return value
            raise DeployFailed(f"{sums} has no SHA-256 for {wanted}")
    raise DeployFailed(f"{sums} does not name {wanted}")


def main(arguments: list[str]) -> None:
    """Fill in what is empty in the file named, by default the package's own."""
    path = Path(arguments[0]) if arguments else PINS
    try:
        write_pins(path, resolve_pins(load_pins(path if path.exists() else PINS)))
    except TfkitError as failed:
        raise SystemExit(f"{failed.message}\n{failed.hint}".strip()) from failed


if __name__ == "__main__":
    main(sys.argv[1:])

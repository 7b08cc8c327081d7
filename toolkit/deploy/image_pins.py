"""What the image is made from, by content: base images by digest, downloads by hash, in `image/bases.toml`.

    bases.toml ──▶ load_pins ──▶ Pins ──▶ build_args ──▶ the Dockerfile's ARGs
         ▲                        │
         └──── write_pins ◀── resolve_pins (asks the registries; needs `docker buildx` and the network)

An unknown digest stays empty and nothing is built from it. `python -m toolkit.deploy.image_pins [FILE]` fills
in what is empty, in the package's own file or in a copy that the setting for it names. It takes what the
publisher says at that moment over TLS: look at the difference before you keep it.
Digests: https://docs.docker.com/reference/cli/docker/buildx/imagetools/inspect/
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from toolkit.contracts import Shape
from toolkit.errors import DeployFailed, TfkitError, UsageError

PINS = Path(__file__).parent / "image" / "bases.toml"
COMMAND = "python -m toolkit.deploy.image_pins"
PLATFORMS = {("linux", "amd64"), ("linux", "arm64")}
INSPECT_SECONDS = 120.0

_HEADER = f"""\
# What the agent's image is made from, by content. An empty digest or hash is not known yet: nothing is built
# until `{COMMAND} FILE` has filled it in (it needs the network and `docker buildx`).
"""

# These go into a shell's command line and a Dockerfile, so their forms are narrow.
Digest = Annotated[str, msgspec.Meta(pattern=r"^(sha256:[0-9a-f]{64})?$")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$")]
Url = Annotated[str, msgspec.Meta(pattern=r"^(https://[\w./{}~+%-]+)?$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[\w./-]+$")]
Version = Annotated[str, msgspec.Meta(pattern=r"^[\w.+-]*$")]


class Base(Shape, frozen=True):
    """A base image. Without a digest it is only a tag, and a tag may be another image tomorrow."""

    image: Name
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
    """Write them so that `load_pins` reads the same; comments of the file's are lost."""
    blocks = [_HEADER]
    for name, base in pins.base.items():
        blocks.append(_table(f"base.{name}", msgspec.to_builtins(base)))
    for name, one in pins.download.items():
        blocks.append(_table(f"download.{name}", {"version": one.version, "url": one.url, "sums": one.sums}))
        blocks.append(_table(f"download.{name}.sha256", one.sha256))
    blocks.append(_table("providers", {json.dumps(key): value for key, value in pins.providers.items()}))
    path.write_text("\n".join(blocks), "utf-8")


def _table(name: str, values: dict[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])


def run_docker(arguments: list[str]) -> str:
    """What a docker command says. Raises `DeployFailed` with its complaint."""
    try:
        done = subprocess.run(
            ["docker", *arguments],  # noqa: S607 - the user's own docker, wherever it is
            capture_output=True,
            text=True,
            timeout=INSPECT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeployFailed(f"docker does not answer: {error}", "install Docker with buildx") from error
    if done.returncode:
        raise DeployFailed(f"docker {arguments[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def read_url(url: str) -> bytes:
    """The content of an https address. Raises `DeployFailed`."""
    try:
        with urllib.request.urlopen(url, timeout=INSPECT_SECONDS) as answer:  # noqa: S310 - https by `Url`
            return bytes(answer.read())
    except OSError as error:
        raise DeployFailed(f"{url} cannot be read: {error}") from error


def resolve_pins(
    pins: Pins,
    docker: Callable[[list[str]], str] = run_docker,
    read: Callable[[str], bytes] = read_url,
) -> Pins:
    """The same pins with every empty digest and hash filled in; what is pinned is not asked for again."""
    bases = {name: base if base.digest else _with_digest(base, docker) for name, base in pins.base.items()}
    files = {
        name: msgspec.structs.replace(
            one, sha256={arch: value or _sha256(one, arch, read) for arch, value in one.sha256.items()}
        )
        for name, one in pins.download.items()
    }
    return msgspec.structs.replace(pins, base=bases, download=files)


def _with_digest(base: Base, docker: Callable[[list[str]], str]) -> Base:
    said = docker(["buildx", "imagetools", "inspect", base.reference, "--format", "{{json .Manifest}}"])
    try:
        manifest = json.loads(said)
        listed = [one.get("platform", {}) for one in manifest.get("manifests", [])]
        found = {(one.get("os"), one.get("architecture")) for one in listed}
        pinned = msgspec.convert({"image": base.image, "tag": base.tag, "digest": manifest["digest"]}, Base)
    except (ValueError, LookupError, TypeError, AttributeError) as wrong:
        raise DeployFailed(f"docker does not tell the digest of {base.reference}: {said[:200]}") from wrong
    if not found >= PLATFORMS:
        raise DeployFailed(f"{base.reference} is not an image for both amd64 and arm64")
    return pinned


def _sha256(one: Download, arch: str, read: Callable[[str], bytes]) -> str:
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

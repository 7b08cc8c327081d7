"""Where providers come from: local mirrors first, and only sources on the allow-list.

The generated CLI configuration always has an explicit `provider_installation`, because without one terraform
also looks into `terraform.d/plugins` of the working folder and would execute what it finds (FACTS §4).
Layouts of a mirror: Terraform's documentation, "CLI Configuration File", "Implied Local Mirror Directories".
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from toolkit.contracts import Shape
from toolkit.errors import PlatformError

HOST = "registry.terraform.io"
"""The folder that a mirror of Terraform's public providers begins with, and the default host of a source."""

DEFAULT_SOURCES = ("hashicorp/aws",)
BUILTIN = "terraform.io/builtin/terraform"


class Provider(Shape, frozen=True, kw_only=True):
    """A provider that may be used, with the versions at hand (ascending).

    One that comes from the registry has no `mirror`, and its versions are not known.
    """

    source: str
    mirror: Path | None = None
    versions: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As it is named to the model: `hashicorp/aws 5.100.0`."""
        return f"{self.source} {self.versions[-1]}" if self.versions else self.source


def mirror_folders(environment: Mapping[str, str] = os.environ) -> Iterator[Path]:
    """The folders that may hold providers, best first; each exists and holds `registry.terraform.io/`.

    Raises `PlatformError` where `TFKIT_PROVIDER_MIRROR` names something that is not a mirror.
    """
    if chosen := environment.get("TFKIT_PROVIDER_MIRROR"):
        if not (Path(chosen) / HOST).is_dir():
            raise PlatformError(
                f"TFKIT_PROVIDER_MIRROR is {chosen}, which holds no folder {HOST}/",
                "Fill it with `terraform providers mirror DIR`, or unset it.",
            )
        yield Path(chosen).resolve()
    home = Path(environment.get("HOME") or Path.home())
    data_home = environment.get("XDG_DATA_HOME") or str(home / ".local/share")
    data_dirs = environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    implied = [home / ".terraform.d/plugins", home / "Library/Application Support/io.terraform/plugins"]
    implied += [Path(base) / "terraform/plugins" for base in [data_home, *data_dirs.split(":")] if base]
    found = [folder for folder in implied if (folder / HOST).is_dir()]
    found += sorted(folder.parent for folder in Path("/opt").glob(f"*/{HOST}"))
    yield from (folder.resolve() for folder in found)


def find_providers(
    platform: str, sources: Sequence[str] = DEFAULT_SOURCES, folders: Sequence[Path] | None = None
) -> list[Provider]:
    """For each source the first mirror that has it for `platform` (such as `linux_amd64`), else the registry.

    `folders` stands in for `mirror_folders()`.
    """
    mirrors = list(mirror_folders()) if folders is None else list(folders)
    return [_find(source, platform, mirrors) for source in sources]


def _find(source: str, platform: str, mirrors: Sequence[Path]) -> Provider:
    for mirror in mirrors:
        if versions := _versions(mirror / HOST / source, platform):
            return Provider(source=source, mirror=mirror, versions=tuple(versions))
    return Provider(source=source)


def _versions(folder: Path, platform: str) -> list[str]:
    """The versions there, unpacked (`VERSION/OS_ARCH/`) or packed (`…_VERSION_OS_ARCH.zip`), ascending."""
    unpacked = [entry.parent.name for entry in folder.glob(f"*/{platform}")]
    name = re.compile(rf"terraform-provider-{re.escape(folder.name)}_(.+)_{platform}\.zip")
    packed = [match[1] for entry in folder.glob("*.zip") if (match := name.fullmatch(entry.name))]
    return sorted(set(unpacked + packed), key=lambda v: [int(n) for n in re.findall(r"\d+", v)])


def cli_configuration(providers: Sequence[Provider]) -> str:
    """The text of the file for `TF_CLI_CONFIG_FILE`: mirrors where there are, the registry for the others.

    A source that is not among `providers` matches no method, so terraform refuses it without asking anyone.
    """
    lines = ["disable_checkpoint = true", "provider_installation {"]
    for mirror in dict.fromkeys(p.mirror for p in providers if p.mirror):
        lines += _method("filesystem_mirror", [p for p in providers if p.mirror == mirror], mirror)
    # Terraform needs one method at least; an empty mirror list with nothing allowed allows nothing.
    direct = [p for p in providers if p.mirror is None]
    lines += _method("direct", direct) if direct or not providers else []
    return "\n".join([*lines, "}"]) + "\n"


def _method(kind: str, providers: Sequence[Provider], mirror: Path | None = None) -> list[str]:
    include = ", ".join(f'"{HOST}/{p.source}"' for p in providers)
    path = [f"    path    = {_quote(str(mirror))}"] if mirror else []
    scope = f"    include = [{include}]" if providers else '    exclude = ["*/*/*"]'
    return [f"  {kind} {{", *path, scope, "  }"]


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

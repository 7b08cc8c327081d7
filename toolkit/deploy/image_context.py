"""What goes into the image's build, as bytes in memory, and the tag that is its hash.

    options, pins, the packages that run in Lambda ──▶ context_files ──▶ content_tag
                                                            ├──▶ build_context (a folder, for docker)
                                                            └──▶ zipped (for CodeBuild)

Everything that decides what the image holds is a file of it, also the choice of plugins and providers. So the
same tfkit, options and pins give the same tag on every machine, and any other byte gives another tag.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import plugins
import toolkit
from toolkit.checker.registry import GROUP
from toolkit.contracts import Shape
from toolkit.deploy.image_pins import PINS, Pins, load_pins
from toolkit.errors import DeployFailed, UsageError

DISTRIBUTION = "tfkit-platform"
MODE = 0o644  # of every file: modes on disk differ between machines and mean nothing here
FOLDER_MODE = 0o755  # Docker copies them, and Lambda's user is not the owner

# The parts of tfkit that run in Lambda. Beside them go the modules of `toolkit` that they import, and the
# emulator, which is for rehearsals.
PACKAGES = ("toolkit/agent", "toolkit/checker", "toolkit/digest", "toolkit/telemetry", "plugins")
MODULES = ("toolkit/__init__.py", "toolkit/emulator.py", "toolkit/gated.py")
COPIED = ("Dockerfile", "buildspec.yml", "fetch.py", "mirror.py", "requirements.txt", "wheels.sh")
BUILD_ARGS = "build-args.txt"

_IMAGE = Path(__file__).parent / "image"
_ROOTS = {
    module.__name__: Path(module.__path__[0]).parent  # both are packages beside each other, or installed
    for module in (toolkit, plugins)
}
# What a package may hold beside its modules. A list of what is allowed, so that an editor's backup, a
# cache or a stray .env never goes along.
_SUFFIXES = {".py", ".hcl", ".json", ".rego", ".tf", ".toml", ".yaml", ".yml"}
_IMPORTED = re.compile(rb"^\s*(?:from|import) toolkit\.(\w+)", re.MULTILINE)
_PLUGIN = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*( --hash=sha256:[0-9a-f]{64})*"
)
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*")
_VERSION = re.compile(r"[0-9][\w.+-]*")


class ImageOptions(Shape, frozen=True):
    """What a user chooses about the image.

    `plugins`: requirements for packages of validators, each `NAME==VERSION`, with ` --hash=sha256:…` for all
    of them or for none. They are installed without their dependencies, which are to be listed as well.
    `providers`: source → exact version, added to those of the pins. `pins`: a file in place of the package's
    own. `allow_tags`: build from base images that have no digest.
    """

    plugins: tuple[str, ...] = ()
    providers: dict[str, str] = {}
    pins: Path = PINS
    allow_tags: bool = False


def context_files(options: ImageOptions) -> dict[str, bytes]:
    """Path → content, sorted. Raises `UsageError` for options that cannot be."""
    pins = load_pins(options.pins)
    files = {name: (_IMAGE / name).read_bytes() for name in COPIED}
    files |= {f"app/{path}": content for path, content in application().items()}
    files[BUILD_ARGS] = _build_args(pins)
    files["plugins.txt"] = _plugins(options.plugins)
    files["providers.tf"] = _providers({**pins.providers, **options.providers})
    return dict(sorted(files.items()))


def content_tag(context: Mapping[str, bytes], options: ImageOptions) -> str:
    """The image's tag: a hash of names, modes, contents and options; where the files come from is no part."""
    outer = hashlib.sha256(f"tags={options.allow_tags}\0".encode())
    for one in (*sorted(options.plugins), *sorted(map(str, options.providers.items()))):
        outer.update(one.encode() + b"\0")
    for path, content in sorted(context.items()):
        outer.update(f"{path}\0{MODE:o}\0{hashlib.sha256(content).hexdigest()}\0".encode())
    return outer.hexdigest()[:24]


def build_context(folder: Path, context: Mapping[str, bytes]) -> None:
    """Write the files into an empty folder."""
    for path, content in context.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(MODE)
    for made in folder.rglob("*/"):  # whatever the umask is here
        made.chmod(FOLDER_MODE)


def zipped(context: Mapping[str, bytes]) -> bytes:
    """The files as a zip, the same bytes on every machine (so stored, not compressed: zlibs differ)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, content in sorted(context.items()):
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, whatever this is
            entry.external_attr = (0o100000 | MODE) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def application() -> dict[str, bytes]:
    """tfkit's own modules, and the metadata by which its validators are found."""
    files: dict[str, bytes] = {}
    for package in PACKAGES:
        root = _ROOTS[package.partition("/")[0]]
        for path in (root / package).rglob("*"):
            hidden = any(part.startswith((".", "__pycache__")) for part in path.relative_to(root).parts)
            if path.suffix in _SUFFIXES and path.is_file() and not path.is_symlink() and not hidden:
                files[path.relative_to(root).as_posix()] = path.read_bytes()
    return files | _modules(files) | _metadata()


def _modules(packages: Mapping[str, bytes]) -> dict[str, bytes]:
    """The modules right below `toolkit` that the packages need, and those that these need in turn."""
    root = _ROOTS["toolkit"]
    found: dict[str, bytes] = {}
    todo = [*MODULES, *_imported(packages.values())]
    while todo:
        name = todo.pop()
        if name not in found and (root / name).is_file():
            found[name] = (root / name).read_bytes()
            todo += _imported([found[name]])
    return found


def _imported(sources: Iterable[bytes]) -> set[str]:
    return {f"toolkit/{name.decode()}.py" for source in sources for name in _IMPORTED.findall(source)}


def _metadata() -> dict[str, bytes]:
    try:
        entries = distribution(DISTRIBUTION).entry_points.select(group=GROUP)
    except PackageNotFoundError as error:
        raise DeployFailed(f"{DISTRIBUTION} is not installed here", "install it: pip install -e .") from error
    folder = f"{DISTRIBUTION.replace('-', '_')}-{toolkit.__version__}.dist-info"
    lines = sorted(f"{entry.name} = {entry.value}" for entry in entries)
    head = f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {toolkit.__version__}\n"
    return {
        f"{folder}/METADATA": head.encode(),
        f"{folder}/entry_points.txt": "\n".join([f"[{GROUP}]", *lines, ""]).encode(),
    }


def _build_args(pins: Pins) -> bytes:
    return "".join(f"--build-arg={name}={value}\n" for name, value in pins.build_args().items()).encode()


def _plugins(requirements: tuple[str, ...]) -> bytes:
    for one in requirements:
        if not _PLUGIN.fullmatch(one):
            raise UsageError(f"{one!r} cannot be a plugin of the image", "write NAME==VERSION, one a package")
    if len({" --hash=" in one for one in requirements}) > 1:
        raise UsageError("some plugins have hashes and some do not", "give all of them hashes, or none")
    return "".join(f"{one}\n" for one in ["# Chosen by the settings.", *sorted(requirements)]).encode()


def _providers(versions: Mapping[str, str]) -> bytes:
    lines = []
    for source, version in sorted(versions.items()):
        if not _SOURCE.fullmatch(source) or not _VERSION.fullmatch(version):
            raise UsageError(
                f"{source} {version} cannot be a provider of the image", 'write "hashicorp/aws" = "5.100.0"'
            )
        name = "p-" + source.replace("/", "-")
        lines.append(f'    {name} = {{ source = "{source}", version = "{version}" }}')
    return "\n".join(["terraform {", "  required_providers {", *lines, "  }", "}", ""]).encode()

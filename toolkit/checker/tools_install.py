"""Puts a linter where `tools` finds it, in the version that tfkit was tried with.

    checkov   a virtual environment of its own (its pins clash with ours), filled by pip
    tflint    `go install`, where Go is: the module's content is held against Go's checksum database;
              else the publisher's release, held against the checksums of that release

The release's list of checksums comes over TLS from where the release lies, and is kept: whoever gets
another one later is told. Everything is announced before it is downloaded.
"""

import contextlib
import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from toolkit.checker.tools import (
    CHECKOV_VERSION,
    EXECUTABLES,
    TFLINT_VERSION,
    checkov_version,
    tflint_version,
)
from toolkit.errors import PlatformError, ToolMissing, UsageError

Note = Callable[[str], None]

INSTALL_S = 1200.0
DOWNLOAD_S = 60.0
MAX_DOWNLOAD_BYTES = 200 * 1024 * 1024

GO_MODULE = f"github.com/terraform-linters/tflint@v{TFLINT_VERSION}"
RELEASE = f"https://github.com/terraform-linters/tflint/releases/download/v{TFLINT_VERSION}"
SUMS = "checksums.txt"

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def install_tool(name: str, folder: Path, note: Note) -> Path:
    """Install a tool below the tools folder, unless it is there and answers; returns its executable.

    Raises `UsageError` for a tool that tfkit does not install, and `ToolMissing` or `PlatformError` where it
    cannot be had; then nothing of it is left behind.
    """
    if name not in _INSTALLERS:
        known = ", ".join(sorted(_INSTALLERS))
        hint = f"it installs {known}; validators of others are packages: pip install"
        raise UsageError(f"tfkit installs no {name}", hint)
    install, version_of, wanted = _INSTALLERS[name]
    executable = folder / EXECUTABLES[name]
    if executable.is_file() and version_of(executable) == wanted:
        note(f"{name} {wanted} is installed at {executable}")
        return executable
    home = folder / EXECUTABLES[name].split("/")[0]
    with all_or_nothing(home):
        install(home, note)
        if not executable.is_file() or version_of(executable) != wanted:
            raise PlatformError(f"{name} at {executable} does not answer as version {wanted}")
    return executable


@contextlib.contextmanager
def all_or_nothing(home: Path) -> Generator[None, None, None]:
    """A fresh folder, which goes again where the installation fails or is interrupted."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, mode=0o700)
    try:
        yield
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise


def _checkov(home: Path, note: Note) -> None:
    note(f"installing checkov {CHECKOV_VERSION} with pip into {home} (about 290 MB, a minute)")
    run_installer(
        [sys.executable, "-I", "-m", "venv", str(home)], "the environment for checkov cannot be made"
    )
    pip = [str(home / "bin" / "python"), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    run_installer(
        [*pip, "install", "--quiet", f"checkov=={CHECKOV_VERSION}"],
        f"pip could not install checkov {CHECKOV_VERSION}",
    )


def _tflint(home: Path, note: Note) -> None:
    if go := shutil.which("go"):
        note(f"building tflint {TFLINT_VERSION} with {go} install {GO_MODULE} into {home} (a few minutes)")
        run_installer(
            [go, "install", GO_MODULE], "go could not build tflint", GOBIN=str(home), GOFLAGS="-mod=mod"
        )
        return
    archive = f"tflint_{go_platform()}.zip"
    note(f"downloading {RELEASE}/{archive} into {home}")
    content = fetch(f"{RELEASE}/{archive}")
    _verify(archive, content, _kept_sums(home.parent))
    _unpack(content, home / "tflint")


def go_platform() -> str:
    """As releases are named: `linux_amd64`."""
    machine = platform.machine().lower()
    return f"{sys.platform}_{_MACHINES.get(machine, machine)}"


def _kept_sums(tools: Path) -> str:
    """The release's checksums: those of the first time, as long as nobody deletes them."""
    kept = tools / f"tflint-{TFLINT_VERSION}.{SUMS}"
    if not kept.is_file():
        kept.write_bytes(fetch(f"{RELEASE}/{SUMS}"))
    return kept.read_text("utf-8", errors="replace")


def _verify(archive: str, content: bytes, sums: str) -> None:
    rows = [line.split() for line in sums.splitlines()]
    wanted = next((row[0] for row in rows if len(row) == 2 and row[1].lstrip("*") == archive), None)
    if wanted is None:
        raise ToolMissing(f"the release of tflint {TFLINT_VERSION} has no {archive}", "put tflint on PATH")
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise PlatformError(
            f"{archive} has the SHA-256 {found}, and the release says {wanted}",
            "do not use it; try again from another network, or put tflint on PATH",
        )


def _unpack(content: bytes, target: Path) -> None:
    """The one executable of the archive; no name in it is used for a path."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("tflint") as member:
            target.write_bytes(member.read(MAX_DOWNLOAD_BYTES))
    except (zipfile.BadZipFile, KeyError) as error:
        raise PlatformError(f"the archive of tflint cannot be unpacked: {error}") from error
    target.chmod(0o755)


def fetch(url: str) -> bytes:
    """What lies at an address. Raises `ToolMissing` without it, `PlatformError` where it is huge."""
    try:
        with urllib.request.urlopen(url, timeout=DOWNLOAD_S) as answer:  # noqa: S310 - https, a constant
            content: bytes = answer.read(MAX_DOWNLOAD_BYTES + 1)
    except (OSError, urllib.error.URLError) as error:
        hint = "go online once, or put tflint on PATH"
        raise ToolMissing(f"{url} cannot be fetched: {error}", hint) from error
    if len(content) > MAX_DOWNLOAD_BYTES:
        raise PlatformError(f"{url} is larger than {MAX_DOWNLOAD_BYTES} bytes")
    return content


def run_installer(command: Sequence[str], failure: str, **environment: str) -> None:
    """Run an installer away from the working folder, where anything may lie.

    Raises `ToolMissing` with its last words, `PlatformError` where it cannot be started or takes too long.
    """
    with tempfile.TemporaryDirectory(prefix="tfkit-") as folder:
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, **environment},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=INSTALL_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PlatformError(f"{failure}: {error}") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "it gave no reason").splitlines()
        raise ToolMissing(f"{failure}: {' '.join(said[-3:])[:500]}", "look whether this machine is online")


_INSTALLERS: dict[str, tuple[Callable[[Path, Note], None], Callable[[Path], str], str]] = {
    "checkov": (_checkov, checkov_version, CHECKOV_VERSION),
    "tflint": (_tflint, tflint_version, TFLINT_VERSION),
}
INSTALLABLE = tuple(sorted(_INSTALLERS))

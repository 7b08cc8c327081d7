"""Pulumi's command line on this machine: where it is, whether it fits, and what a download would mean.

It is looked for where its own installers put it: on PATH, in `~/.pulumi/bin`, and in
`~/.pulumi/versions/VERSION/bin`, which is where `PulumiCommand.install` of the SDK puts it
(`pulumi/automation/_cmd.py`). Which versions fit is the SDK's rule too: the same major version, and at
least the one that takes an inline program for every operation (`Stack._check_inline_support`).

Nothing here imports `pulumi.automation`; `automation.require_cli` does the download after consent.

Tried: with executables that print versions. Not tried: a download, and Windows.
"""

import os
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

MINIMUM = (3, 181, 0)
"""The first version that takes `--client`, an inline program, for refresh and destroy."""

SKIP_CHECK = "PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK"
"""The SDK's own switch; whoever sets it answers for the version."""

ANSWER_SECONDS = 30.0
HOW_TO_INSTALL = (
    "agree to the download, or install it yourself as Pulumi's documentation says under"
    ' "Download & install Pulumi", and run the command again'
)


class Found(NamedTuple):
    """An executable called `pulumi`; `problem` is empty where it can be used."""

    path: Path
    version: str
    problem: str


def find_cli() -> Path | None:
    """The first `pulumi` that fits, or None. Starts each candidate once to ask for its version."""
    return next((found.path for found in inspect() if not found.problem), None)


def inspect() -> list[Found]:
    """Every `pulumi` of this machine in the order in which they would be taken, with what is wrong."""
    seen: dict[Path, Found] = {}
    for path in _candidates():
        if path not in seen and os.access(path, os.X_OK):
            seen[path] = _ask(path)
    return list(seen.values())


def on_path(executable: Path) -> bool:
    """Whether a plain `pulumi` starts this very file."""
    return shutil.which("pulumi") == str(executable)


def sdk_version() -> str:
    """The version of Pulumi's Python SDK, which the CLI is to match."""
    return version("pulumi")


def install_root() -> Path:
    """Where the CLI would be installed: Pulumi's own folder for this version, as the SDK chooses it."""
    return Path.home() / ".pulumi" / "versions" / sdk_version()


def announcement() -> str:
    """What a download would do, in words for whoever has to agree to it."""
    unfit = [f"{found.path}: {found.problem}" for found in inspect() if found.problem]
    why = f"none that fits is installed ({'; '.join(unfit)})" if unfit else "it is not installed"
    return (
        f"The Pulumi engine needs Pulumi's command line, and {why}. Download version {sdk_version()}"
        f" (about 150 MB) with Pulumi's own installer from get.pulumi.com into {install_root()}?"
    )


def plugin_download(home: Path) -> str:
    """What the engine will fetch on its first use with AWS, or nothing where it is at hand.

    `home` is the engine's PULUMI_HOME. The folder's name is that of Pulumi's plugin cache
    (`PluginSpec.Dir` in sdk/go/common/workspace/plugins.go).
    """
    wanted = version("pulumi-aws")
    if (home / "plugins" / f"resource-aws-v{wanted}").is_dir():
        return ""
    return f"Pulumi downloads its AWS provider once ({wanted}, several hundred MB) into {home / 'plugins'}"


def _candidates() -> list[Path]:
    home = Path.home() / ".pulumi"
    installed = sorted(home.glob("versions/*/bin/pulumi"), key=_version_of_folder, reverse=True)
    first = shutil.which("pulumi")
    return [*([Path(first)] if first else []), home / "bin" / "pulumi", *installed]


def _version_of_folder(executable: Path) -> tuple[int, int, int]:
    return _parsed(executable.parent.parent.name) or (0, 0, 0)


def _ask(path: Path) -> Found:
    """Ask an executable for its version, as `PulumiCommand` does."""
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            [str(path), "version"],
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Found(path, "", f"it does not answer ({type(error).__name__})")
    said = done.stdout.strip().removeprefix("v")
    if done.returncode != 0 or not said:
        return Found(path, "", f"`pulumi version` ended with code {done.returncode}")
    return Found(path, said, _problem(said))


def _problem(said: str) -> str:
    """Why a version cannot be used, or nothing (`_parse_and_validate_pulumi_version` of the SDK)."""
    if os.environ.get(SKIP_CHECK) is not None:
        return ""
    found = _parsed(said)
    if found is None:
        return f"its version cannot be read: {said[:40]}"
    if found[0] > MINIMUM[0]:
        return f"version {said} is newer than the SDK {sdk_version()} can drive"
    if found < MINIMUM:
        return f"version {said} is older than {'.'.join(map(str, MINIMUM))}"
    return ""


def _parsed(text: str) -> tuple[int, int, int] | None:
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None

"""`tfkit doctor`: what is missing on this machine, and the command that mends it.

A check is one function from the settings to a `Check`; `CHECKS` is the list of them. None starts or
changes anything, and none needs a package that it asks for.
"""

import importlib.metadata
import os
import platform
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from toolkit.cli.options import command, session
from toolkit.errors import TfkitError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.settings import Settings

PYTHON = (3, 11)
TERRAFORM = (1, 9)
PACKAGES = ("pulumi", "pulumi-aws", "ministack")
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class Check(msgspec.Struct, frozen=True):
    """How one check ended. `fix` is the command, or the step, that mends it; empty where all is well."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


@command()
def doctor() -> None:
    """Say what is missing on this machine, and how to mend it.

    Starts nothing and changes nothing. The exit code is 1 if a check fails.
    """
    run = session()
    settings = run.settings()
    if settings.target != "local":
        raise UsageError(
            f"the checks of the {settings.target} target are not part of this version yet", "tfkit doctor"
        )
    checks = [run_check(name, check, settings) for name, check in CHECKS.items()]
    if run.output.json:
        run.output.document({"checks": checks})
    else:
        render_checks(run.output.console(), checks)
    click.get_current_context().exit(0 if all(check.ok for check in checks) else 1)


def run_check(name: str, check: Callable[["Settings"], Check], settings: "Settings") -> Check:
    """Run one check; whatever it raises is what it found."""
    try:
        return check(settings)
    except TfkitError as error:
        return Check(name, False, error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - one broken check must not hide the others
        return Check(name, False, f"{type(error).__name__}: {error}", "tfkit doctor -v")


def render_checks(console: "Console", checks: list[Check]) -> None:
    """A line a check, and below a failing one the way to mend it."""
    from rich.text import Text

    from toolkit.cli.text import harmless

    for check in checks:
        line = Text("✔" if check.ok else "✘", "green" if check.ok else "bold red")
        console.print(line + Text(harmless(f" {check.name:10} {check.detail}"), "default"))
        if check.fix:
            console.print(Text(harmless(f"  {'':10} mend it: {check.fix}"), "yellow"))


def python(_settings: "Settings") -> Check:
    """Whether this Python is new enough."""
    wanted = ".".join(map(str, PYTHON))
    fix = "" if sys.version_info >= PYTHON else f"install Python {wanted} or newer, and tfkit into it"
    return Check("python", not fix, f"{platform.python_version()} at {sys.executable}", fix)


def terraform(_settings: "Settings") -> Check:
    """Whether terraform is there, answers, and is new enough."""
    from toolkit.checker.terraform import find_terraform, terraform_version
    from toolkit.errors import ToolMissing

    how = (
        "brew install hashicorp/tap/terraform"
        if sys.platform == "darwin"
        else "see https://developer.hashicorp.com/terraform/install"
    )
    try:
        executable = find_terraform()
        version = terraform_version(executable).version
    except ToolMissing as missing:
        return Check("terraform", False, missing.message, how)
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    if numbers < TERRAFORM:
        wanted = ".".join(map(str, TERRAFORM))
        return Check("terraform", False, f"{version} at {executable} is older than {wanted}", how)
    return Check("terraform", True, f"{version} at {executable}")


def provider(settings: "Settings") -> Check:
    """Where terraform will take the AWS provider from."""
    from toolkit.checker.mirrors import HOST, find_providers, mirror_folders

    folders = [*mirror_folders(), settings.folder / "mirror"]  # the last is where `up` puts it
    found = find_providers(_terraform_platform(), ["hashicorp/aws"], folders)[0]
    if found.mirror:
        return Check("provider", True, f"{found} from the mirror {found.mirror}")
    return Check(
        "provider", True, f"{found}: no mirror here has it; `tfkit up` will download it once from {HOST}"
    )


def _terraform_platform() -> str:
    """The platform of the terraform at hand, else of this machine: `linux_amd64`."""
    from toolkit.checker.terraform import find_terraform, terraform_version

    try:
        return terraform_version(find_terraform()).platform
    except TfkitError:
        machine = platform.machine().lower()
        return f"{sys.platform}_{MACHINES.get(machine, machine)}"


def packages(_settings: "Settings") -> Check:
    """Whether what the local target is made of is installed; asked of the metadata, nothing is imported."""
    found: list[str] = []
    missing: list[str] = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check(
            "packages",
            False,
            f"missing: {', '.join(missing)}",
            f"{sys.executable} -m pip install {' '.join(missing)}",
        )
    return Check("packages", True, ", ".join(found))


def home(settings: "Settings") -> Check:
    """Whether files can be written under TFKIT_HOME, or whether it can be made."""
    folder = settings.folder
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        return Check("home", False, f"{there} is no folder", "export TFKIT_HOME=DIR")
    if not os.access(there, os.W_OK | os.X_OK):
        return Check(
            "home", False, f"{there} cannot be written to", f"chmod u+wx '{there}', or export TFKIT_HOME=DIR"
        )
    return Check("home", True, f"{folder}" if there == folder else f"{folder} will be made by `tfkit up`")


def port(_settings: "Settings") -> Check:
    """Whether a port of 127.0.0.1 is free for the emulator."""
    from toolkit.emulator import free_port

    free_port()
    return Check("port", True, "127.0.0.1 has free ports")


def emulator(settings: "Settings") -> Check:
    """Whether the platform's emulator runs; either is fine."""
    from toolkit.local import control

    folder: Path = settings.stack_folder
    # Without the daemon's note there is nothing to find, and looking would leave a lock file.
    running = control.find(folder) if (folder / "daemon.json").exists() else None
    if running:
        return Check("emulator", True, f"runs at {running.endpoint} for the stack {settings.stack}")
    return Check(
        "emulator", True, f"does not run for the stack {settings.stack}; a command that needs it starts it"
    )


def sandbox(_settings: "Settings") -> Check:
    """What holds code that a model wrote."""
    return Check("sandbox", True, "none: this version has none yet")


CHECKS: dict[str, Callable[["Settings"], Check]] = {
    "python": python,
    "terraform": terraform,
    "provider": provider,
    "packages": packages,
    "home": home,
    "port": port,
    "emulator": emulator,
    "sandbox": sandbox,
}

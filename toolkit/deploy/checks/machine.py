"""The checks of this machine. None needs a package that it asks for, and none reaches a cloud."""

import ctypes
import errno
import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path

from toolkit.deploy.checks.check import Check
from toolkit.errors import TfkitError
from toolkit.settings import Settings

PYTHON = (3, 11)
TERRAFORM = (1, 9)
PACKAGES = {"local": ("pulumi", "pulumi-aws", "ministack"), "aws": ("pulumi", "pulumi-aws", "boto3")}
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

LANDLOCK_CREATE_RULESET = 444
"""The system call's number on every architecture; called with this flag it only tells the version:
https://docs.kernel.org/userspace-api/landlock.html"""
LANDLOCK_VERSION_FLAG = 1


def python(_settings: Settings) -> Check:
    """Whether this Python is new enough."""
    wanted = ".".join(map(str, PYTHON))
    fix = "" if sys.version_info >= PYTHON else f"install Python {wanted} or newer, and tfkit into it"
    return Check("python", not fix, f"{platform.python_version()} at {sys.executable}", fix)


def terraform(settings: Settings) -> Check:
    """Whether terraform is there, answers, and is new enough; on AWS it is part of the agent's image."""
    from toolkit.checker.terraform import find_terraform, terraform_version
    from toolkit.errors import ToolMissing

    how = (
        "brew install hashicorp/tap/terraform"
        if sys.platform == "darwin"
        else "see https://developer.hashicorp.com/terraform/install"
    )
    needed = settings.target == "local"
    try:
        executable = find_terraform()
        version = terraform_version(executable).version
    except ToolMissing as missing:
        if needed:
            return Check("terraform", False, missing.message, how)
        return Check("terraform", True, "not here, and not needed: the agent's image holds its own")
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    if needed and numbers < TERRAFORM:
        wanted = ".".join(map(str, TERRAFORM))
        return Check("terraform", False, f"{version} at {executable} is older than {wanted}", how)
    return Check("terraform", True, f"{version} at {executable}")


def provider(settings: Settings) -> Check:
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


def packages(settings: Settings) -> Check:
    """Whether what the target is made of is installed; asked of the metadata, nothing is imported."""
    found: list[str] = []
    missing: list[str] = []
    for name in PACKAGES[settings.target]:
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


def home(settings: Settings) -> Check:
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


def port(_settings: Settings) -> Check:
    """Whether a port of 127.0.0.1 is free for the emulator."""
    from toolkit.emulator import free_port

    free_port()
    return Check("port", True, "127.0.0.1 has free ports")


def emulator(settings: Settings) -> Check:
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


def pulumi(settings: Settings) -> Check:
    """Whether Pulumi's command line is there and fits, where the engine is Pulumi's."""
    from toolkit.deploy.pulumi_cli import inspect, sdk_version

    if not _pulumi_engine(settings):
        return Check("pulumi", True, "not needed: the embedded engine deploys to the local target")
    candidates = inspect()
    fit = next((found for found in candidates if not found.problem), None)
    if fit:
        return Check("pulumi", True, f"{fit.version} at {fit.path} (the SDK is {sdk_version()})")
    unfit = "; ".join(f"{found.path}: {found.problem}" for found in candidates)
    how = f"curl -fsSL https://get.pulumi.com | sh -s -- --version {sdk_version()}"
    return Check("pulumi", False, unfit or "Pulumi's command line is not installed", how)


def _pulumi_engine(settings: Settings) -> bool:
    """Whether Pulumi's own engine deploys this stack; which one did it last is remembered by the stack."""
    if settings.target == "aws":
        return True
    from toolkit.deploy.platform import Platform

    return Platform(settings).settings.engine == "pulumi"


def docker(settings: Settings) -> Check:
    """Whether the agent's image can be built here; CodeBuild does it elsewhere, so either is fine."""
    if settings.target == "local":
        return Check("docker", True, "not needed: the local target runs no container")
    from toolkit.deploy.image_buildx import has_docker

    if has_docker():
        return Check("docker", True, "a Docker engine with buildx answers; it will build the agent's image")
    return Check("docker", True, "no Docker engine with buildx here; CodeBuild will build the agent's image")


def image_pins(settings: Settings) -> Check:
    """Whether everything that goes into the agent's image is named by its content."""
    from toolkit.deploy.image_choice import open_pins, pins_file
    from toolkit.deploy.image_pins import COMMAND

    if missing := open_pins(settings):
        named = f"no digest or hash in {pins_file(settings)} for: {', '.join(missing)}"
        if settings.image_pins:
            return Check("image pins", False, named, f"{COMMAND} {settings.image_pins}")
        return Check("image pins", True, f"{len(missing)} are open; `tfkit up` asks the publishers, once")
    return Check("image pins", True, "every base image and download is named by its content")


def sandbox(_settings: Settings) -> Check:
    """What holds code that a model wrote."""
    return Check("sandbox", True, sandbox_level())


def sandbox_level() -> str:
    """What holds a check here, in words; and, where that is not enough, what the kernel lacks."""
    from toolkit.checker.sandbox import level

    held = level()
    if held.confines:
        return f"{held}: terraform and the linters run inside it"
    without = "what a model wrote is checked here with --unsandboxed only"
    if not sys.platform.startswith("linux"):
        return f"limits: {platform.system()} has neither Landlock nor seccomp; {without}"
    return f"limits: this kernel has {_landlock()} and {_seccomp()}; {without}"


def _landlock() -> str:
    """The version of Landlock's interface, or why there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = libc.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_VERSION_FLAG)
    if number > 0:
        return f"Landlock (ABI {number})"
    why = {
        errno.ENOSYS: "not built in",
        errno.EOPNOTSUPP: "switched off at boot",
        errno.EPERM: "forbidden here",
    }
    return f"no Landlock ({why.get(ctypes.get_errno(), 'it does not answer')})"


def _seccomp(status: Path = Path("/proc/self/status")) -> str:
    """Whether system calls can be filtered: the kernel counts filters where it has them (man 5 proc)."""
    try:
        text = status.read_text("utf-8")
    except OSError:
        return "an unknown state of seccomp (/proc is not to be read)"
    if re.search(r"^Seccomp_filters:", text, re.MULTILINE):
        return "seccomp filters"
    return "seccomp, its filters not told" if re.search(r"^Seccomp:", text, re.MULTILINE) else "no seccomp"

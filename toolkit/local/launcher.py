"""The emulator's provider for the real Pulumi engine: an executable that the engine finds on its PATH.

Pulumi's engine takes a resource plugin from PATH before it looks into its own cache, unless
PULUMI_IGNORE_AMBIENT_PLUGINS is set (`getPluginInfoAndPath` in sdk/go/common/workspace/plugins.go). So a
launcher of the plugin's name is put into a folder of its own, and that folder on the PATH of the one
engine process of a local stack. It is no console script: one in an environment that is active would stand
in for pulumi-aws on AWS as well.

Tried: the launcher, started as an engine starts it, answers over gRPC. Not tried here: under the real
engine (FACTS §1: with a Python executable of this name it was). POSIX only, as the local target is.
"""

import os
import shlex
import sys
import tempfile
from pathlib import Path

from toolkit.cloud import NO_KEY
from toolkit.errors import PlatformError

PLUGIN = "pulumi-resource-aws"


def write_launcher(home: Path) -> Path:
    """Write the launcher below `home` (TFKIT_HOME) and return its folder, which nobody else may read.

    Another process may be starting it meanwhile, so it is replaced and never written into. Raises
    `PlatformError` where the folder cannot be written.
    """
    folder = home / "local" / "plugin"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_script(sys.executable))
        Path(temporary).chmod(0o700)
        Path(temporary).replace(folder / PLUGIN)
    except OSError as error:
        raise PlatformError(
            f"cannot write {folder / PLUGIN}: {error.strerror}", "free the disk or fix the rights"
        ) from error
    return folder


def local_environment(
    folder: Path, endpoint: str, region: str, key: str = NO_KEY, secret: str = NO_KEY
) -> dict[str, str]:
    """What the engine process of a local stack gets beside what it inherits; `os.environ` stays as it is.

    The provider finds the emulator and its root key in there; nobody but the user can read another process's
    environment. Should the engine take another provider after all, that one would speak to the emulator
    too, and never to an account of the user's.
    """
    return {
        "PATH": os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)]),
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "false",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "TFKIT_EMULATOR_ENDPOINT": endpoint,
        "AWS_REGION": region,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _script(interpreter: str) -> str:
    # -P: whatever lies in the engine's working folder is not imported.
    return f'#!/bin/sh\nexec {shlex.quote(interpreter)} -P -m toolkit.local.provider.serve "$@"\n'

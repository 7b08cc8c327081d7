"""What the local target needs of this machine: terraform, and the AWS provider in a mirror.

A run works on a data folder of its own, so without a mirror each run would fetch the provider again.
Where no mirror is at hand, `up` makes one below TFKIT_HOME, once, and says so.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from toolkit.checker.mirrors import find_providers, mirror_folders
from toolkit.checker.terraform import find_terraform, terraform_version
from toolkit.errors import ToolMissing

AWS_PROVIDER = "5.100.0"
DOWNLOAD_SECONDS = 900.0

WANTED = f"""\
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "{AWS_PROVIDER}"
    }}
  }}
}}
"""


def prepare(home: Path, note: Callable[[str], None]) -> Path | None:
    """Make sure that a run finds terraform and the AWS provider.

    Returns the mirror that tfkit made, now or earlier, or None where the machine has one of its own. Raises
    `ToolMissing` without terraform, or where the provider can be had from nowhere.
    """
    executable = find_terraform()
    platform = terraform_version(executable).platform
    if all(provider.mirror for provider in find_providers(platform)):
        return None
    mirror = home / "mirror"
    folders = [*mirror_folders(), mirror]
    if not all(provider.mirror for provider in find_providers(platform, folders=folders)):
        note(f"downloading the AWS provider for terraform once ({AWS_PROVIDER}, about 150 MB) into {mirror}")
        _download(executable, platform, mirror)
    return mirror


def _download(executable: Path, platform: str, mirror: Path) -> None:
    mirror.mkdir(parents=True, exist_ok=True, mode=0o700)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TF_"))}
    with tempfile.TemporaryDirectory(prefix="tfkit-") as folder:
        (Path(folder) / "versions.tf").write_text(WANTED)
        done = subprocess.run(
            [str(executable), "providers", "mirror", f"-platform={platform}", str(mirror)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
        )
    if done.returncode != 0:
        why = " ".join(done.stderr.split())[:300] or "it gave no reason"
        raise ToolMissing(
            f"the AWS provider could not be downloaded: {why}",
            "go online once, or set TFKIT_PROVIDER_MIRROR to a folder filled by `terraform providers mirror`",
        )

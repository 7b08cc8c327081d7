"""The executables of linters: where they are, and which version it is.

Each lies in a folder of its own, named by its version, below the tools folder (`TFKIT_TOOLS`, else
`TFKIT_HOME`/tools, else in the platform's user data folder); or somewhere on PATH. Nothing of the workspace
is looked at.
"""

import functools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from toolkit.errors import ToolMissing

ENVIRONMENT_NAME = "TFKIT_TOOLS"

TFLINT_VERSION = "0.64.0"
CHECKOV_VERSION = "3.3.30"

EXECUTABLES = {
    "tflint": f"tflint-{TFLINT_VERSION}/tflint",
    "checkov": f"checkov-{CHECKOV_VERSION}/bin/checkov",
}
"""Below the tools folder, by the name of the tool; `tools_install` puts them there."""

ANSWER_S = 30.0


def tools_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where tools are installed; None inside a function that has no such folder."""
    if chosen := environment.get(ENVIRONMENT_NAME):
        return Path(chosen).expanduser().absolute()
    if home := environment.get("TFKIT_HOME"):
        return Path(home).expanduser().absolute() / "tools"
    try:
        import platformdirs  # on a laptop; the function's packages lack it, and there PATH has the tools
    except ImportError:
        return None
    return Path(platformdirs.user_data_dir("tfkit", appauthor=False)) / "tools"


def find_tool(name: str) -> Path | None:
    """The executable of a tool that tfkit knows: the installed one first, then PATH."""
    folder = tools_folder()
    if folder and (folder / EXECUTABLES[name]).is_file():
        return folder / EXECUTABLES[name]
    found = shutil.which(name)
    return Path(found).absolute() if found else None


def require_tool(name: str) -> Path:
    """As `find_tool`. Raises `ToolMissing` with how to get it."""
    if found := find_tool(name):
        return found
    raise ToolMissing(f"{name} is not installed", f"run `tfkit validators install {name}`, or put it on PATH")


def tflint_version(executable: Path) -> str:
    """What tflint says of itself, such as `0.64.0`; empty where it does not answer."""
    return _ask((str(executable), "--version"), executable.stat().st_mtime_ns)


def checkov_version(executable: Path) -> str:
    """The version of the checkov behind a console script; empty where it does not answer.

    Its environment's metadata is asked, because `checkov --version` imports for two seconds.
    """
    code = "import importlib.metadata as m; print(m.version('checkov'))"
    return _ask((str(interpreter_of(executable)), "-I", "-c", code), executable.stat().st_mtime_ns)


def interpreter_of(script: Path) -> Path:
    """The Python that a console script names in its first line.

    Raises `ToolMissing` where it names none: then it cannot be run apart from the working folder.
    """
    first = script.open("rb").readline(512).decode(errors="replace")
    found = re.fullmatch(r"#!\s*(/\S*python[\d.]*)\s*", first.rstrip("\n"))
    if not found:
        raise ToolMissing(
            f"{script} does not name a Python in its first line, so it cannot be isolated",
            "run `tfkit validators install checkov`",
        )
    return Path(found[1])


@functools.lru_cache(maxsize=16)
def _ask(command: tuple[str, ...], _mtime: int) -> str:
    with tempfile.TemporaryDirectory(prefix="tfkit-") as folder:
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env={"HOME": folder, "PATH": os.defpath},
                capture_output=True,
                text=True,
                timeout=ANSWER_S,
            )
        except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
            return ""
    found = re.search(r"\d+\.\d+\.\d+", done.stdout)
    return found[0] if found and done.returncode == 0 else ""

"""A Python environment in which other people's validators can be installed, beside everything of this one."""

import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[3]


def make_environment(folder: Path) -> Path:
    """A virtual environment that sees tfkit and its packages; returns its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    packages = site_packages(folder)
    # What an editable install says in a .pth of its own is not read from there, so the root is named too.
    (packages / "beside.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    return python


def site_packages(folder: Path) -> Path:
    """Where packages of that environment lie."""
    (found,) = folder.glob("lib/python*/site-packages")
    return found

"""The example of docs/plugins.md, byte for byte, and an environment in which it can be installed."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "plugins.md"
BLOCK = re.compile(r"^```(?:toml|python)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def example(folder: Path) -> Path:
    """The files of the page."""
    files = dict(BLOCK.findall(PAGE.read_text("utf-8")))
    assert set(files) == {"pyproject.toml", "acme_validators.py"}
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def make_environment(folder: Path) -> Path:
    """An environment that sees tfkit and its packages, and takes more; its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # What an editable install says in a .pth of its own is not read from there, so the root is named too.
    (packages / "beside.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    return folder / "bin" / "python"


def install(python: Path, source: Path) -> None:
    """Install the package of a folder, as a person would, with what is on this machine."""
    command = ["-m", "uv", "pip", "install", "--quiet", "--python", str(python), "--offline"]
    subprocess.run(
        [sys.executable, *command, "--no-build-isolation", "--no-deps", str(source)],
        check=True,
        cwd=source.parent,
    )

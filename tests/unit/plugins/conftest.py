"""A stage of a few files, and the linters that this machine has."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.checker.sandbox import level
from toolkit.checker.terraform import Terraform
from toolkit.checker.tools import find_tool, tools_folder
from toolkit.checker.validator import Stage

# Before any test has a home of its own: where whoever runs the tests has installed linters.
MACHINE_TOOLS = tools_folder(dict(os.environ))


@pytest.fixture
def stage(tmp_path: Path) -> Callable[..., Stage]:
    """Files by path, without an init; the sandbox is the one that this machine has."""

    def make(files: dict[str, str], deadline_s: float = 60, **options: object) -> Stage:
        root = tmp_path / "stage"
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        terraform = Terraform(Path("/nowhere"), root, tmp_path / "private", "", held=level())
        return Stage(
            root=root, terraform=terraform, deadline_s=deadline_s, initialised=False, options=dict(options)
        )

    return make


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Find this linter where the machine has it; the test is passed over where it is nowhere."""

    def find(name: str) -> None:
        monkeypatch.setenv("TFKIT_TOOLS", str(MACHINE_TOOLS))
        if find_tool(name) is None:
            pytest.skip(f"{name} is not installed; `tfkit validators install {name}`")

    return find

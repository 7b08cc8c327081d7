import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from checker_fakes import Fake

from toolkit.checker.inprocess import InProcessChecker


@pytest.fixture
def fake_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Fake]:
    def make(behaviour: str = "") -> Fake:
        folder = tmp_path / "fake"
        folder.mkdir()
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return Fake(folder, behaviour)

    return make


@pytest.fixture
def checker(tmp_path: Path) -> Iterator[InProcessChecker]:
    made = InProcessChecker(tmp_path / "work")
    yield made
    made.close()

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from checker_fakes import Fake

from toolkit.checker import inprocess
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.sandbox import LIMITS, UNSANDBOXED


@pytest.fixture
def fake_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Fake]:
    # The stand-in is a script that keeps a diary; in the sandbox neither would be to be had.
    monkeypatch.setattr(inprocess, "level", lambda: LIMITS)
    monkeypatch.setattr(inprocess, "require", lambda held: None)
    monkeypatch.setenv(UNSANDBOXED, "1")

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

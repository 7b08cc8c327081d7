"""The real command line in this process: its exit code, stdout and stderr."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cli_fakes import FakeClient, FakePlatform

from toolkit.cli.errors import run
from toolkit.cli.root import cli


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What stdout holds, which must be one JSON document and nothing else."""
        return json.loads(self.out)


Tfkit = Callable[..., Ended]


@pytest.fixture
def tfkit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tfkit:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run(cli, arguments)
        return Ended(code, *capsys.readouterr())

    return call


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> FakeClient:
    """A platform that is up; the client that the commands will get."""
    fake = FakeClient()
    monkeypatch.setattr("toolkit.deploy.platform.Platform", FakePlatform)
    monkeypatch.setattr("toolkit.client.Client", fake)
    return fake

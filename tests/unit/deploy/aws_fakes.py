"""An account of AWS that is an emulator, found by the SDK's own variables."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.emulator import Emulator

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path_factory.mktemp("aws"))
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture
def account(emulated: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Emulator:
    """The environment of somebody who is logged in to it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulated.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", emulated.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", emulated.secret)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return emulated

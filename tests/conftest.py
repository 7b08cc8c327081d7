"""Hermetic by default: a home of its own, no settings and no credentials of whoever runs the tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolkit.settings import ENVIRONMENT

KEPT = ("TFKIT_PROVIDER_MIRROR",)


@pytest.fixture(autouse=True)
def hermetic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith((ENVIRONMENT, "AWS_")) and name not in KEPT:
            monkeypatch.delenv(name)
    monkeypatch.setenv("TFKIT_HOME", str(tmp_path / "tfkit-home"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield

"""A real process, a home of its own, real servers on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Tfkit

from toolkit.contracts import StackOutputs
from toolkit.local import control


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A TFKIT_HOME whose daemon is ended after the module, whatever the tests did."""
    folder = tmp_path_factory.mktemp("home")
    yield folder
    for stack in (folder / "local").glob("*"):
        control.clean(stack)


@pytest.fixture(scope="module")
def tfkit(home: Path) -> Tfkit:
    return Tfkit(home)


@pytest.fixture(scope="module")
def outputs(tfkit: Tfkit) -> StackOutputs:
    """The outputs of a platform that was brought up for this module."""
    return StackOutputs(**tfkit.json("up")["outputs"])

"""What another version of tfkit left behind is said, and stands in nobody's way."""

import json
from pathlib import Path

import pytest

from toolkit.deploy.platform import Platform
from toolkit.deploy.state import STACK_TYPE, exclusive
from toolkit.errors import DeployFailed, NothingDeployed
from toolkit.settings import load


def opened(home: Path) -> Platform:
    return Platform(load({}, {"TFKIT_HOME": str(home)}, home))


def test_outputs_of_another_version_are_not_taken_and_up_is_the_way_on(tmp_path: Path) -> None:
    platform = opened(tmp_path)
    platform.folder.mkdir(parents=True)
    stack = {
        "urn": "urn:pulumi:dev::tfkit::pulumi:pulumi:Stack::tfkit-dev",
        "type": STACK_TYPE,
        "custom": False,
        "outputs": {"version": "0.0.1"},
    }
    document = {"version": 3, "deployment": {"manifest": {}, "resources": [stack]}}
    (platform.folder / "state.json").write_text(json.dumps(document))
    with pytest.raises(NothingDeployed, match="another version") as caught:
        platform.outputs()
    assert "tfkit up" in caught.value.hint


def test_close_leaves_a_stack_alone_on_which_somebody_works(tmp_path: Path) -> None:
    platform = opened(tmp_path)
    with exclusive(platform.folder / "lock"), pytest.raises(DeployFailed, match="another tfkit"):
        platform.close()
    platform.close()
    assert list(platform.folder.iterdir()) == []


def test_close_of_what_never_was_makes_no_folder(tmp_path: Path) -> None:
    opened(tmp_path / "home").close()
    assert not (tmp_path / "home").exists()

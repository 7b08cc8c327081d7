"""The provider's launcher: an engine can start it, and no engine of the aws target ever finds it."""

import os
import shutil
import stat
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from toolkit.deploy.pulumi_place import Place
from toolkit.errors import PlatformError
from toolkit.local.launcher import PLUGIN, local_environment, write_launcher

ROOT = Path(__file__).parents[3]


def test_the_launcher_starts_the_provider(tmp_path: Path) -> None:
    folder = write_launcher(tmp_path / "a home with 'quotes' and $HOME")
    environment = {**os.environ, **local_environment(folder, "http://127.0.0.1:1", "us-east-1", "AKIA", "s")}
    found = shutil.which(PLUGIN, path=environment["PATH"])
    assert found == str(folder / PLUGIN)
    # Pulumi starts a plugin in the project's folder, with the engine's address as its argument.
    process = subprocess.Popen([found, "127.0.0.1:1"], env=environment, cwd=tmp_path, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            assert stub.GetPluginInfo(empty_pb2.Empty()).version == version("pulumi-aws")
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_what_lies_in_the_working_folder_is_not_imported(tmp_path: Path) -> None:
    folder = write_launcher(tmp_path / "home")
    (tmp_path / "toolkit.py").write_text("raise SystemExit('a planted module')")
    done = subprocess.run(
        [folder / PLUGIN], env={"PATH": os.environ["PATH"]}, cwd=tmp_path, capture_output=True, text=True
    )
    assert "TFKIT_EMULATOR_ENDPOINT is not set" in done.stderr


def test_it_is_its_owners_alone_and_written_again(tmp_path: Path) -> None:
    folder = write_launcher(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / PLUGIN).stat().st_mode) == 0o700
    (folder / PLUGIN).write_text("an interpreter that is gone")
    assert write_launcher(tmp_path) == folder
    assert sys.executable in (folder / PLUGIN).read_text()
    assert [path.name for path in folder.iterdir()] == [PLUGIN]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "local").write_text("in the way")
    with pytest.raises(PlatformError, match="cannot write"):
        write_launcher(tmp_path)


def test_the_aws_target_can_never_pick_it_up(tmp_path: Path) -> None:
    """Not by PATH, not by the engine's own environment, and not by an environment that is active."""
    folder = write_launcher(tmp_path)
    local = Place(
        tmp_path / "l", tmp_path / "h", "us-east-1", environment=local_environment(folder, "x", "r")
    )
    aws = Place(tmp_path / "a", tmp_path / "h", "us-east-1", environment={"AWS_PROFILE": "prod"})
    for place in (local, aws):
        place.make()
    assert str(folder) in local.variables["PATH"]
    assert str(folder) not in os.environ["PATH"]
    assert shutil.which(PLUGIN) is None
    assert "PATH" not in aws.variables
    assert aws.variables["PULUMI_IGNORE_AMBIENT_PLUGINS"] == "true"
    assert not any("EMULATOR" in name for name in aws.variables)


def test_it_is_no_console_script() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    scripts = {**declared.get("scripts", {}), **declared.get("gui-scripts", {})}
    assert PLUGIN not in scripts
    assert PLUGIN not in {script.name for script in entry_points(group="console_scripts")}
    assert not (Path(sys.executable).parent / PLUGIN).exists()


def test_another_provider_would_speak_to_the_emulator_too(
    tmp_path: Path,
) -> None:
    environment = local_environment(tmp_path, "http://127.0.0.1:4566", "eu-west-1", "AKIA", "s")
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]) == ("AKIA", "s")
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"

from pathlib import Path

import pytest

from toolkit.checker.mirrors import HOST, cli_configuration, find_providers, mirror_folders
from toolkit.errors import PlatformError


def unpacked(folder: Path, version: str, platform: str = "linux_amd64") -> Path:
    (folder / HOST / "hashicorp/aws" / version / platform).mkdir(parents=True)
    return folder


def test_the_order_is_environment_then_implied_folders(tmp_path: Path) -> None:
    chosen = unpacked(tmp_path / "chosen", "1.0.0")
    home = unpacked(tmp_path / "home/.terraform.d/plugins", "1.0.0")
    data = unpacked(tmp_path / "data/terraform/plugins", "1.0.0")
    environment = {
        "TFKIT_PROVIDER_MIRROR": str(chosen),
        "HOME": str(tmp_path / "home"),
        "XDG_DATA_DIRS": str(tmp_path / "data"),
    }
    assert list(mirror_folders(environment))[:3] == [chosen, home, data]


def test_a_mirror_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="TFKIT_PROVIDER_MIRROR"):
        list(mirror_folders({"TFKIT_PROVIDER_MIRROR": str(tmp_path)}))


def test_packed_and_unpacked_versions_are_found_for_the_platform_only(tmp_path: Path) -> None:
    unpacked(tmp_path, "5.9.0")
    unpacked(tmp_path, "5.99.0", "darwin_arm64")
    (tmp_path / HOST / "hashicorp/aws/terraform-provider-aws_5.10.0_linux_amd64.zip").touch()
    (provider,) = find_providers("linux_amd64", folders=[tmp_path])
    assert provider.versions == ("5.9.0", "5.10.0")
    assert str(provider) == "hashicorp/aws 5.10.0"


def test_the_first_mirror_that_has_it_is_the_only_one(tmp_path: Path) -> None:
    empty, first, second = tmp_path / "empty", tmp_path / "first", tmp_path / "second"
    (empty / HOST).mkdir(parents=True)
    unpacked(first, "5.1.0")
    unpacked(second, "6.1.0")
    text = cli_configuration(find_providers("linux_amd64", folders=[empty, first, second]))
    assert f'path    = "{first}"' in text
    assert str(second) not in text
    assert "direct" not in text


def test_without_a_mirror_the_registry_is_asked_for_the_allow_list_only() -> None:
    text = cli_configuration(find_providers("linux_amd64", folders=[]))
    assert "filesystem_mirror" not in text
    assert f'include = ["{HOST}/hashicorp/aws"]' in text


def test_an_empty_allow_list_allows_nothing() -> None:
    assert 'exclude = ["*/*/*"]' in cli_configuration([])

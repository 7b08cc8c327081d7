"""A run of the program for all, and a way to run it with other settings."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from stacks_world import Deployed, make_config, run

from toolkit.contracts import PlatformConfig


@pytest.fixture(scope="session")
def config() -> PlatformConfig:
    return make_config()


@pytest.fixture(scope="session")
def deployed(config: PlatformConfig) -> Deployed:
    return run(config)


@pytest.fixture(scope="session")
def previewed(config: PlatformConfig) -> Deployed:
    return run(config, preview=True)


@pytest.fixture
def runner() -> Iterator[Callable[..., Deployed]]:
    """Runs the program with other settings: `runner(email="")`."""

    def with_changes(
        build_image: Callable[[str], str] | None = None,
        secrets: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> Deployed:
        return run(make_config(**changes), build_image=build_image, secrets=secrets)

    yield with_changes

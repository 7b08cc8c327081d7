"""A clone with a remote, and a GitHub on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from git_world import Clone
from github_server import TOKEN, GitHubServer, served
from pulls_runs import FILES


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path, FILES)


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with served() as server:
        yield server
        assert server.wrong == []


@pytest.fixture
def environment(clone: Clone, github: GitHubServer) -> dict[str, str]:
    return {**clone.environment, "GH_TOKEN": TOKEN, "TFKIT_GITHUB_API": github.url}

"""A real process, a home of its own, real servers on loopback."""

from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import docs_pages
import pytest
from driver import Tfkit
from github_server import GitHubServer, served

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


@pytest.fixture(scope="module")
def docs_model() -> Iterator[str]:
    """The address of a model's server, for the pages."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), docs_pages.Model)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def docs_github() -> Iterator[GitHubServer]:
    with served() as server:
        yield server
        assert server.wrong == []

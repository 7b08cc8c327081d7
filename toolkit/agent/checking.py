"""The checker of a run: the platform's own function where it has one, else one in this process."""

import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from opentelemetry.trace import Tracer

from toolkit.agent.config import AgentConfig, Clients
from toolkit.checker import Checker
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.remote import RemoteChecker
from toolkit.checker.selection import ValidatorSettings
from toolkit.contracts import Tree


def checker_of(
    config: AgentConfig,
    clients: Clients,
    tracer: Tracer,
    settings: Mapping[str, ValidatorSettings],
    brought: Tree,
) -> AbstractContextManager[Checker]:
    """The checker, which is closed afterwards.

    `settings` are those of the validators, by name; `brought` is the tree that the user started from.
    """
    if config.checker_function:
        function = config.checker_function
        return closing(
            RemoteChecker(clients.checker, function, tracer=tracer, settings=settings, brought=brought)
        )
    return _own_checker(tracer, settings, brought, unsandboxed=config.unsandboxed)


@contextmanager
def _own_checker(
    tracer: Tracer, settings: Mapping[str, ValidatorSettings], brought: Tree, *, unsandboxed: bool
) -> Generator[Checker, None, None]:
    """A checker in a folder of its own, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tfkit-run-"))
    try:
        checker = InProcessChecker(
            folder, tracer=tracer, settings=settings, brought=brought, unsandboxed=unsandboxed
        )
        try:
            yield checker
        finally:
            checker.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)

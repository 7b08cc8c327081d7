"""One OPA for all: the machine's, else built into the user's cache, which outlives a test's home."""

import os
import shutil
from pathlib import Path

import platformdirs
import pytest

from toolkit.checker.tools_install import run_installer
from toolkit.errors import ToolMissing
from toolkit.evaluate.opa import ENVIRONMENT_NAME, GO_MODULE, VERSION, Opa

CACHE = Path(platformdirs.user_cache_dir("tfkit", appauthor=False)) / f"opa-{VERSION}"


@pytest.fixture(scope="session")
def opa() -> Opa:
    """A real OPA. Without one and without Go there is none to be had, and the reason is said."""
    named = os.environ.get(ENVIRONMENT_NAME) or shutil.which("opa")
    if named:
        return Opa(Path(named))
    executable = CACHE / "opa"
    if not executable.is_file():
        go = shutil.which("go")
        if go is None or "TFKIT_TESTS_BUILD_OPA" not in os.environ:
            pytest.skip("no opa on PATH; `make test-all` builds one with Go, which takes minutes")
        CACHE.mkdir(parents=True, exist_ok=True)
        try:
            run_installer([go, "install", GO_MODULE], "no opa", GOBIN=str(CACHE), GOFLAGS="-mod=mod")
        except ToolMissing as error:
            pytest.skip(f"opa cannot be built: {error}")
    return Opa(executable)

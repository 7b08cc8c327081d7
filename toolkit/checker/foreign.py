"""A validator of another distribution, run in a process of its own.

    here: request ──▶ [process] plugin: import, check ──▶ answer ──▶ here: decoded strictly, believed or not

Nothing of it is imported here, so an import that crashes, an exit, or a loop without end is that process's,
which is killed at the deadline with its whole group. It has limits of CPU, memory and files, no credentials
in its environment, and no other sandbox: whoever installs a validator trusts its code, as with any package.
"""

import os
import shutil
import site
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from toolkit.checker.process import Finished, Stopped
from toolkit.checker.sandbox import SandboxLevel
from toolkit.checker.tools import ENVIRONMENT_NAME
from toolkit.checker.validator import Stage
from toolkit.contracts import CheckResult, Finding, RehearseDepth, Shape, Tool, to_json
from toolkit.errors import PlatformError

REQUEST = "request.json"
ANSWER = "answer.json"

MAX_ANSWER_BYTES = 32 * 1024 * 1024

# What finds executables and libraries; no credentials, no TFKIT_ name but where the tools are.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", ENVIRONMENT_NAME)


class PluginRequest(Shape, frozen=True, kw_only=True):
    """A stage, as it is told to another process, and the entry point that looks at it."""

    name: str
    value: str
    root: str
    executable: str
    private: str
    mirrors: list[str]
    held: SandboxLevel
    deadline_s: float
    initialised: bool
    init: CheckResult | None
    rehearse: RehearseDepth
    options: dict[str, Any]


class PluginAnswer(Shape, frozen=True, kw_only=True):
    """The findings, or why there are none."""

    findings: list[Finding] = []
    error: str = ""


class ForeignValidator:
    """Stands in for a validator; its tool is the distribution that brought it."""

    def __init__(self, name: str, value: str, distribution: str, version: str) -> None:
        self.name = name
        self._value = value
        self._tool = Tool(name=distribution, version=version)

    def tool(self) -> Tool | None:
        """The distribution and its version."""
        return self._tool

    def check(self, stage: Stage) -> Iterable[Finding]:
        """What it finds. Raises `TimeoutError` at the deadline and `PlatformError` for all else it may do."""
        folder = Path(tempfile.mkdtemp(prefix="plugin-", dir=stage.terraform.private))
        try:
            (folder / REQUEST).write_bytes(to_json(self._request(stage)))
            done = self._run(stage, folder)
            return self._answer(folder / ANSWER, done)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _request(self, stage: Stage) -> PluginRequest:
        terraform = stage.terraform
        return PluginRequest(
            name=self.name,
            value=self._value,
            root=str(stage.root),
            executable=str(terraform.executable),
            private=str(terraform.private),
            mirrors=[str(mirror) for mirror in terraform.mirrors],
            held=terraform.held,
            deadline_s=stage.deadline_s,
            initialised=stage.initialised,
            init=stage.init,
            rehearse=stage.rehearse,
            options=stage.options,
        )

    def _run(self, stage: Stage, folder: Path) -> Finished:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {"HOME": str(folder), "TMPDIR": str(folder), "PYTHONUSERBASE": site.getuserbase()}
        # -E and -P: neither a variable nor the working folder can put a module in the way.
        command = [sys.executable, "-E", "-P", "-m", "toolkit.checker.plugin", str(folder)]
        try:
            return stage.terraform.runner(folder, environment).run(command, stage.deadline_s)
        except TimeoutError:
            raise TimeoutError(f"the validator {self.name} took longer than {stage.deadline_s:g} s") from None
        except Stopped as error:
            raise PlatformError(f"the validator {self.name} was ended: {error}") from error

    def _answer(self, path: Path, done: Finished) -> list[Finding]:
        if not path.is_file() or path.stat().st_size > MAX_ANSWER_BYTES:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise PlatformError(
                f"the validator {self.name} ended without an answer, with exit code {done.code}: {last[:300]}"
            )
        try:
            answer = msgspec.json.decode(path.read_bytes(), type=PluginAnswer)
        except msgspec.MsgspecError as error:
            raise PlatformError(f"the validator {self.name} cannot be believed: {error}") from error
        if answer.error:
            raise PlatformError(answer.error)
        return answer.findings

"""Open Policy Agent: finds it or installs it, and asks it whether a rule holds on a plan.

A rule is text from a dataset, so it is hostile: OPA runs in the checker's sandbox with an empty environment,
with limits of time and memory, and without the builtins that reach the network or read the machine.

    found:      TFKIT_OPA ▸ the tools folder ▸ PATH
    installed:  `go install`, where Go is: the module is held against Go's checksum database;
                else the publisher's release, held against the .sha256 beside it (said, and then kept)

A rule holds as IaC-Eval has it (its `evaluation/eval.py`): of all that the document `data` comes to, nothing
is `false`. Two things are other here: something must be `true`, so that a rule that says nothing does not
hold; and lists are not looked into, or a rule whose helper collects resources could never hold (2 of the
60 tasks tried).
"""

import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from toolkit.checker.process import Runner, Stopped
from toolkit.checker.sandbox import Confinement, level
from toolkit.checker.tools import ANSWER_S, tools_folder
from toolkit.checker.tools_install import all_or_nothing, fetch, go_platform, run_installer
from toolkit.contracts import Shape, Tool, to_json
from toolkit.errors import PlatformError, ToolMissing, UsageError
from toolkit.evaluate.task import RuleStatus

ENVIRONMENT_NAME = "TFKIT_OPA"
VERSION = "1.22.2"
"""The version that is installed; any 1.x that is found will do."""

GO_MODULE = f"github.com/open-policy-agent/opa@v{VERSION}"
RELEASE = f"https://github.com/open-policy-agent/opa/releases/download/v{VERSION}"

RULE_S = 20.0

REFUSED_BUILTINS = frozenset({"http.send", "net.lookup_ip_addr", "opa.runtime"})
"""What reaches the network, or reads environment and configuration of the process."""

_NOT_FOUND = f"put opa on PATH, or name it by {ENVIRONMENT_NAME}"
_LATE = f"the rule took longer than {RULE_S:g} s"
_SHOWN = 500


class Ruling(NamedTuple):
    """How a rule ended on a plan, and why."""

    status: RuleStatus
    reason: str = ""


class _Error(msgspec.Struct):
    message: str = ""
    code: str = ""


class _Expression(msgspec.Struct):
    value: Any = None


class _Result(msgspec.Struct):
    expressions: list[_Expression] = []


class _Answer(msgspec.Struct):
    """What `opa eval --format json` prints."""

    result: list[_Result] = []
    errors: list[_Error] = []


class _Capabilities(Shape, frozen=True, forbid_unknown_fields=False):
    builtins: list[dict[str, Any]]


class Opa:
    """An OPA executable. Methods may be called from several threads."""

    def __init__(self, executable: Path) -> None:
        self.executable = executable

    @functools.cached_property
    def tool(self) -> Tool:
        """Its name and version. Raises `PlatformError` where it does not answer as OPA 1.x does."""
        with tempfile.TemporaryDirectory(prefix="tfkit-opa-") as folder:
            done = self._run(Path(folder), ["version"], ANSWER_S)
        first = (done.splitlines() or [b""])[0].decode(errors="replace")
        version = first.removeprefix("Version:").strip()
        if not first.startswith("Version:") or version.split(".")[0] != "1":
            raise PlatformError(
                f"{self.executable} does not answer like OPA 1.x: {first[:100]!r}", _NOT_FOUND
            )
        return Tool(name="opa", version=version)

    @functools.cached_property
    def _capabilities(self) -> bytes:
        """Its own capabilities for rules of before 1.0, without what a rule has no business with."""
        with tempfile.TemporaryDirectory(prefix="tfkit-opa-") as folder:
            said = self._run(Path(folder), ["capabilities", "--current", "--v0-compatible"], ANSWER_S)
        try:
            capabilities: dict[str, Any] = msgspec.json.decode(said, type=dict[str, Any])
            named = msgspec.convert(capabilities, _Capabilities).builtins
        except msgspec.MsgspecError as error:
            raise PlatformError(f"the capabilities of {self.executable} cannot be read: {error}") from error
        capabilities["builtins"] = [b for b in named if b.get("name") not in REFUSED_BUILTINS]
        capabilities["allow_net"] = list[str]()
        return to_json(capabilities)

    def rule(self, rego: str, plan: bytes) -> Ruling:
        """Whether the rule holds on a plan, which is JSON. Raises `PlatformError` where OPA does not work."""
        capabilities = self._capabilities
        with tempfile.TemporaryDirectory(prefix="tfkit-opa-") as name:
            folder = Path(name).resolve()
            written = {"capabilities.json": capabilities, "plan.json": plan, "rule.rego": rego.encode()}
            for file, content in written.items():
                (folder / file).write_bytes(content)
            command = ["eval", "--v0-compatible", "--format=json", f"--timeout={RULE_S:g}s"]
            command += [f"--capabilities={folder / 'capabilities.json'}", f"--input={folder / 'plan.json'}"]
            command += [f"--data={folder / 'rule.rego'}", "data"]
            try:
                return _ruling(self._run(folder, command, RULE_S + 5))
            except TimeoutError:
                return Ruling("error", _LATE)
            except Stopped as stopped:
                return Ruling("error", f"the rule was ended: {stopped}")

    def _run(self, folder: Path, arguments: list[str], timeout_s: float) -> bytes:
        """What OPA prints; it sees the folder, and nothing else."""
        runner = Runner(folder, {"HOME": str(folder), "LANG": "C.UTF-8"}, level())
        confinement = Confinement(read=(folder,))
        done = runner.run([str(self.executable), *arguments], timeout_s, confinement=confinement)
        if not done.stdout and done.code:
            raise PlatformError(f"opa {arguments[0]} failed: {' '.join(done.stderr.split())[:_SHOWN]}")
        return done.stdout


def _ruling(said: bytes) -> Ruling:
    try:
        answer = msgspec.json.decode(said, type=_Answer)
    except msgspec.MsgspecError as error:
        raise PlatformError(f"the answer of opa cannot be read: {error}") from error
    if answer.errors:
        texts = [" ".join(f"{error.code} {error.message}".split()) for error in answer.errors]
        if any("deadline exceeded" in text or "eval_cancel_error" in text for text in texts):
            return Ruling("error", _LATE)
        return Ruling("error", "; ".join(texts)[:_SHOWN])
    documents = [expression.value for result in answer.result for expression in result.expressions]
    values = {name: value for document in documents for name, value in _decisions(document, "")}
    false = [name for name, value in values.items() if value is False]
    if false:
        return Ruling("fails", f"false: {', '.join(false)}"[:_SHOWN])
    if not any(value is True for value in values.values()):
        return Ruling("fails", "nothing that the rule says is true")
    return Ruling("passes")


def _decisions(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every plain value of a document with its name: `terraform.validation.is_valid`.

    Not what is in a list: a helper that collects resources has their `false` arguments in it.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _decisions(inner, f"{path}.{name}".lstrip("."))
    elif not isinstance(value, list):
        yield path, value


# -- where it comes from ---------------------------------------------------------------------------


def find_opa() -> Opa | None:
    """OPA where somebody put it; None where it is nowhere. Raises `UsageError` for a name that is no file."""
    if chosen := os.environ.get(ENVIRONMENT_NAME):
        path = Path(chosen).expanduser().absolute()
        if not path.is_file():
            raise UsageError(f"{ENVIRONMENT_NAME} is {chosen}, which is no file", _NOT_FOUND)
        return Opa(path)
    folder = tools_folder()
    if folder and _installed(folder).is_file():
        return Opa(_installed(folder))
    found = shutil.which("opa")
    return Opa(Path(found).absolute()) if found else None


def require_opa(note: Callable[[str], None]) -> Opa:
    """As `find_opa`; where it is nowhere it is installed, which is said first.

    Raises `ToolMissing` or `PlatformError` where it cannot be had.
    """
    if found := find_opa():
        return found
    folder = tools_folder()
    if folder is None:
        raise ToolMissing("opa is not installed", _NOT_FOUND)
    executable = _installed(folder)
    with all_or_nothing(executable.parent):
        _install(executable, note)
        made = Opa(executable)
        if made.tool.version != VERSION:
            raise PlatformError(f"{executable} is OPA {made.tool.version}, and {VERSION} was asked for")
    return made


def _installed(folder: Path) -> Path:
    return folder / f"opa-{VERSION}" / "opa"


def _install(executable: Path, note: Callable[[str], None]) -> None:
    if go := shutil.which("go"):
        note(
            f"building OPA {VERSION} with {go} install {GO_MODULE} into {executable.parent} (a minute or two)"
        )
        home = str(executable.parent)
        run_installer([go, "install", GO_MODULE], "go could not build opa", GOBIN=home, GOFLAGS="-mod=mod")
        return
    # Static where there is one: it runs wherever the kernel does.
    asset = "opa_darwin_amd64" if go_platform() == "darwin_amd64" else f"opa_{go_platform()}_static"
    note(
        f"downloading {RELEASE}/{asset} into {executable.parent}; it is held against the .sha256 that is "
        "published beside it, which is trusted at this first use"
    )
    content = fetch(f"{RELEASE}/{asset}")
    _verify(asset, content, _kept_sum(executable.parents[1], asset))
    executable.write_bytes(content)
    executable.chmod(0o755)


def _kept_sum(tools: Path, asset: str) -> str:
    """The published checksum: that of the first time, as long as nobody deletes it."""
    kept = tools / f"{asset}-{VERSION}.sha256"
    if not kept.is_file():
        kept.write_bytes(fetch(f"{RELEASE}/{asset}.sha256"))
    return (kept.read_text("utf-8", errors="replace").split() or [""])[0].lower()


def _verify(asset: str, content: bytes, wanted: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise PlatformError(
            f"{asset} has the SHA-256 {found}, and the release says {wanted or 'nothing'}",
            f"do not use it; try again from another network, or {_NOT_FOUND}",
        )

"""The terraform executable, run on one staged tree with nothing of ours in reach.

The environment is made from nothing: no credentials, no `TF_*` of the caller, HOME and TMPDIR in a private
folder, and a PATH that holds no program, so that neither `git` of a module source nor the shell of a
`credential_process` can be started by name. The sandbox says the same once more: nothing can be executed
but terraform and the providers, and only init may write into the stage and the data folder.
"""

import contextlib
import functools
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from toolkit.checker.findings import Diagnostic, InitLine, ValidateOutput
from toolkit.checker.process import FILE_SIZE, Finished, Runner, Stopped
from toolkit.checker.sandbox import LIMITS, Confinement, SandboxLevel
from toolkit.checker.staging import OVERRIDE_NAME
from toolkit.checker.warm import WarmProvider
from toolkit.contracts import Tool
from toolkit.errors import PlatformError, ToolMissing

LOCK_NAME = ".terraform.lock.hcl"

REHEARSAL = "rehearsal"
"""The folder below `private` that copies of trees are rehearsed in. It stays what it is, emptied and filled
again: the warm provider runs in it, because paths that a program gives to resources are relative to it."""

# Providers listen on a socket below TMPDIR, and the path of a socket has 104 to 108 bytes at most.
_MAX_TMPDIR_CHARS = 60

MAX_WRITTEN_BYTES = 64 * 1024 * 1024
"""The largest file that any command but init may write; none writes more than what it formats."""


class Version(NamedTuple):
    """What terraform says of itself: `1.11.4` and `linux_amd64`."""

    version: str
    platform: str


class InitOutcome(NamedTuple):
    """How `terraform init` ended. `diagnostics` are errors and warnings in the order given."""

    ok: bool
    diagnostics: list[Diagnostic]


class Formatted(NamedTuple):
    """What `terraform fmt` would write: path → new content; `errors` is its text on files it cannot read."""

    changed: dict[str, bytes]
    errors: str


def find_terraform() -> Path:
    """The terraform on PATH, as an absolute path. Raises `ToolMissing` with how to get it."""
    if found := shutil.which("terraform"):
        return Path(found).absolute()
    raise ToolMissing(
        "terraform is not on PATH",
        "Install Terraform 1.9 or newer from HashiCorp's page “Install Terraform”, then run `tfkit doctor`.",
    )


def terraform_version(executable: Path) -> Version:
    """Version and platform of an executable; asked once per file and change of it.

    Raises `PlatformError` where it does not answer as terraform does.
    """
    return _version(executable, executable.stat().st_mtime_ns)


def installed_terraform() -> Tool | None:
    """terraform as a validator names its tool; None where it is not on PATH."""
    try:
        return Tool(name="terraform", version=terraform_version(find_terraform()).version)
    except ToolMissing:
        return None


@functools.lru_cache(maxsize=8)
def _version(executable: Path, _mtime: int) -> Version:
    class Answer(msgspec.Struct):
        terraform_version: str
        platform: str

    with tempfile.TemporaryDirectory(prefix="tfkit-") as folder:
        environment = {"HOME": folder, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
        try:
            done = Runner(Path(folder), environment).run([str(executable), "version", "-json"], 30)
        except (TimeoutError, Stopped) as error:
            raise PlatformError(f"{executable} does not start: {error}") from error
    try:
        answer = msgspec.json.decode(done.stdout, type=Answer)
    except msgspec.MsgspecError as error:
        raise PlatformError(f"{executable} does not answer like terraform: {_tail(done)}") from error
    return Version(answer.terraform_version, answer.platform)


class Terraform:
    """terraform on the staged tree `root`; `private` keeps its data, home and configuration between stages.

    `configuration` is the text of the CLI configuration; `environment` is added to the scrubbed one.
    `mirrors` are the folders that providers are executed from, `held` is the sandbox, `warm` a provider that
    is running and is not ended with this. Deadlines are seconds. Every method may raise `TimeoutError` past
    it, `Stopped` where a limit ended terraform, and `PlatformError` where its answer cannot be read.
    """

    def __init__(
        self,
        executable: Path,
        root: Path,
        private: Path,
        configuration: str,
        *,
        environment: Mapping[str, str] | None = None,
        mirrors: Iterable[Path] = (),
        held: SandboxLevel = LIMITS,
        warm: WarmProvider | None = None,
    ) -> None:
        self.executable = executable
        self.root = root
        self.private = private
        self.mirrors = tuple(mirrors)
        self.held = held
        self.warm = warm
        self._validating = threading.Lock()
        self._validated: list[Diagnostic] | None = None
        for name in ("bin", "home", "data", "tmp", REHEARSAL):
            (private / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        (private / "cli.tfrc").write_text(configuration)
        self._runners: list[Runner] = []
        self._runner = self.runner(root, {**scrubbed(private), **(environment or {})}, held)

    @property
    def data(self) -> Path:
        """The data folder, which takes the place of `.terraform/` and lies outside the tree."""
        return self.private / "data"

    @property
    def rehearsal(self) -> Path:
        """The folder that rehearsals take place in."""
        return self.private / REHEARSAL

    def version(self) -> Version:
        """Version and platform of this terraform; remembered."""
        return terraform_version(self.executable)

    def init(self, timeout_s: float) -> InitOutcome:
        """`terraform init` without a backend; writes a lock file of ours into the stage."""
        command = ["init", "-backend=false", "-input=false", "-no-color", "-json"]
        done = self._run(command, timeout_s, writes=(self.root, self.data), file_size=FILE_SIZE)
        lines = []
        for line in done.stdout.splitlines():
            with contextlib.suppress(msgspec.MsgspecError):
                lines.append(msgspec.json.decode(line, type=InitLine))
        found = [line.diagnostic for line in lines if line.diagnostic]
        if done.code != 0 and not any(d.severity == "error" for d in found):
            raise PlatformError(f"terraform init failed without saying why: {_tail(done)}")
        return InitOutcome(done.code == 0, found)

    def validate(self, timeout_s: float) -> list[Diagnostic]:
        """`terraform validate -json`: its diagnostics, none for a valid tree. Needs an `init` before.

        Whoever asks again gets the same answer: the tree does not change.
        """
        with self._validating:
            if self._validated is None:
                self._validated = self._validate(timeout_s)
            return self._validated

    def _validate(self, timeout_s: float) -> list[Diagnostic]:
        done = self.with_provider(["validate", "-no-color", "-json"], timeout_s)
        try:
            answer = msgspec.json.decode(done.stdout, type=ValidateOutput)
        except msgspec.MsgspecError as error:
            raise PlatformError(f"terraform validate gave no answer: {_tail(done)}") from error
        if not answer.valid and not answer.diagnostics:
            raise PlatformError("terraform validate says invalid and gives no reason")
        return answer.diagnostics

    def with_provider(
        self,
        arguments: list[str],
        timeout_s: float,
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        tcp_port: int | None = None,
        shared: bool = True,
        writes: tuple[Path, ...] = (),
    ) -> Finished:
        """A command that asks providers, in `cwd` (by default the tree), which alone it may write if given.

        One that `writes` elsewhere starts no provider. The warm provider serves it if it may be `shared`,
        which it must not be where a program configures it more than once: then one configuration might hold
        for all. Else terraform starts one itself, with `environment` and `tcp_port`.
        """
        until = time.monotonic() + timeout_s
        outside = (cwd,) if cwd else ()
        run = functools.partial(self._run, arguments, cwd=cwd, outside=outside, writes=writes)
        if warm := self.warm.reattach if self.warm and shared else "":
            attached = {**(environment or {}), "TF_REATTACH_PROVIDERS": warm}
            done = run(timeout_s, environment=attached)
            timeout_s = max(0.1, until - time.monotonic())
            if done.code == 0 or (self.warm and self.warm.reattach):
                return done
            # It died of this, perhaps of its memory; what one that is this command's own says is heard.
        return run(timeout_s, environment=environment, tcp_port=tcp_port)

    def fmt(self, timeout_s: float) -> Formatted:
        """What `terraform fmt` would write for each `*.tf` of the tree, without touching the tree.

        It formats a copy: `fmt -diff` would need a `diff` program, and the stage is not to be changed.
        """
        copy = Path(tempfile.mkdtemp(prefix="fmt-", dir=self.private))
        try:
            before = {str(p.relative_to(self.root)): p.read_bytes() for p in self.root.rglob("*.tf")}
            before.pop(OVERRIDE_NAME, None)
            for path, content in before.items():
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                (copy / path).write_bytes(content)
            command = ["fmt", "-recursive", "-list=false", "-no-color"]
            done = self._run(command, timeout_s, cwd=copy, writes=(copy,))
            after = {path: (copy / path).read_bytes() for path in before}
        finally:
            shutil.rmtree(copy, ignore_errors=True)
        if done.code and not done.stderr.lstrip().startswith("Error: "):
            raise PlatformError(f"terraform fmt failed without saying why: {_tail(done)}")
        changed = {path: content for path, content in sorted(after.items()) if content != before[path]}
        return Formatted(changed, done.stderr if done.code else "")

    def module_folders(self) -> set[str]:
        """The folders that the configuration uses, relative to the tree, `.` for the root; after `init`."""

        class Module(msgspec.Struct):
            Dir: str

        class Manifest(msgspec.Struct):
            Modules: list[Module]

        manifest = self.data / "modules" / "modules.json"
        if not manifest.exists():
            return {"."}
        return {".", *(m.Dir for m in msgspec.json.decode(manifest.read_bytes(), type=Manifest).Modules)}

    def runner(self, cwd: Path, environment: Mapping[str, str], held: SandboxLevel = LIMITS) -> Runner:
        """A runner for another tool that looks at this stage; `stop` ends what it runs too."""
        made = Runner(cwd, environment, held)
        self._runners.append(made)
        return made

    def stop(self) -> None:
        """Kill whatever is running on this stage."""
        for runner in list(self._runners):
            runner.stop()

    def _run(
        self,
        arguments: list[str],
        timeout_s: float,
        *,
        cwd: Path | None = None,
        writes: tuple[Path, ...] = (),
        outside: tuple[Path, ...] = (),
        file_size: int = MAX_WRITTEN_BYTES,
        environment: Mapping[str, str] | None = None,
        tcp_port: int | None = None,
    ) -> Finished:
        """Run terraform. Who `writes` executes no provider: init installs them; `outside` takes a plan."""
        with tempfile.TemporaryDirectory(
            prefix="tf-", dir=short_folder(self.private), ignore_cleanup_errors=True
        ) as tmp:
            providers = (*self.mirrors, self.data)
            confinement = Confinement(
                read=(self.root, self.private / "cli.tfrc", *(providers if writes else ())),
                run=() if writes else providers,
                write=(*writes, *outside, Path(tmp)),
                sockets=(self.warm.sockets,) if self.warm and self.warm.sockets else (),
                asks="TF_REATTACH_PROVIDERS" in (environment or {}),  # go-plugin looks every second
                tcp_port=tcp_port,
            )
            return self._runner.run(
                [str(self.executable), *arguments],
                timeout_s,
                cwd=cwd,
                environment={**(environment or {}), "TMPDIR": tmp},
                confinement=confinement,
                file_size=file_size,
            )


def short_folder(private: Path) -> str:
    """Where the folder of a socket is made: the first place whose path is not too long for one."""
    places = (str(private / "tmp"), tempfile.gettempdir(), "/tmp")  # noqa: S108 - made by mkdtemp
    return next((place for place in places if len(place) <= _MAX_TMPDIR_CHARS), places[-1])


def scrubbed(private: Path) -> dict[str, str]:
    """The environment of terraform and its providers: made from nothing, with no credentials in it."""
    return {
        "PATH": str(private / "bin"),
        "HOME": str(private / "home"),
        "LANG": "C.UTF-8",
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "TF_CLI_CONFIG_FILE": str(private / "cli.tfrc"),
        "TF_DATA_DIR": str(private / "data"),
    }


def _tail(done: Finished) -> str:
    text = (done.stderr.strip() or done.stdout.decode(errors="replace").strip()) or "no output"
    return f"exit code {done.code}: {text[-500:]}"

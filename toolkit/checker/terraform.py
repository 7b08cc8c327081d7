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
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from toolkit.checker.findings import Diagnostic, InitLine, ValidateOutput
from toolkit.checker.process import FILE_SIZE, Finished, Runner, Stopped
from toolkit.checker.sandbox import LIMITS, Confinement, SandboxLevel
from toolkit.checker.staging import OVERRIDE_NAME
from toolkit.contracts import Tool
from toolkit.errors import PlatformError, ToolMissing

LOCK_NAME = ".terraform.lock.hcl"

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

    `configuration` is the text of the CLI configuration; `environment` is added to the scrubbed one (a warm
    provider's address, an emulator's endpoint). `mirrors` are the folders that providers are executed from,
    `held` is the sandbox. Deadlines are seconds. Every method may raise `TimeoutError` past it, `Stopped`
    where a limit ended terraform, and `PlatformError` where its answer cannot be read.
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
    ) -> None:
        self.executable = executable
        self.root = root
        self.private = private
        self.mirrors = tuple(mirrors)
        self.held = held
        for name in ("bin", "home", "data", "tmp"):
            (private / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        (private / "cli.tfrc").write_text(configuration)
        self._runner = Runner(root, {**self._environment(), **(environment or {})}, held)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": str(self.private / "bin"),
            "HOME": str(self.private / "home"),
            "LANG": "C.UTF-8",
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "TF_CLI_CONFIG_FILE": str(self.private / "cli.tfrc"),
            "TF_DATA_DIR": str(self.data),
        }

    @property
    def data(self) -> Path:
        """The data folder, which takes the place of `.terraform/` and lies outside the tree."""
        return self.private / "data"

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
        """`terraform validate -json`: its diagnostics, none for a valid tree. Needs an `init` before."""
        done = self._run(["validate", "-no-color", "-json"], timeout_s)
        try:
            answer = msgspec.json.decode(done.stdout, type=ValidateOutput)
        except msgspec.MsgspecError as error:
            raise PlatformError(f"terraform validate gave no answer: {_tail(done)}") from error
        if not answer.valid and not answer.diagnostics:
            raise PlatformError("terraform validate says invalid and gives no reason")
        return answer.diagnostics

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

    def stop(self) -> None:
        """Kill whatever of this terraform is running."""
        self._runner.stop()

    def _run(
        self,
        arguments: list[str],
        timeout_s: float,
        *,
        cwd: Path | None = None,
        writes: tuple[Path, ...] = (),
        file_size: int = MAX_WRITTEN_BYTES,
    ) -> Finished:
        with tempfile.TemporaryDirectory(
            prefix="tf-", dir=self._short_folder(), ignore_cleanup_errors=True
        ) as tmp:
            # Whoever may write executes nothing but terraform: init installs providers and starts none.
            providers = (*self.mirrors, self.data)
            confinement = Confinement(
                read=(self.root, self.private / "cli.tfrc", *(providers if writes else ())),
                run=() if writes else providers,
                write=(*writes, Path(tmp)),
            )
            return self._runner.run(
                [str(self.executable), *arguments],
                timeout_s,
                cwd=cwd,
                environment={"TMPDIR": tmp},
                confinement=confinement,
                file_size=file_size,
            )

    def _short_folder(self) -> str:
        """Where a command's own TMPDIR is made: the first place whose path is not too long for a socket."""
        places = (str(self.private / "tmp"), tempfile.gettempdir(), "/tmp")  # noqa: S108 - made by mkdtemp
        return next((place for place in places if len(place) <= _MAX_TMPDIR_CHARS), places[-1])


def _tail(done: Finished) -> str:
    text = (done.stderr.strip() or done.stdout.decode(errors="replace").strip()) or "no output"
    return f"exit code {done.code}: {text[-500:]}"

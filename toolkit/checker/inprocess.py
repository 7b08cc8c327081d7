"""The checker in this process: one private folder a run, one init as long as it holds, results remembered.

    check(tree): names and sizes ──▶ scan ──▶ a clean copy ──▶ init, if its inputs changed ──▶ validators

Everything lies below `workdir` and goes with `close`. The folder of a stage is new for each tree; the data
folder of terraform (providers, list of modules) lives as long as the run. Every tool runs in the sandbox that
this machine has; where it has none, what a model wrote is not checked unless it is said.
"""

import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from opentelemetry.trace import NoOpTracer, Tracer

from toolkit.checker.findings import from_text, init_findings, to_findings
from toolkit.checker.lock_file import read_lock
from toolkit.checker.mirrors import DEFAULT_SOURCES, Provider, cli_configuration, find_providers
from toolkit.checker.preparation import Preparation
from toolkit.checker.process import Stopped
from toolkit.checker.registry import load_validators, validator_names
from toolkit.checker.running import configured, describe, run_validators
from toolkit.checker.sandbox import LIMITS, level, require
from toolkit.checker.scan import scan
from toolkit.checker.selection import ValidatorSettings
from toolkit.checker.sources import has_root_module, init_key
from toolkit.checker.staging import stage, stage_findings, unchanged
from toolkit.checker.terraform import (
    LOCK_NAME,
    REHEARSAL,
    Terraform,
    find_terraform,
    scrubbed,
    short_folder,
    terraform_version,
)
from toolkit.checker.throwaway import Throwaway
from toolkit.checker.validator import Stage, Validator
from toolkit.checker.warm import WarmProvider
from toolkit.contracts import (
    CheckReport,
    CheckResult,
    Finding,
    ProviderUsed,
    RehearseDepth,
    SkippedCheck,
    Tool,
    Tree,
)
from toolkit.errors import PlatformError, ToolMissing

INIT_TIMEOUT_S = 180.0
VALIDATOR_TIMEOUT_S = 60.0
CLOSING_S = 5.0
REHEARSAL_TIMEOUT_S = 230.0
"""A rehearsal that applies may take this long; one that plans is done in a third of it, or not at all."""


class InProcessChecker:
    """Checks trees of one run below `workdir`; implements `toolkit.checker.Checker`.

    `tracer` gets a span for each init and each validator. `mirrors` are searched for providers instead of
    the places of `mirror_folders`; `sources` is the allow-list; `environment` is added to terraform's own.
    Deadlines are seconds. `brought` is the tree that a user started from: its unchanged files are the user's
    own, and are trusted with more (`staging`, `scan`). `unsandboxed` puts limits alone around the tools.
    `settings` are those of validators, by name: a deadline of their own, and their options. `on_plan`
    gets the plan of each rehearsal that has one, see `Stage`.

    Raises `ToolMissing` without terraform, when it is first needed, and `PlatformError` for a tree that is
    not the user's own on a machine that has no sandbox.
    """

    def __init__(
        self,
        workdir: Path,
        *,
        tracer: Tracer | None = None,
        mirrors: Sequence[Path] | None = None,
        sources: Sequence[str] = DEFAULT_SOURCES,
        environment: Mapping[str, str] | None = None,
        init_timeout_s: float = INIT_TIMEOUT_S,
        validator_timeout_s: float = VALIDATOR_TIMEOUT_S,
        rehearsal_timeout_s: float = REHEARSAL_TIMEOUT_S,
        brought: Tree | None = None,
        unsandboxed: bool = False,
        settings: Mapping[str, ValidatorSettings] | None = None,
        on_plan: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self._home = workdir.resolve() / "checker"
        self._tracer = tracer or NoOpTracer()
        self._mirrors = mirrors
        self._sources = sources
        self._environment = environment
        self._init_timeout_s = init_timeout_s
        self._validator_timeout_s = validator_timeout_s
        self._rehearsal_timeout_s = rehearsal_timeout_s
        self._brought = brought or Tree(files={})
        self._unsandboxed = unsandboxed
        self._settings = settings or {}
        self._on_plan = on_plan
        self._held = LIMITS if unsandboxed else level()
        self._providers: list[Provider] | None = None
        self._init_holds_for: str | None = None
        self._lock_file: bytes | None = None
        self._inits: dict[str, CheckResult] = {}
        self._results: dict[tuple[str, str, str], CheckResult] = {}
        # By the hash of the tree, as init has chosen them for it.
        self._chosen: dict[str, list[ProviderUsed]] = {}
        self._throwaway = Throwaway(self._home / "emulator", self._held)
        self._warm: WarmProvider | None = None
        # The latest only, by the hash of its tree.
        self._stages: dict[str, Terraform] = {}
        self._preparation = Preparation(self._prepare)
        self._closed = False
        # One call at a time: terraform's data folder cannot take two inits.
        self._busy = threading.RLock()

    def prepare(self, tree: Tree) -> None:
        """See `Checker.prepare`: `terraform init` while the model thinks, where another one is needed."""
        self._preparation.want(tree)

    def _prepare(self, tree: Tree) -> None:
        key = init_key(tree)
        # What init would refuse, the model will hear of when it asks.
        if has_root_module(tree) and key is not None and key != self._init_holds_for and not self._closed:
            self.init(tree)

    def init(self, tree: Tree) -> CheckResult:
        """See `Checker.init`. Staging's and the scan's findings come first, and then nothing is run."""
        with self._busy:
            return self._refusal(tree) or self._init(tree)

    def check(self, tree: Tree, validators: Sequence[str], *, rehearse: RehearseDepth = "off") -> CheckReport:
        """See `Checker.check`. Raises `UsageError` for an unknown validator, which names the known ones."""
        loaded = load_validators(validators)
        skipped = [] if "rehearse" in validators else [_no_rehearsal()]
        with self._busy:
            if refusal := self._refusal(tree):
                reason = f"the tree was refused by {refusal.validator}"
                skipped += [SkippedCheck(validator=v.name, reason=reason) for v in loaded]
                return CheckReport(
                    tree=tree.hash, results=[refusal], skipped=skipped, sandbox=str(self._held)
                )
            beside = tuple(v.name for v in loaded)
            # What the rehearsal does depends on its depth, and what it says on who else says it.
            of_rehearsal = f"{rehearse} {'validate' in beside}"
            keys = {name: (tree.hash, name, of_rehearsal if name == "rehearse" else "") for name in beside}
            missing = [v for v in loaded if keys[v.name] not in self._results]
            fresh = self._run_all(tree, missing, rehearse, beside) if missing else {}
            # A failure may pass, so only what was really found out is remembered.
            self._results |= {keys[name]: found for name, found in fresh.items() if found.status != "error"}
        results = [fresh.get(name) or self._results[key] for name, key in keys.items()]
        return CheckReport(
            tree=tree.hash,
            results=results,
            skipped=skipped,
            sandbox=str(self._held),
            providers=self._chosen.get(tree.hash, []),
        )

    def close(self) -> None:
        """Stop what runs and remove every folder of this checker."""
        self._closed = True
        # A check that nobody waits for any more may be between two processes: end each, until it lets go.
        until = time.monotonic() + CLOSING_S
        self._stop()
        while not (free := self._busy.acquire(timeout=0.05)) and time.monotonic() < until:
            self._stop()
        try:
            self._stop()
            self._stages.clear()
            self._inits.clear()
            self._init_holds_for = self._lock_file = None
            shutil.rmtree(self._home, ignore_errors=True)
        finally:
            if free:
                self._busy.release()

    def _stop(self) -> None:
        for terraform in list(self._stages.values()):
            terraform.stop()
        if self._warm:
            self._warm.stop()
        self._throwaway.stop()

    def _refusal(self, tree: Tree) -> CheckResult | None:
        """Why no tool may see this tree; None where it may."""
        own = unchanged(tree, self._brought)
        if not (self._unsandboxed or own >= tree.files.keys()):
            require(self._held)
        if found := stage_findings(tree, own):
            return CheckResult(validator="staging", status="findings", findings=found)
        found = scan(tree, own=own, confined=self._held.confines_reads, brought=self._brought)
        if any(finding.rule == "unreadable" for finding in found):
            found = self._explain(tree, found)
        return CheckResult(validator="scan", status="findings", findings=found) if found else None

    def _explain(self, tree: Tree, found: list[Finding]) -> list[Finding]:
        """Put terraform's own words in place of `unreadable`; none are left where all are mistakes of syntax.

        Those are what init would say, so init counts as done with them; it must not run on a tree that the
        scan could not read. fmt parses and evaluates nothing.
        """
        terraform = self._terraform(tree)
        try:
            errors = terraform.fmt(self._validator_timeout_s).errors
        except (TimeoutError, Stopped):
            return found
        clearer = to_findings(from_text(errors), "init", terraform.root)
        named = {finding.file for finding in clearer}
        rest = [f for f in found if f.rule != "unreadable" or f.file not in named]
        if rest:
            return rest + clearer
        self._inits[tree.hash] = CheckResult(
            validator="init", status="findings", findings=clearer, tool=_tool(terraform)
        )
        return []

    def _terraform(self, tree: Tree) -> Terraform:
        """terraform on the stage of this tree, which is written when it is first asked for."""
        if self._closed:
            raise PlatformError("the checker was closed", "ask again")
        if known := self._stages.get(tree.hash):
            return known
        executable = find_terraform()
        if self._providers is None:
            platform = terraform_version(executable).platform
            self._providers = find_providers(platform, self._sources, self._mirrors)
        for former in self._stages.values():
            shutil.rmtree(former.root, ignore_errors=True)
        self._stages.clear()
        root = self._home / "stages" / tree.hash.removeprefix("sha256:")[:32]
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.rmtree(root, ignore_errors=True)
            stage(tree, root, unchanged(tree, self._brought))
            terraform = Terraform(
                executable,
                root,
                self._home / "private",
                cli_configuration(self._providers),
                environment=self._environment,
                mirrors=[provider.mirror for provider in self._providers if provider.mirror],
                held=self._held,
                warm=self._warm_provider(),
            )
        except OSError as error:
            raise PlatformError(f"the tree cannot be staged: {error}", "Free disk space.") from error
        self._stages[tree.hash] = terraform
        return terraform

    def _warm_provider(self) -> WarmProvider:
        """The run's one provider, which init will start; it can reach the rehearsals' emulator."""
        if self._warm is None:
            private = self._home / "private"
            environment = {**scrubbed(private), **self._throwaway.environment}
            self._warm = WarmProvider(
                short_folder(private),
                private / REHEARSAL,
                environment,
                self._held,
                self._throwaway.port,
            )
        return self._warm

    def _init(self, tree: Tree) -> CheckResult:
        if known := self._inits.get(tree.hash):
            return known
        if not has_root_module(tree):
            return CheckResult(validator="init", status="findings", findings=[_NO_FILES])
        terraform = self._terraform(tree)
        lock = terraform.root / LOCK_NAME
        key = init_key(tree)
        if key is not None and key == self._init_holds_for:
            if self._lock_file is not None:
                lock.write_bytes(self._lock_file)
            self._chosen[tree.hash] = _providers_of(self._lock_file)
            return CheckResult(validator="init", status="ok", tool=_tool(terraform))
        # Without the lock of an earlier tree, whose choice of versions says nothing about this one.
        lock.unlink(missing_ok=True)
        result = self._run_init(terraform)
        self._init_holds_for = key if result.status == "ok" else None
        if result.status == "ok" and not self._closed:
            self._warm_provider().start(terraform.data)
        self._lock_file = lock.read_bytes() if lock.exists() else None
        if result.status == "ok":
            self._chosen[tree.hash] = _providers_of(self._lock_file)
        # Findings hold for the tree; a success only until another tree changes the data folder.
        if result.status == "findings":
            self._inits[tree.hash] = result
        return result

    def _run_init(self, terraform: Terraform) -> CheckResult:
        started = time.monotonic()
        with self._tracer.start_as_current_span("terraform init") as span:
            try:
                outcome = terraform.init(self._init_timeout_s)
                found = init_findings(outcome.diagnostics, self._providers or [], terraform.root)
                if outcome.ok:
                    # Warnings do not keep terraform from going on; validate repeats those of the tree.
                    result = CheckResult(validator="init", status="ok")
                elif found:
                    result = CheckResult(validator="init", status="findings", findings=found)
                else:
                    result = CheckResult(
                        validator="init", status="error", detail="terraform init gave no reason"
                    )
            except (TimeoutError, Stopped) as error:
                result = CheckResult(validator="init", status="error", detail=str(error))
            except ToolMissing as error:
                raise ToolMissing(error.message, _NO_MIRROR if self._held.confines else error.hint) from error
            result = msgspec.structs.replace(
                result, seconds=time.monotonic() - started, tool=_tool(terraform)
            )
            describe(span, result)
        return result

    def _run_all(
        self, tree: Tree, validators: Sequence[Validator], rehearse: RehearseDepth, beside: tuple[str, ...]
    ) -> dict[str, CheckResult]:
        """Init, then every validator in a thread of its own; results by name."""
        init = self._init(tree)
        terraform = self._terraform(tree)
        view = Stage(
            root=terraform.root,
            terraform=terraform,
            deadline_s=self._validator_timeout_s,
            initialised=init.status == "ok",
            init=init,
            rehearse=rehearse,
            tree=tree,
            beside=beside,
            throwaway=self._throwaway,
            on_plan=self._on_plan,
        )
        third = 1 if rehearse == "apply" else 3
        deadlines = {"rehearse": self._rehearsal_timeout_s / third}
        return run_validators(configured(validators, self._settings, deadlines), view, self._tracer)


_NO_FILES = Finding(
    validator="init",
    rule="no-terraform-files",
    severity="high",
    message="There are no Terraform files at the top of the workspace.",
    hint="Write main.tf at the top; folders below it are modules.",
)


_NO_MIRROR = (
    "Checks have no network. `tfkit up` fills a mirror with the AWS provider once; or set "
    "TFKIT_PROVIDER_MIRROR to a folder that `terraform providers mirror` has filled."
)


def _providers_of(lock_file: bytes | None) -> list[ProviderUsed]:
    """What init wrote down of its choice; a tree that needs no provider has no lock file."""
    try:
        return read_lock(lock_file) if lock_file else []
    except ValueError as error:
        raise PlatformError(f"terraform's lock file cannot be read: {error}") from error


def _no_rehearsal() -> SkippedCheck:
    installed = "rehearse" in validator_names()
    reason = "it was not asked for" if installed else "no rehearsal is installed"
    return SkippedCheck(validator="rehearse", reason=reason)


def _tool(terraform: Terraform) -> Tool:
    return Tool(name="terraform", version=terraform.version().version)

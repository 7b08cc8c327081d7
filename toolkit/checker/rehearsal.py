"""A rehearsal: the tree planned, and if wanted applied, by the real provider against a throwaway emulator.

    copy ──▶ plan ──▶ apply ──▶ second plan, which must be empty ──▶ destroy
              └── depth `plan` ends here

It finds what `terraform validate` cannot, and claims no more than it saw: what AWS itself would refuse is a
finding; where the emulator lacks or differs it is `unsupported`, past the deadline `slow`. `refusals` judges.
"""

import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from toolkit.checker.findings import Diagnostic, to_findings
from toolkit.checker.placeholders import placeholders
from toolkit.checker.process import Late
from toolkit.checker.reach import Program, guessed, twins
from toolkit.checker.refusals import judge, unsettled
from toolkit.checker.rehearsal_copy import (
    OURS,
    configured_once,
    declares_resources,
    empty,
    has_backend,
    write_copy,
)
from toolkit.checker.throwaway import Throwaway
from toolkit.checker.validator import Stage
from toolkit.contracts import CheckResult, CheckStatus, Finding
from toolkit.errors import PlatformError

Step = Literal["plan", "apply", "settle", "destroy"]

NAME = "rehearse"
CHANGES = 2
"""The exit code of `plan -detailed-exitcode` where something would change."""

RESERVE_S = 1.0

MAX_JUDGED = 50
"""Errors of one command; whoever has more to mend begins with these."""
_SHOWN = 3
_KEPT = ("prevent_destroy", "cannot be destroyed", "deletion protection", "DeletionProtection")


class _Resource(msgspec.Struct):
    addr: str


class _Hook(msgspec.Struct):
    resource: _Resource


class _Changes(msgspec.Struct):
    add: int = 0


class _Line(msgspec.Struct):
    """One line of what terraform says with `-json`: https://developer.hashicorp.com/terraform/internals/machine-readable-ui"""

    type: str = ""
    diagnostic: Diagnostic | None = None
    hook: _Hook | None = None
    changes: _Changes | None = None


class Said(NamedTuple):
    """How a command ended: exit code (None past the deadline), errors, resources left undone."""

    code: int | None
    errors: list[Diagnostic]
    undone: list[str]
    added: int


class Rehearsal:
    """One rehearsal of one stage, to be over at `until` (of `time.monotonic`). Not to be used twice."""

    def __init__(self, stage: Stage, throwaway: Throwaway, until: float) -> None:
        self._stage = stage
        self._throwaway = throwaway
        self._folder = stage.terraform.rehearsal
        self._until = until - RESERVE_S
        self._values: dict[str, Any] = {}
        self._shared = configured_once(stage.tree)
        self._findings: list[Finding] = []
        self._open: list[str] = []
        self._slow: list[str] = []
        self._seen: list[str] = []

    def run(self) -> CheckResult:
        """Rehearse to the depth of the stage.

        Raises `PlatformError` where the emulator or terraform does not work, `Stopped` at a limit.
        """
        empty(self._folder)
        self._values = placeholders(self._stage.tree)
        write_copy(self._stage.tree, self._stage.root, self._folder, self._values)
        try:
            self._throwaway.fresh()  # whatever another tree has left in it
            if self._stage.rehearse == "apply":
                self._apply()
            else:
                self._plan()
        finally:
            empty(self._folder)
            # Of `_begin`; without it the next tree's terraform would ask for this one's backend.
            (self._stage.terraform.data / "terraform.tfstate").unlink(missing_ok=True)
        return self._outcome()

    def _plan(self) -> bool:
        """Whether there is a plan now; what kept it from being one is noted."""
        if has_backend(self._stage.tree) and not self._begin():
            return False
        said = self._terraform("plan", "plan", "-out=first.plan", "-lock=false")
        if said.code == 0:
            if self._stage.on_plan:
                self._stage.on_plan(self._show("first.plan"))
            self._seen.append(f"{said.added} resource{'s' * (said.added != 1)} planned")
            if not said.added and declares_resources(self._stage.tree):
                self._open.append("terraform: resources are declared, and none was planned")
        return said.code == 0

    def _begin(self) -> bool:
        """A program with a backend of its own has to be told that it is a local one here."""
        command = ("init", "-reconfigure", "-get=false")
        return self._terraform("plan", *command, shared=False, data=True).code == 0

    def _apply(self) -> None:
        if not self._plan():
            return
        if self._terraform("apply", "apply", "-lock=false", "first.plan").code == 0:
            self._seen.append("applied")
            self._settle()
        if not self._slow:
            self._destroy()

    def _settle(self) -> None:
        """Plan again: nothing should be left to do."""
        said = self._terraform("settle", "plan", "-detailed-exitcode", "-out=second.plan", "-lock=false")
        if said.code == 0:
            self._seen.append("a second plan was empty")
        if said.code != CHANGES:
            return
        for address, attribute, kind in unsettled(self._show("first.plan"), self._show("second.plan")):
            text = f"{address}: {attribute} is another at every plan, so this never settles"
            if kind == "refused":
                self._findings.append(_finding(Diagnostic("error", text), "never-settles"))
            else:
                self._open.append(f"{address}: the emulator gives back another {attribute or 'resource'}")

    def _destroy(self) -> None:
        # Not judged: a guard against destruction is no mistake, and what an emulator keeps is its own doing.
        said = self._terraform("destroy", "apply", "-destroy", "-auto-approve", "-lock=false")
        if said.code == 0:
            self._seen.append("destroyed")
        elif any(word in e.summary + e.detail for e in said.errors for word in _KEPT):
            self._seen.append("kept from being destroyed, as it says")
        elif not self._slow:
            self._seen.append("not destroyed: " + "; ".join(e.summary[:200] for e in said.errors[:1]))

    def _terraform(self, step: Step, *command: str, shared: bool = True, data: bool = False) -> Said:
        """Run a command, and note what its errors mean."""
        said = self._said(command, shared and self._shared, data)
        if said.code is None:
            self._slow += said.undone or [f"terraform {command[0]}"]
        elif said.code not in (0, CHANGES) and not said.errors:
            raise PlatformError(f"terraform {command[0]} failed in the rehearsal without saying why")
        if step != "destroy":
            self._judge(step, said.errors)
        return said

    def _said(self, command: tuple[str, ...], shared: bool, data: bool) -> Said:
        left = self._until - time.monotonic()
        if left <= 0:
            return Said(None, [], [], 0)
        terraform = self._stage.terraform
        arguments = [*command[:1], "-json", "-no-color", "-input=false", *command[1:]]
        try:
            done = terraform.with_provider(
                arguments,
                left,
                cwd=self._folder,
                environment=self._throwaway.environment,
                tcp_port=self._throwaway.port,
                shared=shared,
                writes=(terraform.data,) if data else (),
            )
        except Late as late:
            return _read(None, late.stdout)
        return _read(done.code, done.stdout)

    def _show(self, plan: str) -> dict[str, Any]:
        done = self._stage.terraform.with_provider(
            ["show", "-json", "-no-color", plan],
            max(RESERVE_S, self._until - time.monotonic()),
            cwd=self._folder,
            environment=self._throwaway.environment,
            shared=self._shared,
        )
        shown: dict[str, Any] = msgspec.json.decode(done.stdout)
        return shown

    def _judge(self, step: Step, errors: Iterable[Diagnostic]) -> None:
        for number, error in enumerate(errors):
            if number >= MAX_JUDGED or time.monotonic() > self._until:
                self._slow.append("the judgement of all errors")
                return
            place = error.range
            file, line = (place.filename, place.start.line) if place else ("", 0)
            judged = judge(
                error.summary,
                error.detail,
                error.address,
                step=step,
                guessed=guessed(self._program, file, line, self._values),
                twin=step == "apply" and error.address in self._twins,
            )
            if judged.kind == "refused":
                self._findings.append(_finding(error, judged.code, self._folder))
            else:
                self._open.append(f"{error.address or 'terraform'}: {judged.why}")

    @cached_property
    def _program(self) -> Program:
        """What depends on what in the tree; read only where something went wrong."""
        return Program(self._stage.tree)

    @cached_property
    def _twins(self) -> frozenset[str]:
        """The resources of which the plan has two of one name; read only where an apply went wrong."""
        return twins(self._show("first.plan"))

    def _outcome(self) -> CheckResult:
        said = list(self._seen)
        if self._slow:
            said.append(f"not done within {self._stage.deadline_s:g} s: {_some(self._slow)}")
        if self._open:
            said.append(f"left open: {_some(self._open)}")
        if self._values:
            said.append(f"made-up values for {', '.join(sorted(self._values))}")
        return CheckResult(
            validator=NAME, status=self._status(), findings=self._findings, detail="; ".join(said)
        )

    def _status(self) -> CheckStatus:
        if self._findings:
            return "findings"
        if self._slow:
            return "slow"
        return "unsupported" if self._open else "ok"


def _read(code: int | None, stdout: bytes) -> Said:
    lines = list(_lines(stdout))
    started = [line.hook.resource.addr for line in lines if line.hook and line.type == "apply_start"]
    ended = {line.hook.resource.addr for line in lines if line.hook and line.type in _ENDS}
    return Said(
        code,
        [line.diagnostic for line in lines if line.diagnostic and line.diagnostic.severity == "error"],
        [address for address in dict.fromkeys(started) if address not in ended],
        next((line.changes.add for line in lines if line.changes), 0),
    )


_ENDS = ("apply_complete", "apply_errored")


def _lines(stdout: bytes) -> Iterator[_Line]:
    for line in stdout.splitlines():
        try:
            yield msgspec.json.decode(line, type=_Line)
        except msgspec.MsgspecError:
            continue  # a line that was cut off at the deadline


def _finding(error: Diagnostic, code: str, folder: Path | None = None) -> Finding:
    """With the resource's address in front, and the place if it is one of the tree's."""
    (finding,) = to_findings([error], NAME, folder)
    named = error.address and not finding.message.startswith(error.address)
    ours = finding.file in OURS
    return msgspec.structs.replace(
        finding,
        rule=code or finding.rule,
        message=f"{error.address}: {finding.message}" if named else finding.message,
        file="" if ours else finding.file,
        line=0 if ours else finding.line,
    )


def _some(texts: list[str]) -> str:
    shown = list(dict.fromkeys(texts))
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return "; ".join(text[:300] for text in shown[:_SHOWN]) + more

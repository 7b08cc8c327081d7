"""The validator `rehearse`: would AWS take it, as far as the provider and an emulator can tell."""

import time

from toolkit.checker.findings import to_findings
from toolkit.checker.rehearsal import Rehearsal
from toolkit.checker.terraform import find_terraform
from toolkit.checker.throwaway import emulator_tool
from toolkit.checker.validator import Stage
from toolkit.contracts import CheckResult, Finding, Tool
from toolkit.errors import PlatformError, ToolMissing

VALIDATE_S = 30.0
"""Seconds for terraform validate, whose answer the validator of that name usually waits for too."""

EMULATED = "the rehearsal spoke to an emulator, which is not AWS"


class Rehearse:
    """Plans the tree, and at depth `apply` applies it, plans again and destroys it: `checker.rehearsal`."""

    name = "rehearse"

    def tool(self) -> Tool | None:
        """The emulator and its version; None where it is not installed."""
        return emulator_tool()

    def not_proven(self) -> list[str]:
        """What a rehearsal that went well leaves open."""
        return [EMULATED]

    def check(self, stage: Stage) -> CheckResult:
        """What AWS would refuse (severity high); `unsupported` or `slow` where that cannot be told.

        A tree that init or validate refuses is not planned. Raises `ToolMissing` without the emulator.
        """
        until = time.monotonic() + stage.deadline_s
        find_terraform()
        if stage.throwaway is None or self.tool() is None:
            raise ToolMissing("no emulator is installed", "pip install ministack")
        if not stage.initialised:
            return self._after(stage, stage.init.findings if stage.init else [], "init")
        answer = stage.terraform.validate(max(stage.deadline_s, VALIDATE_S))
        found = to_findings(answer, self.name, stage.root)
        if any(finding.severity == "high" for finding in found):
            return self._after(stage, found, "validate")
        return Rehearsal(stage, stage.throwaway, until).run()

    def _after(self, stage: Stage, found: list[Finding], failed: str) -> CheckResult:
        """What validate says where it looks at the stage too need not be said twice."""
        if "validate" in stage.beside:
            detail = f"terraform {failed} found mistakes, so nothing was planned"
            return CheckResult(validator=self.name, status="unsupported", detail=detail)
        if not found:
            raise PlatformError(stage.init.detail if stage.init else "terraform init has not been run")
        return CheckResult(validator=self.name, status="findings", findings=found)

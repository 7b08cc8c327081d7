"""The judge: a tree in, a verdict out; no AWS account, nothing remembered from one task to the next.

    tree ──▶ overlooked ──▶ checker: staging, scan, init, rehearsal at depth plan ──▶ rule, expectations

A tree is what a model or a dataset wrote, so nothing here evaluates any of it: that is the checker's, in its
sandbox. It is the gate's own rehearsal, hence what the gate refuses the judge refuses too.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.mirrors import DEFAULT_SOURCES, find_providers
from toolkit.checker.terraform import find_terraform, terraform_version
from toolkit.contracts import CheckReport, CheckResult, Tool, Tree, to_json
from toolkit.errors import PlatformError
from toolkit.evaluate.expect import met_by_plan, met_by_report
from toolkit.evaluate.opa import Opa, Ruling
from toolkit.evaluate.overlooked import without
from toolkit.evaluate.task import PlanStatus, RuleStatus, Task, Verdict

REHEARSAL_S = 360.0
"""A third of it is for a plan, which is not the program's fault where several run on few cores."""

AWS = "hashicorp/aws"
_SHOWN = 600


class Judge:
    """Judges trees. Methods may be called from several threads.

    `opa` may be None for tasks without a rule. `mirrors` are searched for providers instead of the usual
    places, `sources` is the allow-list of providers.
    """

    def __init__(
        self,
        opa: Opa | None,
        *,
        mirrors: Sequence[Path] | None = None,
        sources: Sequence[str] = DEFAULT_SOURCES,
        unsandboxed: bool = False,
    ) -> None:
        self._opa = opa
        self._mirrors = mirrors
        self._sources = sources
        self._unsandboxed = unsandboxed
        self._checkers: set[InProcessChecker] = set()
        version = terraform_version(find_terraform())
        found = find_providers(version.platform, sources, mirrors)
        self._terraform = version.version
        self._provider = next((p.versions for p in found if p.source == AWS), ())

    @property
    def tools(self) -> list[Tool]:
        """What a verdict depends on."""
        provider = [Tool(name=AWS, version=self._provider[-1])] if self._provider else []
        opa = [self._opa.tool] if self._opa else []
        return [Tool(name="terraform", version=self._terraform), *provider, *opa]

    def verdicts(self, task: Task, trees: Sequence[Tree]) -> list[Verdict]:
        """What there is to say of each tree, all of them by one author. Equal trees are judged once.

        Raises `PlatformError` where that cannot be found out.
        """
        with tempfile.TemporaryDirectory(prefix="tfkit-eval-") as folder:
            plans: list[dict[str, Any]] = []
            checker = InProcessChecker(
                Path(folder),
                mirrors=self._mirrors,
                sources=self._sources,
                rehearsal_timeout_s=REHEARSAL_S,
                unsandboxed=self._unsandboxed,
                on_plan=plans.append,
            )
            self._checkers.add(checker)
            try:
                known: dict[str, Verdict] = {}
                for tree in trees:
                    if tree.hash not in known:
                        plans.clear()
                        known[tree.hash] = self._verdict(task, tree, checker, plans)
                return [known[tree.hash] for tree in trees]
            finally:
                checker.close()
                self._checkers.discard(checker)

    def stop(self) -> None:
        """End what is running for the judge; who waits for a verdict gets an error."""
        for checker in list(self._checkers):
            checker.close()

    def _verdict(
        self, task: Task, tree: Tree, checker: InProcessChecker, plans: list[dict[str, Any]]
    ) -> Verdict:
        started = time.monotonic()
        if not tree.files:
            return Verdict(tree=tree.hash, plan="nothing", reason="no files were made", rule=_unasked(task))
        looked_at, overlooked = without(tree, self._terraform, self._provider)
        names = ("rehearse", *(name for name in task.expect.clean if name != "rehearse"))
        report = checker.check(looked_at, names, rehearse="plan")
        plan, reason = _plan_status(report, planned=bool(plans))
        ruling = self._rule(task, plans[0]) if plans else Ruling(_unasked(task))
        met = met_by_plan(task.expect, plans[0]) + met_by_report(task.expect, report) if plans else []
        return Verdict(
            tree=tree.hash,
            plan=plan,
            reason=reason[:_SHOWN],
            rule=ruling.status,
            rule_reason=ruling.reason,
            expected=met,
            overlooked=overlooked,
            seconds=round(time.monotonic() - started, 3),
        )

    def _rule(self, task: Task, plan: dict[str, Any]) -> Ruling:
        if not task.expect.rego.strip():
            return Ruling("none")
        if self._opa is None:
            raise PlatformError("the task has a rule, and there is no OPA to ask")
        return self._opa.rule(task.expect.rego, to_json(plan))


def _unasked(task: Task) -> RuleStatus:
    return "not_run" if task.expect.rego.strip() else "none"


def _plan_status(report: CheckReport, *, planned: bool) -> tuple[PlanStatus, str]:
    """Whether there is a plan, else what stood in its way, in the checker's own words."""
    if planned:
        return "planned", ""
    result = _blamed(report)
    status: dict[str, PlanStatus] = {"findings": "refused", "unsupported": "unsupported", "slow": "slow"}
    return status.get(result.status, "error"), _told(result)


def _blamed(report: CheckReport) -> CheckResult:
    """What refused the tree before any tool saw it, or how the rehearsal ended."""
    if report.results[0].validator in ("staging", "scan"):
        return report.results[0]
    return next(result for result in report.results if result.validator == "rehearse")


def _told(result: CheckResult) -> str:
    said = [f"{f.file}:{f.line} {f.message}" if f.file else f.message for f in result.findings[:3]]
    return "; ".join(" ".join(text.split()) for text in [*said, result.detail] if text)

"""What the validators had to say of the user's own files before the run: nobody has to mend it now.

A configuration in use has findings that its owners live with. Were the gate closed by them, the model would
change files that nobody spoke of. So they are told, as `info`, and what is new counts. What keeps terraform
from reading or planning the configuration counts whoever wrote it.
"""

from collections import Counter

import msgspec

from toolkit.checker.selection import Selection
from toolkit.contracts import CheckReport, CheckResult, Finding

THERE_BEFORE = " (it was there before this run)"

_OF_TERRAFORM = ("init", "validate", "rehearse", "staging", "scan")


class Baseline:
    """The findings on the tree that a run started from, by what they say; lines move and do not count."""

    def __init__(self, report: CheckReport | None = None) -> None:
        results = report.results if report else []
        self._known = Counter(_key(f) for result in results for f in result.findings if _may_stay(f))

    def applied(self, report: CheckReport) -> CheckReport:
        """The report, with what was there before as `info`: as often as it was there, and no more."""
        if not self._known:
            return report
        left = self._known.copy()
        results = [_told(result, left) for result in report.results]
        return msgspec.structs.replace(report, results=results)


def without_plan(selection: Selection) -> tuple[str, ...]:
    """The validators that a baseline asks: the rehearsal takes longest, and all that it finds counts."""
    return tuple(name for name in selection.names if name != "rehearse")


def _told(result: CheckResult, left: Counter[tuple[str, ...]]) -> CheckResult:
    findings: list[Finding] = []
    for finding in result.findings:
        if left[_key(finding)] > 0:
            left[_key(finding)] -= 1
            message = finding.message + THERE_BEFORE
            findings.append(msgspec.structs.replace(finding, severity="info", message=message))
        else:
            findings.append(finding)
    return msgspec.structs.replace(result, findings=findings)


def _may_stay(finding: Finding) -> bool:
    """Whether the configuration works in spite of it; terraform's warnings are below `high`."""
    return finding.validator not in _OF_TERRAFORM or finding.severity in ("info", "low", "medium")


def _key(finding: Finding) -> tuple[str, ...]:
    return finding.validator, finding.rule, finding.file, finding.message

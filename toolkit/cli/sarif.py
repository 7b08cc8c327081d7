"""A report in SARIF 2.1.0, for the pages of code scanning.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, and which part of it GitHub reads:
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from toolkit import __version__
from toolkit.cli.source_root import joined

if TYPE_CHECKING:
    from toolkit.checker.selection import Closed
    from toolkit.contracts import CheckReport, Finding

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
_GRAVITY = ("note", "warning", "error")


def sarif(report: "CheckReport", closed: "Sequence[Closed]", place: str, first_file: str) -> dict[str, Any]:
    """The document: one run, a rule for each that found something, URIs relative to the repository's root.

    `place` is where the tree lies in the repository. A finding about the whole tree points at `first_file`,
    because a result must point somewhere.
    """
    findings = report.findings
    rules = _rules(findings)
    order = {rule["id"]: number for number, rule in enumerate(rules)}
    failed = [one for one in closed if one.failed]
    run = {
        "tool": {"driver": {"name": "tfkit", "semanticVersion": __version__, "rules": rules}},
        "columnKind": "utf16CodeUnits",
        "invocations": [
            {
                "executionSuccessful": not failed,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": f"{one.validator}: {one.reason}"}}
                    for one in failed
                ],
            }
        ],
        "results": [
            _result(finding, order, joined(place, finding.file or first_file)) for finding in findings
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rules(findings: "Sequence[Finding]") -> list[dict[str, Any]]:
    """One for each rule, in the order in which they are met, with the gravest level that it was met with."""
    rules: dict[str, dict[str, Any]] = {}
    for finding in findings:
        level = LEVELS[finding.severity]
        rule = rules.setdefault(
            _id(finding),
            {
                "id": _id(finding),
                "name": finding.rule,
                "shortDescription": {"text": f"{finding.rule} ({finding.validator})"},
                "defaultConfiguration": {"level": level},
                "properties": {"tags": [finding.validator]},
            },
        )
        if finding.url.startswith("https://"):
            rule.setdefault("helpUri", finding.url)
        before = rule["defaultConfiguration"]["level"]
        rule["defaultConfiguration"]["level"] = max(before, level, key=_GRAVITY.index)
    return list(rules.values())


def _result(finding: "Finding", order: dict[str, int], path: str) -> dict[str, Any]:
    text = finding.message + (f"\n{finding.hint}" if finding.hint else "")
    location = {
        "artifactLocation": {"uri": quote(path), "uriBaseId": "%SRCROOT%"},
        # Where no line is known the first one, so that the page has a place to show.
        "region": {"startLine": max(1, finding.line)},
    }
    return {
        "ruleId": _id(finding),
        "ruleIndex": order[_id(finding)],
        "level": LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"tfkitFinding/v1": _fingerprint(finding, path)},
        "properties": {"severity": finding.severity},
    }


def _id(finding: "Finding") -> str:
    return f"{finding.validator}/{finding.rule}"


def _fingerprint(finding: "Finding", path: str) -> str:
    """The same wherever the lines have moved to, so that a page knows a finding again."""
    named = "\0".join((_id(finding), path, finding.message))
    return hashlib.sha256(named.encode()).hexdigest()[:32]

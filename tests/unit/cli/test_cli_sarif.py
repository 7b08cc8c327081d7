"""A report for pages of code scanning, and for the annotations of a workflow."""

import json
from pathlib import Path

import pytest

from toolkit.checker.selection import Closed
from toolkit.cli.annotations import annotations, quoted
from toolkit.cli.sarif import sarif
from toolkit.cli.source_root import below_source_root
from toolkit.contracts import SEVERITIES, CheckReport, CheckResult, Finding

FAILED = Closed(validator="tflint", reason="it is not: installed, 100%\nat all", failed=True)


def finding(**changes) -> Finding:
    values = {
        "validator": "fmt",
        "rule": "r",
        "severity": "low",
        "message": "m",
        "file": "main.tf",
        "line": 3,
    }
    return Finding(**{**values, **changes})


def report(*findings: Finding) -> CheckReport:
    result = CheckResult(validator="fmt", status="findings", findings=list(findings))
    return CheckReport(tree="sha256:0", results=[result])


def run_of(*findings: Finding, closed=(), place="infra"):
    document = json.loads(json.dumps(sarif(report(*findings), closed, place, "main.tf")))
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = document["runs"]
    return run


def test_what_the_standard_demands_is_there():
    """SARIF 2.1.0: §3.14 (run), §3.18 (tool), §3.27 (result), §3.49 (rule), §3.20 (invocation)."""
    run = run_of(
        finding(), finding(validator="checkov", rule="CKV_1", url="https://x.example/a"), finding(line=9)
    )
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["fmt/r", "checkov/CKV_1"]
    assert rules[1]["helpUri"] == "https://x.example/a"
    assert "helpUri" not in rules[0]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "infra/main.tf", "uriBaseId": "%SRCROOT%"}
        assert place["region"]["startLine"] >= 1
        assert set(result) <= {
            "ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "properties",
        }  # fmt: skip
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_severities_become_levels_and_a_rule_has_the_gravest():
    run = run_of(*(finding(severity=severity) for severity in SEVERITIES))
    assert [r["level"] for r in run["results"]] == ["note", "note", "warning", "error", "error"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["defaultConfiguration"]["level"] == "error"


def test_names_of_files_are_uris_and_what_has_no_file_points_somewhere():
    run = run_of(finding(file="a b/ü#%.tf"), finding(file="", line=0), place="")
    uris = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]]
    assert uris == ["a%20b/%C3%BC%23%25.tf", "main.tf"]


def test_a_finding_is_known_again_where_its_line_has_moved():
    one, moved, other = run_of(finding(), finding(line=30), finding(message="n"))["results"]
    assert one["partialFingerprints"] == moved["partialFingerprints"] != other["partialFingerprints"]


def test_a_validator_that_failed_is_no_success():
    (invocation,) = run_of(closed=[FAILED])["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "tflint" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def test_annotations_are_escaped_and_the_gravest_come_first():
    hard = finding(
        severity="critical", message="100%\r\n::error::x ##[add-mask]y", file="a,b:c.tf", line=0, hint="h"
    )
    lines = list(annotations(report(finding(severity="medium"), finding(), hard), [FAILED], "infra"))
    assert lines == [
        "::error title=tflint failed::it is not: installed, 100%25%0Aat all",
        "::error file=infra/a%2Cb%3Ac.tf,line=1,title=fmt r (critical)::"
        "100%25%0A::error::x # #[add-mask]y%0Ah",
        "::warning file=infra/main.tf,line=3,title=fmt r (medium)::m",
        "::notice file=infra/main.tf,line=3,title=fmt r (low)::m",
    ]
    assert not any("\n" in line for line in lines)


def test_an_annotation_without_a_file_names_none():
    assert list(annotations(report(finding(file="", line=0)), [], "")) == ["::notice title=fmt r (low)::m"]


def test_text_of_a_tree_is_no_command_of_a_workflow(capsys):
    with quoted({"GITHUB_ACTIONS": "true"}):
        print("::set-env name=A::b")
    first, inside, last = capsys.readouterr().out.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert len(token) == 32
    assert (inside, last) == ("::set-env name=A::b", f"::{token}::")
    with quoted({}):
        print("x")
    assert capsys.readouterr().out == "x\n"


@pytest.mark.parametrize(("folder", "place"), [("repo/infra/a", "infra/a"), ("repo", ""), ("alone", "")])
def test_files_are_named_from_the_repositorys_root(tmp_path: Path, folder, place):
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    assert below_source_root(tmp_path / folder, {}) == place


def test_a_workflow_names_its_own_root(tmp_path: Path):
    (tmp_path / "repo" / "sub" / ".git").mkdir(parents=True)
    workspace = {"GITHUB_WORKSPACE": str(tmp_path / "repo")}
    assert below_source_root(tmp_path / "repo" / "sub", workspace) == "sub"
    assert below_source_root(tmp_path, workspace) == ""

"""`validate` and `validators`: what they print, and with which exit code they end."""

import json

import pytest

from toolkit.checker import registry
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.tools import TFLINT_VERSION
from toolkit.cli.commands import validate as command
from toolkit.contracts import SEVERITIES, CheckReport, CheckResult, Finding, Tool
from toolkit.errors import ToolMissing

LOW = Finding(validator="fmt", rule="unformatted", severity="low", message="m", file="main.tf", line=3)
HIGH = Finding(validator="validate", rule="r", severity="high", message="n\x1b[2J", file="main.tf", line=1)


@pytest.fixture
def infra(tmp_path):
    folder = tmp_path / "infra"
    folder.mkdir()
    (folder / "main.tf").write_text("locals {}\n")
    (folder / ".tflint.hcl").write_text("")
    return folder


@pytest.fixture
def reporting(monkeypatch):
    """Give the report of a checker; what it was asked is kept."""
    asked = {}

    def give(*results: CheckResult):
        def check(self, tree, names, *, rehearse="off"):
            asked.update(tree=tree, names=tuple(names), rehearse=rehearse, settings=self._settings)
            return CheckReport(tree=tree.hash, results=list(results), sandbox="landlock")

        monkeypatch.setattr(InProcessChecker, "check", check)
        monkeypatch.setattr("toolkit.deploy.machine.prepare", lambda home, note: None)
        return asked

    return give


def result(name, *findings, status=None, detail=""):
    status = status or ("findings" if findings else "ok")
    tool = Tool(name="terraform", version="1")
    return CheckResult(validator=name, status=status, findings=list(findings), tool=tool, detail=detail)


CLEAN = (result("fmt"), result("validate"))


def test_a_clean_folder_is_0_and_says_what_was_not_proven(tfkit, infra, reporting):
    asked = reporting(*CLEAN)
    ended = tfkit("validate", str(infra), "--validators", "fmt,validate", "--json")
    assert ended.code == 0
    document = ended.document
    assert (document["ok"], document["findings"], document["left_out"]) == (True, [], [".tflint.hcl"])
    assert [(c["validator"], c["status"], c["threshold"]) for c in document["checks"]] == [
        ("fmt", "ok", "low"),
        ("validate", "ok", "low"),
    ]
    assert "nothing was planned" in " ".join(document["not_proven"])
    assert asked["names"] == ("fmt", "validate")
    assert set(asked["tree"].files) == {"main.tf"}


def test_the_folder_is_the_one_that_one_stands_in(tfkit, infra, reporting, monkeypatch):
    asked = reporting(*CLEAN)
    monkeypatch.chdir(infra)
    from toolkit.cli.errors import run
    from toolkit.cli.root import cli

    assert run(cli, ["validate", "--validators", "fmt,validate", "--quiet"]) == 0
    assert set(asked["tree"].files) == {"main.tf"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 6), (["--fail-on", "low"], 6), (["--fail-on", "medium"], 0), (["--fail-on", "high"], 0)],
)
def test_findings_that_count_are_6(tfkit, infra, reporting, arguments, code):
    reporting(result("fmt", LOW), result("validate"))
    ended = tfkit("validate", str(infra), "--validators", "fmt,validate", "--json", *arguments)
    assert ended.code == code
    assert ended.document["ok"] is (code == 0)
    assert [f["rule"] for f in ended.document["findings"]] == ["unformatted"]


def test_a_validator_that_failed_is_1_and_is_named_also_beside_findings(tfkit, infra, reporting):
    reporting(result("fmt", LOW), result("validate", status="error", detail="the validator validate crashed"))
    ended = tfkit("validate", str(infra), "--validators", "fmt,validate", "--json", "--fail-on", "critical")
    assert ended.code == 1
    assert ended.document["ok"] is False
    assert "validate: the validator validate crashed" in ended.err


def test_a_validator_of_which_nothing_is_heard_is_1(tfkit, infra, reporting):
    reporting(result("fmt"))
    ended = tfkit("validate", str(infra), "--validators", "fmt,validate")
    assert ended.code == 1
    assert "validate: the checker said nothing of it" in ended.out


def test_the_table_names_place_rule_and_verdict_and_obeys_nothing(tfkit, infra, reporting):
    reporting(result("fmt", LOW), result("validate", HIGH))
    ended = tfkit("validate", str(infra), "--validators", "fmt,validate")
    assert ended.code == 6
    assert "high     main.tf:1  validate r" in ended.out
    assert "left out: .tflint.hcl" in ended.out
    assert "validate: 1 at or above low" in ended.out
    assert "\x1b[2J" not in ended.out


def test_sarif_is_one_document_on_stdout(tfkit, infra, reporting):
    reporting(result("fmt", LOW), result("validate"))
    ended = tfkit("validate", str(infra), "--validators", "fmt,validate", "--format", "sarif")
    assert ended.code == 6
    assert json.loads(ended.out)["runs"][0]["results"][0]["ruleId"] == "fmt/unformatted"
    assert "fmt: 1 at or above low" in ended.err


def test_annotations_where_it_runs_in_a_workflow_or_is_asked(tfkit, infra, reporting, monkeypatch):
    reporting(result("fmt", LOW), result("validate"))
    line = "::notice file=main.tf,line=3,title=fmt unformatted (low)::m"
    ended = tfkit("validate", str(infra), "--validators", "fmt,validate", "--format", "github")
    assert (ended.code, ended.out.splitlines()) == (6, [line])
    assert line not in tfkit("validate", str(infra), "--validators", "fmt,validate").out.splitlines()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = tfkit("validate", str(infra), "--validators", "fmt,validate").out.splitlines()
    assert lines[0].startswith("::stop-commands::")
    assert lines[-1] == line


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "--format", "sarif"],
        ["--validators", "nonsense"],
        ["--validators", ","],
        ["--fail-on", "terrible"],
    ],
)
def test_wrong_usage_is_2_before_anything_runs(tfkit, infra, reporting, arguments):
    asked = reporting(*CLEAN)
    assert tfkit("validate", str(infra), *arguments).code == 2
    assert asked == {}


def test_a_folder_that_is_not_there_is_2(tfkit, tmp_path):
    assert tfkit("validate", str(tmp_path / "gone")).code == 2


def test_settings_reach_the_checker_and_a_policy_file_is_enough(tfkit, infra, reporting, tmp_path):
    (tmp_path / "tfkit.toml").write_text(
        "[validators.validate]\nrequired = false\n[validators.fmt]\nthreshold = 'high'\ndeadline_s = 7\n"
    )
    (tmp_path / "tfkit-policy.toml").write_text('[tags]\nrequired = ["team"]\n')
    asked = reporting(result("fmt", LOW), result("validate", HIGH), result("policy"), result("rehearse"))
    ended = tfkit("validate", str(infra), "--json")
    assert "policy" in asked["names"]
    assert asked["settings"]["policy"].options["rules"] == {"tags": {"required": ["team"]}}
    assert asked["settings"]["fmt"].deadline_s == 7
    closed = {one["validator"] for one in ended.document["closed"]}
    assert not closed & {"fmt", "validate"}


def test_a_section_of_a_validator_that_is_not_installed_is_an_error(tfkit, infra, reporting, tmp_path):
    (tmp_path / "tfkit.toml").write_text("[validators.absent]\nrequired = true\n")
    reporting(*CLEAN)
    ended = tfkit("validate", str(infra))
    assert ended.code == 2
    assert "absent" in ended.err


def test_a_required_tool_that_is_missing_is_1_and_named(tfkit, infra, monkeypatch, tmp_path):
    (tmp_path / "tfkit.toml").write_text("[validators.tflint]\n")
    monkeypatch.setattr("plugins.tflint.find_tool", lambda name: None)

    def missing(name):
        raise ToolMissing(f"{name} is not installed", f"run `tfkit validators install {name}`")

    monkeypatch.setattr("plugins.tflint.require_tool", missing)
    ended = tfkit("validate", str(infra), "--validators", "fmt,tflint", "--json")
    assert ended.code == 1
    assert "tflint is not installed" in ended.err


def test_the_severities_of_the_option_are_those_of_a_finding():
    assert command.SEVERITIES == SEVERITIES


def test_the_list_says_where_each_comes_from_and_whether_it_runs(tfkit, monkeypatch, tmp_path):
    (tmp_path / "tfkit.toml").write_text(
        "[validators.fmt]\nenabled = false\n[validators.validate]\nrequired = false\n"
    )
    monkeypatch.setattr("plugins.tflint.find_tool", lambda name: None)
    ended = tfkit("validators", "--json")
    assert ended.code == 0
    listed = {one["name"]: one for one in ended.document["validators"]}
    assert {"fmt", "validate", "tflint", "checkov", "policy"} <= set(listed)
    assert (listed["fmt"]["selected"], listed["fmt"]["detail"]) == (False, "enabled = false in tfkit.toml")
    assert (listed["validate"]["selected"], listed["validate"]["required"]) == (True, False)
    assert (listed["tflint"]["tool"], listed["tflint"]["selected"]) == ("", False)
    assert "tfkit validators install tflint" in listed["tflint"]["detail"]
    assert listed["fmt"]["distribution"] == registry.OURS
    assert listed["checkov"]["threshold"] == "medium"
    table = tfkit("validators").out
    assert all(name in table for name in listed)


def test_only_tools_that_it_knows_are_installed(tfkit):
    ended = tfkit("validators", "install", "rm")
    assert ended.code == 2
    assert "checkov, tflint" in ended.err


def test_a_tool_is_installed_where_it_is_looked_for(tfkit, monkeypatch, tmp_path):
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(
        f"#!/bin/sh\nprintf '#!/bin/sh\\necho {TFLINT_VERSION}\\n' > $GOBIN/tflint\n"
        "/bin/chmod +x $GOBIN/tflint\n"
    )
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(go.parent))
    (tmp_path / "tfkit.toml").write_text(f"home = '{tmp_path}/other'\n")
    monkeypatch.delenv("TFKIT_HOME")
    ended = tfkit("validators", "install", "tflint", "--json")
    assert ended.code == 0, ended.err
    assert ended.document["path"].startswith(str(tmp_path / "other" / "tools"))
    assert "go install" in ended.err
    listed = {one["name"]: one for one in tfkit("validators", "--json").document["validators"]}
    assert (listed["tflint"]["version"], listed["tflint"]["required"]) == (TFLINT_VERSION, True)

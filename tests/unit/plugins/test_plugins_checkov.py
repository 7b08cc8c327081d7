"""checkov: its recorded answers, what it must have seen, and the real one where there is one."""

from pathlib import Path

import pytest

from plugins.checkov import Checkov, Options, decode, least_resources, read
from plugins.checkov_severities import SEVERITIES
from toolkit.contracts import Tree
from toolkit.errors import PlatformError, ToolMissing, UsageError

RECORDED = Path(__file__).parent / "recorded"
BUCKET = 'resource "aws_s3_bucket" "b" {\n  bucket = "x"\n}\n'


def recorded(name: str):
    return decode((RECORDED / name).read_bytes(), 1)


def tree(**files: str) -> Tree:
    return Tree(files={name.replace("__", "/") + ".tf": text.encode() for name, text in files.items()})


def test_a_recorded_answer_becomes_findings_with_our_severities():
    found = {f.rule: f for f in read(recorded("checkov-3.3.30.json"), Options())}
    assert (found["CKV_AWS_27"].file, found["CKV_AWS_27"].line, found["CKV_AWS_27"].severity) == (
        "m/main.tf",
        1,
        "medium",
    )
    assert (found["CKV2_AWS_6"].file, found["CKV2_AWS_6"].severity) == ("main.tf", "high")
    assert found["CKV2_AWS_62"].severity == "info"
    assert "module.m.aws_sqs_queue.q" in found["CKV_AWS_27"].message
    assert all(f.url.startswith("https://") for f in found.values())


def test_a_comment_that_silences_is_as_grave_as_what_it_hides():
    report = recorded("checkov-3.3.30.json")
    hidden = next(f for f in read(report, Options()) if f.rule == "CKV_AWS_18")
    assert hidden.severity == SEVERITIES["CKV_AWS_18"]
    assert "it says: because" in hidden.message
    grave = next(
        f for f in read(report, Options(severities={"CKV_AWS_18": "critical"})) if f.rule == "CKV_AWS_18"
    )
    assert grave.severity == "critical"
    allowed = Options(silenced="allow", severities={"CKV_AWS_18": "critical"})
    assert next(f for f in read(report, allowed) if f.rule == "CKV_AWS_18").severity == "info"


def test_what_fails_in_several_instances_is_told_once():
    report = recorded("checkov-3.3.30.json")
    report.results.failed_checks *= 3
    rules = [(f.rule, f.file, f.line) for f in read(report, Options())]
    assert len(rules) == len(set(rules)) == 8


def test_a_tree_without_resources_has_numbers_only():
    report = recorded("checkov-3.3.30-empty.json")
    assert (report.summary.resource_count, list(read(report, Options()))) == (0, [])


@pytest.mark.parametrize(
    ("text", "code"),
    [(b"", 0), (b"nonsense", 0), (b"{}", 0), (b"[]", 0), (b'{"results": {}}', 1), (b"{}", 2), (b"{}", -9)],
)
def test_an_answer_that_is_none_is_an_error(text, code):
    with pytest.raises(PlatformError):
        decode(text, code, "Traceback: boom")


@pytest.mark.parametrize(
    ("files", "least"),
    [
        ({"main": BUCKET * 2}, 2),
        ({"main": BUCKET.replace("{", "{\n  count = 0")}, 0),
        ({"main": BUCKET.replace("{", "{\n  for_each = {}")}, 0),
        ({"main": BUCKET, "m__main": BUCKET}, 2),
        ({"main": BUCKET + 'module "m" {\n  source = "./m"\n  count = 0\n}\n', "m__main": BUCKET}, 1),
        ({"main": 'data "aws_ami" "a" {\n}\nlocals {\n}\n'}, 0),
        ({"main": "resource nonsense"}, 0),
    ],
)
def test_how_many_resources_it_must_have_seen(files, least):
    assert least_resources(tree(**files)) == least


@pytest.fixture
def answer(monkeypatch):
    def give(name: str) -> None:
        monkeypatch.setattr("plugins.checkov.require_tool", lambda _name: Path("/nowhere"))
        monkeypatch.setattr("plugins.checkov._run", lambda *_: recorded(name))

    return give


def test_fewer_resources_than_there_are_is_an_error(stage, answer):
    answer("checkov-3.3.30-empty.json")
    with pytest.raises(PlatformError, match="1 fewer"):
        list(Checkov().check(stage({"main.tf": BUCKET})))
    assert list(Checkov().check(stage({"main.tf": "locals {\n}\n"}))) == []


def test_a_file_that_it_cannot_read_is_a_finding_though_it_ends_with_0(stage, answer, monkeypatch, tmp_path):
    answer("checkov-3.3.30-syntax.json")
    made = stage({"main.tf": BUCKET, "b.tf.json": '{"resource": {"a": {"b": {"c": 1}}}}'})
    report = recorded("checkov-3.3.30-syntax.json")
    report.results.parsing_errors = [str(made.root / "main.tf")]
    monkeypatch.setattr("plugins.checkov._run", lambda *_: report)
    unread = [(f.file, f.severity) for f in Checkov().check(made) if f.rule == "unread"]
    assert unread == [("main.tf", "high"), ("b.tf.json", "medium")]


def test_a_parsing_error_without_a_name_is_an_error(stage, answer, monkeypatch):
    answer("checkov-3.3.30.json")
    report = recorded("checkov-3.3.30.json")
    report.summary.parsing_errors = 1
    monkeypatch.setattr("plugins.checkov._run", lambda *_: report)
    with pytest.raises(PlatformError, match="does not say which"):
        list(Checkov().check(stage({"main.tf": BUCKET})))


@pytest.mark.parametrize(
    "options", [{"skip": ["x"]}, {"skip": ["CKV_AWS_1,--config-file"]}, {"severities": {"a": "low"}}]
)
def test_what_is_no_number_of_a_check_never_reaches_its_command_line(stage, options):
    with pytest.raises(PlatformError, match="no check"):
        list(Checkov().check(stage({"main.tf": BUCKET}, **options)))


def test_unknown_options_are_refused(stage):
    with pytest.raises(UsageError, match="skipp"):
        list(Checkov().check(stage({"main.tf": BUCKET}, skipp=[])))


def test_without_checkov_it_is_a_missing_tool(stage, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Checkov().tool() is None
    with pytest.raises(ToolMissing, match="checkov is not installed"):
        list(Checkov().check(stage({"main.tf": BUCKET})))


def test_one_that_cannot_be_kept_apart_counts_as_missing(stage, monkeypatch, tmp_path):
    script = tmp_path / "checkov"
    script.write_text("#!/bin/bash\nexec python checkov\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Checkov().tool() is None
    with pytest.raises(ToolMissing, match="cannot be isolated"):
        list(Checkov().check(stage({"main.tf": BUCKET})))


def test_a_configuration_that_it_would_obey_is_an_error(stage, answer):
    answer("checkov-3.3.30.json")
    with pytest.raises(PlatformError, match="would obey"):
        list(Checkov().check(stage({"main.tf": BUCKET, ".checkov.yaml": "skip-check: [CKV2_AWS_6]\n"})))


def test_the_real_one_in_the_sandbox_imports_nothing_that_lies_in_the_tree(stage, tool, tmp_path):
    tool("checkov")
    planted = {"main.tf": BUCKET, "yaml.py": f"open('{tmp_path}/marker', 'w')\n"}
    found = list(Checkov().check(stage(planted)))
    assert ("CKV2_AWS_6", "high", "main.tf", 1) in [(f.rule, f.severity, f.file, f.line) for f in found]
    assert not (tmp_path / "marker").exists()


def test_the_real_one_says_what_it_could_not_read(stage, tool):
    tool("checkov")
    found = list(Checkov().check(stage({"main.tf": 'resource "a" "b" {\n  x = "y\n}\n', "b.tf": BUCKET})))
    assert ("unread", "main.tf") in [(f.rule, f.file) for f in found]

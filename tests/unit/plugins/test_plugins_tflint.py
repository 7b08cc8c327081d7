"""tflint: its recorded answers, its configuration, and the executable where there is one."""

import stat
import sys
from pathlib import Path

import msgspec
import pytest

from plugins.tflint import NO_AWS_RULES, Options, Output, Tflint, configuration, read, silenced
from toolkit.errors import PlatformError, ToolMissing

RECORDED = Path(__file__).parent / "recorded"
BAD = 'variable "unused" {\n  type = string\n}\n'


def recorded(name: str) -> Output:
    return msgspec.json.decode((RECORDED / name).read_bytes(), type=Output)


def test_a_recorded_answer_becomes_findings(tmp_path):
    found = list(read(recorded("tflint-0.64.0.json"), tmp_path, tmp_path))
    assert [(f.rule, f.severity, f.file, f.line) for f in found] == [
        ("terraform_required_version", "medium", "main.tf", 1),
        ("terraform_unused_declarations", "medium", "main.tf", 10),
        ("terraform_deprecated_interpolation", "medium", "main.tf", 21),
    ]
    assert all(f.url.startswith("https://github.com/terraform-linters/") for f in found)
    assert found[1].message == 'variable "unused" is declared but not used'


def test_mistakes_of_syntax_are_the_trees_own(tmp_path):
    (tmp_path / "main.tf").write_text("")
    found = list(read(recorded("tflint-0.64.0-syntax.json"), tmp_path, tmp_path))
    assert {(f.rule, f.severity, f.file) for f in found} == {("unreadable", "high", "main.tf")}
    assert found[0].message.startswith("Invalid multi-line string: ")


@pytest.mark.parametrize(
    "text",
    [
        '{"errors": [{"message": "plugin crashed"}]}',
        '{"errors": [{"message": "x", "range": {"filename": "/etc/x", "start": {"line": 1}}}]}',
    ],
)
def test_any_other_failure_is_no_finding(tmp_path, text):
    with pytest.raises(PlatformError):
        list(read(msgspec.json.decode(text, type=Output), tmp_path, tmp_path))


def test_names_are_told_from_the_trees_root_wherever_tflint_was_started(tmp_path):
    answer = recorded("tflint-0.64.0.json")
    answer.issues[0].range.filename = "../stage/m/main.tf"
    answer.issues[1].range.filename = "../stage/zz_tfkit_override.tf"
    (tmp_path / "stage").mkdir()
    first, second, _ = read(answer, tmp_path / "private", tmp_path / "stage")
    assert (first.file, second.file) == ("m/main.tf", "")


def test_comments_that_silence_are_counted_with_their_places(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "main.tf").write_text(
        "# tflint-ignore-file: all\n\n# tflint-ignore: a, b\n/* tflint-ignore: c */\n"
    )
    (tmp_path / "m" / "x.tf.json").write_text('{"//": "tflint-ignore-file: d"}\n')
    found = list(silenced(tmp_path, Options()))
    assert [(f.file, f.line) for f in found] == [
        ("m/x.tf.json", 1),
        ("main.tf", 1),
        ("main.tf", 3),
        ("main.tf", 4),
    ]
    assert {f.severity for f in found} == {"medium"}
    assert "a, b" in found[2].message
    assert {f.severity for f in silenced(tmp_path, Options(silenced="allow"))} == {"info"}


def test_the_configuration_is_ours(tmp_path, monkeypatch):
    text = configuration(Options(enable=["terraform_naming_convention"], disable=["x_y"]), tmp_path)
    assert f'plugin_dir = "{tmp_path}/none"' in text
    assert 'plugin "aws"' not in text
    assert 'rule "x_y" {\n  enabled = false' in text
    for wrong in ('x" {}', "X", ""):
        with pytest.raises(PlatformError):
            configuration(Options(disable=[wrong]), tmp_path)


def test_the_aws_rules_run_where_they_are_installed_and_are_missed_where_not(tmp_path, monkeypatch):
    monkeypatch.setenv("TFLINT_PLUGIN_DIR", str(tmp_path))
    assert Tflint().not_proven() == [NO_AWS_RULES]
    (tmp_path / "tflint-ruleset-aws").touch()
    assert Tflint().not_proven() == []
    assert 'plugin "aws"' in configuration(Options(), tmp_path / "private")


def test_without_tflint_it_is_a_missing_tool_that_says_how_to_get_it(stage, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Tflint().tool() is None
    with pytest.raises(ToolMissing) as missing:
        list(Tflint().check(stage({"main.tf": ""})))
    assert "tfkit validators install tflint" in missing.value.hint


@pytest.mark.parametrize(
    "behaviour", ["print('nonsense')", "sys.exit(3)", "print('{}'); sys.exit(1)", "os.kill(os.getpid(), 9)"]
)
def test_a_tflint_that_breaks_is_an_error(stage, monkeypatch, tmp_path, behaviour):
    from toolkit.checker.sandbox import LIMITS

    script = tmp_path / "bin" / "tflint"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\nimport os, sys\n{behaviour}\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(script.parent))
    made = stage({"main.tf": ""})
    made.terraform.held = LIMITS  # a script needs its interpreter, which the sandbox does not give
    with pytest.raises(PlatformError):
        list(Tflint().check(made))


def test_the_real_one_in_the_sandbox(stage, tool):
    tool("tflint")
    found = list(Tflint().check(stage({"main.tf": BAD, "m/main.tf": "locals {\n"})))
    rules = {(f.rule, f.file) for f in found}
    assert ("terraform_unused_declarations", "main.tf") in rules
    assert ("unreadable", "m/main.tf") in rules


def test_the_real_one_obeys_nothing_that_lies_in_the_tree(stage, tool, tmp_path):
    tool("tflint")
    planted = {
        "main.tf": BAD,
        ".tflint.hcl": 'rule "terraform_unused_declarations" {\n  enabled = false\n}\n',
        ".tflint.d/plugins/tflint-ruleset-aws": f"#!/bin/sh\ntouch {tmp_path}/marker\n",
    }
    made = stage(planted)
    (made.root / ".tflint.d/plugins/tflint-ruleset-aws").chmod(0o755)
    assert "terraform_unused_declarations" in {f.rule for f in Tflint().check(made)}
    assert not (tmp_path / "marker").exists()


def test_the_real_one_keeps_its_deadline(stage, tool):
    tool("tflint")
    with pytest.raises(TimeoutError, match="tflint"):
        list(Tflint().check(stage({"main.tf": BAD}, deadline_s=0.001)))

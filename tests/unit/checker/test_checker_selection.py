"""Which validators run, what travels to the function, and what closes the gate."""

import pytest

from toolkit.checker import registry
from toolkit.checker.rule_files import with_rules
from toolkit.checker.selection import (
    Choice,
    Selection,
    ValidatorSettings,
    closing,
    from_text,
    parse_names,
    select,
)
from toolkit.contracts import CheckReport, CheckResult, Finding, Tool
from toolkit.errors import PlatformError, UsageError

DEFAULTS = ("fmt", "validate")


def chosen(**settings: ValidatorSettings) -> Choice:
    return Choice(settings=settings)


def finding(severity, validator="fmt") -> Finding:
    return Finding(validator=validator, rule="r", severity=severity, message="m")


def report(*results: CheckResult) -> CheckReport:
    return CheckReport(tree="sha256:0", results=list(results))


def result(name, status="ok", *severities) -> CheckResult:
    found = [finding(severity, name) for severity in severities]
    return CheckResult(
        validator=name, status=status, findings=found, detail="why" if status == "error" else ""
    )


def test_without_a_word_the_defaults_run_and_what_is_absent_is_named():
    selection = select(Choice(), DEFAULTS, {"tflint": "not here"})
    assert selection.names == DEFAULTS
    assert [(s.validator, s.reason) for s in selection.skipped] == [("tflint", "not here")]


def test_a_section_is_enough_and_enabled_false_takes_one_out():
    choice = chosen(
        mine=ValidatorSettings(), tflint=ValidatorSettings(), fmt=ValidatorSettings(enabled=False)
    )
    selection = select(choice, DEFAULTS, {"tflint": "not here"})
    assert selection.names == ("validate", "mine", "tflint")
    assert [s.validator for s in selection.skipped] == ["fmt"]


def test_names_are_taken_exactly_also_when_they_are_switched_off():
    choice = Choice(named=("fmt",), settings={"fmt": ValidatorSettings(enabled=False)})
    assert select(choice, ("validate",), {}).names == ("fmt",)
    assert parse_names(" fmt, validate,fmt ") == ("fmt", "validate")
    with pytest.raises(UsageError):
        parse_names(" , ")


def test_a_choice_travels_as_text_and_comes_back():
    choice = Choice(
        named=("fmt", "checkov"),
        settings={
            "checkov": ValidatorSettings(threshold="high", deadline_s=9, options={"skip": ["CKV_AWS_1"]})
        },
    )
    assert from_text(choice.to_text()) == choice
    assert Choice().to_text() == ""
    assert from_text("") == Choice()


@pytest.mark.parametrize(
    "text", ["nonsense", "[]", '{"named": 3}', '{"names": []}', '{"settings": {"a": {"x": 1}}}']
)
def test_a_choice_that_cannot_be_read_is_an_error_and_never_the_defaults(text):
    with pytest.raises(PlatformError, match="TFKIT_VALIDATORS"):
        from_text(text)


def test_a_choice_that_a_function_has_no_room_for_is_refused_before_it_travels():
    choice = chosen(policy=ValidatorSettings(options={"rules": "x" * 4000}))
    with pytest.raises(UsageError, match="4"):
        choice.to_text()


@pytest.mark.parametrize(
    ("name", "severity", "closes"),
    [
        ("fmt", "low", True),
        ("fmt", "info", False),
        ("tflint", "low", False),
        ("tflint", "medium", True),
        ("checkov", "low", False),
        ("checkov", "critical", True),
        ("theirs", "low", True),
    ],
)
def test_findings_close_from_the_threshold_on(name, severity, closes):
    closed = closing(report(result(name, "findings", severity)), Selection(names=(name,)))
    assert [one.validator for one in closed] == ([name] if closes else [])
    assert not any(one.failed for one in closed)


def test_a_threshold_of_the_settings_and_fail_on_take_its_place():
    selection = Selection(names=("checkov",), settings={"checkov": ValidatorSettings(threshold="critical")})
    high = report(result("checkov", "findings", "high"))
    assert closing(high, selection) == []
    assert [one.validator for one in closing(high, selection, "high")] == ["checkov"]
    assert closing(high, selection, "critical") == []


@pytest.mark.parametrize("status", ["error", "unsupported", "slow"])
def test_whoever_does_not_come_to_an_end_closes_and_is_named(status):
    (closed,) = closing(report(result("tflint", status)), Selection(names=("tflint",)))
    assert (closed.validator, closed.failed) == ("tflint", True)
    assert closing(report(result("tflint", status)), Selection(names=("tflint",)), "critical") != []


@pytest.mark.parametrize("status", ["unsupported", "slow"])
def test_the_rehearsal_alone_may_leave_something_open(status):
    assert closing(report(result("rehearse", status)), Selection(names=("rehearse",))) == []


def test_what_is_not_required_reports_and_closes_nothing():
    selection = Selection(names=("fmt", "mine"), settings={"mine": ValidatorSettings(required=False)})
    found = report(result("fmt"), result("mine", "error"))
    assert closing(found, selection) == []
    assert closing(report(result("fmt"), result("mine", "findings", "critical")), selection) == []


def test_findings_that_nobody_can_see_close():
    (closed,) = closing(report(result("tflint", "findings")), Selection(names=("tflint",)))
    assert closed.failed and closed.validator == "tflint"


def test_silence_is_no_consent():
    (closed,) = closing(report(result("fmt")), Selection(names=DEFAULTS))
    assert (closed.validator, closed.failed) == ("validate", True)


def test_a_refused_tree_is_closed_whatever_the_threshold_and_its_validators_are_no_failures():
    refused = report(result("staging", "findings", "high"))
    (closed,) = closing(refused, Selection(names=DEFAULTS), "critical")
    assert (closed.validator, closed.failed) == ("staging", False)


def test_the_policy_file_travels_in_the_options(tmp_path):
    (tmp_path / "tfkit-policy.toml").write_text('[tags]\nrequired = ["team"]\n')
    found = with_rules({}, tmp_path)
    assert found["policy"].options == {"rules": {"tags": {"required": ["team"]}}}
    (tmp_path / "other.toml").write_text('[names]\na = "b"\n')
    mine = ValidatorSettings(threshold="high", options={"file": "other.toml"})
    found = with_rules({"policy": mine}, tmp_path)
    assert found["policy"].options == {"rules": {"names": {"a": "b"}}}
    assert found["policy"].threshold == "high"


def test_without_a_policy_file_nothing_is_added_and_a_named_one_must_be_there(tmp_path):
    assert with_rules({}, tmp_path) == {}
    for named in ("gone.toml", 3):
        with pytest.raises(UsageError):
            with_rules({"policy": ValidatorSettings(options={"file": named})}, tmp_path)
    (tmp_path / "tfkit-policy.toml").write_text("= nonsense")
    with pytest.raises(UsageError, match="not valid TOML"):
        with_rules({}, tmp_path)


def test_linters_run_where_their_tools_are(monkeypatch):
    there = {"tflint": Tool(name="tflint", version="1")}
    monkeypatch.setattr(registry, "tool_of", there.get)
    selection = registry.selected(Choice())
    assert selection.names == (*registry.default_validators(), "tflint")
    assert [s.validator for s in selection.skipped] == ["checkov"]
    assert registry.selected(Choice(named=("checkov",))).names == ("checkov",)

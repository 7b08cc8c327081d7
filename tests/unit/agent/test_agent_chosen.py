"""Which validators a run asks, and what its result says of the others."""

from typing import Any

import msgspec
import pytest
from agent_platform import Platform
from agent_scripts import GOOD, Script, ScriptedChecker, call, say, write

import toolkit.agent.run
from toolkit.agent.chosen import NO_GATE, NO_MODEL, NO_REHEARSAL, Chosen, choose_validators
from toolkit.agent.config import AgentConfig
from toolkit.checker import registry
from toolkit.checker.inprocess import InProcessChecker
from toolkit.checker.sandbox import LIMITS
from toolkit.checker.selection import Choice, Selection, ValidatorSettings
from toolkit.contracts import CheckReport, SkippedCheck, Tool
from toolkit.errors import PlatformError, UsageError

POLICY = ValidatorSettings(options={"rules": {"tags": {"required": ["team"]}}})
UNTAGGED = 'resource "aws_s3_bucket" "this" {\n  bucket = "a-bucket-of-mine"\n}\n'


def told(platform: Platform, choice: Choice) -> None:
    platform.config = msgspec.structs.replace(platform.config, validators=choice.to_text())


def test_linters_run_where_their_tool_is_and_are_skipped_where_not(monkeypatch: pytest.MonkeyPatch):
    tools = {"tflint": Tool(name="tflint", version="1")}
    monkeypatch.setattr(registry, "tool_of", tools.get)
    chosen = choose_validators("", "plan")
    assert {"fmt", "validate", "tflint"} <= set(chosen.selection.names)
    assert "checkov" not in chosen.selection.names
    (skipped,) = [check for check in chosen.skipped(None) if check.validator == "checkov"]
    assert "tfkit validators install checkov" in skipped.reason
    assert any("AWS rules of tflint" in point for point in chosen.unproven)


def test_settings_and_names_come_from_the_text():
    choice = Choice(named=("fmt", "policy"), settings={"policy": POLICY})
    chosen = choose_validators(choice.to_text(), "plan")
    assert chosen.selection.names == ("fmt", "policy")
    assert chosen.selection.settings == {"policy": POLICY}
    unasked = {check.validator: check.reason for check in chosen.skipped(CheckReport(tree="t", results=[]))}
    assert unasked["validate"] == "others were named"
    assert {"validate", "tflint", "checkov"} <= set(unasked)
    assert not {"fmt", "policy"} & set(unasked)


def test_a_rehearsal_is_left_out_where_the_request_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("toolkit.agent.chosen.load_validators", lambda names: [])
    text = Choice(named=("fmt", "rehearse")).to_text()
    assert choose_validators(text, "off").selection.names == ("fmt",)
    assert choose_validators(text, "off").depth == "off"
    asked = choose_validators(text, "apply")
    assert (asked.selection.names, asked.depth) == (("fmt", "rehearse"), "apply")
    assert NO_REHEARSAL not in asked.not_proven(None, "haiku")
    assert choose_validators(Choice(named=("fmt",)).to_text(), "apply").depth == "off"


def test_what_was_not_asked_is_said_with_the_reason():
    off = SkippedCheck(validator="tflint", reason="because")
    chosen = Chosen(selection=Selection(names=("fmt",), skipped=[off]), unproven=["a gap"])
    assert chosen.skipped(CheckReport(tree="t", results=[])) == [off]
    unasked = [SkippedCheck(validator=name, reason=NO_GATE) for name in ("fmt", "rehearse")]
    assert chosen.skipped(None) == [*unasked, off]
    assert chosen.not_proven(None, "haiku") == ["a gap", NO_REHEARSAL]
    assert chosen.not_proven(None, "offline-composer") == ["a gap", NO_REHEARSAL, NO_MODEL]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (Choice(named=("nope",)).to_text(), UsageError),
        (Choice(settings={"nope": ValidatorSettings()}).to_text(), UsageError),
        ('{"named": 3}', PlatformError),
    ],
)
def test_what_cannot_be_chosen_is_refused(text: str, error: type[Exception]):
    with pytest.raises(error):
        choose_validators(text, "plan")


def test_an_unknown_validator_ends_the_run_before_a_model_works(platform: Platform):
    told(platform, Choice(named=("fmt", "nope")))
    result = platform.run()
    assert (result.status, platform.record.status) == ("error", "error")
    assert "unknown validator nope" in (result.error or "")
    assert platform.script.seen == []
    assert list(platform.temporary.iterdir()) == []


def test_a_run_ends_as_error_and_names_the_validator_that_crashed(platform: Platform):
    platform.checker = ScriptedChecker(statuses={"fmt": "error"})
    result = platform.run()
    assert (result.status, platform.result.status) == ("error", "error")
    assert result.error == "the validator fmt failed: fmt crashed"
    assert [attempt.validators["fmt"] for attempt in result.attempts] == ["error"]
    assert {check.validator: check.status for check in result.checks} == {"fmt": "error", "validate": "ok"}
    assert platform.files == {"main.tf": GOOD.encode()}


@pytest.fixture
def real_checker(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """The run's own checker, as it is deployed on a laptop."""
    monkeypatch.setattr(toolkit.agent.checking, "InProcessChecker", InProcessChecker)
    return platform


def test_a_policy_reaches_the_validator_and_its_rule_the_model(real_checker: Platform):
    told(real_checker, Choice(named=("policy",), settings={"policy": POLICY}))
    mended = UNTAGGED.replace("mine", 'mine"\n  tags = { team = "a" }\n  force_destroy = "true')
    real_checker.script = Script(write("main.tf", UNTAGGED), say("."), write("main.tf", mended), say("ok"))
    result = real_checker.run()
    assert result.status == "ok", result.error
    assert [attempt.validators for attempt in result.attempts] == [{"policy": "findings"}, {"policy": "ok"}]
    assert [finding.rule for finding in result.attempts[0].findings] == ["tags"]
    prompt = real_checker.script.prompts[-1]
    assert "[policy/tags]" in prompt
    assert '1>| resource "aws_s3_bucket" "this" {' in prompt
    (check,) = result.checks
    assert check.tool is not None
    assert check.tool.version


def test_the_closing_check_of_a_tree_that_a_tool_has_checked_costs_nothing(
    real_checker: Platform, monkeypatch: pytest.MonkeyPatch
):
    runs: list[Any] = []
    real = InProcessChecker._run_all
    monkeypatch.setattr(InProcessChecker, "_run_all", lambda *a: runs.append(a[2]) or real(*a))
    told(real_checker, Choice(named=("fmt",)))
    real_checker.script = Script(write("main.tf"), call("run_validators"), say("done"))
    assert real_checker.run().status == "ok"
    assert len(runs) == 1


def test_without_a_sandbox_nothing_is_checked_unless_it_is_said(
    real_checker: Platform, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("toolkit.checker.inprocess.level", lambda: LIMITS)
    refused = real_checker.run()
    assert refused.status == "error"
    assert "code that a model wrote is not checked here" in (refused.error or "")
    assert "--unsandboxed" in (refused.error or "")

    real_checker.run_id += "-b"
    real_checker.script = Script(write("main.tf"), say("done"))
    real_checker.config = msgspec.structs.replace(real_checker.config, unsandboxed=True)
    told(real_checker, Choice(named=("fmt",)))
    allowed = real_checker.run()
    assert (allowed.status, allowed.sandbox) == ("ok", "limits")


def test_the_environment_says_what_is_chosen(agent_environment: dict[str, str]):
    plain = AgentConfig.from_environment({**agent_environment, "TFKIT_VALIDATORS": ""})
    assert (plain.validators, plain.unsandboxed) == ("", False)
    text = Choice(named=("fmt",)).to_text()
    given = AgentConfig.from_environment(
        {**agent_environment, "TFKIT_VALIDATORS": text, "TFKIT_UNSANDBOXED": ""}
    )
    assert (given.validators, given.unsandboxed) == (text, True)

"""What counts of a report: for the gate, for the model's tools, and for nobody but the reader."""

from typing import Any

import pytest
from agent_scripts import ScriptedChecker, Talk, call, hold, make_talk, needs, say, write

from toolkit.checker.selection import Selection, ValidatorSettings
from toolkit.contracts import CheckReport, CheckResult, Finding, Tree
from toolkit.errors import PlatformError


@pytest.mark.parametrize("status", ["unsupported", "slow", "error"])
def test_a_linter_that_cannot_do_its_work_ends_the_run_and_its_attempt_says_so(status: Any):
    checker = ScriptedChecker(statuses={"fmt": status})
    talk = make_talk(write("main.tf"), say("done"), checker=checker)
    with pytest.raises(PlatformError, match="the validator fmt failed: fmt crashed"):
        hold(talk)
    assert [attempt.validators for attempt in talk.attempts] == [{"fmt": status, "validate": "ok"}]
    assert len(talk.script.seen) == 2, "the model is not asked to mend it"


def lint(severity: Any, message: str = "well") -> Finding:
    return Finding(validator="lint", rule="r", severity=severity, message=message, file="main.tf", line=1)


class Linted(ScriptedChecker):
    """Finds with `lint` what it is told to."""

    found: tuple[Finding, ...] = ()

    def _result(self, name: str, tree: Tree) -> CheckResult:
        result = super()._result(name, tree)
        if name != "lint" or not self.found:
            return result
        return CheckResult(validator="lint", status="findings", findings=list(self.found))


def linted(*found: Finding, settings: ValidatorSettings) -> Talk:
    checker = Linted(needs("main.tf"))
    checker.found = found
    selection = Selection(names=("validate", "lint"), settings={"lint": settings})
    return make_talk(
        write("main.tf"), call("run_validators"), say("done"), checker=checker, selection=selection
    )


@pytest.mark.parametrize(
    "settings", [ValidatorSettings(threshold="medium"), ValidatorSettings(required=False)], ids=str
)
def test_findings_that_do_not_count_open_the_gate_and_are_not_the_models_to_mend(settings: Any):
    talk = linted(lint("low"), settings=settings)
    outcome = hold(talk)
    assert outcome.converged
    assert outcome.report is not None
    assert outcome.report.findings == [lint("low")]
    assert talk.attempts[0].validators == {"validate": "ok", "lint": "findings"}
    assert talk.attempts[0].findings == []
    assert talk.script.tool_answers[-1].splitlines() == [
        "ok: validate found nothing",
        "lint: 1 more to know of, none of which has to be mended",
    ]


def test_only_findings_that_count_go_back_to_the_model():
    talk = linted(lint("low", "small"), lint("high", "grave"), settings=ValidatorSettings(threshold="medium"))
    assert not hold(talk, max_followups=1).converged
    assert talk.attempts[0].findings == [lint("high", "grave")]
    for told in (talk.script.tool_answers[-1], talk.script.prompts[-1]):
        assert "[lint/r] grave" in told
        assert "small" not in told
        assert told.splitlines()[-1].startswith("     1>| ")


def test_a_validator_that_is_not_required_may_crash_and_the_model_is_told():
    checker = ScriptedChecker(statuses={"fmt": "error"})
    optional = {"fmt": ValidatorSettings(required=False)}
    talk = make_talk(
        write("main.tf"),
        call("run_validators"),
        say("done"),
        checker=checker,
        selection=Selection(names=("fmt", "validate"), settings=optional),
    )
    assert hold(talk).converged
    assert talk.attempts[0].validators == {"fmt": "error", "validate": "ok"}
    assert talk.script.tool_answers[-1].splitlines() == [
        "ok: validate found nothing",
        "fmt ended as error: fmt crashed",
    ]


def test_what_refuses_a_tree_before_the_validators_closes_the_gate():
    class Refusing(ScriptedChecker):
        def check(self, tree: Tree, validators: Any, **options: Any) -> CheckReport:
            bad = Finding(validator="scan", rule="r", severity="info", message="no provisioners")
            result = CheckResult(validator="scan", status="findings", findings=[bad])
            return CheckReport(tree=tree.hash, results=[result])

    talk = make_talk(write("main.tf"), say("done"), checker=Refusing())
    assert not hold(talk, max_followups=0).converged
    assert [f.message for f in talk.attempts[0].findings] == ["no provisioners"]


def test_findings_that_are_announced_and_missing_are_not_believed():
    talk = make_talk(write("main.tf"), say("done"), checker=ScriptedChecker(statuses={"fmt": "findings"}))
    with pytest.raises(PlatformError, match="fmt failed: it speaks of findings and names none"):
        hold(talk)


def test_the_rehearsal_goes_as_deep_as_the_run_asks():
    depths: list[str] = []

    class Deep(ScriptedChecker):
        def check(self, tree: Tree, validators: Any, *, rehearse: Any = "off") -> CheckReport:
            depths.append(rehearse)
            return super().check(tree, validators)

    talk = make_talk(write("main.tf"), call("run_validators"), say("done"), checker=Deep())
    talk.rehearse = "apply"
    hold(talk)
    assert depths == ["apply", "apply"], "tool and gate ask the same, so that it is remembered"

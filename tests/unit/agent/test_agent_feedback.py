"""Findings as a model reads them."""

from agent_scripts import finding

from toolkit.agent import feedback
from toolkit.contracts import CheckReport, CheckResult, Finding


def test_a_finding_is_one_line_whatever_it_holds():
    found = Finding(
        validator="v", rule="r", severity="low", message="a\n b", file="m.tf", line=2, hint="c\n\td"
    )
    assert feedback.line_of(found) == "m.tf:2: low [v/r] a b (hint: c d)"


def test_equal_findings_are_said_once():
    assert feedback.listing([finding("a"), finding("b"), finding("a")]).splitlines() == [
        ".:0: high [validate/wrong] a",
        ".:0: high [validate/wrong] b",
    ]


def test_many_findings_are_cut_and_the_rest_is_counted():
    lines = feedback.listing(finding(str(n)) for n in range(100)).splitlines()
    assert len(lines) == feedback.MAX_LINES + 1
    assert lines[-1] == f"… and {100 - feedback.MAX_LINES} more; mend these first"


def test_long_findings_are_cut_and_the_first_is_always_shown():
    listing = feedback.listing(finding(f"{n} " + "x" * 50_000) for n in range(30))
    assert "[validate/wrong] 0 x" in listing
    assert len(listing) <= feedback.MAX_CHARACTERS + 200
    assert "mend these first" in listing.splitlines()[-1]


def test_an_answer_is_never_empty():
    bare = CheckResult(validator="fmt", status="findings", detail="it said no more")
    report = CheckReport(tree="t", results=[bare])
    assert feedback.of_result(bare) == "fmt ended as findings: it said no more"
    assert feedback.of_report(report) == feedback.of_result(bare)
    assert feedback.follow_up(report).endswith(feedback.of_result(bare))

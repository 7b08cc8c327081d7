"""Findings as a model reads them."""

from agent_scripts import finding

from toolkit.agent import feedback
from toolkit.checker.selection import Selection
from toolkit.contracts import CheckReport, CheckResult, Finding, Severity, Tree

NOTHING = Tree()
LINES = Tree(files={"main.tf": b"one\ntwo\nthree\nfour\n"})


def at(line: int, message: str = "m", file: str = "main.tf", severity: Severity = "high") -> Finding:
    return Finding(validator="v", rule="r", severity=severity, message=message, file=file, line=line)


def test_a_finding_is_one_line_whatever_it_holds():
    found = Finding(
        validator="v", rule="r", severity="low", message="a\n b", file="m.tf", line=2, hint="c\n\td"
    )
    assert feedback.line_of(found) == "m.tf:2: low [v/r] a b (hint: c d)"


def test_equal_findings_are_said_once():
    assert feedback.listing([finding("a"), finding("b"), finding("a")], NOTHING).splitlines() == [
        ".:0: high [validate/wrong] a",
        ".:0: high [validate/wrong] b",
    ]


def test_the_code_is_shown_with_the_lines_around_it():
    assert feedback.listing([at(2)], LINES).splitlines() == [
        "main.tf:2: high [v/r] m",
        "     1 | one",
        "     2>| two",
        "     3 | three",
    ]


def test_code_is_shown_once_for_all_findings_of_its_line():
    shown = feedback.listing([at(1, "a"), at(1, "b")], LINES)
    assert shown.count("1>| one") == 1
    assert shown.splitlines()[-1] == "main.tf:1: high [v/r] b"


def test_no_code_for_places_that_the_tree_lacks():
    for place in (at(0), at(99), at(1, file=""), at(1, file="gone.tf")):
        assert len(feedback.listing([place], LINES).splitlines()) == 1


def test_long_lines_of_code_and_what_is_no_text_do_not_harm():
    wide = Tree(files={"main.tf": b"x" * 100_000 + b"\xff\n"})
    (_, code) = feedback.listing([at(1)], wide).splitlines()
    assert len(code) <= feedback.MAX_CODE_LINE + 2


def test_lines_are_counted_by_line_feeds_alone():
    odd = Tree(files={"main.tf": "a\u2028b\x0cc\nsecond\n".encode()})
    assert "2>| second" in feedback.listing([at(2)], odd)


def test_the_gravest_come_first():
    found = [at(0, "low", severity="low"), at(0, "critical", severity="critical"), at(0, "high")]
    shown = feedback.listing(found, NOTHING).splitlines()
    assert [line.split()[-1] for line in shown] == ["critical", "high", "low"]


def test_many_findings_are_cut_and_the_rest_is_counted():
    lines = feedback.listing((finding(str(n)) for n in range(100)), NOTHING).splitlines()
    assert len(lines) == feedback.MAX_FINDINGS + 1
    assert lines[-1] == f"… and {100 - feedback.MAX_FINDINGS} more; mend these first"


def test_long_findings_are_cut_and_the_first_is_always_shown():
    listing = feedback.listing((finding(f"{n} " + "x" * 50_000) for n in range(30)), NOTHING)
    assert "[validate/wrong] 0 x" in listing
    assert len(listing) <= feedback.MAX_CHARACTERS + 200
    assert "mend these first" in listing.splitlines()[-1]


def test_code_counts_for_the_size_too():
    wide = Tree(files={"main.tf": b"\n".join([b"x" * 500] * 100)})
    listing = feedback.listing((at(n, "y" * 200) for n in range(2, 90, 3)), wide)
    assert len(listing) <= feedback.MAX_CHARACTERS + 200
    shown = listing.count("[v/r]")
    assert listing.splitlines()[-1] == f"… and {30 - shown} more; mend these first"


def test_an_answer_is_never_empty():
    unsure = CheckReport(tree="t", results=[CheckResult(validator="rehearse", status="slow", detail="d")])
    answer = feedback.of_report(unsure, NOTHING, Selection(names=("rehearse",)))
    assert answer.splitlines() == ["ok: there is nothing to mend", "rehearse ended as slow: d"]

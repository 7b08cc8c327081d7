"""What a run says of its checks: what counted, what was only noted, and what did not come to its end."""

from io import StringIO
from typing import Any

from cli_fakes import result
from rich.console import Console

from toolkit.cli.render_run import attempt_line, render_result
from toolkit.contracts import Attempt, CheckResult, Finding, SkippedCheck, Tool

LOW = Finding(validator="checkov", rule="CKV_1", severity="low", message="no logging", file="a.tf", line=1)
HIGH = Finding(validator="checkov", rule="CKV_2", severity="high", message="open to all", file="a.tf", line=2)
CHECKOV = Tool(name="checkov", version="3.3.30")


def shown(**changes: Any) -> list[str]:
    out = StringIO()
    render_result(Console(file=out, width=200, markup=False), result(**changes))
    return out.getvalue().splitlines()


def attempt(*found: Finding, n: int = 1, **statuses: Any) -> Attempt:
    return Attempt(n=n, tree="sha256:0", validators=statuses, findings=list(found))


def test_findings_that_closed_nothing_are_marked_apart_and_counted():
    checks = [CheckResult(validator="checkov", status="findings", findings=[LOW, LOW], tool=CHECKOV)]
    lines = shown(attempts=[attempt(checkov="findings", fmt="ok")], checks=checks)
    assert "  attempt 1  ! checkov  ✔ fmt" in lines
    assert "checked: checkov (checkov 3.3.30); sandbox: none" in lines
    assert "noted, and not in the gate's way: checkov: 2 low" in lines


def test_findings_that_closed_the_gate_are_not_called_noted():
    checks = [CheckResult(validator="checkov", status="findings", findings=[LOW, HIGH])]
    lines = shown(status="not_converged", attempts=[attempt(HIGH, checkov="findings")], checks=checks)
    assert "  attempt 1  ✘ checkov" in lines
    assert "    a.tf:2 [checkov/CKV_2] open to all" in lines
    assert "noted, and not in the gate's way: checkov: 1 low" in lines
    assert not any("no logging" in line for line in lines)


def test_what_did_not_come_to_its_end_was_not_checked():
    checks = [
        CheckResult(validator="fmt", status="ok"),
        CheckResult(validator="lint", status="error", detail="it \x1b[31mcrashed", tool=CHECKOV),
        CheckResult(validator="rehearse", status="unsupported", detail="no aws_foo"),
    ]
    skipped = [SkippedCheck(validator="tflint", reason="tflint is not installed here")]
    lines = shown(attempts=[attempt(fmt="ok", lint="error")], checks=checks, skipped=skipped)
    assert "checked: fmt; sandbox: none" in lines
    assert "not checked: lint: error, it ␛[31mcrashed" in lines
    assert "not checked: rehearse: unsupported, no aws_foo" in lines
    assert "not checked: tflint: tflint is not installed here" in lines


def test_while_it_runs_findings_are_findings():
    assert attempt_line(attempt(checkov="findings")).plain.split()[-2:] == ["✘", "checkov"]

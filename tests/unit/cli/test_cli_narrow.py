"""Screens of 40 and 80 columns: lines are broken between words, labels stand above what is too long."""

import re
from io import StringIO

import pytest
from cli_fakes import LONG_ID, record, result
from rich.console import Console
from rich.text import Text

from toolkit.cli.output import Output
from toolkit.cli.render_checks import render_checks
from toolkit.cli.render_deploy import render_changes, render_costs, render_receipt
from toolkit.cli.render_run import render_result, render_unfinished
from toolkit.cli.render_traces import render_list
from toolkit.cli.text import labelled, paragraph
from toolkit.contracts import Attempt, CheckResult, Finding, ResourceEvent, SkippedCheck, Tool, TraceSummary
from toolkit.deploy.checks.check import Check
from toolkit.deploy.cost import Cost
from toolkit.deploy.receipt import Kept, Receipt

ARN = "arn:aws:iam::000000000000:role/" + "tfkit-dev-agent-" * 5
PROSE = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"


class Screen:
    """What was printed on a terminal of some width, or into a pipe."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, width: int | None) -> None:
        self.out = StringIO()
        self.out.isatty = lambda: width is not None  # type: ignore[method-assign]
        monkeypatch.setenv("COLUMNS", str(width or 40))
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setattr("sys.stdout", self.out)
        self.console: Console = Output().console()
        self.console.file = self.out  # pytest puts its own stdout back before the test begins

    @property
    def lines(self) -> list[str]:
        return re.sub(r"\x1b\[[0-9;]*m", "", self.out.getvalue()).splitlines()


@pytest.fixture(params=[40, 80])
def screen(request, monkeypatch) -> Screen:
    return Screen(monkeypatch, request.param)


@pytest.fixture
def pipe(monkeypatch) -> Screen:
    return Screen(monkeypatch, None)


def whole(lines: list[str], text: str) -> None:
    """The lines are this text, broken where its words are and nowhere else."""
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())


def test_a_paragraph_is_broken_between_words(screen):
    paragraph(screen.console, Text(f"  {PROSE} {ARN} {PROSE}", "red"), hanging=4)
    whole(screen.lines, f"{PROSE} {ARN} {PROSE}")
    assert screen.lines[0].startswith("  one")
    assert all(line.startswith("    ") and line[4] != " " for line in screen.lines[1:])
    assert all(len(line) <= screen.console.width or line.strip() == ARN for line in screen.lines)
    assert len(screen.lines) > 3


def test_what_fits_and_what_has_lines_of_its_own(screen):
    paragraph(screen.console, "a  b")
    paragraph(screen.console, "first\n\n  third")
    assert screen.lines == ["a  b", "first", "", "  third"]


def test_nothing_is_broken_for_a_pipe(pipe):
    paragraph(pipe.console, f"{PROSE} {ARN}")
    labelled(pipe.console, "name", ARN, 24)
    render_changes(pipe.console, [event("audit-lock-of-a-bucket")])
    assert pipe.lines == [
        f"{PROSE} {ARN}",
        f"  {'name':24}{ARN}",
        f"+ create  {'s3 BucketObjectLockConfiguration':45} audit-lock-of-a-bucket",
    ]


def test_a_label_stands_above_what_is_too_long(screen):
    labelled(screen.console, "name", "short", 24)
    labelled(screen.console, "agent_role_arn", ARN, 24)
    assert screen.lines == [f"  {'name':24}short", "  agent_role_arn", f"    {ARN}"]


def event(name: str) -> ResourceEvent:
    kind = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
    return ResourceEvent(urn=name, type=kind, name=name, operation="create", state="done")


def test_changes_take_two_lines_where_one_is_too_narrow(screen):
    render_changes(screen.console, [event("a"), event("audit-lock")])
    kind = "s3 BucketObjectLockConfiguration"
    if screen.console.width == 40:
        assert screen.lines == ["+ create  a", f"    {kind}", "+ create  audit-lock", f"    {kind}"]
    else:
        assert screen.lines == [f"+ create  {kind:45} {name}" for name in ("a", "audit-lock")]
    assert max(map(len, screen.lines)) <= screen.console.width


def test_no_word_of_a_result_is_cut(screen):
    finding = Finding(validator="validate", rule="r", severity="high", message=PROSE, file="main.tf", line=3)
    attempt = Attempt(
        n=1, tree="sha256:12345678", validators=dict.fromkeys(("fmt", "rehearse", "validate"), "findings"),
        findings=[finding], seconds=12.3,
    )  # fmt: skip
    tool = Tool(name="terraform", version="1.11.4")
    render_result(
        screen.console,
        result(
            status="not_converged", error=PROSE, attempts=[attempt], not_proven=[PROSE],
            checks=[CheckResult(validator=name, status="ok", tool=tool) for name in ("fmt", "validate", "x")],
            skipped=[SkippedCheck(validator="tflint", reason=PROSE)],
        ),
        detailed=True,
    )  # fmt: skip
    render_unfinished(screen.console, record(step=PROSE, run_id=LONG_ID), lost=False)
    words = {word for line in screen.lines for word in line.split()}
    assert {*PROSE.split(), "(terraform", "1.11.4),", "validate", LONG_ID} <= words
    assert all(
        len(line) <= screen.console.width or line.startswith(("next: ", "      tfkit")) or LONG_ID in line
        for line in screen.lines
    )


def test_a_check_goes_on_below_its_words(screen):
    render_checks(screen.console, [Check("dead_letters", True, PROSE), Check("b", False, "no", "mend that")])
    whole(screen.lines, f"✔ dead_letters {PROSE} ✘ b no mend it: mend that")
    hanging = 4 if screen.console.width == 40 else len("✔ dead_letters ")
    assert all(line[:hanging].isspace() for line in screen.lines[1:] if line[0] not in "✔✘")


def test_receipts_and_costs_fit(screen):
    kept = Kept(urn="urn::x::audit-bucket", reason=PROSE, until="2026-12-21")
    render_receipt(screen.console, Receipt(kept=[kept]))
    render_costs(screen.console, [Cost(name="dashboard", type="aws:x/y:Z", usd=3.0, why=PROSE)])
    assert max(map(len, screen.lines)) <= screen.console.width
    assert sum(line.count("fourteen") for line in screen.lines) == 2


@pytest.mark.parametrize("status", ["ok", "budget_exceeded"])
def test_a_run_of_the_list_is_in_one_piece(screen, status):
    row = TraceSummary(
        run_id="1m8062kzzqd71w5q", trace_id="f" * 32, start="2026-11-21T23:11:00Z", seconds=12.7,
        status=status, model="a-model-with-quite-a-long-name", input_tokens=9700, output_tokens=1600,
        cost_usd=0.0, tool_calls=8, spans=23,
    )  # fmt: skip
    render_list([row], screen.console)
    assert any(line.split()[-1] == row.run_id for line in screen.lines)
    assert max(map(len, screen.lines)) <= screen.console.width
    facts = " ".join(" ".join(screen.lines[1:]).split())
    assert facts.endswith(f"{row.model} · 9.7k/1.6k tokens · $0.0000 · 8 tools · 23 spans · 12.7s")


@pytest.mark.parametrize("width", [30, 40, 51])
@pytest.mark.parametrize("line", ["--help", "ask --help", "graph --help", "runs --help"])
def test_help_is_broken_between_words(tfkit, monkeypatch, width, line):
    monkeypatch.setenv("COLUMNS", "200")
    wide = tfkit(*line.split()).out
    monkeypatch.setenv("COLUMNS", str(width))
    shown = tfkit(*line.split()).out
    prose = shown.split("Examples:")[0]
    assert max(map(len, prose.splitlines())) < width
    assert "".join(shown.split()) == "".join(wide.split())  # nothing is left out
    assert "..." not in shown.replace("[ARGS]...", "").replace("[RUN]...", "")
    assert "\n  -h, --help\n    Show this message" in shown


def test_help_has_two_columns_where_there_is_room(tfkit, monkeypatch):
    monkeypatch.setenv("COLUMNS", "52")
    assert re.search(r"\n  -h, --help  +Show this", tfkit("runs", "--help").out)

"""Budgets and attempts at the command line: which a run gets, and what is told of each attempt."""

import msgspec
from cli_fakes import ID, record, result

from toolkit.cli.render_run import attempt_line
from toolkit.contracts import Attempt, Finding, Usage

FINDING = Finding(validator="validate", rule="r", severity="high", message="no such thing")
ATTEMPTS = [
    Attempt(
        n=1,
        tree="sha256:3f2a9c1b77",
        validators={"fmt": "ok", "validate": "findings"},
        findings=[FINDING, FINDING],
        usage=Usage(requests=3, input_tokens=1_200, output_tokens=34),
        seconds=4.24,
    ),
    Attempt(n=2, tree="sha256:77aa00bb11", validators={"fmt": "ok", "validate": "ok"}),
]
FIRST = "attempt 1  ✔ fmt  ✘ validate · 3f2a9c1b · closed by validate (2) · 1,234 tokens · 4.2 s"


def test_a_line_in_detail_says_what_is_known():
    assert attempt_line(ATTEMPTS[0], detailed=True).plain.strip() == FIRST
    assert attempt_line(ATTEMPTS[0]).plain.strip() == "attempt 1  ✔ fmt  ✘ validate"
    assert attempt_line(ATTEMPTS[1], detailed=True).plain.strip() == "attempt 2  ✔ fmt  ✔ validate · 77aa00bb"


def test_show_says_more_of_each_attempt_than_ask(tfkit, client):
    client.outcome = result(attempts=ATTEMPTS)
    client.records[ID] = record(status="ok")
    lines = [line.strip() for line in tfkit("runs", "show", ID).out.splitlines()]
    assert FIRST in lines
    assert "attempt 1  ✔ fmt  ✘ validate" in [
        line.strip() for line in tfkit("ask", "x", "-o", "a").out.splitlines()
    ]
    assert FIRST in [line.strip() for line in tfkit("ask", "x", "-o", "b", "-v").out.splitlines()]


def test_a_run_that_goes_on_tells_its_attempts_without_findings(tfkit, client):
    short = msgspec.structs.replace(ATTEMPTS[0], findings=[])
    client.records[ID] = record(attempts=[short])
    assert "✘ validate · 3f2a9c1b · 1,234 tokens · 4.2 s" in tfkit("runs", "show", ID).out


def asked(tfkit, client, *arguments):
    assert tfkit("ask", "x", "--detach", *arguments).code == 0
    request = client.submitted[-1]
    return (
        request.max_turns, request.max_tool_calls, request.max_tokens, request.max_cost_usd, request.timeout_s
    )  # fmt: skip


def test_a_run_gets_the_usual_budgets(tfkit, client):
    assert asked(tfkit, client) == (60, 200, 1_000_000, None, 600.0)


def test_a_run_gets_the_budgets_of_the_settings_and_options_win(tfkit, client, tmp_path):
    given = {"turns": 9, "tool_calls": 8, "tokens": 7_000, "usd": 0.5, "seconds": 30}
    (tmp_path / "tfkit.toml").write_text("".join(f"budget_{k} = {v}\n" for k, v in given.items()))
    assert asked(tfkit, client) == (9, 8, 7_000, 0.5, 30.0)
    assert asked(tfkit, client, "--max-cost", "2", "--timeout", "5") == (9, 8, 7_000, 2.0, 5.0)

"""What terminals of several widths get: nothing cut, nothing obeyed, no colour where none is wanted."""

import re
from io import StringIO
from pathlib import Path

import pytest
from cli_fakes import LONG_ID, record, result
from rich.console import Console

from toolkit.cli.listing import render_rows
from toolkit.cli.output import Output
from toolkit.cli.render_checks import render_checks
from toolkit.cli.render_deploy import render_summary
from toolkit.cli.render_run import render_result, render_unfinished
from toolkit.cli.text import harmless, harmless_json
from toolkit.contracts import Attempt, Changes, Finding
from toolkit.deploy.checks.check import Check
from toolkit.deploy.engine import Summary

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]m")


@pytest.fixture
def screen(monkeypatch):
    """The console that the commands use, as on a terminal of the given width; and what it was given."""

    def make(width: int) -> tuple[Console, StringIO]:
        out = StringIO()
        out.isatty = lambda: True
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setattr("sys.stdout", out)
        return Output().console(), out

    return make


@pytest.mark.parametrize("width", [40, 80, 200])
def test_ids_paths_and_commands_stay_in_one_piece(screen, width):
    console, out = screen(width)
    target = Path("tfkit-runs") / LONG_ID / "below"
    render_result(console, result(run_id=LONG_ID), target)
    render_unfinished(console, record(run_id=LONG_ID), lost=False)
    lines = out.getvalue().splitlines()
    assert any(line.endswith(f"cd {target} && terraform init && terraform plan") for line in lines)
    assert f"      tfkit traces --run {LONG_ID}" in lines
    assert f"next: tfkit runs show {LONG_ID}" in lines


@pytest.mark.parametrize("width", [40, 80])
def test_the_outputs_of_up_stay_in_one_piece(screen, width):
    console, out = screen(width)
    arn = "arn:aws:iam::000000000000:role/" + "tfkit-dev-agent-" * 5
    render_summary(console, Summary(changes=Changes(create=1), outputs={"agent_role_arn": arn}), "up")
    assert f"{arn}\n" in out.getvalue()


@pytest.mark.parametrize("width", [40, 80])
def test_rows_become_lines_where_they_do_not_fit(screen, width):
    console, out = screen(width)
    render_rows(console, ("run", "model", "prompt"), [(LONG_ID, "haiku", "a bucket " * 9)])
    text = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert text.splitlines() == [LONG_ID, "  model: haiku", "  prompt: " + ("a bucket " * 9).strip()]


def test_rows_are_a_table_where_they_fit(screen):
    console, out = screen(200)
    render_rows(console, ("run", "model"), [(LONG_ID, "haiku"), ("short", "日本")])
    header, first, second = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()
    assert header.index("model") == first.index("haiku") == second.index("日本")


def test_prose_is_broken_between_words_only(screen):
    console, out = screen(40)
    url = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs"
    render_result(console, result(output=f"see {url} " + "for more " * 9), Path("d"))
    lines = [line.strip() for line in out.getvalue().splitlines()]
    assert url in lines or f"see {url}" in lines
    assert all(set(line.split()) <= {"for", "more"} for line in lines if line.startswith(("for", "more")))
    assert ("for more " * 9).strip() not in out.getvalue()


def test_a_model_cannot_paint(screen):
    console, out = screen(80)
    hostile = "\x1b]0;title\x07\x9b2J[red]x[/red] :key:\r\u202e"
    finding = Finding(validator="fmt", rule="r", severity="low", message=hostile, file=hostile)
    attempt = Attempt(n=1, tree="t", validators={"fmt": "findings"}, findings=[finding])
    outcome = result(
        status="error", error=hostile, output=hostile, model=hostile, attempts=[attempt], not_proven=[hostile]
    )
    render_result(console, outcome, Path("d"))
    render_unfinished(console, record(step=hostile), lost=True)
    text = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert not set(text) & set("\x1b\x07\x9b\r\u202e")
    assert text.count("[red]x[/red] :key:") >= 6


def test_no_color_is_heeded(screen, monkeypatch):
    console, out = screen(80)
    render_checks(console, [Check("a", True, "fine")])
    assert COLOUR.search(out.getvalue())
    monkeypatch.setenv("NO_COLOR", "1")
    console, out = screen(80)
    render_checks(console, [Check("a", True, "fine")])
    assert "✔ a" in out.getvalue()
    assert not COLOUR.search(out.getvalue())


@pytest.mark.parametrize(
    ("text", "line", "lines"),
    [
        ("plain", "plain", "plain"),
        ("a\nb\tc\x7f", "a␊b␉c␡", "a\nb    c␡"),
        ("a\r\nb\rc", "a␍␊b␍c", "a\nb␍c"),
        ("é日[x]\xa0", "é日[x]\xa0", "é日[x]\xa0"),
        ("\x1b[0m\u202e\x85\u2028", "␛[0m\ufffd\ufffd\ufffd", "␛[0m\ufffd\ufffd\ufffd"),
    ],
)
def test_harmless(text, line, lines):
    assert harmless(text) == line
    assert harmless(text, multiline=True) == lines


def test_harmless_json_means_the_same():
    assert harmless_json('"\x7fé\u2066"') == '"\\u007fé\\u2066"'

"""What the terminal gets, at several widths, from friendly and hostile rows."""

from io import StringIO

import pytest
from rich.console import Console

from toolkit.cli.figures import count, dollars, duration
from toolkit.cli.render_traces import harmless, render_list, render_waterfall
from toolkit.contracts import TraceSummary
from toolkit.traces.waterfall import Row


def console(width: int, terminal: bool = False) -> tuple[Console, StringIO]:
    out = StringIO()
    return Console(
        file=out, width=width, force_terminal=terminal, color_system="truecolor" if terminal else None
    ), out


def run(run_id: str = "r-20261130-1200-abcdef", **changes) -> TraceSummary:
    values = {
        "run_id": run_id,
        "trace_id": "0" * 32,
        "start": "2026-11-30T12:00:01.500Z",
        "seconds": 42.2,
        "status": "not_converged",
        "model": "offline-composer",
        "input_tokens": 123_456,
        "output_tokens": 7_890,
        "cost_usd": 0.0456,
        "tool_calls": 12,
        "spans": 34,
    }
    return TraceSummary(**{**values, **changes})


def row(name: str = "chat m", **changes) -> Row:
    return Row(0, name, 0.0, 1.0, "ok", 0, 0, "")._replace(**changes)


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_a_list_shows_everything_and_keeps_to_the_width(width: int):
    screen, out = console(width)
    rows = [run(), run("r-other", status="ok", cost_usd=None, model="haiku")]
    render_list(rows, screen, pending={"r-other"})
    text = out.getvalue()
    assert all(len(line) <= width for line in text.splitlines())
    flat = " ".join(text.split())
    for part in ("11-30 12:00", "r-20261130-1200-abcdef", "not_converged", "offline-composer", "123k/7.9k"):
        assert part in flat, part
    for part in ("$0.0456", "12", "34", "42.2s", "ok*", "r-other", "haiku"):
        assert part in flat, part


def test_a_wide_list_is_aligned_in_columns():
    screen, out = console(140)
    render_list([run(), run("r-other", status="ok")], screen)
    header, *rows = out.getvalue().splitlines()
    for name, first, second in (("run", "r-2026", "r-other"), ("status", "not_conv", "ok")):
        assert header.index(name) == rows[0].index(first) == rows[1].index(second)
    assert len(rows) == 2


def test_a_list_at_80_columns_has_two_whole_lines_a_run():
    screen, out = console(80)
    render_list([run("r" * 48)], screen)
    first, second = out.getvalue().splitlines()
    assert "r" * 48 in first
    assert "offline-composer · 123k/7.9k tokens · $0.0456 · 12 tools · 34 spans · 42.2s" in second


def test_an_empty_list_says_so():
    screen, out = console(80)
    render_list([], screen)
    assert out.getvalue() == "no runs in this window\n"


def test_colours_tell_the_status():
    screen, out = console(140, terminal=True)
    render_list([run(), run(status="ok"), run(status="error")], screen)
    assert "\x1b[33mnot_converged" in out.getvalue()
    assert "\x1b[32mok" in out.getvalue()
    assert "\x1b[31merror" in out.getvalue()


HOSTILE = "[bold red]x[/]\x1b]0;title\x07\x1b[2J\r\n\u202egnp\u200b\x9b31m :skull: [link=file:///etc]"


@pytest.mark.parametrize("width", [60, 160])
def test_hostile_text_is_shown_and_not_obeyed(width: int):
    screen, out = console(width)
    render_list([run(model=HOSTILE, status=HOSTILE)], screen)
    render_waterfall([row(HOSTILE, note=HOSTILE, status="error"), row()], screen)
    text = out.getvalue()
    for char in "\x1b\x07\r\x9b\u202e\u200b":
        assert char not in text
    assert "[bold red]x[/]\u241b]0;" in text
    assert "\U0001f480" not in text


def test_harmless_leaves_ordinary_text_alone():
    assert harmless("bücket 日本 [x] ok") == "bücket 日本 [x] ok"
    assert harmless("a\tb\x7f") == "a\u2409b\u2421"


def test_a_waterfall_is_a_tree_with_bars_in_their_place():
    screen, out = console(80)
    render_waterfall(
        [
            row("run", seconds=10.0, input_tokens=1500, output_tokens=20),
            row("chat m", depth=1, offset_s=0.0, seconds=5.0),
            row(
                "execute_tool write_file",
                depth=1,
                offset_s=5.0,
                seconds=5.0,
                status="error",
                note="disk full",
            ),
        ],
        screen,
    )
    run_line, chat, tool, note = out.getvalue().splitlines()
    assert run_line.startswith("run ")
    assert run_line.endswith("10.0s  1.5k/20")
    assert chat.startswith("  chat m ")
    assert tool.startswith("  write_file ")
    assert note == "    disk full"
    assert abs(run_line.count("━") - chat.count("━") * 2) <= 1
    assert tool.index("━") - 1 <= chat.rindex("━") <= tool.index("━")
    assert all(len(line) <= 80 for line in (run_line, chat, tool))


def test_a_roomy_waterfall_has_the_spans_own_names_and_a_small_one_has_no_bars():
    rows = [
        row("run", input_tokens=8000, output_tokens=1100),
        row("execute_tool terraform_validate", depth=2),
    ]
    screen, out = console(120)
    render_waterfall(rows, screen)
    assert "execute_tool terraform_validate" in out.getvalue() and "━" in out.getvalue()
    screen, out = console(40)
    render_waterfall(rows, screen)
    run_line, tool = out.getvalue().splitlines()
    assert run_line.endswith("8.0k/1.1k") and "  terraform_validate " in tool
    assert "━" not in out.getvalue()


@pytest.mark.parametrize("width", [30, 50, 80, 200])
def test_a_waterfall_keeps_to_the_width(width: int):
    screen, out = console(width)
    rows = [row("n" * 100, depth=n, offset_s=n / 10, seconds=0.0, note="w" * 300) for n in range(30)]
    render_waterfall(rows, screen)
    lines = out.getvalue().splitlines()
    assert len(lines) == 60
    assert max(map(len, lines)) <= width


def test_a_run_that_took_no_time_has_bars():
    screen, out = console(80)
    render_waterfall([row(seconds=0.0)], screen)
    assert out.getvalue().count("━") == 1


def test_numbers_for_people():
    assert [count(n) for n in (0, 999, 1_000, 12_345, 123_456, 999_499, 999_500, 4_100_000)] == [
        "0", "999", "1.0k", "12.3k", "123k", "999k", "1.0M", "4.1M",
    ]  # fmt: skip
    assert [duration(s) for s in (0.041, 7.26, 59.94, 59.96, 245.2, 7800)] == [
        "0.04s", "7.3s", "59.9s", "1m00s", "4m05s", "2h10m",
    ]  # fmt: skip
    assert [dollars(c) for c in (None, 0.0, 0.00123, 1.5)] == ["-", "$0.0000", "$0.0012", "$1.50"]

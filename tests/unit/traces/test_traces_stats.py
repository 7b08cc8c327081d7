from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from traces_runs import attempt, finding, index_of, lines_of

from toolkit.cli.render_stats import render_stats
from toolkit.traces.stats import Stats, stats


def stats_of(path: Path, *runs: list[bytes]) -> Stats:
    now = datetime.now(UTC)
    with index_of(path, *runs).open() as connection:
        return stats(connection, now - timedelta(hours=1), now + timedelta(hours=1))


def three_runs(path: Path) -> Stats:
    bad = finding("CKV_1")
    return stats_of(
        path,
        lines_of("run-0001-abc", attempt(1), cost=0.5),
        lines_of("run-0002-abc", attempt(1, bad, bad), attempt(2), cost=0.25, tools=("write_file", "x")),
        lines_of("run-0003-abc", attempt(1, bad), attempt(2, bad), status="error", cost=None, model="m"),
    )


def test_success_is_counted_by_the_attempt_that_brought_it(tmp_path: Path):
    found = three_runs(tmp_path / "i")
    assert [(one.n, one.runs, one.ok) for one in found.attempts] == [(1, 3, 1), (2, 2, 1)]
    assert [one.rate for one in found.attempts] == [1 / 3, 0.5]
    assert (found.runs, found.ended, found.ok, found.statuses) == (3, 3, 2, {"ok": 2, "error": 1})


def test_tokens_and_dollars_by_model_and_run(tmp_path: Path):
    found = three_runs(tmp_path / "i")
    assert (found.input_tokens, found.output_tokens, found.cost_usd) == (3000, 150, 0.75)
    haiku, other = found.models
    assert (haiku.model, haiku.runs, haiku.ok, haiku.cost_usd, haiku.cost_usd_per_run) == (
        "haiku",
        2,
        2,
        0.75,
        0.375,
    )
    assert haiku.tokens_per_run == 1050
    assert (other.model, other.cost_usd, other.cost_usd_per_run) == ("m", None, None)


def test_tools_and_findings_by_how_often(tmp_path: Path):
    found = three_runs(tmp_path / "i")
    assert {tool.tool: tool.calls for tool in found.tools} == {"write_file": 3, "x": 1}
    (rule,) = found.findings
    assert (rule.validator, rule.rule, rule.findings, rule.runs) == ("checkov", "CKV_1", 4, 2)


def test_a_run_under_way_counts_for_no_attempt(tmp_path: Path):
    found = stats_of(tmp_path / "i", lines_of("run-0001-abc", attempt(1), attempt(2))[:1])
    assert (found.runs, found.ended, found.attempts, found.statuses) == (1, 0, [], {"running": 1})


def test_nothing_is_nothing(tmp_path: Path):
    found = stats_of(tmp_path / "i")
    assert (found.runs, found.cost_usd, found.models, found.tools, found.findings) == (0, None, [], [], [])


def test_the_screen_tells_each_table_and_obeys_nobody(tmp_path: Path):
    console = Console(width=120, record=True, markup=False)
    evil = lines_of("run-0001-abc", attempt(1, finding("\x1b[2J")), model="[red]\x1b]0;x\x07", status="error")
    render_stats(stats_of(tmp_path / "i", evil), console)
    text = console.export_text(styles=False)
    for heading in ("Success by attempt", "Models", "Slowest tools", "Most frequent findings"):
        assert heading in text
    assert "\x1b" not in text
    assert "[red]" in text

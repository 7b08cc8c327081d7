"""`traces --html`: where the page goes, and what is said of it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.cli.output import Output
from toolkit.cli.traces_page import write_runs
from toolkit.contracts import TraceSummary
from toolkit.traces.page import Written
from toolkit.traces.reader import RunTrace

RUNS = [
    TraceSummary(
        run_id=f"run-0000000{number}",
        trace_id="",
        start="2026-11-18T06:26:40.000Z",
        seconds=1.0,
        status="ok",
        model="haiku",
        input_tokens=1,
        output_tokens=1,
        cost_usd=None,
        tool_calls=0,
        spans=0,
    )
    for number in range(3)
]


class Reader:
    """Stands in for `Traces`: runs without spans."""

    def run(self, run_id: str) -> RunTrace:
        return RunTrace(next(run for run in RUNS if run.run_id == run_id), [], True, False)

    def pending(self) -> frozenset[str]:
        return frozenset()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Writes the page and returns what was said; the bucket holds nothing."""
    bucket = SimpleNamespace(get=lambda _key: None)
    monkeypatch.setattr(
        "toolkit.traces.fetch.Bucket", lambda _cloud, name: bucket if name == "runs" else None
    )
    settings = SimpleNamespace(target="local", region="us-east-1", stack="dev")
    outputs = SimpleNamespace(runs_bucket="runs")
    platform: Any = SimpleNamespace(cloud=None, account="0", settings=settings, outputs=lambda: outputs)

    def write(**output: bool) -> str:
        run: Any = SimpleNamespace(output=Output(**output))
        reader: Any = Reader()
        write_runs(run, platform, reader, RUNS, tmp_path / "page.html", "since 2026-11-18")
        return capsys.readouterr().out

    return write


def test_the_page_says_of_which_platform_and_time_it_is(written: Any, tmp_path: Path) -> None:
    assert written().startswith(f"wrote {tmp_path / 'page.html'}: 3 runs, 0.")
    assert (
        "local · account 0 · us-east-1 · stack dev · since 2026-11-18" in (tmp_path / "page.html").read_text()
    )


def test_as_json_it_says_how_much_the_page_tells(written: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    found = json.loads(written(json=True))
    assert found == {"file": str(page), "bytes": page.stat().st_size, "runs": 3, "detailed": 3}


def test_what_the_page_leaves_out_is_said(written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.traces.page.write_page", lambda *_: Written(70_000_000, 1))
    assert "only the newest 1 are told in full" in written()

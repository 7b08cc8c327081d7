"""Which pull request belongs to which run, on this machine."""

from pathlib import Path

from msgspec.structs import replace

from toolkit.pulls.recorded import Recorded, earlier, remember

ONE = Recorded(
    run_id="run-00000001",
    repository="github.com/acme/shop",
    branch="tfkit/x",
    base="main",
    number=41,
    url="https://github.com/acme/shop/pull/41",
    commit="a" * 40,
)


def test_the_newest_run_with_a_pull_request_is_found(tmp_path: Path) -> None:
    remember(tmp_path, ONE)
    later = replace(ONE, run_id="run-00000003", commit="b" * 40)
    remember(tmp_path, later)
    assert earlier(tmp_path, ["run-00000004", "run-00000003", "run-00000001"]) == later
    assert earlier(tmp_path, ["run-00000002", "run-00000001"]) == ONE
    remember(tmp_path, replace(ONE, number=42))
    assert earlier(tmp_path, ["run-00000001"]) == replace(ONE, number=42)
    assert earlier(tmp_path, ["run-00000002"]) is None


def test_what_is_damaged_or_leads_elsewhere_is_no_record(tmp_path: Path) -> None:
    remember(tmp_path / "stack", replace(ONE, run_id="run-00000002"))
    (tmp_path / "stack" / "pulls" / "run-00000001.json").write_text("{")
    (tmp_path / "outside.json").write_bytes((tmp_path / "stack/pulls/run-00000002.json").read_bytes())
    assert earlier(tmp_path / "stack", ["run-00000001", "../../outside"]) is None

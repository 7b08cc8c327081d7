"""The page as a file: what is in it, how it is written, and that nothing of it can be markup."""

import base64
import hashlib
import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from traces_pages import FILE, details, summary, usual_result

from toolkit.contracts import to_json
from toolkit.errors import TfkitError
from toolkit.tables import file_key, result_key
from toolkit.traces.page import RunDetails, collect, write_page
from toolkit.traces.page.write import embedded

HOSTILE = "</script><script>alert(1)</script><!-- & \u2028\u2029 ]]>"


def data_of(page: Path, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page.read_text())
    assert found
    return json.loads(found[1])


def test_data_inside_an_element_holds_no_character_that_markup_is_made_of() -> None:
    encoded = embedded({HOSTILE: HOSTILE}).decode()
    assert not set("<>&\u2028\u2029") & set(encoded)
    assert json.loads(encoded) == {HOSTILE: HOSTILE}


def test_the_page_holds_the_runs_and_their_details(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    runs = [summary("run-00000001"), summary("run-00000002", cost_usd=None)]
    written = write_page(page, runs, [details("run-00000001")], "stack dev", {"run-00000002"})
    assert written == (page.stat().st_size, 1)
    found = data_of(page, "runs")
    assert found["heading"] == "stack dev"
    assert [run["detail"] for run in found["runs"]] == [0, None]
    assert [run["pending"] for run in found["runs"]] == [False, True]
    assert found["runs"][0]["prompt"] == "an encrypted bucket"
    assert data_of(page, "detail-0")["run_id"] == "run-00000001"


def test_only_this_style_and_this_script_are_allowed_and_no_request_is(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(page, [summary()], [details()])
    text = page.read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";"))
    assert rules.pop("default-src") == "'none'"
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert rules.pop(rule) == f"'sha256-{digest}'"
    assert rules == {"base-uri": "'none'", "form-action": "'none'"}
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text


def test_the_page_is_for_its_owner_alone_and_replaces_another(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("before")
    page.chmod(0o644)
    write_page(page, [summary()], [details()])
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_failure_in_the_middle_leaves_what_was_there(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("before")

    def fail() -> Iterator[RunDetails]:
        yield details()
        raise TfkitError("the bucket is gone", "")

    with pytest.raises(TfkitError, match="bucket is gone"):
        write_page(page, [summary()], fail())
    assert page.read_text() == "before"
    assert list(tmp_path.iterdir()) == [page]


def test_a_folder_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(TfkitError, match="cannot be written") as caught:
        write_page(tmp_path / "none" / "page.html", [], [])
    assert "folder that exists" in (caught.value.hint or "")


def test_when_the_page_is_full_no_further_run_is_asked_for(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    asked: list[int] = []

    def one_by_one() -> Iterator[RunDetails]:
        for number in range(5):
            asked.append(number)
            yield details(f"run-0000000{number}")

    runs = [summary(f"run-0000000{number}") for number in range(5)]
    assert write_page(page, runs, one_by_one(), detail_bytes=1).detailed == 1
    assert asked == [0]
    assert [run["detail"] for run in data_of(page, "runs")["runs"]] == [0, None, None, None, None]


def test_details_come_from_the_runs_bucket_as_far_as_it_has_them() -> None:
    bucket = {
        result_key("run-whole01"): to_json(usual_result("run-whole01")),
        result_key("run-strange"): b'{"v":9}',
        file_key("run-whole01", "s3.tf"): FILE.encode(),
    }
    ids = ["run-whole01", "run-strange", "run-nothing"]
    whole, strange, none = collect(lambda run_id: details(run_id).trace, bucket.get, ids)
    assert whole.result == usual_result("run-whole01")
    assert whole.files == {"s3.tf": FILE.encode()}
    assert [one.trace.summary.run_id for one in (strange, none)] == ["run-strange", "run-nothing"]
    assert [(one.result, one.files) for one in (strange, none)] == [(None, {}), (None, {})]


def test_artifacts_are_fetched_a_little_ahead_and_no_more() -> None:
    asked: list[str] = []
    ids = [f"run-{number:08d}" for number in range(100)]
    found = collect(lambda run_id: details(run_id).trace, asked.append, ids)
    first = next(found)
    found.close()
    assert first.trace.summary.run_id == ids[0]
    assert 1 <= len(asked) <= 20
    assert set(asked) <= {result_key(run_id) for run_id in ids[:20]}

"""What the gate found, from the writer's span to the rows."""

from pathlib import Path

import pytest
from traces_runs import attempt, finding, index_of, lines_of

from toolkit.traces import query
from toolkit.traces.index import Index
from toolkit.traces.ingest import Fetched, ingest
from toolkit.traces.ingested import Ingested

RUN = "run-0001-abc"


def attempts_in(index: Index) -> list[query.GateAttempt]:
    with index.open() as connection:
        return query.attempts_of(connection, RUN)


def test_each_attempt_has_its_findings_tokens_and_time(tmp_path: Path):
    first = attempt(1, finding("CKV_1", file="main.tf", line=3), finding("CKV_2"), seconds=2.5)
    found = attempts_in(index_of(tmp_path / "i", lines_of(RUN, first, attempt(2))))
    assert [(one.n, one.tree, len(one.findings)) for one in found] == [(1, "sha256:1", 2), (2, "sha256:2", 0)]
    assert found[0].validators == {"fmt": "ok", "checkov": "findings"}
    assert found[0].findings[0] == {
        "validator": "checkov",
        "rule": "CKV_1",
        "severity": "high",
        "message": "CKV_1 is not met",
        "file": "main.tf",
        "line": 3,
    }
    assert found[0].seconds == pytest.approx(2.5, abs=0.002)
    assert (found[1].input_tokens, found[1].output_tokens, found[1].cost_usd) == (200, 20, 0.002)


def test_findings_that_moved_out_of_the_span_are_put_back(tmp_path: Path):
    many = [finding(f"CKV_{n}", message="m" * 200) for n in range(300)]
    (found,) = attempts_in(index_of(tmp_path / "i", lines_of(RUN, attempt(1, *many))))
    assert [item["rule"] for item in found.findings] == [one.rule for one in many]


def test_the_same_findings_again_are_found_in_the_record_before(tmp_path: Path):
    """The text is in the first attempt's record alone, and may arrive after the second's."""
    many = [finding(f"CKV_{n}") for n in range(30)]
    lines = lines_of(RUN, attempt(1, *many), attempt(2, *many))
    index = index_of(tmp_path / "i", lines)
    assert [len(one.findings) for one in attempts_in(index)] == [30, 30]


def test_findings_that_cannot_be_read_are_told_from_none(tmp_path: Path):
    lines = lines_of(RUN, attempt(1, *[finding(f"CKV_{n}") for n in range(30)]), status="not_converged")
    index = index_of(
        tmp_path / "i", [line.replace(b'"contents":{', b'"contents":{},"x":{') for line in lines]
    )
    with index.open() as connection:
        assert connection.execute("SELECT findings FROM attempts").fetchall() == [(-1,)]


def test_a_delivered_record_takes_its_copys_attempts_away(tmp_path: Path):
    index = Index(tmp_path / "i", "source")
    copy = lines_of(RUN, attempt(1, finding("CKV_1"), finding("CKV_2")))
    with index.open() as connection:
        for bucket, delivered, lines in (("runs", False, copy), ("audit", True, lines_of(RUN, attempt(1)))):
            ingest(connection, [Fetched(bucket, "a", b"".join(lines), delivered)], Ingested())
        assert connection.execute("SELECT count(*) FROM findings").fetchone() == (0,)
        assert [one.findings for one in query.attempts_of(connection, RUN)] == [[]]


def test_a_span_that_only_looks_like_an_attempt_is_none(tmp_path: Path):
    index = index_of(
        tmp_path / "i",
        [line.replace(b"tfkit.attempt.n", b"tfkit.attempt.m") for line in lines_of(RUN, attempt(1))],
    )
    assert attempts_in(index) == []

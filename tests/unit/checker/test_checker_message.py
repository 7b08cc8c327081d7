"""What travels between the agent and the checker's function, and how much of it."""

import gzip
import json
import os
from collections.abc import Sequence

import msgspec
import pytest
from checker_fakes import HEAD, tree

from toolkit.checker import message
from toolkit.checker.message import MAX_PACKED_BYTES, MAX_TEXT, CheckRequest, fit, pack, unpack
from toolkit.contracts import CheckReport, CheckResult, Finding, Severity, SkippedCheck, Tree, to_json
from toolkit.errors import PlatformError


def request(content: bytes, of: Tree) -> CheckRequest:
    return CheckRequest(v=1, tree=content, tree_hash=of.hash, validators=("fmt",), timeout_s=60.0)


def test_a_tree_comes_out_as_it_went_in() -> None:
    sent = Tree(files={"main.tf": HEAD.encode(), "m/ü.md": bytes(range(256)), "empty.txt": b""})
    assert unpack(request(pack(sent), sent)) == sent


def test_equal_trees_are_equal_bytes_whatever_their_order() -> None:
    one, other = Tree(files={"a.tf": b"1", "b.tf": b"2"}), Tree(files={"b.tf": b"2", "a.tf": b"1"})
    assert pack(one) == pack(other)
    assert pack(one) != pack(Tree(files={"a.tf": b"2", "b.tf": b"1"}))


def test_the_event_is_plain_json() -> None:
    sent = tree(main_tf=HEAD)
    event = json.loads(to_json(request(pack(sent), sent)))
    assert event["v"] == 1
    assert event["tree_hash"] == sent.hash
    assert unpack(msgspec.convert(event, CheckRequest)) == sent


def test_a_tree_that_is_too_large_to_be_sent_is_refused_with_both_sizes() -> None:
    large = Tree(files={"noise.txt": os.urandom(MAX_PACKED_BYTES)})
    with pytest.raises(PlatformError, match=rf"\d{{7}} bytes compressed.*{MAX_PACKED_BYTES}"):
        pack(large)


def test_the_largest_event_is_one_that_lambda_takes() -> None:
    largest = request(os.urandom(MAX_PACKED_BYTES), Tree())
    assert len(to_json(largest)) < 6_291_556


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"not gzip at all", "cannot be read"),
        (gzip.compress(b"not msgpack"), "cannot be read"),
        (pack(Tree(files={"a": b"b"}))[:-9], "cut off"),
        (pack(Tree(files={"other.tf": b""})), "not the one that its hash names"),
    ],
    ids=["no gzip", "no msgpack", "cut off", "another tree"],
)
def test_what_is_not_the_tree_that_was_sent_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(PlatformError, match=why):
        unpack(request(content, tree(main_tf=HEAD)))


def test_a_bomb_is_unpacked_to_its_limit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message, "MAX_UNPACKED_BYTES", 1000)
    bomb = Tree(files={"a.txt": bytes(100_000)})
    with pytest.raises(PlatformError, match="larger than any tree"):
        unpack(request(pack(bomb), bomb))


def finding(number: int, severity: Severity = "low", text: str = "x" * 100) -> Finding:
    return Finding(validator="probe", rule=f"r{number}", severity=severity, message=text)


def report(*results: Sequence[Finding]) -> CheckReport:
    return CheckReport(
        tree="sha256:0",
        results=[CheckResult(validator="probe", status="findings", findings=list(f)) for f in results],
        skipped=[SkippedCheck(validator="rehearse", reason="it was not asked for")],
    )


def answered(given: CheckReport) -> int:
    return len(json.dumps(msgspec.to_builtins(given)))


def test_a_report_that_fits_is_not_touched() -> None:
    given = report([finding(n, text="ü" * 2 * MAX_TEXT) for n in range(3)])
    assert fit(given) is given


def test_what_does_not_fit_is_left_out_and_counted() -> None:
    given = report([finding(n) for n in range(1000)])
    told = fit(given, 20_000)
    assert answered(told) <= 20_000
    *kept, last = told.results[0].findings
    assert kept == given.findings[: len(kept)]
    assert len(kept) > 50
    assert (last.validator, last.rule) == ("probe", "left-out")
    assert last.message.startswith(f"{1000 - len(kept)} more findings of probe")
    assert told.skipped == given.skipped


def test_the_gravest_of_what_is_left_out_is_still_told() -> None:
    given = report([*(finding(n) for n in range(500)), finding(500, "critical"), finding(501, "medium")])
    told = fit(given, 20_000)
    assert [found.rule for found in told.findings if found.severity == "critical"] == ["left-out"]


def test_one_loud_validator_does_not_silence_the_others() -> None:
    quiet = [finding(1, "high", "the one that matters")]
    told = fit(report([finding(n) for n in range(1000)], quiet), 20_000)
    assert told.results[1].findings == quiet


def test_a_finding_that_is_too_long_is_cut_and_not_left_out() -> None:
    told = fit(report([finding(1, "high", "ü" * 100_000)]), 60_000)
    (cut,) = told.findings
    assert cut.rule == "r1"
    assert cut.message == "ü" * MAX_TEXT + " …"
    assert answered(told) <= 60_000

"""What counts as another outcome, and which way it points."""

import pytest
from replay_world import attempts, past, result

from toolkit.contracts import FileEntry, Usage
from toolkit.replay.compare import compare, summed
from toolkit.replay.recorded import NotReplayed


def ended(status: str, *rules: str, number: int = 1, **changes):
    return result(status=status, attempts=attempts(*rules, number=number), **changes)


OK, FAILED = ended("ok"), ended("not_converged", "tags")


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (OK, OK, "same"),
        (FAILED, FAILED, "same"),
        (OK, FAILED, "worse"),
        (FAILED, OK, "better"),
        (FAILED, ended("error"), "changed"),
        (ended("budget_exceeded"), ended("not_converged", "tags"), "changed"),
        (FAILED, ended("not_converged", "tags", "name"), "worse"),
        (ended("not_converged", "tags", "name"), FAILED, "better"),
        (FAILED, ended("not_converged", "name"), "changed"),
        (OK, ended("ok", number=2), "worse"),
        (ended("ok", number=3), ended("ok", number=2), "better"),
        (ended("not_converged", "tags", number=2), ended("not_converged", "name", "tags"), "worse"),
        (result(status="error", attempts=[]), result(status="error", attempts=[]), "same"),
    ],
)
def test_the_verdict(before, after, outcome):
    assert compare(before, after).outcome == outcome


def test_what_a_model_may_do_otherwise_is_told_and_is_no_other_outcome():
    files = [FileEntry(path=name, sha256=name * 64, bytes=1) for name in "abc"]
    other = FileEntry(path="b", sha256="0" * 64, bytes=1)
    before = result(files=files[:2], seconds=1.0)
    after = result("again", files=[files[0], other, files[2]], seconds=9.0, model="n",
                   usage=Usage(requests=9, input_tokens=99, output_tokens=9))  # fmt: skip
    found = compare(before, after)
    assert (found.outcome, found.same_files, found.files_differ) == ("same", False, ["b", "c"])
    assert (found.tokens_before, found.tokens) == (11, 108)
    assert (found.cost_usd_before, found.cost_usd) == (0.5, None)
    assert (found.model_before, found.model, found.replay) == ("m", "n", "again")


def test_findings_are_named_by_rule_each_once():
    before = ended("not_converged", "tags", "tags", "region")
    after = ended("not_converged", "tags", "name", "forbidden-type")
    found = compare(before, after)
    assert found.findings_gone == ["policy/region"]
    assert found.findings_new == ["policy/forbidden-type", "policy/name"]


def test_the_sums():
    free = result(status="error", attempts=[], usage=Usage())
    late = ended("ok", number=2)
    told = NotReplayed(run_id="x", reason="gone")
    found = summed([(past("a", OK), late), (past("b", FAILED), free)], [told], interrupted=True)
    assert found.changed == 2
    assert (found.before.ok, found.before.first_ok, found.before.cost_usd) == (1, 1, 1.0)
    assert (found.after.ok, found.after.first_ok, found.after.cost_usd) == (1, 0, 0.5)
    assert (found.not_replayed, found.interrupted) == ([told], True)


def test_a_sum_with_an_unknown_price_is_not_known():
    unpriced = result(usage=Usage(requests=1, input_tokens=1))
    assert summed([(past("a"), unpriced), (past("b"), result())], []).after.cost_usd is None

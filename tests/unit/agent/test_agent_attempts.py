"""What is kept of an attempt: the change since the one before, of bounded size, and what it cost."""

import msgspec
import pytest
from agent_platform import Platform
from agent_scripts import Script, ScriptedChecker, needs, say, used, write

from toolkit.contracts import Attempt, Tree, Usage
from toolkit.diffs import CUT, MAX_DIFF_BYTES, diff


def between(before: dict[str, bytes], after: dict[str, bytes]) -> str:
    return diff(Tree(files=before), Tree(files=after))


def test_every_change_is_there_in_the_order_of_the_files():
    before = {"main.tf": b"one\ntwo\nthree\n", "gone.tf": b"gone\n", "same.tf": b"same\n"}
    after = {"main.tf": b"one\n2\nthree\n", "same.tf": b"same\n"}
    assert between(before, after) == (
        "--- a/gone.tf\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n"
        "--- a/main.tf\n+++ b/main.tf\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
    )
    assert between({}, {"a.tf": b"x"}) == (
        "--- /dev/null\n+++ b/a.tf\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n"
    )
    assert between(before, before) == ""


def test_lines_are_what_line_feeds_end():
    assert between({"a.tf": b"a\nb"}, {"a.tf": b"a\nb\n"}) == (
        "--- a/a.tf\n+++ b/a.tf\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n"
    )
    assert between({"é/x.tf": b"x\x0cy\r\nz\n"}, {"é/x.tf": b"x\x0cy\r\nw\n"}) == (
        "--- a/é/x.tf\n+++ b/é/x.tf\n@@ -1,2 +1,2 @@\n x\x0cy\r\n-z\n+w\n"
    )


def test_a_large_change_is_cut_and_says_so():
    huge = {f"{n}.tf": b"# a line of text\n" * 2_000 for n in range(20)}
    found = between({}, huge)
    assert MAX_DIFF_BYTES - 100 < len(found.removesuffix(CUT).encode()) <= MAX_DIFF_BYTES
    assert found.endswith(CUT)
    one_line = between({}, {"a.tf": b"x" * 1_000_000})
    assert len(one_line) < 200 and one_line.endswith(CUT)


def test_files_that_are_too_long_to_be_compared_are_named():
    before = {"a.tf": b"".join(b"%d\n" % n for n in range(50_000)), "b.tf": b"x\n"}
    after = {"a.tf": b"".join(b"%d\n" % n for n in range(50_000, 0, -1)), "b.tf": b"y\n"}
    found = between(before, after)
    assert "--- a/a.tf\n+++ b/a.tf\n… not compared: 50,000 lines became 50,000\n" in found
    assert "-x\n+y\n" in found


def test_the_row_keeps_the_short_form_and_the_result_the_whole(platform: Platform):
    platform.checker = ScriptedChecker(needs("main.tf", "a.tf"))
    steps = [write("main.tf"), say("."), write("a.tf"), say(".")]
    platform.script = Script(*[used(step, 100, 20) for step in steps])
    result = platform.run()
    first, second = result.attempts
    assert first.findings and first.diff.startswith("--- /dev/null\n+++ b/main.tf\n")
    assert second.diff.startswith("--- /dev/null\n+++ b/a.tf\n")
    assert (
        first.usage == second.usage == Usage(requests=2, input_tokens=200, output_tokens=40, cost_usd=0.0006)
    )
    short = [msgspec.structs.replace(attempt, findings=[], diff="") for attempt in result.attempts]
    assert platform.record.attempts == short


def test_an_attempt_of_an_older_platform_is_read():
    old = b'{"n":1,"tree":"sha256:a","validators":{"fmt":"ok"},"findings":[]}'
    attempt = msgspec.json.decode(old, type=Attempt)
    assert (attempt.diff, attempt.usage, attempt.seconds) == ("", Usage(), 0.0)


@pytest.mark.parametrize("model", ["priced", "unpriced"])
def test_the_cost_of_an_attempt_is_known_where_the_model_has_a_price(platform: Platform, model: str):
    platform.script = Script(used(write("main.tf"), 1_000, 100), used(say("."), 1_000, 0))
    (attempt,) = platform.run(model=model).attempts
    assert attempt.usage.cost_usd == (0.003 if model == "priced" else None)

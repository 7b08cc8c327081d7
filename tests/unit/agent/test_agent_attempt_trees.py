"""The files of an attempt that did not pass are kept, so that it can be judged apart from the last."""

from agent_platform import Platform
from agent_scripts import Script, ScriptedChecker, needs, say, write

from toolkit.checker.message import unpack_tree


def test_each_attempt_that_did_not_pass_is_kept_and_the_last_is_the_runs_files(platform: Platform) -> None:
    platform.checker = ScriptedChecker(needs("main.tf", "a.tf", "b.tf"))
    platform.script = Script(write("main.tf"), say("."), write("a.tf"), say("."), write("b.tf"), say("."))
    result = platform.run()
    assert result.status == "ok"
    kept = platform.objects(prefix="runs/{run_id}/attempts/")
    assert set(kept) == {"1.tree", "2.tree"}
    first, second, _ = result.attempts
    assert set(unpack_tree(kept["1.tree"], first.tree).files) == {"main.tf"}
    assert set(unpack_tree(kept["2.tree"], second.tree).files) == {"main.tf", "a.tf"}


def test_the_last_of_a_run_that_did_not_converge_is_kept_as_well(platform: Platform) -> None:
    platform.checker = ScriptedChecker(needs("never.tf"))
    platform.script = Script(write("main.tf"), say("."))
    result = platform.run(max_followups=0)
    assert result.status == "not_converged"
    assert set(platform.objects(prefix="runs/{run_id}/attempts/")) == {"1.tree"}

"""A digest that is kept elsewhere: written whole, and what it names is looked for."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from audit_world import World, kinds, make_chain, only

from toolkit.audit.baseline import Baseline, refuse_other
from toolkit.digest import document
from toolkit.errors import UsageError


def kept(world: World, path: Path) -> Baseline:
    """The digest of now, by way of a file."""
    report, found = world.verify_all()
    assert report.ok
    assert len(found.save(path)) == 64
    loaded = Baseline.load(path)
    assert loaded == found
    return found


def test_what_grew_since_is_no_difference(world: World, tmp_path: Path) -> None:
    world.run()
    world.sign()
    baseline = kept(world, tmp_path / "kept.json")
    world.run()
    world.sign()
    assert world.verify(kept=baseline).ok
    assert list(tmp_path.iterdir()) == [tmp_path / "kept.json"]


def test_a_forged_chain_is_found_without_any_signature(world: World, tmp_path: Path) -> None:
    world.key_arn = ""
    run_id = world.run()
    baseline = kept(world, tmp_path / "kept.json")
    forged = make_chain(run_id, ["one", "TWO", "three"])
    world.replace(world.key(run_id), b"".join(line.data for line in forged))
    world.copy(run_id, forged)
    assert world.verify().ok
    report = world.verify(kept=baseline)
    assert set(kinds(report)) == {"baseline"}
    assert {problem.run_id for problem in report.problems} == {run_id, ""}
    assert {problem.object for problem in report.problems} == {"", world.key(run_id)}


def test_runs_and_objects_that_are_gone_are_named(world: World, tmp_path: Path) -> None:
    run_id = world.run(copies=False)
    baseline = kept(world, tmp_path / "kept.json")
    world.wipe(world.key(run_id))
    found = {
        problem.message for problem in world.verify(kept=baseline).problems if problem.kind == "baseline"
    }
    assert len(found) == 2
    assert all(message.endswith("gone") for message in found)


def test_digests_that_were_cut_off_at_the_end_are_found(world: World, tmp_path: Path) -> None:
    for _ in range(3):
        world.sign()
    baseline = kept(world, tmp_path / "kept.json")
    world.wipe(document.key_of(2))
    assert world.verify().ok, "nothing in the account tells that there was one"
    problem = only(world.verify(kept=baseline))
    assert problem.message == "the signed digest 2 is gone"


def test_another_signing_key_is_found(world: World, tmp_path: Path) -> None:
    baseline = kept(world, tmp_path / "kept.json")
    made = world.cloud.client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
    world.key_arn = made["KeyMetadata"]["Arn"]
    assert only(world.verify(kept=baseline)).message == "the key that signs the digests is another one"


def test_the_window_of_the_file_is_looked_at_as_well(world: World, tmp_path: Path) -> None:
    run_id = world.run()
    baseline = kept(world, tmp_path / "kept.json")
    world.wipe(world.key(run_id))
    report, _ = world.verify_all(since=timedelta(seconds=0), kept=baseline)
    assert {"missing_run", "baseline"} & set(kinds(report)) == {"baseline"}
    assert report.window and report.window.since == baseline.since


def test_a_file_that_is_none_or_was_changed_or_is_of_another_platform(world: World, tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    assert Baseline.load(path) is None
    path.write_text("{}")
    with pytest.raises(UsageError, match="is no digest of tfkit's"):
        Baseline.load(path)
    world.run()
    baseline = kept(world, path)
    data = json.loads(path.read_text())
    data["objects"] = {}
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match="was changed after it was written"):
        Baseline.load(path)
    with pytest.raises(UsageError, match="stack dev in account 000000000000, this is prod"):
        refuse_other(baseline, path, "prod", "000000000000", baseline.bucket)

"""Versions, delete markers and retention of every object; what is said on the local target."""

from datetime import UTC, datetime, timedelta

from audit_world import World, kinds, only

from toolkit.audit.evidence import Fetched, Version
from toolkit.audit.objects import Promise, lock_problem


def test_a_second_version_of_an_object(world: World) -> None:
    run_id = world.run()
    key = world.key(run_id)
    world.put(key, world.read(key).replace(b'"two"', b'"twO"'))
    found = world.verify().problems
    assert {(problem.kind, problem.object) for problem in found} == {
        ("overwritten", key),
        ("conflict", key),
    }


def test_a_delete_marker_hides_nothing(world: World) -> None:
    run_id = world.run()
    world.s3().delete_object(Bucket=world.audit, Key=world.key(run_id))
    problem = only(world.verify())
    assert (problem.kind, problem.object) == ("deleted", world.key(run_id))


def test_a_marker_and_a_version_of_a_digest(world: World) -> None:
    world.run()
    world.sign()
    world.sign()
    world.s3().delete_object(Bucket=world.audit, Key="digests/00000000.json")
    world.put("digests/00000001.json", b"{}")
    found = {(problem.kind, problem.object) for problem in world.verify().problems}
    assert found == {
        ("deleted", "digests/00000000.json"),
        ("overwritten", "digests/00000001.json"),
    }


def unlock(world: World, key: str, until: datetime) -> None:
    world.s3().put_object_retention(
        Bucket=world.audit,
        Key=key,
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until},
        BypassGovernanceRetention=True,
    )


def test_a_retention_that_was_shortened(world: World) -> None:
    run_id = world.run()
    unlock(world, world.key(run_id), datetime.now(UTC) + timedelta(days=2))
    problem = only(world.verify())
    assert (problem.kind, problem.object) == ("unlocked", world.key(run_id))
    assert "before the 7 days promised" in problem.message


def test_an_object_without_a_lock(world: World) -> None:
    world.s3().put_object_lock_configuration(
        Bucket=world.audit, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
    )
    run_id = world.run()
    problem = only(world.verify())
    assert (problem.kind, problem.message) == ("unlocked", "it is under no Object Lock")
    assert problem.object == world.key(run_id)


def test_on_the_local_target_a_lock_is_said_to_be_no_evidence(world: World) -> None:
    world.target = "local"
    run_id = world.run()
    report = world.verify()
    assert report.ok and len(report.notes) == 1
    assert "no evidence" in report.notes[0]

    unlock(world, world.key(run_id), datetime.now(UTC))
    report = world.verify()
    assert report.ok and kinds(report) == []
    assert report.notes[1] == "objects without a lock, or with a weaker one than promised: 1"


def test_compliance_is_as_good_as_governance_and_not_the_other_way_round() -> None:
    put = datetime(2026, 11, 1, tzinfo=UTC)
    version = Version("k", "v", put, 1, False)

    def problem(mode: str, days: float, promise: Promise) -> bool:
        until = put + timedelta(days=days) if days else None
        return lock_problem(Fetched(version, b"", mode, until), promise) is not None

    assert not problem("COMPLIANCE", 7, Promise("GOVERNANCE", 7))
    assert problem("GOVERNANCE", 7, Promise("COMPLIANCE", 7))
    assert problem("GOVERNANCE", 6.9, Promise("GOVERNANCE", 7))
    assert problem("", 0, Promise("GOVERNANCE", 7))
    assert not problem("", 0, Promise("", 0))
    assert Promise("COMPLIANCE", 30).weaker(Promise("GOVERNANCE", 90)) == Promise("GOVERNANCE", 30)
    assert Promise("COMPLIANCE", 30).weaker(Promise("COMPLIANCE", 90)) == Promise("COMPLIANCE", 30)

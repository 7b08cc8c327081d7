"""The signed digests: what whoever may write the record cannot forge, and what is found of the digests."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from audit_world import World, kinds, make_chain, only, zipped
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from toolkit.audit import signed
from toolkit.audit.evidence import Evidence
from toolkit.digest import document
from toolkit.digest.lines import LineSeen, closed_chain
from toolkit.tables import new_run_id
from toolkit.telemetry import keys
from toolkit.telemetry.record import Line

HOUR = timedelta(hours=1)


def forge(world: World, run_id: str) -> bytes:
    """A chain that is whole and closed, and tells another story."""
    return b"".join(line.data for line in make_chain(run_id, ["one", "TWO", "three"]))


def test_a_signed_record_is_ok_and_says_so(world: World) -> None:
    world.run()
    assert world.sign() == {"number": 0, "objects": 1, "chains": 1}
    world.run()
    assert world.sign() == {"number": 1, "objects": 1, "chains": 1}
    assert world.sign() == {"number": 2, "objects": 0, "chains": 0}
    report = world.verify()
    assert report.problems == []
    assert (report.signed, report.digests.valid, report.digests.last) == (2, 3, 2)


def test_a_chain_that_was_rewritten_consistently_is_found_by_the_digest_alone(world: World) -> None:
    """Everything else agrees: records, copies, row. Whoever holds the agent's role and root did it."""
    run_id = world.run(copies=False)
    other = world.run()
    world.replace(world.key(other), forge(world, other))
    world.copy(other, make_chain(other, ["one", "TWO", "three"]))
    assert world.verify().ok, "before the digest a forged chain passes"

    world.sign()
    world.replace(world.key(run_id), forge(world, run_id))
    world.copy(run_id, make_chain(run_id, ["one", "TWO", "three"]))
    report = world.verify()
    assert {(p.kind, p.run_id or p.object) for p in report.problems} == {
        ("forged_chain", run_id),
        ("object_altered", world.key(run_id)),
    }
    assert "another one was signed in digest 0" in report.problems[0].message


def test_what_the_agents_role_can_do_to_a_signed_chain_is_found(world: World) -> None:
    """It may send other records, and put other versions below `fallback/`; it cannot take anything away."""
    run_id = new_run_id()
    world.row(run_id)
    for line in make_chain(run_id, ["one", "two"]):
        world.put(keys.fallback(run_id, line.seq), line.data)
    world.sign()
    for line in make_chain(run_id, ["one", "TWO"]):
        world.put(keys.fallback(run_id, line.seq), line.data)
    assert set(kinds(world.verify())) == {"overwritten", "conflict"}
    world.sign()
    assert "conflict" in kinds(world.verify())


def test_a_second_whole_chain_after_the_digest_is_found_although_the_first_was_taken_away(
    world: World,
) -> None:
    run_id = world.run()
    world.sign()
    world.wipe(world.key(run_id))
    world.put(world.key("later"), forge(world, run_id))
    world.sign()
    found = {(problem.kind, problem.object) for problem in world.verify().problems}
    assert found == {("forged_chain", ""), ("object_missing", world.key(run_id))}


def test_a_run_of_which_every_trace_was_wiped_is_found(world: World) -> None:
    run_id = world.run()
    world.run()
    world.sign()
    world.wipe(world.key(run_id))
    key = {"pk": {"S": f"RUN#{run_id}"}, "sk": {"S": "RECORD"}}
    world.cloud.client("dynamodb").delete_item(TableName=world.name, Key=key)
    found = world.verify().problems
    assert {(problem.kind, problem.object) for problem in found} == {
        ("object_missing", world.key(run_id)),
        ("rows_missing", ""),
    }


def test_a_run_that_no_digest_took_is_found(world: World) -> None:
    """As after a digest that was made where the record was not: its function tampered with, or its bucket."""
    run_id = world.run()
    world.wipe(world.key(run_id))
    world.sign(after=HOUR)
    world.put(world.key(run_id), forge(world, run_id))
    world.copy(run_id, make_chain(run_id, ["one", "TWO", "three"]))
    problem = only(world.verify(after=2 * HOUR))
    assert (problem.kind, problem.run_id) == ("unsigned_run", run_id)


def test_a_run_after_the_newest_digest_waits_for_the_next(world: World) -> None:
    world.sign(after=timedelta(0))
    world.run()
    report = world.verify()
    assert report.ok and report.signed == 0


def test_lines_that_come_hour_by_hour_and_in_disorder_make_one_signed_chain(world: World) -> None:
    run_id = new_run_id()
    world.row(run_id)
    lines = make_chain(run_id, ["a", "b", "c"])
    world.put(world.key("2"), zipped([lines[2]]))
    assert world.sign()["chains"] == 0
    world.put(world.key("1"), zipped([lines[1], lines[1]]))
    assert world.sign()["chains"] == 0
    world.put(keys.fallback(run_id, 0), lines[0].data)
    assert world.sign() == {"number": 2, "objects": 1, "chains": 1}
    report = world.verify()
    assert report.ok and report.signed == 1


def test_two_lines_of_one_number_are_never_signed_as_a_chain() -> None:
    lines = make_chain("run-00000001", ["a", "b"])
    other = make_chain("run-00000001", ["a", "B"])
    seen = [world_line(line) for line in (*lines, other[1])]
    assert closed_chain("run-00000001", seen[:2]) is not None
    assert closed_chain("run-00000001", seen) is None
    assert closed_chain("run-00000001", seen[:1]) is None
    assert closed_chain("run-00000001", []) is None


def world_line(line: Line) -> LineSeen:
    head = json.loads(line.body)
    return LineSeen(seq=line.seq, sha256=line.sha256, prev=head["prev"], last=head["last"])


def rewrite(world: World, number: int, changes: dict[str, Any]) -> None:
    """Alter a digest's content and leave its signature."""
    key = document.key_of(number)
    envelope = json.loads(world.read(key))
    digest = json.loads(base64.b64decode(envelope["payload"])) | changes
    envelope["payload"] = base64.b64encode(json.dumps(digest).encode()).decode()
    world.replace(key, json.dumps(envelope).encode())


@pytest.mark.parametrize(
    "change", [{"chains": []}, {"objects": []}, {"number": 7}, {"at": "2026-01-01T00:00:00Z"}]
)
def test_a_digest_of_which_anything_was_altered(world: World, change: dict[str, Any]) -> None:
    world.run()
    world.sign()
    rewrite(world, 0, change)
    found = {(problem.kind, problem.object) for problem in world.verify().problems}
    assert ("digest_invalid", "digests/00000000.json") in found


def test_a_digest_that_another_key_signed(world: World) -> None:
    world.run()
    mine = ec.generate_private_key(ec.SECP256R1())
    world.sign()
    envelope, _ = document.read(world.read(document.key_of(0)))
    head = f"DSSEv1 {len(document.PAYLOAD_TYPE)} {document.PAYLOAD_TYPE} {len(envelope.content)} ".encode()
    forged = mine.sign(head + envelope.content, ec.ECDSA(hashes.SHA256()))
    world.replace(document.key_of(0), document.seal(envelope.content, world.key_arn, forged))
    problem = only(world.verify())
    assert (problem.kind, problem.message) == ("digest_invalid", "its signature is not of this content")

    world.replace(document.key_of(0), document.seal(envelope.content, "arn:another", forged))
    assert "another key" in only(world.verify()).message


def test_digests_that_are_gone(world: World) -> None:
    for _ in range(4):
        world.sign()
    world.wipe(document.key_of(1))
    world.wipe(document.key_of(2))
    problem = only(world.verify())
    assert (problem.kind, problem.object) == ("digest_missing", document.key_of(1))
    assert "digests 1 to 2" in problem.message


def test_digests_that_were_made_anew_do_not_follow_from_the_old(world: World) -> None:
    """The tail was taken away and grown again by whoever may call the function: no signature is wrong."""
    world.sign()
    world.run()
    world.sign()
    world.sign()
    kept = world.read(document.key_of(2))
    world.wipe(document.key_of(1))
    world.wipe(document.key_of(2))
    world.sign(after=HOUR)
    world.put(document.key_of(2), kept)
    problem = only(world.verify())
    assert problem.message == "digest 1 is not the one that it follows"


def test_two_calls_at_once_make_one_digest(world: World) -> None:
    world.sign()
    s3 = world.s3()
    listed = s3.get_paginator

    class Behind:
        """Lists as if the first digest were not there yet."""

        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

        def get_paginator(self, name: str) -> Any:
            pages = listed(name)

            class Paginator:
                def paginate(self, **asked: Any) -> Any:
                    return [] if asked["Prefix"] == document.PREFIX else pages.paginate(**asked)

            return Paginator()

    class Late(World):
        def s3(self) -> Any:
            return Behind()

    late = Late(world.cloud, world.name, key_arn=world.key_arn)
    assert late.sign() == {"skipped": 0}
    assert world.verify().ok


def test_the_digests_must_be_of_the_last_hours_where_they_are_evidence(world: World) -> None:
    world.run()
    stale = only(world.verify(after=4 * HOUR))
    assert (stale.kind, "no signed digest" in stale.message) == ("digest_stale", True)
    world.sign()
    assert world.verify(after=2 * HOUR).ok
    assert only(world.verify(after=4 * HOUR)).kind == "digest_stale"
    world.target = "local"
    report = world.verify(after=4 * HOUR)
    assert report.ok and "the newest signed digest is of" in report.notes[1]


def test_where_the_public_key_may_not_be_read_kms_itself_checks(world: World) -> None:
    world.run()
    world.sign()

    class Asking(Evidence):
        def public_key(self) -> None:
            return None

    check, public_key = signed.checker(Asking(world.cloud, world.outputs(), "dev"))
    envelope, _ = document.read(world.read(document.key_of(0)))
    signature = base64.b64decode(envelope.signatures[0].sig)
    assert public_key == b""
    assert check(document.to_sign(envelope.content), signature)
    assert not check(document.to_sign(envelope.content + b" "), signature)


def test_a_digest_of_more_objects_than_it_reads_is_gone_on_with(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toolkit.digest.make.MOST_OBJECTS", 2)
    runs = [world.run() for _ in range(5)]
    assert [world.sign()["chains"] for _ in range(4)] == [2, 2, 1, 0]
    report = world.verify()
    assert report.ok and report.signed == len(runs)


def test_a_platform_without_digests_says_so(world: World) -> None:
    world.run()
    world.key_arn = ""
    report = world.verify()
    assert report.ok and "older tfkit" in report.notes[0]


def test_the_lock_that_was_promised_is_the_least_of_the_window(world: World) -> None:
    """After the days were raised, what was put before has the old ones."""
    world.run()
    world.sign()
    world.promised_days = 90
    assert world.verify().ok


def test_what_is_signed_says_when(world: World) -> None:
    before = datetime.now(UTC)
    world.sign(after=timedelta(0))
    _, digest = document.read(world.read(document.key_of(0)))
    assert (digest.stack, digest.bucket, digest.previous) == ("dev", world.audit, "")
    assert timedelta(0) <= datetime.fromisoformat(digest.at) - before + timedelta(milliseconds=1) < HOUR
    assert datetime.fromisoformat(digest.until) < before
    assert set(digest.runs.values()) == {0}


def test_a_table_that_a_down_took_is_said_and_is_no_problem(world: World) -> None:
    """`down` keeps a locked bucket and not the table; the next `up` makes another."""
    run_id, forged = world.run(copies=False), world.run(copies=False)
    world.sign(after=timedelta(0))
    world.forget_rows()
    report = world.verify()
    assert report.problems == []
    assert (report.runs, report.signed) == (0, 2)
    assert "older than the table of runs: 2" in report.notes[0]

    world.replace(world.key(forged), forge(world, forged))
    found = {(problem.kind, problem.run_id) for problem in world.verify().problems}
    assert ("object_altered", "") in found
    assert run_id not in {run for _, run in found}


def test_digests_of_a_key_that_the_emulator_lost_are_a_note_on_the_local_target_only(world: World) -> None:
    world.run()
    world.sign()
    made = world.cloud.client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
    world.key_arn = made["KeyMetadata"]["Arn"]
    assert "another key" in only(world.verify()).message
    world.target = "local"
    report = world.verify()
    assert report.ok and "were not looked at: 1" in report.notes[1]

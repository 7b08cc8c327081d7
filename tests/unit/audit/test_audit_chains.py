"""Completeness and integrity: each way in which a record can be incomplete or altered, found by its name."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from audit_world import World, kinds, make_chain, only, zipped

from toolkit.audit.chains import large_contents
from toolkit.tables import new_run_id
from toolkit.telemetry import keys

HOUR = timedelta(hours=1)


def test_an_honest_record_is_ok(world: World) -> None:
    world.run()
    world.run("alone")
    report = world.verify()
    assert report.problems == [] and report.ok
    assert (report.runs, report.records, report.objects) == (2, 4, 2)
    assert report.running == report.pending == []
    assert report.notes == []


def test_gzip_many_objects_fallback_disorder_and_duplicates_are_no_problem(world: World) -> None:
    run_id = new_run_id()
    world.row(run_id)
    lines = make_chain(run_id, ["a", "b", "c", "d"])
    world.put(world.key("1"), zipped([lines[2], lines[0]]))
    world.put(world.key("2"), zipped([lines[0], lines[0]]))
    world.put(world.key("3"), zipped([lines[3]]) + zipped([lines[2]]))
    world.put(keys.fallback(run_id, 1), lines[1].data)
    report = world.verify()
    assert report.problems == []
    assert (report.records, report.objects) == (4, 4)


def test_one_byte_that_was_altered(world: World) -> None:
    run_id = world.run()
    key = world.key(run_id)
    world.replace(key, world.read(key).replace(b'"two"', b'"twO"'))
    problem = only(world.verify())
    assert (problem.kind, problem.run_id, problem.object, problem.line) == ("altered_record", run_id, key, 2)
    assert "record 1 is not the one that record 2" in problem.message


def test_one_byte_of_the_last_record_shows_by_its_copy(world: World) -> None:
    run_id = world.run()
    key = world.key(run_id)
    world.replace(key, world.read(key).replace(b'"three"', b'"threE"'))
    problem = only(world.verify())
    assert (problem.kind, problem.run_id, problem.line) == ("differs_from_copy", run_id, 3)


def test_one_byte_of_a_zipped_object(world: World) -> None:
    run_id = new_run_id()
    world.row(run_id)
    body = bytearray(zipped(make_chain(run_id, ["a", "b"])))
    body[len(body) // 2] ^= 1
    world.put(world.key(run_id), bytes(body))
    report = world.verify()
    assert set(kinds(report)) <= {"unreadable", "missing_run", "altered_record", "unclosed"}
    assert any(problem.object == world.key(run_id) for problem in report.problems)


def test_an_object_that_was_deleted(world: World) -> None:
    run_id = world.run()
    world.wipe(world.key(run_id))
    problem = only(world.verify(after=HOUR))
    assert (problem.kind, problem.run_id) == ("missing_run", run_id)
    assert "copies beside its artifacts are whole" in problem.message


def test_a_line_that_was_taken_out_and_the_last_one(world: World) -> None:
    middle, end = world.run(copies=False), world.run(copies=False)
    lines = world.read(world.key(middle)).splitlines(keepends=True)
    world.replace(world.key(middle), lines[0] + lines[2])
    world.replace(world.key(end), b"".join(world.read(world.key(end)).splitlines(keepends=True)[:2]))
    found = {problem.run_id: problem for problem in world.verify(after=HOUR).problems}
    assert (found[middle].kind, "record 1" in found[middle].message) == ("missing_record", True)
    assert (found[end].kind, "2 records" in found[end].message) == ("unclosed", True)


def test_a_line_that_was_inserted(world: World) -> None:
    between, after, strange = world.run(), world.run(), world.run()
    head = json.loads(world.read(world.key(between)).splitlines()[1])
    forged = json.dumps({**head, "contents": {}}).encode()
    world.replace(world.key(between), world.read(world.key(between)) + forged)
    last = world.read(world.key(after)).splitlines()[-1]
    more = json.dumps({**json.loads(last), "seq": 3, "prev": hashlib.sha256(last).hexdigest(), "last": True})
    world.replace(world.key(after), world.read(world.key(after)) + more.encode())
    world.replace(world.key(strange), world.read(world.key(strange)) + b"no record at all\n")
    found = {(problem.kind, problem.object, problem.line) for problem in world.verify().problems}
    assert found == {
        ("conflict", world.key(between), 4),
        ("extra_record", world.key(after), 4),
        ("unreadable", world.key(strange), 4),
    }


def test_two_lines_that_were_swapped(world: World) -> None:
    """Where they lie means nothing, as Firehose keeps no order; what counts is the number that they say."""
    run_id = world.run()
    one, two, three = world.read(world.key(run_id)).splitlines()
    swapped = [two.replace(b'"seq":1', b'"seq":0'), one.replace(b'"seq":0', b'"seq":1'), three]
    world.replace(world.key(run_id), b"\n".join(swapped))
    found = world.verify().problems
    assert {problem.kind for problem in found} == {"altered_record"}
    assert {problem.line for problem in found} >= {1, 2}


def test_a_run_without_records_and_records_without_a_run(world: World) -> None:
    missing, unknown = new_run_id(), new_run_id()
    world.row(missing, updated="2020-01-01T00:00:00Z")
    world.put(world.key(unknown), zipped(make_chain(unknown, ["x"])))
    found = {(problem.kind, problem.run_id, problem.line) for problem in world.verify().problems}
    assert found == {("missing_run", missing, 0), ("no_row", unknown, 1)}


def test_runs_under_way_and_runs_that_never_began_are_none_of_the_missing(world: World) -> None:
    going, waiting, never = new_run_id(), new_run_id(), new_run_id()
    soon = int(datetime.now(UTC).timestamp()) + 60
    world.row(going, status="running", lease_until=soon)
    world.put(world.key(going), make_chain(going, ["a", "b"])[0].data)
    world.row(waiting, status="queued")
    world.row(never, status="cancelled", request_sha256="")
    report = world.verify()
    assert report.ok and report.problems == []
    assert report.runs == 3 and set(report.running) == {going, waiting}


def test_a_run_under_way_does_not_hide_what_was_altered(world: World) -> None:
    run_id = new_run_id()
    world.row(run_id, status="running", lease_until=int(datetime.now(UTC).timestamp()) + 60)
    one, two, _ = make_chain(run_id, ["a", "b", "c"])
    world.put(world.key(run_id), one.data.replace(b'"a"', b'"z"') + two.data)
    assert only(world.verify()).kind == "altered_record"


def test_a_run_whose_worker_died_is_named(world: World) -> None:
    run_id = new_run_id()
    world.row(run_id, status="running", lease_until=int(datetime.now(UTC).timestamp()) - 60)
    world.put(world.key(run_id), make_chain(run_id, ["a", "b"])[0].data)
    problem = only(world.verify())
    assert (problem.kind, problem.run_id) == ("unclosed", run_id)
    assert "its worker died" in problem.message


def test_pending_is_told_from_missing_by_the_copies_and_the_time(world: World) -> None:
    run_id = new_run_id()
    world.row(run_id)
    lines = make_chain(run_id, ["a", "b"])
    world.put(world.key(run_id), lines[0].data)
    problem = only(world.verify())
    assert (problem.kind, problem.run_id) == ("unclosed", run_id)

    world.copy(run_id, lines)
    report = world.verify()
    assert report.ok and report.pending == [run_id]
    assert only(world.verify(after=HOUR)).kind == "unclosed"


def test_a_copy_that_differs_does_not_make_a_run_pending(world: World) -> None:
    run_id = new_run_id()
    world.row(run_id)
    world.put(world.key(run_id), make_chain(run_id, ["a", "b"])[0].data)
    world.copy(run_id, make_chain(run_id, ["another", "b"]))
    assert not world.verify().ok


def test_only_the_window_is_looked_at(world: World) -> None:
    world.row(new_run_id(), started="2024-05-05T00:00:00Z", updated="2024-05-05T00:00:00Z")
    report = world.verify()
    assert report.ok and report.runs == 0


def large(run_id: str, sha256: str) -> bytes:
    reference = json.dumps(json.dumps({"object": sha256}, separators=(",", ":")))
    span = f'{{"attributes":[{{"key":"k","value":{{"stringValue":{reference}}}}}]}}'
    head = f'{{"v":1,"run_id":"{run_id}","seq":0,"prev":"","last":true,'
    return f'{head}"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}],"contents":{{}}}}\n'.encode()


def test_large_texts_are_there_and_are_what_they_were(world: World) -> None:
    found: dict[str, str] = {}
    for what, stored in {"fine": b"text", "altered": b"Text", "gone": None}.items():
        run_id = new_run_id()
        found[what] = run_id
        world.row(run_id)
        sha256 = hashlib.sha256(b"text").hexdigest()
        world.put(world.key(run_id), large(run_id, sha256))
        if stored is not None:
            world.s3().put_object(Bucket=world.runs, Key=keys.content(run_id, sha256), Body=stored)
    problems = {problem.run_id: problem.kind for problem in world.verify().problems}
    assert problems == {found["altered"]: "content_altered", found["gone"]: "content_missing"}


@pytest.mark.parametrize(
    "text", ['{"object":"' + "a" * 64 + '"}', '"stringValue":"{\\"object\\":\\"' + "a" * 64]
)
def test_a_text_that_looks_like_a_reference_is_none(text: str) -> None:
    draft = json.dumps({"contents": {"x": text}}).encode()
    assert large_contents(draft) == set()


def test_references_of_a_span_that_was_moved_out_count(world: World) -> None:
    inner = large("r", "b" * 64).decode()
    reference = '{"stringValue":"{\\"ref\\":\\"' + "c" * 64 + '\\"}"}'
    line = '{"attributes":[{"key":"tfkit.whole_span","value":' + reference + "}],"
    line += '"contents":{"' + "c" * 64 + '":' + json.dumps(inner) + "}}"
    assert large_contents(line.encode()) == {"b" * 64}

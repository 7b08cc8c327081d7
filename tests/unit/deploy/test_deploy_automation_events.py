"""Pulumi's event stream in our words: what is shown, what is counted, and how failures are told."""

from pulumi_fakes import BUCKET, STACK, ending, failing, parsed, step, urn

from toolkit.contracts import Changes, ResourceEvent
from toolkit.deploy.pulumi_events import COUNTED_AS, SHOWN_AS, Journal, plain

PROVIDER = "pulumi:providers:aws"


def played(*groups, refreshing=False):
    events: list[ResourceEvent] = []
    journal = Journal(events.append, refreshing=refreshing)
    for event in parsed(*groups):
        journal.take(event)
    return journal, journal.summary({}, 1.0), [(e.operation, e.name, e.state) for e in events]


def test_every_step_of_the_engine_has_a_place():
    from pulumi.automation import OpType

    assert {op.value for op in OpType} <= set(SHOWN_AS)
    assert set(COUNTED_AS.values()) == set(Changes.__struct_fields__)


def test_a_first_up_counts_custom_resources_and_no_components_and_no_providers():
    journal, summary, told = played(
        [{"preludeEvent": {"config": {"aws:region": "us-east-1"}}}],
        step("create", "tfkit-dev", STACK),
        step("create", "foundation", "tfkit:platform:Foundation"),
        step("create", "default_7_51_1", PROVIDER),
        step("create", "runs"),
        step("create", "audit"),
        ending(create=5),
    )
    assert summary.changes == Changes(create=2)
    assert told == [
        ("create", "runs", "started"),
        ("create", "runs", "done"),
        ("create", "audit", "started"),
        ("create", "audit", "done"),
    ]
    assert journal.ended.is_set() and journal.failures == []


def test_what_stays_is_counted_and_said_once():
    _, summary, told = played(step("same", "runs"), step("update", "audit"), ending(same=1, update=1))
    assert summary.changes == Changes(same=1, update=1)
    assert told[0] == ("same", "runs", "done")
    assert told[1:] == [("update", "audit", "started"), ("update", "audit", "done")]


def test_a_replacement_is_several_steps_and_one_change():
    made_first = (
        step("create-replacement", "runs"),
        step("replace", "runs"),
        step("delete-replaced", "runs"),
    )
    journal, summary, told = played(*made_first, ending())
    assert summary.changes == Changes(replace=1)
    assert told == [
        ("replace", "runs", "started"),
        ("replace", "runs", "done"),
        ("delete", "runs", "started"),
        ("delete", "runs", "done"),
    ]
    assert journal.summary({}, 0).deleted == []
    gone_first = (
        step("delete-replaced", "runs"),
        step("replace", "runs"),
        step("create-replacement", "runs"),
    )
    assert played(*gone_first, ending())[1].changes == Changes(replace=1)


def test_a_preview_announces_a_replacement_once_and_starts_nothing():
    _, summary, told = played(
        step("create-replacement", "runs", planning=True),
        step("replace", "runs", planning=True),
        step("delete-replaced", "runs", planning=True),
        step("delete", "audit", planning=True),
        ending(replace=1, delete=1),
    )
    assert summary.changes == Changes(replace=1, delete=1)
    assert told == [("replace", "runs", "done"), ("delete", "audit", "done")]
    assert summary.deleted == [urn("audit")]


def test_what_an_earlier_replacement_left_is_part_of_that_one():
    _, summary, _ = played(step("same", "runs"), step("delete", "runs", delete=True), ending())
    assert summary.changes == Changes(same=1)


def test_a_failure_is_told_with_its_cause_and_without_colours():
    why = "1 error occurred:\n\t* creating S3 Bucket (x): api error BucketAlreadyExists: taken\n\n"
    journal, summary, told = played(step("create", "audit"), failing("create", "runs", why), ending(create=1))
    cause = "creating S3 Bucket (x): api error BucketAlreadyExists: taken"
    assert journal.failures == [f"create of runs ({BUCKET}) failed: {cause}"]
    assert journal.errors == [cause]
    assert summary.changes == Changes(create=1)
    assert told[-2:] == [("create", "runs", "started"), ("create", "runs", "failed")]


def test_a_refresh_tells_what_is_gone():
    events: list[ResourceEvent] = []
    journal = Journal(events.append, refreshing=True)
    for event in parsed(step("same", "runs"), step("delete", "audit"), step("update", "more"), ending()):
        journal.take(event)
    assert {e.operation for e in events} == {"refresh"}
    assert [(e.name, e.error) for e in events if e.state == "done"] == [
        ("runs", ""),
        ("audit", "gone"),
        ("more", ""),
    ]
    assert journal.summary({}, 0.0).changes == Changes(same=1, delete=1, update=1)


def test_a_read_is_shown_and_no_change():
    _, summary, told = played(step("read", "there"), ending())
    assert summary.changes == Changes()
    assert told == [("read", "there", "started"), ("read", "there", "done")]


def test_an_error_of_a_check_has_no_step_and_is_kept():
    said = {
        "urn": urn("runs"),
        "message": "resource 'runs' has a problem: missing required",
    }
    journal, _, _ = played([{"diagnosticEvent": {**said, "color": "raw", "severity": "error"}}], ending())
    assert journal.errors == ["resource 'runs' has a problem: missing required"]
    warned, _, _ = played([{"diagnosticEvent": {**said, "color": "raw", "severity": "warning"}}], ending())
    assert warned.errors == []


def test_plain_text():
    assert plain("<{%fg 1%}>error: <{%reset%}>a\n  b\n") == "error: a b"

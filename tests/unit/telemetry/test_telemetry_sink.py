"""The sink with clients that refuse on demand; against the real emulator it is tried in tests/unit/traces."""

from datetime import date

import pytest

from toolkit.contracts import RUN_ID
from toolkit.errors import TelemetryFailed
from toolkit.telemetry import keys
from toolkit.telemetry.record import Line
from toolkit.telemetry.run import RunTelemetry
from toolkit.telemetry.sink import FirehoseSink, batches

RUN = "run-0001-abc"


class Firehose:
    """Answers each call by the next entry of the script: an exception, or the indexes that it refuses."""

    def __init__(self, *script: Exception | set[int]) -> None:
        self.script = list(script)
        self.calls: list[list[bytes]] = []
        self.taken: list[bytes] = []

    def put_record_batch(self, DeliveryStreamName: str, Records: list[dict]) -> dict:  # noqa: N803
        data = [record["Data"] for record in Records]
        self.calls.append(data)
        step = self.script.pop(0) if self.script else set()
        if isinstance(step, Exception):
            raise step
        self.taken += [item for number, item in enumerate(data) if number not in step]
        answers = [
            {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow down"}
            if number in step
            else {"RecordId": str(number)}
            for number in range(len(data))
        ]
        return {"FailedPutCount": len(step), "RequestResponses": answers}


class S3:
    """Holds objects; refuses buckets that are named `down`."""

    def __init__(self, *down: str) -> None:
        self.down = down
        self.objects: dict[tuple[str, str], bytes] = {}

    def put_object(self, Bucket: str, Key: str, Body: bytes, IfNoneMatch: str = "") -> None:  # noqa: N803
        if Bucket in self.down:
            raise ConnectionError(Bucket)
        self.objects[Bucket, Key] = Body


def make(firehose: Firehose, s3: S3) -> tuple[FirehoseSink, list[float]]:
    pauses: list[float] = []
    sink = FirehoseSink(
        firehose, "stream", s3, "audit", "runs", sleep=pauses.append, today=lambda: date(2026, 11, 30)
    )
    return sink, pauses


def some(count: int, size: int = 10) -> list[Line]:
    return [Line(seq, bytes([97 + seq % 26]) * size) for seq in range(count)]


def test_only_the_refused_records_are_offered_again():
    firehose, s3 = Firehose({1, 3}, {0}), S3()
    sink, pauses = make(firehose, s3)
    lines = some(4)
    assert sink.ship(RUN, lines) == dict.fromkeys(range(4), "firehose")
    assert firehose.calls == [
        [line.data for line in lines],
        [lines[1].data, lines[3].data],
        [lines[1].data],
    ]
    assert sorted(firehose.taken) == [line.data for line in lines]
    assert pauses == [0.2, 0.4]


def test_every_record_is_copied_beside_the_artifacts_and_the_run_is_marked_once():
    s3 = S3()
    sink, _ = make(Firehose(), s3)
    lines = some(2)
    sink.ship(RUN, lines[:1])
    sink.ship(RUN, lines[1:])
    assert s3.objects == {
        ("runs", f"runs/{RUN}/records/000000.json"): lines[0].data,
        ("runs", f"runs/{RUN}/records/000001.json"): lines[1].data,
        ("runs", f"runs/by-day/2026-11-30/{RUN}"): b"",
    }


def test_what_firehose_keeps_refusing_goes_to_the_bucket():
    firehose, s3 = Firehose({1}, {0}, {0}, {0}), S3()
    sink, _ = make(firehose, s3)
    lines = some(3)
    assert sink.ship(RUN, lines) == {0: "firehose", 1: "fallback", 2: "firehose"}
    assert len(firehose.calls) == 4
    assert s3.objects["audit", f"fallback/{RUN}/000001.json"] == lines[1].data
    assert ("runs", f"runs/{RUN}/records/000001.json") in s3.objects


def test_a_firehose_that_is_down_and_comes_back():
    firehose = Firehose(ConnectionError(), ConnectionError())
    sink, pauses = make(firehose, S3())
    assert sink.ship(RUN, some(2)) == {0: "firehose", 1: "firehose"}
    assert len(pauses) == 2


def test_an_answer_that_does_not_fit_the_call_counts_as_refusal():
    firehose, s3 = Firehose(), S3()
    firehose.put_record_batch = lambda **_: {"FailedPutCount": 0, "RequestResponses": []}  # type: ignore[method-assign]
    sink, _ = make(firehose, s3)
    assert sink.ship(RUN, some(1)) == {0: "fallback"}


def test_copies_that_fail_do_not_matter():
    sink, _ = make(Firehose(), S3("runs"))
    assert sink.ship(RUN, some(1)) == {0: "firehose"}


def test_all_down_claims_nothing():
    s3 = S3("audit")
    sink, _ = make(Firehose(*[ConnectionError()] * 4), s3)
    assert sink.ship(RUN, some(1)) == {}
    assert s3.objects == {}, "a record that is not accepted is not shown either"
    telemetry = RunTelemetry(RUN, "dev", make(Firehose(*[ConnectionError()] * 4), S3("audit"))[0])
    with pytest.raises(TelemetryFailed, match="neither by Firehose nor by the bucket"):
        telemetry.close()


def test_a_large_text_that_cannot_be_stored_fails_the_close():
    telemetry = RunTelemetry(RUN, "dev", make(Firehose(), S3("runs"))[0])
    telemetry.tracer.start_span("step", attributes={"text": "z" * 1_000_000}).end()
    with pytest.raises(TelemetryFailed, match="1 large texts"):
        telemetry.close()


def test_calls_stay_within_firehoses_limits():
    lines = some(1203)
    assert [len(batch) for batch in batches(lines)] == [500, 500, 203]
    large = some(11, 900_000)
    groups = list(batches(large))
    assert [line for group in groups for line in group] == large
    assert [len(group) for group in groups] == [4, 4, 3]
    assert list(batches([])) == []


def test_no_run_can_be_called_like_the_folder_of_markers():
    folder = keys.markers(date(2026, 11, 30)).split("/")[1]
    assert not RUN_ID.match(folder)


def test_a_stream_that_did_not_answer_is_not_waited_for_at_every_turn():
    firehose = Firehose(*[ConnectionError()] * 5)
    sink, pauses = make(firehose, S3())
    assert sink.ship(RUN, some(1)) == {0: "fallback"}
    assert (len(firehose.calls), len(pauses)) == (4, 3)
    assert sink.ship(RUN, some(1)) == {0: "fallback"}
    assert (len(firehose.calls), len(pauses)) == (5, 3), "one offer, and no pause"
    assert sink.ship(RUN, some(1)) == {0: "firehose"}
    firehose.script = [ConnectionError(), ConnectionError()]
    assert sink.ship(RUN, some(1)) == {0: "firehose"}, "it answers again, and gets its attempts again"


def test_where_the_bucket_takes_nothing_either_the_other_lines_wait_for_the_next_time():
    class Counting(S3):
        tried = 0

        def put_object(self, Bucket: str, Key: str, Body: bytes, IfNoneMatch: str = "") -> None:  # noqa: N803
            self.tried += 1
            super().put_object(Bucket, Key, Body)

    s3 = Counting("audit")
    sink, _ = make(Firehose(*[ConnectionError()] * 4), s3)
    assert sink.ship(RUN, some(9)) == {}
    assert s3.tried == 1
    s3.down = ()
    assert sink.ship(RUN, some(9)) == dict.fromkeys(range(9), "firehose")

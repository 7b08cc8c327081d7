"""The parts of a digest that need no cloud: lines, chains, the envelope, what the function must be told."""

import base64
import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from toolkit.digest import document
from toolkit.digest.document import Digest
from toolkit.digest.handler import ENVIRONMENT, Clients, write_digest
from toolkit.digest.lines import ChainHead, LineSeen, closed_chain, read_lines, unzip
from toolkit.digest.make import _close, moment
from toolkit.errors import PlatformError

RUN = "run-0000000a"
DIGEST = Digest(
    stack="dev", bucket="b", number=3, previous="p", at="2026-11-21T10:00:00Z", until="2026-11-21T09:55:00Z"
)


def lines(*hashes: str, closed: bool = True) -> list[LineSeen]:
    before = ["", *hashes]
    return [
        LineSeen(seq=n, sha256=sha256, prev=before[n], last=closed and n == len(hashes) - 1)
        for n, sha256 in enumerate(hashes)
    ]


def test_gzip_is_told_by_its_bytes_and_may_come_in_parts() -> None:
    assert unzip(b'{"plain":1}\n') == b'{"plain":1}\n'
    assert unzip(gzip.compress(b"one\n") + gzip.compress(b"two\n")) == b"one\ntwo\n"


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"one" * 99)[:-9], gzip.compress(b"one") + b"rubbish", b"\x1f\x8bno"],
    ids=["cut off", "rubbish behind", "no gzip"],  # the time is in it, and ids must be the same everywhere
)
def test_damaged_gzip_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="not readable as gzip"):
        unzip(body)


def test_each_line_says_its_place_and_the_rest_is_skipped() -> None:
    record = json.dumps({"v": 1, "run_id": RUN, "seq": 2, "prev": "x", "last": True, "more": [1]}).encode()
    first, second, third = read_lines(record + b"\n\n[]\n" + b"\xff\xfe")
    assert first.head is not None and (first.head.run_id, first.head.seq, first.head.last) == (RUN, 2, True)
    assert (first.number, first.sha256) == (1, hashlib.sha256(record).hexdigest())
    assert (second.number, second.head, third.number, third.head) == (3, None, 4, None)
    assert second.problem and third.problem


def test_a_chain_is_closed_whatever_its_order_and_not_before() -> None:
    whole = lines("a", "b", "c")
    assert closed_chain(RUN, [whole[2], whole[0], whole[1], whole[0]]) == ChainHead(
        run_id=RUN, records=3, head="c"
    )
    assert closed_chain(RUN, whole[:2]) is None
    assert closed_chain(RUN, whole[1:]) is None
    assert closed_chain(RUN, lines("a", "b", closed=False)) is None
    early = [*lines("a", "b"), LineSeen(seq=2, sha256="c", prev="b", last=True)]
    assert closed_chain(RUN, early) is None, "a record in the middle says that it is the last"


def test_what_stays_open_is_handed_on_and_forgotten_after_a_week() -> None:
    now = datetime(2026, 11, 21, 10, tzinfo=UTC)
    one, two = lines("a", "b")
    chains, still = _close({RUN: [one]}, [], now)
    assert chains == [] and [(run.run_id, run.since, run.lines) for run in still] == [
        (RUN, moment(now), [one])
    ]
    later = now + timedelta(hours=1)
    chains, again = _close({}, still, later)
    assert (chains, again) == ([], still)
    chains, again = _close({RUN: [one, two]}, still, later)
    assert [chain.head for chain in chains] == ["b"] and again == []
    assert _close({}, still, now + timedelta(days=8)) == ([], [])


def test_the_envelope_is_dsse_and_what_is_signed_is_bound_to_its_type() -> None:
    payload = msgspec.json.encode(DIGEST)
    envelope, digest = document.read(document.seal(payload, "arn:key", b"signature"))
    assert digest == DIGEST and envelope.content == payload
    assert base64.b64decode(envelope.signatures[0].sig) == b"signature"
    encoded = b"DSSEv1 33 application/vnd.tfkit.digest+json %d %s" % (len(payload), payload)
    assert document.to_sign(payload) == hashlib.sha256(encoded).digest()


def test_another_document_is_no_digest() -> None:
    other = {"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": []}
    with pytest.raises(ValueError, match="it holds 'application"):
        document.read(json.dumps(other).encode())
    for body in (b"", b"{}", document.seal(b"no json", "arn:key", b"x")):
        with pytest.raises(ValueError):
            document.read(body)


def test_numbers_and_places_belong_together() -> None:
    assert document.key_of(42) == "digests/00000042.json"
    assert document.number_of(document.key_of(42)) == 42
    for key in ("digests/42.json", "digests/00000042.json.bak", "x/digests/00000042.json", "digests/"):
        assert document.number_of(key) is None


@pytest.mark.parametrize("missing", ENVIRONMENT)
def test_a_variable_that_is_missing_is_named(missing: str) -> None:
    told = {name: "1" for name in ENVIRONMENT if name != missing}
    with pytest.raises(PlatformError, match=missing):
        write_digest(Clients(None, None, None), told, datetime.now(UTC))

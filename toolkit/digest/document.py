"""The digest as a document: what it says, where it lies, and the envelope in which it is signed.

The envelope is DSSE, see `toolkit.dsse`.
"""

import re
from typing import Any

import msgspec

from toolkit import dsse
from toolkit.contracts import Shape
from toolkit.digest.lines import ChainHead, LineSeen
from toolkit.dsse import Envelope

PREFIX = "digests/"
"""Audit bucket: where the digests lie, numbered without a gap."""

PAYLOAD_TYPE = "application/vnd.tfkit.digest+json"
_KEY = re.compile(re.escape(PREFIX) + r"(\d{8})\.json")


class ObjectSeen(Shape, frozen=True):
    """An object of records: one version of it, the SHA-256 and the number of its bytes."""

    key: str
    version: str
    sha256: str
    bytes: int


class OpenRun(Shape, frozen=True):
    """A run whose chain is not whole yet: its lines so far, and when the first was seen (RFC 3339)."""

    run_id: str
    since: str
    lines: list[LineSeen]


class Digest(Shape, frozen=True):
    """What the bucket held. Times are RFC 3339 in UTC.

    `previous` is the SHA-256 of the envelope before, empty for number 0. Everything that was put before
    `until` is in this digest or in one before it. `objects` are those that no digest named before, `chains`
    those that have closed since, `runs` the number of rows in the table by day. `lock_mode` and `lock_days`
    are the retention that the platform promised for new objects.
    """

    stack: str
    bucket: str
    number: int
    previous: str
    at: str
    until: str
    objects: list[ObjectSeen] = []
    chains: list[ChainHead] = []
    open: list[OpenRun] = []
    runs: dict[str, int] = {}
    lock_mode: str = ""
    lock_days: int = 0
    v: int = 1


def key_of(number: int) -> str:
    """Where the digest of this number lies."""
    return f"{PREFIX}{number:08d}.json"


def number_of(key: str) -> int | None:
    """The number of the digest that lies there; None for what is no digest's place."""
    found = _KEY.fullmatch(key)
    return int(found[1]) if found else None


def to_sign(payload: bytes) -> bytes:
    """The SHA-256 that is signed of a digest with this payload."""
    return dsse.to_sign(PAYLOAD_TYPE, payload)


def seal(payload: bytes, key_arn: str, signature: bytes) -> bytes:
    """The signed envelope as it is stored."""
    return dsse.seal(PAYLOAD_TYPE, payload, key_arn, signature)


def sign(kms: Any, key_arn: str, payload: bytes) -> bytes:
    """Have KMS sign the payload; returns the envelope. Raises what boto3 raises."""
    return dsse.sign(kms, key_arn, PAYLOAD_TYPE, payload)


def read(body: bytes) -> tuple[Envelope, Digest]:
    """The envelope and what is in it. The signature is not looked at; raises ValueError for anything else."""
    envelope = dsse.read(body, PAYLOAD_TYPE, "digest")
    return envelope, msgspec.json.decode(envelope.content, type=Digest)

"""The digest as a document: what it says, where it lies, and the envelope in which it is signed.

The envelope is DSSE, so that others can check it too:
https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
"""

import base64
import hashlib
import re

import msgspec

from toolkit.contracts import Shape
from toolkit.digest.lines import ChainHead, LineSeen

PREFIX = "digests/"
"""Audit bucket: where the digests lie, numbered without a gap."""

PAYLOAD_TYPE = "application/vnd.tfkit.digest+json"
ALGORITHM = "ECDSA_SHA_256"
"""The signing algorithm of KMS for a key on NIST P-256:
https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html"""

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


class Signature(Shape, frozen=True):
    """A signature in base64, and the ARN of the key that made it."""

    keyid: str
    sig: str


class Envelope(msgspec.Struct, frozen=True):
    """A DSSE envelope; the payload is the digest's JSON in base64."""

    payload: str
    payloadType: str  # noqa: N815 - the name in the standard
    signatures: list[Signature]

    @property
    def content(self) -> bytes:
        """The payload's bytes. Raises ValueError where it is no base64."""
        return base64.b64decode(self.payload, validate=True)


def key_of(number: int) -> str:
    """Where the digest of this number lies."""
    return f"{PREFIX}{number:08d}.json"


def number_of(key: str) -> int | None:
    """The number of the digest that lies there; None for what is no digest's place."""
    found = _KEY.fullmatch(key)
    return int(found[1]) if found else None


def to_sign(payload: bytes) -> bytes:
    """The SHA-256 that is signed: of DSSE's pre-authentication encoding of type and payload."""
    head = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} ".encode()
    return hashlib.sha256(head + payload).digest()


def seal(payload: bytes, key_arn: str, signature: bytes) -> bytes:
    """The signed envelope as it is stored."""
    signed = Signature(keyid=key_arn, sig=base64.b64encode(signature).decode())
    return msgspec.json.encode(Envelope(base64.b64encode(payload).decode(), PAYLOAD_TYPE, [signed]))


def read(body: bytes) -> tuple[Envelope, Digest]:
    """The envelope and what is in it. The signature is not looked at; raises ValueError for anything else."""
    envelope = msgspec.json.decode(body, type=Envelope)
    if envelope.payloadType != PAYLOAD_TYPE:
        raise ValueError(f"it holds {envelope.payloadType!r} and no digest")
    return envelope, msgspec.json.decode(envelope.content, type=Digest)

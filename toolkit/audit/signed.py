"""The signed digests: are they all there, does each follow from the one before, and did our key sign them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from toolkit.audit.evidence import Evidence, Fetched, Version
from toolkit.audit.objects import Promise
from toolkit.audit.report import DigestsSeen, Problem
from toolkit.contracts import Shape
from toolkit.digest import document
from toolkit.digest.document import Digest
from toolkit.digest.lines import ChainHead
from toolkit.dsse import ALGORITHM, Check, Envelope, with_public_key
from toolkit.telemetry.restore import UNREADABLE


class Named(NamedTuple):
    """What a digest says of something, and the digest's number."""

    said: str
    number: int


class Signed:
    """What the valid digests say, all together."""

    def __init__(self) -> None:
        self.heads: dict[str, list[tuple[ChainHead, int]]] = {}
        self.objects: dict[tuple[str, str], Named] = {}
        self.counts: list[tuple[Digest, str, int]] = []
        """Digest, day, and how many runs it counted of it."""
        self.promises: list[Promise] = []
        self.problems: list[Problem] = []
        self.foreign: list[Problem] = []
        """Those that another key has signed."""
        self.valid = 0
        self.last: tuple[Digest, str] | None = None
        """The newest valid one, and the hash of its envelope."""
        self.hashes: dict[int, str] = {}

    @property
    def until(self) -> datetime | None:
        """Everything that was in the bucket before this is in a digest."""
        return datetime.fromisoformat(self.last[0].until) if self.last else None

    @property
    def seen(self) -> DigestsSeen:
        """For the report."""
        if self.last is None:
            return DigestsSeen()
        digest = self.last[0]
        return DigestsSeen(valid=self.valid, last=digest.number, at=digest.at, until=digest.until)

    def take(self, digest: Digest, envelope_sha256: str) -> None:
        """Believe a digest whose signature is ours."""
        self.valid += 1
        for chain in digest.chains:
            known = self.heads.setdefault(chain.run_id, [])
            if chain not in [head for head, _ in known]:
                known.append((chain, digest.number))
        for item in digest.objects:
            self.objects.setdefault((item.key, item.version), Named(item.sha256, digest.number))
        self.counts += [(digest, day, count) for day, count in digest.runs.items()]
        self.promises.append(Promise(digest.lock_mode, digest.lock_days))
        if self.last is None or digest.number > self.last[0].number:
            self.last = (digest, envelope_sha256)


def gaps(versions: Iterable[Version]) -> list[Problem]:
    """The numbers that are missing, from 0 to the highest, and what else lies among the digests."""
    problems: list[Problem] = []
    numbers: set[int] = set()
    for version in versions:
        number = document.number_of(version.key)
        if number is None:
            problems.append(
                Problem(kind="digest_invalid", object=version.key, message="it is no digest's name")
            )
        elif not version.marker:
            numbers.add(number)
    expected = 0
    for number in sorted(numbers):
        if number > expected:
            names = f"digest {expected}" if number == expected + 1 else f"digests {expected} to {number - 1}"
            problems.append(
                Problem(
                    kind="digest_missing",
                    object=document.key_of(expected),
                    message=f"{names}: not in the bucket, and there are later ones",
                )
            )
        expected = number + 1
    return problems


def to_fetch(versions: Sequence[Version], since: datetime) -> list[Version]:
    """The digests since then and the one before, by number; of a key with several versions the oldest."""
    oldest: dict[int, Version] = {}
    for version in sorted(versions, key=lambda one: one.modified):
        number = document.number_of(version.key)
        if number is not None and not version.marker:
            oldest.setdefault(number, version)
    inside = [number for number, version in oldest.items() if version.modified >= since]
    before = [number for number in oldest if number < min(inside, default=1 << 62)]
    return [oldest[number] for number in sorted([*inside, *([max(before)] if before else [])])]


def read_signed(fetched: Iterable[Fetched], stack: str, bucket: str, key_arn: str, check: Check) -> Signed:
    """Look at digests in the order of their numbers."""
    signed = Signed()
    before: tuple[int, str] | None = None
    for item in fetched:
        number = document.number_of(item.version.key)
        assert number is not None, "see `to_fetch`"
        hashed = sha256(item.body).hexdigest()
        signed.hashes[number] = hashed
        try:
            envelope, digest = document.read(item.body)
            signer = envelope.signatures[0]
            wrong = _misplaced(digest, number, stack, bucket, before) or _unsigned(envelope, check)
        except (*UNREADABLE, IndexError) as error:
            signer, digest, wrong = None, None, f"it cannot be read: {error}"
        before = (number, hashed)
        if signer and signer.keyid != key_arn:
            said = f"it is signed by another key: {signer.keyid}"
            signed.foreign.append(Problem(kind="digest_invalid", object=item.version.key, message=said))
        elif wrong:
            signed.problems.append(Problem(kind="digest_invalid", object=item.version.key, message=wrong))
        elif digest:
            signed.take(digest, hashed)
    return signed


def _unsigned(envelope: Envelope, check: Check) -> str:
    """What is wrong with the signature; raises ValueError for one that is no base64."""
    fits = check(document.to_sign(envelope.content), envelope.signatures[0].content)
    return "" if fits else "its signature is not of this content"


def _misplaced(digest: Digest, number: int, stack: str, bucket: str, before: tuple[int, str] | None) -> str:
    if digest.number != number:
        return f"it says that it is number {digest.number}"
    if (digest.stack, digest.bucket) != (stack, bucket):
        return f"it is of stack {digest.stack} and bucket {digest.bucket}"
    if before and before[0] == number - 1 and digest.previous != before[1]:
        return f"digest {number - 1} is not the one that it follows"
    if number == 0 and digest.previous:
        return "it is number 0 and says that there was one before"
    return ""


def checker(evidence: Evidence) -> tuple[Check, bytes]:
    """How signatures are checked, and the public key (SPKI); empty where KMS has to be asked each time."""
    der = evidence.public_key()
    if der is None:
        return lambda digest, signature: evidence.kms_says(digest, signature, ALGORITHM), b""
    return with_public_key(der), der


class Row(Shape, frozen=True):
    """A digest in a list: how many objects it names, how many chains had closed."""

    number: int
    at: str
    until: str
    objects: int
    chains: int


def listed(evidence: Evidence, since: datetime) -> list[Row]:
    """The digests since then as they say themselves, newest first; those that cannot be read are left out."""
    versions = list(evidence.versions(document.PREFIX))
    wanted = [version for version in to_fetch(versions, since) if version.modified >= since]
    rows: list[Row] = []
    for item in evidence.fetch(wanted):
        try:
            _, digest = document.read(item.body)
        except UNREADABLE:
            continue
        counts = (len(digest.objects), len(digest.chains))
        rows.append(
            Row(number=digest.number, at=digest.at, until=digest.until, objects=counts[0], chains=counts[1])
        )
    return rows[::-1]

"""A digest to keep elsewhere (`--digest FILE`): what was there, so that a later check finds what is not.

It needs no key and no trust in the account: whoever keeps the file where the account's people cannot write
has what even its administrator cannot change.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import msgspec

from toolkit.audit.report import Problem
from toolkit.contracts import Shape
from toolkit.deploy.disk import write_atomically
from toolkit.digest.lines import ChainHead
from toolkit.errors import UsageError
from toolkit.telemetry.restore import UNREADABLE


class Baseline(Shape, frozen=True):
    """What `audit verify` found in a window. Times are RFC 3339, hashes SHA-256 in hex.

    `objects` maps `key@version` to the hash of the bytes, `objects_sha256` is over all of them;
    `public_key` is the hash of the key that checks the signed digests (its SPKI), and `last_digest` the
    number of the newest of these, with the hash of its envelope.
    """

    stack: str
    account: str
    region: str
    bucket: str
    at: str
    since: str
    runs: int
    records: int
    chains: dict[str, ChainHead]
    objects: dict[str, str]
    objects_sha256: str
    public_key: str = ""
    last_digest: int | None = None
    last_digest_sha256: str = ""
    v: int = 1

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """The digest in the file; None where there is no file. Raises `UsageError` for another content."""
        try:
            found = msgspec.json.decode(path.read_bytes(), type=cls)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
        except UNREADABLE as error:
            raise UsageError(
                f"{path} is no digest of tfkit's: {error}", "name another file; a new one is written there"
            ) from error
        if found.objects_sha256 != hash_of(found.objects):
            raise UsageError(f"{path} was changed after it was written", "take it from where it was kept")
        return found

    def save(self, path: Path) -> str:
        """Write the file whole or not at all; returns the hash of its bytes. Raises `DeployFailed`."""
        body = msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"
        write_atomically(path, body)
        return hashlib.sha256(body).hexdigest()


def hash_of(objects: Mapping[str, str]) -> str:
    """One hash over a list of objects."""
    outer = hashlib.sha256()
    for name, sha256 in sorted(objects.items()):
        outer.update(f"{sha256}  {name}\n".encode())
    return outer.hexdigest()


def differences(
    kept: Baseline, now: Baseline, digests: Mapping[int, str], running: frozenset[str]
) -> Iterator[Problem]:
    """What the kept digest names and is gone or different. `digests` are hashes of envelopes by number.

    A run that had not ended may have got more records since, so its chain is not compared.
    """
    for run_id, chain in kept.chains.items():
        found = now.chains.get(run_id)
        if run_id not in running and found != chain:
            said = "it is gone" if found is None else f"now it has {found.records} records and another end"
            yield _problem(f"the chain of {chain.records} records that the file names: {said}", run_id=run_id)
    for name, sha256 in kept.objects.items():
        found_hash = now.objects.get(name)
        if found_hash != sha256:
            said = "is gone" if found_hash is None else "has another content"
            yield _problem(f"the version {name.rpartition('@')[2]} {said}", key=name.rpartition("@")[0])
    if kept.public_key and now.public_key and kept.public_key != now.public_key:
        yield _problem("the key that signs the digests is another one")
    if kept.last_digest is not None and digests.get(kept.last_digest) != kept.last_digest_sha256:
        said = "is another one" if kept.last_digest in digests else "is gone"
        yield _problem(f"the signed digest {kept.last_digest} {said}")


def refuse_other(kept: Baseline, path: Path, stack: str, account: str, bucket: str) -> None:
    """Raise `UsageError` where the file is of another platform."""
    if (kept.stack, kept.account, kept.bucket) != (stack, account, bucket):
        raise UsageError(
            f"{path} is of stack {kept.stack} in account {kept.account}, this is {stack} in {account}",
            "name the file of this platform; one that does not exist yet is written",
        )


def _problem(message: str, *, run_id: str = "", key: str = "") -> Problem:
    return Problem(kind="baseline", run_id=run_id, object=key, message=message)

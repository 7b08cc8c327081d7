"""The statement of a run that is `ok`: which tree, what was checked and by what, and what was not proven.

An in-toto statement (v1) in a DSSE envelope. Its subject is the tree's list of files, as `sha256sum` writes
it; so a tree is that of a statement if its list has that hash:
https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md

    the agent ──▶ make, KMS signs ──▶ runs bucket: `runs/<run_id>/statement.json`, `statements/<hash>.json`
    `tfkit verify` ──▶ toolkit.verifying

What it is worth is what the agent's role is worth: whoever has that role inside the agent's function, or can
give the function another code, can sign anything. What a model writes is checked in another function.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from toolkit import __version__, dsse
from toolkit.contracts import FileEntry, ProviderUsed, RunResult, SkippedCheck, Tool, Usage, list_hash
from toolkit.dsse import Envelope

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "urn:tfkit:run:v1"
"""Fields may be added to it; one that changes its meaning makes another type."""

SUBJECT = "tree"


class Lax(msgspec.Struct, frozen=True):
    """Base of what a later tfkit may have added to: readers skip the fields that they do not know."""


class Subject(Lax, frozen=True, kw_only=True):
    """What a statement is about; `digest` is by algorithm, in hexadecimal."""

    name: str
    digest: dict[str, str]


class CheckSaid(Lax, frozen=True, kw_only=True):
    """How a validator ended on the tree, and by which tool; `findings` are those below its threshold."""

    validator: str
    status: str
    tool: Tool | None = None
    findings: int = 0
    detail: str = ""


class Predicate(Lax, frozen=True, kw_only=True):
    """What the agent claims of the run. `caller` is whom the client named; `finished` is RFC 3339 in UTC;
    `model` is the one that answered, or all that did.

    `files` is the list that the subject's hash is of. `providers` are those that terraform's init chose, with
    the hashes of its lock file; `version` is tfkit's. `start` is the tree of the user's own files that the
    run or its conversation began with, empty where these began with none: the agent's own are no such.
    """

    run_id: str
    stack: str
    version: str
    model: str
    caller: str
    finished: str
    attempts: int
    usage: Usage
    files: list[FileEntry]
    checks: list[CheckSaid]
    skipped: list[SkippedCheck] = []
    not_proven: list[str] = []
    providers: list[ProviderUsed] = []
    sandbox: str = "none"
    start: str = ""


class Statement(Lax, frozen=True, kw_only=True):
    """An in-toto statement of ours."""

    type_: str = msgspec.field(name="_type", default=STATEMENT_TYPE)
    subject: list[Subject]
    predicateType: str = PREDICATE_TYPE  # noqa: N815 - the name in the standard
    predicate: Predicate

    @property
    def tree(self) -> str:
        """The hash of its tree, as `contracts.Tree.hash` has it."""
        return f"sha256:{self.subject[0].digest['sha256']}"


def make(
    result: RunResult,
    stack: str,
    caller: str,
    finished: str,
    providers: Sequence[ProviderUsed],
    brought: str = "",
) -> Statement:
    """The statement of a run with this outcome; nobody has signed it yet. Raises ValueError unless `ok`.

    `brought` is the hash of the tree of the user's own files, empty for none.
    """
    if result.status != "ok":
        raise ValueError(f"run {result.run_id} is {result.status}: there is nothing to state")
    checks = [
        CheckSaid(
            validator=check.validator,
            status=check.status,
            tool=check.tool,
            findings=len(check.findings),
            detail=check.detail,
        )
        for check in result.checks
    ]
    predicate = Predicate(
        run_id=result.run_id,
        stack=stack,
        version=__version__,
        model=", ".join(result.models) or result.model,
        caller=caller,
        finished=finished,
        attempts=len(result.attempts),
        usage=result.usage,
        files=result.files,
        checks=checks,
        skipped=result.skipped,
        not_proven=result.not_proven,
        providers=list(providers),
        sandbox=result.sandbox,
        start=brought,
    )
    subject = Subject(name=SUBJECT, digest={"sha256": list_hash(result.files)})
    return Statement(subject=[subject], predicate=predicate)


def to_sign(payload: bytes) -> bytes:
    """The SHA-256 that is signed of a statement with this payload."""
    return dsse.to_sign(PAYLOAD_TYPE, payload)


def sign(kms: Any, key_arn: str, statement: Statement) -> bytes:
    """Have KMS sign it; returns the envelope. Raises what boto3 raises."""
    return dsse.sign(kms, key_arn, PAYLOAD_TYPE, msgspec.json.encode(statement))


def read(body: bytes) -> tuple[Envelope, Statement]:
    """The envelope and what is in it. The signature is not looked at; raises ValueError for anything else."""
    envelope = dsse.read(body, PAYLOAD_TYPE, "statement")
    # What sort of statement it is comes before what is in it, which another sort has otherwise.
    kind = msgspec.json.decode(envelope.content, type=_Kind)
    if (kind.type_, kind.predicateType) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise ValueError(f"it is a statement of another sort: {kind.predicateType}")
    statement = msgspec.json.decode(envelope.content, type=Statement)
    hashes = [subject.digest.get("sha256") for subject in statement.subject]
    if hashes != [list_hash(statement.predicate.files)]:
        raise ValueError("its subject is not the tree of its files")
    return envelope, statement


class _Kind(Lax, frozen=True, kw_only=True):
    type_: str = msgspec.field(name="_type")
    predicateType: str  # noqa: N815

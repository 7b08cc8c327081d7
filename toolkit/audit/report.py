"""What `audit verify` says."""

from typing import Literal

from toolkit.contracts import Shape

Kind = Literal[
    "missing_run",  # the table has the run, and the bucket nothing, or not all, of it
    "unclosed",  # its last record is not there: it died, or its end was taken away
    "no_row",  # records of a run that the table does not know
    "missing_record",
    "altered_record",
    "extra_record",  # after the last one
    "conflict",  # two different records of one number
    "differs_from_copy",  # the last record is not the one beside the run's artifacts
    "unreadable",
    "overwritten",  # a second version of an object
    "deleted",  # a delete marker
    "unlocked",
    "content_missing",
    "content_altered",
    "object_missing",  # a digest names it
    "object_altered",  # a digest knows it otherwise
    "forged_chain",  # whole, and not the one of which a digest knows the head
    "unsigned_run",  # in no digest, although it was there in time
    "rows_missing",  # fewer runs of a day than a digest counted
    "digest_missing",
    "digest_invalid",
    "digest_stale",
    "baseline",  # what `--digest FILE` names is gone or different
]


class Problem(Shape, frozen=True):
    """One thing that is wrong. `object` is a key of the audit bucket, `line` counts from 1; 0 is all."""

    kind: Kind
    message: str
    run_id: str = ""
    object: str = ""
    line: int = 0


class Window(Shape, frozen=True):
    """The time that was looked at, RFC 3339."""

    since: str
    until: str


class DigestsSeen(Shape, frozen=True):
    """The signed digests of the window: how many are valid, the newest, and until when they cover all."""

    valid: int = 0
    last: int | None = None
    at: str = ""
    until: str = ""


class Report(Shape, frozen=True):
    """The outcome. `runs` are the rows of the window, of which `running` have not ended and `pending` wait
    for Firehose; `records` are the different ones of these runs, `signed` the runs that a signed digest
    confirms. `notes` is what the reader must know beside `ok`.
    """

    ok: bool
    runs: int
    records: int
    problems: list[Problem]
    running: list[str] = []
    pending: list[str] = []
    signed: int = 0
    objects: int = 0
    digests: DigestsSeen = DigestsSeen()
    window: Window | None = None
    notes: list[str] = []

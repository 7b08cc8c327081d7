"""The local index: one SQLite file per stack, safe against two processes at once and against a kill.

Write-ahead logging lets a list read while another process indexes, and each batch of objects is one
transaction, so a kill leaves the index as it was before the batch. A file that is damaged, of another
schema or of another account is thrown away and filled again from the buckets. A stack that went down, or
to other buckets, leaves its past here: objects are kept as they came, compressed, and a span or a text is
read from there, so that the rows stay small. What people and `--sql` ask are the views (`views`).
"""

import fcntl
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from toolkit.traces import views

SCHEMA = 3
"""Raised whenever the tables below or the views change; an index of another number is rebuilt."""

_WAIT_S = 60.0

_CACHE_KIB = 16 * 1024

_CHECKPOINT_PAGES = 8192
"""How long the log gets before it is written into the file: 32 MiB, as a batch is some 10."""

_TABLES = """
CREATE TABLE about (source TEXT NOT NULL);
-- An object that was read: its bytes as gzip. `problem` says what could not be read of it.
CREATE TABLE object (
    id INTEGER PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, problem TEXT NOT NULL, body BLOB NOT NULL
);
CREATE UNIQUE INDEX object_key ON object (bucket, key);
-- A day (ISO date) of an audit bucket that was listed when nothing could be added to it any more.
CREATE TABLE sealed_day (bucket TEXT NOT NULL, day TEXT NOT NULL, PRIMARY KEY (bucket, day)) WITHOUT ROWID;
-- What `traces` lists; derived from the tables below whenever a record of the run arrives.
CREATE TABLE run (
    number INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, trace_id TEXT NOT NULL DEFAULT '',
    start_ns INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '', input_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0, cost_usd REAL, tool_calls INTEGER NOT NULL DEFAULT 0,
    spans INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',
    complete INTEGER NOT NULL DEFAULT 0, pending INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX run_start ON run (start_ns);
-- A record of a run, and where it stands in its object (bytes of the plain text). `delivered` is 0 while only
-- the copy beside the artifacts is known.
CREATE TABLE record (
    run INTEGER NOT NULL, seq INTEGER NOT NULL, last INTEGER NOT NULL, delivered INTEGER NOT NULL,
    object INTEGER NOT NULL, place INTEGER NOT NULL, length INTEGER NOT NULL, PRIMARY KEY (run, seq)
) WITHOUT ROWID;
-- Times are nanoseconds since 1970; `status` is OTLP's (2 is an error).
CREATE TABLE span (
    run INTEGER NOT NULL, span_id TEXT NOT NULL, seq INTEGER NOT NULL, parent_id TEXT NOT NULL,
    trace_id TEXT NOT NULL, name TEXT NOT NULL, operation TEXT NOT NULL, tool TEXT NOT NULL,
    model TEXT NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, status INTEGER NOT NULL,
    message TEXT NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    PRIMARY KEY (run, span_id)
) WITHOUT ROWID;
-- What the root span says of its run; NULL is what it does not say.
CREATE TABLE root (
    run INTEGER NOT NULL, span_id TEXT NOT NULL, seq INTEGER NOT NULL, trace_id TEXT NOT NULL,
    start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, status TEXT, model TEXT, input_tokens INTEGER,
    output_tokens INTEGER, cost_usd REAL, tool_calls INTEGER, error TEXT, PRIMARY KEY (run, span_id)
) WITHOUT ROWID;
-- `validators` is JSON (name: status); `findings` how many, -1 where they cannot be read.
CREATE TABLE attempt (
    run INTEGER NOT NULL, span_id TEXT NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL, tree TEXT NOT NULL,
    start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, validators TEXT NOT NULL, findings INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost_usd REAL,
    PRIMARY KEY (run, span_id)
) WITHOUT ROWID;
CREATE TABLE finding (
    run INTEGER NOT NULL, span_id TEXT NOT NULL, place INTEGER NOT NULL, validator TEXT NOT NULL,
    rule TEXT NOT NULL, severity TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL,
    message TEXT NOT NULL, PRIMARY KEY (run, span_id, place)
) WITHOUT ROWID;
"""


class Damaged(Exception):
    """The index cannot be used and must be discarded. `inode` is the file that was found so."""

    def __init__(self, inode: int) -> None:
        super().__init__(f"index file {inode}")
        self.inode = inode


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the file itself is bad; a lock or a full disk is real, but no reason to throw it away."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "no such" in str(error)


class Index:
    """The index file of one stack. `source` names the account that it is of."""

    def __init__(self, path: Path, source: str) -> None:
        self.path = path
        self.source = source

    @contextmanager
    def open(self) -> Generator[sqlite3.Connection, None, None]:
        """A connection for the length of the block, in autocommit; raises Damaged, from anywhere inside."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        inode = self._ensure()
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            self._check(connection, inode)
            yield connection
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                raise Damaged(inode) from error
            raise
        finally:
            if connection is not None:
                connection.close()

    def discard(self, inode: int) -> None:
        """Remove the file with this inode, unless another process has already put a new one in its place."""
        with self._locked():
            if self._inode() != inode:
                return
            # The log goes first: once the main file is gone another process may begin a new log.
            for suffix in ("-wal", "-shm", ""):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def _inode(self) -> int:
        try:
            return self.path.stat().st_ino
        except FileNotFoundError:
            return 0

    @contextmanager
    def _locked(self) -> Generator[None, None, None]:
        """Only one process at a time creates or removes the file."""
        handle = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _ensure(self) -> int:
        """Create the file where there is none; returns its inode."""
        if inode := self._inode():
            return inode
        with self._locked():
            if not self._inode():
                self._create()
            return self._inode()

    def _create(self) -> None:
        """Write the empty index under another name and move it into place, so that it is never half there."""
        new = Path(f"{self.path}.new")
        new.unlink(missing_ok=True)
        # Prompts and answers lie in it: readable by its owner alone.
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(new)
        try:
            # Nothing is in it yet that a power cut could cost; what it leaves is found to be no index.
            connection.execute("PRAGMA synchronous = OFF")
            connection.executescript(_TABLES)
            connection.executescript(views.SQLITE)
            connection.execute("INSERT INTO about VALUES (?)", (self.source,))
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
            connection.commit()
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        new.replace(self.path)

    def _check(self, connection: sqlite3.Connection, inode: int) -> None:
        if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
            raise Damaged(inode)
        if connection.execute("SELECT source FROM about").fetchone() != (self.source,):
            raise Damaged(inode)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None, None, None]:
    """All or nothing, and nobody else writes meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.rollback()
        raise
    connection.commit()

"""The local index: one SQLite file per stack, safe against two processes at once and against a kill.

Write-ahead logging lets a list read while another process indexes, and each batch of objects is one
transaction, so a kill leaves the index as it was before the batch. A file that is damaged, of another
schema or of another account is thrown away and filled again from the buckets. A stack that went down, or
to other buckets, leaves its past here.
"""

import fcntl
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = 2
"""Raised whenever the tables below change; an index of another number is rebuilt."""

_WAIT_S = 60.0

_TABLES = """
CREATE TABLE about (source TEXT NOT NULL);
-- An object that was read. `problem` says what could not be read of it.
CREATE TABLE objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, problem TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
-- A day (ISO date) of an audit bucket that was listed when nothing could be added to it any more.
CREATE TABLE sealed_days (bucket TEXT NOT NULL, day TEXT NOT NULL, PRIMARY KEY (bucket, day)) WITHOUT ROWID;
-- A record of a run. `delivered` is 0 while only the copy beside the artifacts is known.
CREATE TABLE records (
    run_id TEXT NOT NULL, seq INTEGER NOT NULL, last INTEGER NOT NULL, delivered INTEGER NOT NULL,
    PRIMARY KEY (run_id, seq)
) WITHOUT ROWID;
CREATE TABLE contents (
    run_id TEXT NOT NULL, sha256 TEXT NOT NULL, text BLOB NOT NULL
);
CREATE UNIQUE INDEX contents_key ON contents (run_id, sha256);
-- Times are nanoseconds since 1970; `status` is OTLP's (2 is an error); `body` is the span's JSON.
CREATE TABLE spans (
    run_id TEXT NOT NULL, seq INTEGER NOT NULL, span_id TEXT NOT NULL, parent_id TEXT NOT NULL,
    trace_id TEXT NOT NULL, name TEXT NOT NULL, operation TEXT NOT NULL, model TEXT NOT NULL,
    start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, status INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE UNIQUE INDEX spans_key ON spans (run_id, span_id);
-- What `traces` lists; derived from the tables above whenever a record of the run arrives.
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, trace_id TEXT NOT NULL, start_ns INTEGER NOT NULL, seconds REAL NOT NULL,
    status TEXT NOT NULL, model TEXT NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    cost_usd REAL, tool_calls INTEGER NOT NULL, spans INTEGER NOT NULL,
    complete INTEGER NOT NULL, pending INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX runs_start ON runs (start_ns);
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
            connection.executescript(_TABLES)
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

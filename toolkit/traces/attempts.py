"""What the gate said of each attempt, from its spans (`toolkit.telemetry.attempts`) into rows."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from toolkit.telemetry import attempts, names
from toolkit.telemetry.restore import UNREADABLE, Texts
from toolkit.traces.heads import SpanHead
from toolkit.traces.records import decode_record, money, number, text
from toolkit.traces.texts import inline_of


class _Finding(msgspec.Struct):
    """A contracts.Finding as it may be found: whatever is missing is empty."""

    validator: str = ""
    rule: str = ""
    severity: str = ""
    message: str = ""
    file: str = ""
    line: int = 0


_findings = msgspec.json.Decoder(list[_Finding])


def add_attempts(
    connection: sqlite3.Connection, run: int, seq: int, spans: Sequence[SpanHead], line: bytes
) -> None:
    """Add the attempts that a record holds. `line` is the record, whose texts their findings may lie in."""
    if not spans:
        return
    here, elsewhere = _Once(line), inline_of(connection, run)
    texts = Texts(lambda sha256: here.get(sha256) or elsewhere(sha256), lambda _: None)
    for span in spans:
        said = {key: texts.resolve(value) for key, value in (span.said or {}).items()}
        found = _read(said.get(attempts.FINDINGS))
        key = (run, span.span_id)
        added = connection.execute(
            "INSERT OR IGNORE INTO attempt VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *key,
                seq,
                number(said.get(attempts.NUMBER)),
                text(said.get(attempts.TREE)),
                span.start_ns,
                span.end_ns,
                text(said.get(attempts.VALIDATORS)),
                -1 if found is None else len(found),
                span.input_tokens,
                span.output_tokens,
                money(said.get(names.COST_USD)),
            ),
        )
        if added.rowcount and found:
            connection.executemany(
                "INSERT OR IGNORE INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (*key, place, f.validator, f.rule, f.severity, f.file, number(f.line), f.message)
                    for place, f in enumerate(found)
                ],
            )


class _Once:
    """The texts of one record, decoded when the first of them is asked for."""

    def __init__(self, line: bytes) -> None:
        self._line = line
        self._contents: dict[str, msgspec.Raw] | None = None

    def get(self, sha256: str) -> bytes | None:
        """A content's JSON."""
        if self._contents is None:
            try:
                self._contents = decode_record(self._line).contents
            except UNREADABLE:
                self._contents = {}
        found = self._contents.get(sha256)
        return None if found is None else bytes(found)


def _read(value: Any) -> list[_Finding] | None:
    try:
        return _findings.decode(value) if isinstance(value, str) else None
    except UNREADABLE:
        return None

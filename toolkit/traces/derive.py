"""The rows of runs, from their records and spans: what `traces` lists.

The root span says how a run ended, but only the closed chain says that it did: without a `last` record the
status is `running`. Before the root is there, tokens and tool calls are counted from below.
"""

import sqlite3
from collections.abc import Iterable

from toolkit.telemetry import names

_TOKENS_MAX = 10**12
"""More than that nobody has spent, and sums of it stay within what SQLite can hold."""

_CHAT = names.OPERATION_CHAT

_TOUCHED = "CREATE TEMP TABLE IF NOT EXISTS touched (run INTEGER PRIMARY KEY)"

_DERIVED = f"""
WITH chain AS (
    SELECT run, count(*) AS records, max(CASE WHEN last THEN seq END) AS last, min(delivered) AS delivered
    FROM record WHERE run IN (SELECT run FROM touched) GROUP BY run
), below AS (
    SELECT run, count(*) AS spans, min(start_ns) AS start_ns, max(end_ns) AS end_ns,
        sum(operation = '{names.OPERATION_TOOL}') AS tools,
        sum(min(input_tokens, {_TOKENS_MAX})) FILTER (WHERE operation = '{_CHAT}') AS tokens_in,
        sum(min(output_tokens, {_TOKENS_MAX})) FILTER (WHERE operation = '{_CHAT}') AS tokens_out,
        min(trace_id) AS trace_id, max(model) AS model
    FROM span WHERE run IN (SELECT run FROM touched) GROUP BY run
), above AS (
    SELECT *, min(start_ns) FROM root WHERE run IN (SELECT run FROM touched) GROUP BY run
), tried AS (
    SELECT run, max(n) AS attempts FROM attempt WHERE run IN (SELECT run FROM touched) GROUP BY run
)
UPDATE run SET
    trace_id = coalesce(found.root_trace_id, found.trace_id, ''),
    start_ns = found.start_ns,
    seconds = max(found.end_ns - found.start_ns, 0) / 1e9,
    status = CASE WHEN found.last IS NULL THEN 'running' ELSE coalesce(found.status, 'error') END,
    model = coalesce(found.root_model, found.model, ''),
    input_tokens = coalesce(found.root_in, found.tokens_in, 0),
    output_tokens = coalesce(found.root_out, found.tokens_out, 0),
    cost_usd = found.cost_usd,
    tool_calls = coalesce(found.root_tools, found.tools, 0),
    spans = coalesce(found.spans, 0),
    attempts = coalesce(found.attempts, 0),
    error = coalesce(found.error, ''),
    complete = found.last IS NOT NULL AND found.records = found.last + 1,
    pending = NOT found.delivered
FROM (
    SELECT chain.run, chain.records, chain.last, chain.delivered, below.spans, below.tools, below.tokens_in,
        below.tokens_out, below.trace_id, below.model, tried.attempts,
        coalesce(above.start_ns, below.start_ns, 0) AS start_ns,
        coalesce(above.end_ns, below.end_ns, 0) AS end_ns,
        above.trace_id AS root_trace_id, above.status, above.model AS root_model,
        above.input_tokens AS root_in, above.output_tokens AS root_out, above.cost_usd,
        above.tool_calls AS root_tools, above.error
    FROM chain LEFT JOIN below USING (run) LEFT JOIN above USING (run) LEFT JOIN tried USING (run)
) AS found
WHERE run.number = found.run
"""  # noqa: S608 - our own names


def derive_runs(connection: sqlite3.Connection, runs: Iterable[int]) -> None:
    """Write the rows of these runs (by number) anew."""
    connection.execute(_TOUCHED)
    connection.execute("DELETE FROM touched")
    connection.executemany("INSERT INTO touched VALUES (?)", [(run,) for run in runs])
    connection.execute(_DERIVED)

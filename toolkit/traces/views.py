"""The views `runs`, `spans`, `attempts` and `findings`: what `--sql`, Parquet and Athena have in common.

The columns and their order are the same everywhere; `docs/traces.md` tells them too, and a test compares.
Times are RFC 3339 texts in UTC with milliseconds, which sort and compare as they stand.
"""

from collections.abc import Mapping

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "runs": {
        "run_id": "the run",
        "trace_id": "its trace, 32 hex digits",
        "start": "when it began",
        "seconds": "how long it took",
        "status": "running, ok, not_converged, budget_exceeded, cancelled or error",
        "model": "the model, by its name in the registry",
        "input_tokens": "tokens to the model",
        "output_tokens": "tokens from the model",
        "cost_usd": "US dollars; NULL where no price is known",
        "tool_calls": "calls of tools",
        "spans": "how many spans it has",
        "attempts": "how often the gate was asked",
        "error": "what went wrong, in words",
        "complete": "1 when every record of it is there",
        "pending": "1 while some record is still to be delivered",
    },
    "spans": {
        "run_id": "the run",
        "span_id": "the span, 16 hex digits",
        "parent_id": "the span above; empty for the root",
        "name": "what was done, like `chat haiku`",
        "operation": "invoke_agent, chat, execute_tool; empty for tfkit's own steps",
        "tool": "the tool of an execute_tool",
        "model": "the model of a chat, by its provider's name",
        "start": "when it began",
        "seconds": "how long it took",
        "status": "unset, ok or error",
        "message": "what went wrong, in words",
        "input_tokens": "tokens to the model; on the root and on an attempt the sum of what is in it",
        "output_tokens": "tokens from the model, likewise",
    },
    "attempts": {
        "run_id": "the run",
        "n": "1 for the first time that the gate was asked",
        "tree": "the hash of the files",
        "start": "when the work on it began",
        "seconds": "how long that took, its checks included",
        "findings": "how many findings there were to mend; -1 where the record of them cannot be read",
        "passed": "1 when this attempt is the one with which the run ended as ok",
        "validators": "JSON: how each validator ended",
        "input_tokens": "tokens to the model in this attempt",
        "output_tokens": "tokens from the model in this attempt",
        "cost_usd": "US dollars of this attempt; NULL where no price is known",
    },
    "findings": {
        "run_id": "the run",
        "attempt": "the attempt's n",
        "validator": "who says so",
        "rule": "which rule",
        "severity": "info, low, medium, high or critical",
        "file": "the file; empty for the whole tree",
        "line": "the line, from 1; 0 for the whole file",
        "message": "what is wrong",
    },
}


# fmt: off
INTEGERS = frozenset((
    "input_tokens", "output_tokens", "tool_calls", "spans", "attempts", "complete", "pending", "n",
    "findings", "passed", "attempt", "line",
))
# fmt: on
REALS = frozenset(("seconds", "cost_usd"))


def kind(column: str) -> str:
    """The type of a column, as DuckDB and Athena name it."""
    return "BIGINT" if column in INTEGERS else "DOUBLE" if column in REALS else "VARCHAR"


def _time(column: str) -> str:
    """Nanoseconds as RFC 3339; empty for 0, which is no time."""
    return (
        f"CASE WHEN {column} <= 0 THEN '' ELSE strftime('%Y-%m-%dT%H:%M:%S.',"
        f" min({column} / 1000000000, 253402300799), 'unixepoch')"
        f" || substr('000' || ({column} / 1000000 % 1000), -3) || 'Z' END"
    )


def _seconds(table: str) -> str:
    return f"round(max({table}.end_ns - {table}.start_ns, 0) / 1e9, 3)"


SQLITE = f"""
CREATE VIEW runs AS SELECT
    run_id, trace_id, {_time("start_ns")} AS start, round(seconds, 3) AS seconds, status, model, input_tokens,
    output_tokens, cost_usd, tool_calls, spans, attempts, error, complete, pending
FROM run;
CREATE VIEW spans AS SELECT
    r.run_id, s.span_id, s.parent_id, s.name, s.operation, s.tool, s.model, {_time("s.start_ns")} AS start,
    {_seconds("s")} AS seconds, CASE s.status WHEN 2 THEN 'error' WHEN 1 THEN 'ok' ELSE 'unset' END AS status,
    s.message, s.input_tokens, s.output_tokens
FROM span s JOIN run r ON r.number = s.run;
CREATE VIEW attempts AS SELECT
    r.run_id, a.n, a.tree, {_time("a.start_ns")} AS start, {_seconds("a")} AS seconds, a.findings,
    r.status = 'ok' AND a.n = r.attempts AS passed, a.validators,
    a.input_tokens, a.output_tokens, a.cost_usd
FROM attempt a JOIN run r ON r.number = a.run;
CREATE VIEW findings AS SELECT
    r.run_id, a.n AS attempt, f.validator, f.rule, f.severity, f.file, f.line, f.message
FROM finding f JOIN attempt a ON a.run = f.run AND a.span_id = f.span_id JOIN run r ON r.number = f.run;
"""  # noqa: S608 - our own names
"""Made once with the index."""

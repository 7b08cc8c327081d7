"""The views of `toolkit.traces.views` in Athena's words (Trino's SQL), over the Glue table of the records.

They are put before a query as `WITH …`, and so are restricted to the days that it is about, as Athena is
charged by the byte. The table's columns are those of `stacks.catalog`. What went past Firehose
(`fallback/`) or has not been delivered yet is not in it.
https://docs.aws.amazon.com/athena/latest/ug/flattening-arrays.html (an array of rows becomes columns)
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from toolkit.telemetry import attempts, names

_DAY = timedelta(days=1)
_WITH = re.compile(r"\s*WITH\s+(?!RECURSIVE\b)", re.IGNORECASE)


def days_of(since: datetime, until: datetime) -> str:
    """The condition for the partitions of the window and a day on each side.

    Plain comparisons, month by month: from anything else Athena would not work out which days to read.
    """
    first, last = since.astimezone(UTC).date() - _DAY, until.astimezone(UTC).date() + _DAY
    parts = [
        f"(year = {begin.year} AND month = {begin.month} AND day BETWEEN {begin.day} AND {end.day})"
        for begin, end in _months(first, last)
    ]
    return "(" + " OR ".join(parts) + ")"


def _months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The first and the last day of the part of each month."""
    while first <= last:
        following = (first.replace(day=28) + 4 * _DAY).replace(day=1)
        yield first, min(last, following - _DAY)
        first = following


def with_views(query: str, table: str, since: datetime, until: datetime) -> str:
    """The query, with the views that it may ask put before it."""
    head = _VIEWS.format(table=table, days=days_of(since, until))
    if found := _WITH.match(query):
        return f"{head},\n{query[found.end() :]}"
    return f"{head}\n{query}"


def _said(key: str) -> str:
    return f"element_at(element_at(said, '{key}'), 1)"


def _whole(key: str) -> str:
    return f"coalesce(TRY_CAST({_said(key)} AS bigint), 0)"


def _time(column: str) -> str:
    return (
        f"date_format(from_unixtime({column} / 1000000000) AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%i:%s')"
        f" || '.' || lpad(CAST({column} / 1000000 % 1000 AS varchar), 3, '0') || 'Z'"
    )


_TEXT = _said(attempts.FINDINGS)

_VIEWS = f"""WITH tfkit_records AS (
    SELECT run_id, seq, bool_or("last") AS "last", arbitrary(resourcespans) AS resourcespans,
        arbitrary(contents) AS contents
    FROM {{table}} WHERE {{days}} GROUP BY run_id, seq
), tfkit_spans AS (
    SELECT r.run_id, r.contents, s.traceid, s.spanid, s.parentspanid, s.name,
        TRY_CAST(s.starttimeunixnano AS bigint) AS start_ns, TRY_CAST(s.endtimeunixnano AS bigint) AS end_ns,
        coalesce(s.status.code, 0) AS code, coalesce(s.status.message, '') AS message,
        multimap_from_entries(transform(s.attributes, a -> ROW(a.key,
            coalesce(a.value.stringvalue, a.value.intvalue, CAST(a.value.doublevalue AS varchar))))) AS said
    FROM tfkit_records r
    CROSS JOIN UNNEST(r.resourcespans) AS rs (resource, scopespans)
    CROSS JOIN UNNEST(rs.scopespans) AS ss (scope, spans)
    CROSS JOIN UNNEST(ss.spans)
        AS s (traceid, spanid, parentspanid, name, kind, starttimeunixnano, endtimeunixnano, attributes,
            status)
), tfkit_tried AS (
    SELECT s.*, {_whole(attempts.NUMBER)} AS n,
        TRY(json_parse(CASE WHEN {_TEXT} LIKE '{{{{"ref"%'
            THEN element_at(t.texts, json_extract_scalar({_TEXT}, '$.ref')) ELSE {_TEXT} END)) AS found
    FROM tfkit_spans s
    JOIN (SELECT run_id, map_union(contents) AS texts FROM tfkit_records GROUP BY run_id) t
        ON t.run_id = s.run_id
    WHERE s.name LIKE '{attempts.SPAN} %' AND {_said(attempts.NUMBER)} IS NOT NULL
), tfkit_closed AS (
    SELECT run_id, count(*) AS records, max(CASE WHEN "last" THEN seq END) AS "last"
    FROM tfkit_records GROUP BY run_id
), tfkit_counted AS (
    SELECT run_id, count(*) AS spans, min(start_ns) AS start_ns, max(end_ns) AS end_ns,
        min(traceid) AS trace_id,
        count_if({_said(names.OPERATION)} = '{names.OPERATION_TOOL}') AS tools,
        max_by(said, CASE WHEN name = '{names.RUN_SPAN}' AND parentspanid = '' THEN 1 ELSE 0 END) AS said,
        bool_or(name = '{names.RUN_SPAN}' AND parentspanid = '') AS rooted
    FROM tfkit_spans GROUP BY run_id
), runs AS (
    SELECT c.run_id, c.trace_id, {_time("c.start_ns")} AS start,
        round(greatest(c.end_ns - c.start_ns, 0) / 1e9, 3) AS seconds,
        CASE WHEN k."last" IS NULL THEN 'running' WHEN c.rooted THEN coalesce({_said(names.STATUS)}, 'error')
            ELSE 'error' END AS status,
        CASE WHEN c.rooted THEN coalesce({_said(names.MODEL)}, '') ELSE '' END AS model,
        CASE WHEN c.rooted THEN {_whole(names.INPUT_TOKENS)} ELSE 0 END AS input_tokens,
        CASE WHEN c.rooted THEN {_whole(names.OUTPUT_TOKENS)} ELSE 0 END AS output_tokens,
        CASE WHEN c.rooted THEN TRY_CAST({_said(names.COST_USD)} AS double) END AS cost_usd,
        CASE WHEN c.rooted THEN {_whole(names.TOOL_CALLS)} ELSE c.tools END AS tool_calls,
        c.spans, coalesce(t.attempts, 0) AS attempts,
        CASE WHEN c.rooted THEN coalesce({_said(names.ERROR)}, '') ELSE '' END AS error,
        CASE WHEN k.records = k."last" + 1 THEN 1 ELSE 0 END AS complete, 0 AS pending
    FROM tfkit_counted c JOIN tfkit_closed k ON k.run_id = c.run_id
    LEFT JOIN (SELECT run_id, max(n) AS attempts FROM tfkit_tried GROUP BY run_id) t ON t.run_id = c.run_id
), spans AS (
    SELECT run_id, spanid AS span_id, parentspanid AS parent_id, name,
        coalesce({_said(names.OPERATION)}, '') AS operation, coalesce({_said(names.TOOL_NAME)}, '') AS tool,
        coalesce({_said(names.MODEL)}, '') AS model, {_time("start_ns")} AS start,
        round(greatest(end_ns - start_ns, 0) / 1e9, 3) AS seconds,
        CASE code WHEN 2 THEN 'error' WHEN 1 THEN 'ok' ELSE 'unset' END AS status, message,
        {_whole(names.INPUT_TOKENS)} AS input_tokens, {_whole(names.OUTPUT_TOKENS)} AS output_tokens
    FROM tfkit_spans
), attempts AS (
    SELECT a.run_id, a.n, coalesce({_said(attempts.TREE)}, '') AS tree, {_time("a.start_ns")} AS start,
        round(greatest(a.end_ns - a.start_ns, 0) / 1e9, 3) AS seconds,
        coalesce(json_array_length(a.found), -1) AS findings,
        CASE WHEN r.status = 'ok' AND a.n = r.attempts THEN 1 ELSE 0 END AS passed,
        coalesce({_said(attempts.VALIDATORS)}, '') AS validators,
        {_whole(names.INPUT_TOKENS)} AS input_tokens, {_whole(names.OUTPUT_TOKENS)} AS output_tokens,
        TRY_CAST({_said(names.COST_USD)} AS double) AS cost_usd
    FROM tfkit_tried a JOIN runs r ON r.run_id = a.run_id
), findings AS (
    SELECT a.run_id, a.n AS attempt, coalesce(json_extract_scalar(f.one, '$.validator'), '') AS validator,
        coalesce(json_extract_scalar(f.one, '$.rule'), '') AS rule,
        coalesce(json_extract_scalar(f.one, '$.severity'), '') AS severity,
        coalesce(json_extract_scalar(f.one, '$.file'), '') AS file,
        coalesce(TRY_CAST(json_extract_scalar(f.one, '$.line') AS bigint), 0) AS line,
        coalesce(json_extract_scalar(f.one, '$.message'), '') AS message
    FROM tfkit_tried a CROSS JOIN UNNEST(TRY_CAST(a.found AS array(json))) AS f (one)
)"""  # noqa: S608 - our own names

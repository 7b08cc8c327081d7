"""The usual design: a DuckDB view over every object that unnests everything, asked in a process of its own.

    python tests/bench/traces/usual.py FOLDER list | run RUN_ID

It is given what helps it: the objects lie in a local folder, and the levels are unnested one after another
(all at once, as joins, took three times as long with DuckDB 2.0 and fifty times with 1.4).
"""

import json
import sys

import duckdb

VIEW = """
CREATE VIEW spans AS
WITH resources AS (
    SELECT run_id, seq, unnest(resourceSpans) AS rs
    FROM read_json_auto('{folder}/**/*.gz', hive_partitioning = true)
), scopes AS (SELECT run_id, seq, unnest(rs.scopeSpans) AS ss FROM resources),
each AS (SELECT run_id, seq, unnest(ss.spans) AS s FROM scopes)
SELECT run_id, seq, s.traceId AS trace_id, s.spanId AS span_id, s.parentSpanId AS parent_id, s.name AS name,
    s.startTimeUnixNano::BIGINT AS start_ns, s.endTimeUnixNano::BIGINT AS end_ns, s.status.code AS status,
    s.attributes AS attributes
FROM each
"""

LIST = """
SELECT run_id, min(trace_id), min(start_ns) AS start, max(end_ns) - min(start_ns), max(status), count(*)
FROM spans GROUP BY run_id ORDER BY start DESC
"""

RUN = "SELECT * EXCLUDE (attributes) FROM spans WHERE run_id = ? ORDER BY start_ns"


def main(folder: str, what: str, run_id: str = "") -> None:
    """Ask once and print the rows."""
    connection = duckdb.connect()
    connection.execute(VIEW.format(folder=folder))
    rows = connection.execute(LIST) if what == "list" else connection.execute(RUN, [run_id])
    print(json.dumps(rows.fetchall()))


if __name__ == "__main__":
    main(*sys.argv[1:])

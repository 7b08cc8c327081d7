"""The read side of the record: from the audit bucket to rows on a screen.

    audit bucket ──▶ fetch      what is new: hive partitions of the window, `fallback/`, and for runs that
    runs bucket  ──▶   │        Firehose has not delivered yet the copies beside their artifacts
                       ▼
                     unpacking  gzip or plain, in pieces, by a thread of its own
                       ▼
                     heads      a line → its place in the chain and a row a span; the texts are passed over
                       ▼
                     ingest     a transaction a batch into the index ──▶ attempts, derive: the row of each run
                       ▼
                     index      SQLite: objects as they came, rows of runs, records, spans, attempts, findings
                       ▼
                     query      list of runs; the spans of one, with their `texts` ──▶ waterfall, page
                     views      what `sql`, `export` (Parquet) and `athena` have in common
                     stats      what many runs come to

Each object is fetched and parsed once, ever; a list with nothing new reads rows and parses nothing.
`reader.Traces` is the entrance; `since` parses what people type as a time.
"""

from toolkit.traces.reader import Refreshed, RunTrace, TooLarge, Traces
from toolkit.traces.since import parse_time

__all__ = ["Refreshed", "RunTrace", "TooLarge", "Traces", "parse_time"]

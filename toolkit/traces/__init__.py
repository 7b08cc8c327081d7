"""The read side of the record: from the audit bucket to rows on a screen.

    audit bucket ──▶ fetch      what is new: hive partitions of the window, `fallback/`, and for runs that
    runs bucket  ──▶   │        Firehose has not delivered yet the copies beside their artifacts
                       ▼
                     records    gzip or plain, lines → spans; contents stay bytes
                       ▼
                     index      SQLite: a row a run, a row a span, contents by hash, a row an object seen
                       ▼
                     query      list of runs, the spans of one ──▶ waterfall ──▶ cli.render_traces

Each object is fetched and parsed once, ever; a list with nothing new reads rows and parses nothing.
`reader.Traces` is the entrance; `since` parses what people type as a time.
"""

from toolkit.traces.reader import Refreshed, RunTrace, Traces
from toolkit.traces.since import parse_time

__all__ = ["Refreshed", "RunTrace", "Traces", "parse_time"]

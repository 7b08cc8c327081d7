"""`traces --html`: the runs of a window as one page that needs nothing but itself.

    collect    each run's spans (from the index), its result and its files (from the runs bucket)
       ▼
    document   what the page shows of a run, as plain data: `messages` stores each message and text once,
       ▼       `diffs` takes unified diffs apart
    write      head, style, data and script into one file, run after run, moved into place at the end

What models and tools wrote is data from end to end: JSON in elements that no browser executes, shown by
`textContent` alone, under a policy that allows this one style and this one script by their hashes and no
request at all. `assets` holds the page's own style and script; there is no framework and no build step.
"""

from toolkit.traces.page.collect import collect
from toolkit.traces.page.document import RunDetails
from toolkit.traces.page.write import DETAIL_BYTES, Written, write_page

__all__ = ["DETAIL_BYTES", "RunDetails", "Written", "collect", "write_page"]

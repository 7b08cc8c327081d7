"""`tfkit audit verify`: is the record whole, is it what was written, and is it under lock.

    runs table ──▶ evidence   rows of runs; every version of every object, with its lock and its bytes
    audit bucket ─▶   │
                      ├──▶ objects    a version too many, a delete marker, a lock that is not there
                      ├──▶ chains     lines of a run, by number: altered, missing, inserted, two of one number
                      ├──▶ signed     the hourly digests: numbers, links, signatures, and what they name
                      └──▶ baseline   a digest that somebody keeps elsewhere (`--digest FILE`)
                               ▼
                            verify    all of it, for a window of time ──▶ report

Nothing here changes anything in the cloud. Bodies are held a batch at a time; of each line some 300 bytes
stay, and of each object some 300.
"""

from toolkit.audit.report import Problem, Report
from toolkit.audit.verify import verify

__all__ = ["Problem", "Report", "verify"]

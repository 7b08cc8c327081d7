"""One question to the read side, as a process of its own, with a local folder for the audit bucket.

python tests/bench/traces/reading.py FOLDER INDEX list DAYS | run RUN_ID
"""

import resource
import sys
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import msgspec
from obstore.store import LocalStore
from typing_extensions import override

from toolkit.cloud import LOCAL_ACCOUNT, Cloud
from toolkit.traces import Traces
from toolkit.traces.fetch import Bucket


class LocalTraces(Traces):
    """`Traces` over a folder; there are no copies beside artifacts."""

    folder: Path

    @cached_property
    @override
    def _audit(self) -> Bucket:
        return Bucket(self._cloud, "audit", LocalStore(self.folder))

    @cached_property
    @override
    def _runs(self) -> Bucket:
        empty = self.folder.parent / "empty"
        empty.mkdir(exist_ok=True)
        return Bucket(self._cloud, "runs", LocalStore(empty))


def main(folder: str, index: str, what: str, which: str) -> None:
    """Bring the index up to date and print what was asked for as JSON."""
    cloud = Cloud("local", "us-east-1", LOCAL_ACCOUNT, endpoint="http://127.0.0.1:9")
    traces = LocalTraces(cloud, "audit", "runs", Path(index))
    traces.folder = Path(folder)
    until = datetime.now(UTC)
    since = until - timedelta(days=int(which) if what == "list" else 1)
    if (found := traces.refresh(since, until)).problems:
        raise SystemExit(found.problems[0])
    if what == "list":
        answer: object = traces.list(since, until)
    else:
        from toolkit.traces.waterfall import waterfall

        answer = waterfall(traces.run(which).spans)
    print(msgspec.json.encode(answer).decode())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{peak} MB, {found.objects} objects new", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])

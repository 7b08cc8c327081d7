"""What a page shows of each run, fetched one run at a time: spans, the stored result, the stored files."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import msgspec

from toolkit.contracts import RunResult
from toolkit.tables import file_key, result_key
from toolkit.traces.page.document import RunDetails
from toolkit.traces.reader import RunTrace

Get = Callable[[str], bytes | None]
"""An object of the runs bucket by its key, or None where there is none: `fetch.Bucket.get`."""


_AHEAD = 16
"""Of how many runs the artifacts are under way at a time: a request each takes long, not much."""

_Begun = tuple[str, "Future[tuple[RunResult | None, Mapping[str, bytes]]]"]


def collect(run: Callable[[str], RunTrace], get: Get, run_ids: Iterable[str]) -> Iterator[RunDetails]:
    """The details of the runs, in their order; each is made when it is asked for.

    `run` is `Traces.run`. A result or a file that is not there is left out: a run may be under way,
    cancelled, or past the days for which the bucket keeps files. Raises what `run` and `get` raise.
    """
    ids = iter(run_ids)
    with ThreadPoolExecutor(_AHEAD) as pool:

        def begin(count: int) -> list[_Begun]:
            return [(run_id, pool.submit(_artifacts, get, run_id)) for run_id in islice(ids, count)]

        begun = deque(begin(_AHEAD))
        while begun:
            run_id, artifacts = begun.popleft()
            yield RunDetails(run(run_id), *artifacts.result())
            begun += begin(1)


def _artifacts(get: Get, run_id: str) -> tuple[RunResult | None, Mapping[str, bytes]]:
    result = _result(get(result_key(run_id)))
    return result, _files(get, run_id, result) if result else {}


def _result(body: bytes | None) -> RunResult | None:
    if body is None:
        return None
    try:
        return msgspec.json.decode(body, type=RunResult)
    except msgspec.DecodeError:
        return None  # of another version of tfkit; the trace stands on its own


def _files(get: Get, run_id: str, result: RunResult) -> Mapping[str, bytes]:
    found = {entry.path: get(file_key(run_id, entry.path)) for entry in result.files}
    return {path: content for path, content in found.items() if content is not None}

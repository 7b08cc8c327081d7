"""The logs of the platform's functions, from CloudWatch Logs: a window of them in order, or as they come.

Nothing is collected: pages are read as the lines are asked for, those of several groups side by side.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

import heapq
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from toolkit.cloud import Cloud
from toolkit.errors import TfkitError

PAGE = 1000
"""Events asked for at a time; AWS gives up to 10,000, or 1 MB of them."""

POLL_SECONDS = 2.0

LATE_MS = 30_000
"""How late an event may still be seen by `follow`: lines arrive some seconds after they are made."""

REMEMBERED = 20_000
"""How many of the latest events `follow` knows again."""


class Line(NamedTuple):
    """A line of a log. `moment_ms` is milliseconds since 1970, `source` is whose it is: agent or checker."""

    moment_ms: int
    source: str
    stream: str
    message: str
    event_id: str


class FunctionLogs:
    """The log groups of a platform, by what they are of; `run_id` leaves only the lines that name the run."""

    def __init__(self, cloud: Cloud, groups: Mapping[str, str], run_id: str = "") -> None:
        self._cloud = cloud
        self._groups = groups
        self._run_id = run_id

    def lines(self, since_ms: int, until_ms: int | None = None) -> Iterator[Line]:
        """The lines of the window, oldest first. Raises TfkitError where the logs cannot be read."""
        each = [self._group(source, name, since_ms, until_ms) for source, name in self._groups.items()]
        return heapq.merge(*each, key=lambda line: line.moment_ms)

    def follow(self, since_ms: int, *, sleep: Callable[[float], object] = time.sleep) -> Iterator[Line]:
        """The lines from then on, for as long as one wants; each once, also when it arrives late."""
        seen: OrderedDict[str, None] = OrderedDict()
        newest = start = since_ms
        while True:
            for line in self.lines(start):
                newest = max(newest, line.moment_ms)
                if line.event_id not in seen:
                    seen[line.event_id] = None
                    yield line
                while len(seen) > REMEMBERED:
                    seen.popitem(last=False)
            start = max(since_ms, newest - LATE_MS)
            sleep(POLL_SECONDS)

    def _group(self, source: str, name: str, since_ms: int, until_ms: int | None) -> Iterator[Line]:
        asked: dict[str, Any] = {"logGroupName": name, "startTime": since_ms, "limit": PAGE}
        if until_ms is not None:
            asked["endTime"] = until_ms
        if self._run_id:
            asked["filterPattern"] = f'"{self._run_id}"'
        same: Counter[str] = Counter()
        moment = 0
        for event in self._events(asked):
            if event["timestamp"] != moment:
                same.clear()
                moment = event["timestamp"]
            if self._run_id in event["message"]:
                yield _line(source, event, same)

    def _events(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The events, page by page.

        The emulator has no pages: it gives the first so many. There, one goes on from the last moment, and
        leaves out as many of that moment as were given already.
        """
        given = 0
        while True:
            answer = self._filter(asked)
            events = answer["events"][given:]
            yield from events
            if token := answer.get("nextToken"):
                asked, given = {**asked, "nextToken": token}, 0
            elif len(answer["events"]) < asked["limit"]:
                return
            else:
                last = answer["events"][-1]["timestamp"]
                given = sum(event["timestamp"] == last for event in answer["events"])
                # More of one moment than fit a page: a longer page.
                limit = asked["limit"] * (2 if given == len(answer["events"]) else 1)
                if limit > 10_000:
                    return
                asked = {**asked, "startTime": last, "limit": limit}

    def _filter(self, asked: dict[str, Any]) -> dict[str, Any]:
        logs = self._cloud.client("logs")
        try:
            answer: dict[str, Any] = logs.filter_log_events(**asked)
        except logs.exceptions.ResourceNotFoundException:
            name = asked["logGroupName"]
            raise TfkitError(f"there is no log group {name}", "bring the platform up: tfkit up") from None
        return answer


def _line(source: str, event: Mapping[str, Any], same: "Counter[str]") -> Line:
    """The event. The emulator gives it no id: it is known there as the how-manieth of a moment."""
    moment, stream = event["timestamp"], event.get("logStreamName", "")
    message = event["message"].rstrip("\n")
    event_id = event.get("eventId", "")
    if not event_id:
        alike = f"{stream} {moment} {message}"
        same[alike] += 1
        event_id = f"{alike} {same[alike]}"
    return Line(moment, source, stream, message, event_id)

"""The functions' logs from the real emulator: in order, page by page, of one run, as they come."""

import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit import function_logs
from toolkit.cloud import Cloud
from toolkit.emulator import Emulator
from toolkit.errors import TfkitError
from toolkit.function_logs import FunctionLogs, Line

NOON = 1_795_262_400_000
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    emulator = Emulator(tmp_path_factory.mktemp("logs-emulator"))
    emulator.start()
    here = {"endpoint": emulator.endpoint, "key": emulator.key, "secret": emulator.secret}
    yield Cloud("local", "us-east-1", "000000000000", **here)
    emulator.stop()


class Group:
    """A log group of its own, with as many streams as one wants."""

    def __init__(self, cloud: Cloud) -> None:
        self.name = f"/aws/lambda/function-{next(_numbers)}"
        self._logs = cloud.client("logs")
        self._logs.create_log_group(logGroupName=self.name)
        self._streams: set[str] = set()

    def put(self, *events: tuple[int, str], stream: str = "one") -> None:
        if stream not in self._streams:
            self._logs.create_log_stream(logGroupName=self.name, logStreamName=stream)
            self._streams.add(stream)
        entries = [{"timestamp": NOON + moment, "message": message} for moment, message in events]
        self._logs.put_log_events(logGroupName=self.name, logStreamName=stream, logEvents=entries)


@pytest.fixture
def agent(cloud: Cloud) -> Group:
    return Group(cloud)


@pytest.fixture
def checker(cloud: Cloud) -> Group:
    return Group(cloud)


def read(cloud: Cloud, agent: Group, checker: Group | None = None, run_id: str = "") -> FunctionLogs:
    groups = {"agent": agent.name} | ({"checker": checker.name} if checker else {})
    return FunctionLogs(cloud, groups, run_id)


def told(lines: Iterator[Line]) -> list[tuple[int, str, str]]:
    return [(line.moment_ms - NOON, line.source, line.message) for line in lines]


def test_the_lines_of_all_functions_are_in_order(cloud: Cloud, agent: Group, checker: Group):
    agent.put((10, "first"), (40, "fourth\n"))
    agent.put((30, "third"), stream="two")
    checker.put((20, "second"))
    assert told(read(cloud, agent, checker).lines(NOON)) == [
        (10, "agent", "first"),
        (20, "checker", "second"),
        (30, "agent", "third"),
        (40, "agent", "fourth"),
    ]


def test_a_window_has_both_its_ends(cloud: Cloud, agent: Group):
    agent.put(*((moment, f"at {moment}") for moment in range(0, 100, 10)))
    assert [moment for moment, _, _ in told(read(cloud, agent).lines(NOON + 30, NOON + 50))] == [30, 40, 50]


def test_only_the_lines_that_name_the_run(cloud: Cloud, agent: Group, checker: Group):
    agent.put(
        (1, "run-0001-abc INFO it began"), (2, "run-0002-abc INFO it began"), (3, '{"run_id":"run-0001-abc"}')
    )
    checker.put((2, "START RequestId: 1"), (4, "run-0001-abc was checked"))
    found = told(read(cloud, agent, checker, "run-0001-abc").lines(NOON))
    assert [moment for moment, _, _ in found] == [1, 3, 4]


@pytest.mark.parametrize("apart", [1, 0], ids=["each at its moment", "hundreds at one moment"])
def test_more_than_a_page(cloud: Cloud, agent: Group, monkeypatch: pytest.MonkeyPatch, apart: int):
    """Also where the emulator has no pages; identical lines are two and not one."""
    monkeypatch.setattr(function_logs, "PAGE", 100)
    agent.put(*((7 * (number // 230) + number * apart, f"line {number // 2}") for number in range(460)))
    found = told(read(cloud, agent).lines(NOON))
    assert [message for _, _, message in found] == [f"line {number // 2}" for number in range(460)]


class Paged:
    """A CloudWatch Logs that has pages, as AWS has."""

    exceptions = SimpleNamespace(ResourceNotFoundException=KeyError)

    def __init__(self, pages: list[list[dict[str, Any]]]) -> None:
        self.pages = pages
        self.asked: list[dict[str, Any]] = []

    def client(self, service: str) -> "Paged":
        assert service == "logs"
        return self

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        number = int(asked.get("nextToken", 0))
        more = {"nextToken": str(number + 1)} if number + 1 < len(self.pages) else {}
        return {"events": self.pages[number], **more}


def event(number: int) -> dict[str, Any]:
    return {
        "timestamp": NOON + number,
        "message": f"line {number}",
        "logStreamName": "s",
        "eventId": f"id-{number}",
    }


def test_pages_are_read_as_their_lines_are_asked_for():
    """An empty page in the middle is not the end."""
    aws = Paged([[event(1), event(2)], [], [event(3)]])
    lines = FunctionLogs(aws, {"agent": "g"}).lines(NOON)  # type: ignore[arg-type]
    assert next(lines).message == "line 1"
    assert len(aws.asked) == 1
    assert [line.event_id for line in lines] == ["id-2", "id-3"]
    assert [asked.get("nextToken") for asked in aws.asked] == [None, "1", "2"]


def test_what_comes_is_followed_each_line_once_also_when_it_is_late(cloud: Cloud, agent: Group):
    agent.put((1000, "before"), (2000, "twice"), (2000, "twice"))
    later = iter(
        [
            lambda: agent.put((3000, "after")),
            lambda: agent.put((1500, "late"), stream="another"),
            lambda: None,
            lambda: agent.put((3000, "after"), (90_000, "much later")),
        ]
    )
    lines = read(cloud, agent).follow(NOON, sleep=lambda _: next(later)())
    found = [next(lines).message for _ in range(7)]
    assert found == ["before", "twice", "twice", "after", "late", "after", "much later"]


def test_following_keeps_no_more_than_it_needs(cloud: Cloud, agent: Group, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(function_logs, "REMEMBERED", 5)
    agent.put(*((number * 60_000, f"line {number}") for number in range(20)))
    rounds = iter([lambda: None, lambda: agent.put((1_300_000, "new"))])
    lines = read(cloud, agent).follow(NOON, sleep=lambda _: next(rounds)())
    assert [next(lines).message for _ in range(21)] == [*(f"line {number}" for number in range(20)), "new"]


def test_a_platform_without_a_log_says_what_to_do(cloud: Cloud):
    with pytest.raises(TfkitError, match="no log group /aws/lambda/nobody") as refused:
        list(FunctionLogs(cloud, {"agent": "/aws/lambda/nobody"}).lines(NOON))
    assert "tfkit up" in refused.value.hint

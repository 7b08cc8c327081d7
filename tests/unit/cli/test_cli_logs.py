"""`tfkit logs`: for people, for programs, and what it refuses."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from cli_fakes import FakePlatform

from toolkit.function_logs import Line

MOMENT = 1_795_262_400_123
METRICS = '{"_aws":{"Timestamp":1},"Model":"haiku"}'
LINES = [
    Line(MOMENT, "agent", "stream", "INFO it began", "1"),
    Line(MOMENT + 1, "agent", "stream", METRICS, "2"),
    Line(MOMENT + 2, "checker", "stream", "a\x1b[31mred\x1b[0m \u202e", "3"),
]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """A platform whose logs are `LINES`; what was asked of them."""
    asked: list[tuple[Any, ...]] = []

    class Logs:
        def __init__(self, _cloud: Any, groups: dict[str, str], run_id: str) -> None:
            asked.append((groups, run_id))

        def lines(self, since_ms: int) -> Iterator[Line]:
            asked.append(("lines", since_ms))
            yield from LINES if asked[0][1] != "run-of-nobody" else ()

        def follow(self, since_ms: int) -> Iterator[Line]:
            yield from LINES
            raise KeyboardInterrupt

    outputs = SimpleNamespace(log_group="/aws/lambda/tfkit-dev-agent", checker_function="tfkit-dev-checker")
    monkeypatch.setattr(FakePlatform, "outputs", lambda self: outputs)
    monkeypatch.setattr("toolkit.deploy.platform.Platform", FakePlatform)
    monkeypatch.setattr("toolkit.function_logs.FunctionLogs", Logs)
    return asked


def test_lines_for_people_are_shown_and_never_obeyed(tfkit, made):
    ended = tfkit("logs", "--since", "2026-11-21")
    assert ended.code == 0
    first, last = ended.out.splitlines()
    assert first == "2026-11-21T12:00:00.123Z  agent    INFO it began"
    assert "\x1b" not in ended.out
    assert "\u202e" not in ended.out
    assert last.startswith("2026-11-21T12:00:00.125Z  checker")
    groups = {"agent": "/aws/lambda/tfkit-dev-agent", "checker": "/aws/lambda/tfkit-dev-checker"}
    assert made == [(groups, ""), ("lines", 1_795_219_200_000)]


def test_what_is_for_cloudwatch_is_shown_to_who_wants_all(tfkit, made):
    assert METRICS not in tfkit("logs").out
    assert METRICS in tfkit("-v", "logs").out


def test_one_document_with_every_line(tfkit, made):
    ended = tfkit("--json", "logs", "--run", "run-0001-abc")
    assert ended.document == [
        {
            "time": "2026-11-21T12:00:00.123Z",
            "source": "agent",
            "stream": "stream",
            "message": "INFO it began",
        },
        {"time": "2026-11-21T12:00:00.124Z", "source": "agent", "stream": "stream", "message": METRICS},
        {
            "time": "2026-11-21T12:00:00.125Z",
            "source": "checker",
            "stream": "stream",
            "message": "a\x1b[31mred\x1b[0m \u202e",
        },
    ]
    assert made[0][1] == "run-0001-abc"


def test_no_line_is_a_document_too(tfkit, made):
    assert tfkit("--json", "logs", "--run", "run-of-nobody").document == []
    ended = tfkit("logs", "--run", "run-of-nobody")
    assert (ended.code, ended.out) == (0, "")
    assert "no lines" in ended.err


def test_following_ends_as_every_command_that_is_interrupted(tfkit, made):
    ended = tfkit("logs", "--follow")
    assert ended.code == 130
    assert "INFO it began" in ended.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--json", "logs", "--follow"), "--follow has no end"),
        (("logs", "--run", "../../etc"), "is no id of a run"),
        (("logs", "--since", "yesterday"), "is no time"),
    ],
)
def test_what_cannot_be_is_wrong_usage(tfkit, made, arguments, said):
    ended = tfkit(*arguments)
    assert ended.code == 2
    assert said in ended.err

"""Lambda's entry: what it takes, what it refuses, and what it keeps while it is warm."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from agent_platform import Platform
from agent_scripts import Script, say, write

from toolkit.agent import handler as entry
from toolkit.agent.config import AgentConfig
from toolkit.contracts import AskRequest, RunResult
from toolkit.errors import PlatformError, UsageError

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)
GOOD = {"run_id": "run-00000001", "prompt": "a bucket"}


@pytest.fixture(autouse=True)
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "_warm", {})


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        {"Records": []},
        {**GOOD, "prompt": 1},
        {**GOOD, "unknown": 1},
        {**GOOD, "timeout_s": "soon"},
        {**GOOD, "rehearse": "twice"},
        {**GOOD, "run_id": "short"},
        {**GOOD, "run_id": "../../another-run"},
        {**GOOD, "run_id": "UPPER-CASE-ID"},
        {**GOOD, "run_id": "run-00000001\n"},
        {**GOOD, "prompt": "\ud800"},
    ],
)
def test_an_event_of_another_shape_is_refused_before_anything_is_touched(event: Any):
    with pytest.raises(UsageError, match="not a request"):
        entry.handler(event, CONTEXT)
    assert entry._warm == {}


def test_a_function_that_was_told_nothing_names_what_it_lacks():
    with pytest.raises(PlatformError, match="TFKIT_STACK, TFKIT_RUNS_TABLE"):
        entry.handler(GOOD, CONTEXT)


def test_the_configuration_is_what_the_environment_says(agent_environment: dict[str, str]):
    given = {**agent_environment, "TFKIT_MODEL_TIMEOUT_S": "12.5", "TFKIT_OTHER": "x"}
    config = AgentConfig.from_environment(given)
    assert (config.stack, config.runs_bucket, config.model_timeout_s) == ("dev", "agent-runs", 12.5)
    del given["TFKIT_RUNS_BUCKET"]
    with pytest.raises(PlatformError, match=r"lacks TFKIT_RUNS_BUCKET$"):
        AgentConfig.from_environment(given)


def test_a_request_is_done_and_a_repeated_one_is_skipped(platform: Platform):
    event = msgspec.to_builtins(platform.request())
    assert entry.handler(event, CONTEXT) == {"run_id": platform.run_id, "status": "ok"}
    assert platform.record.status == "ok"
    assert entry.handler(event, CONTEXT) == {"run_id": platform.run_id, "status": "skipped"}
    assert len(platform.script.seen) == 2


def test_a_warm_function_keeps_its_clients_and_nothing_of_the_run_before(platform: Platform):
    entry.handler(msgspec.to_builtins(platform.request()), CONTEXT)
    first = (entry._warm["config"], entry._warm["clients"], entry._warm["clients"].dynamodb)
    platform.run_id += "-b"
    platform.script = Script(write("other/a.tf"), write("main.tf"), say("again"))
    entry.handler(msgspec.to_builtins(platform.request()), CONTEXT)
    assert (entry._warm["config"], entry._warm["clients"], entry._warm["clients"].dynamodb) == first
    assert platform.result.output == "again"
    assert sorted(platform.files) == ["main.tf", "other/a.tf"]
    assert platform.result.usage.requests == 3
    assert platform.script.prompts == ["a bucket"]


def test_the_functions_own_time_is_handed_on(platform: Platform, monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[AskRequest, float]] = []

    def noted(
        request: AskRequest, config: Any, clients: Any, remaining_s: float, baton: Any, token: str
    ) -> RunResult | None:
        assert (baton, token) == (None, "")
        seen.append((request, remaining_s))
        return None

    monkeypatch.setattr(entry, "execute", noted)
    entry.handler({**GOOD, "max_cost_usd": 2, "timeout_s": 30}, CONTEXT)
    assert seen == [(AskRequest(**GOOD, max_cost_usd=2.0, timeout_s=30.0), 900.0)]

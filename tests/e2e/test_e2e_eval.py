"""An evaluation of the deployed agent with the offline composer: three tasks, answered and judged."""

import json
from typing import Any

import pytest
from driver import Tfkit

from toolkit.contracts import StackOutputs

pytestmark = pytest.mark.thorough

# The second is right in one thing and wrong in another; the third no recipe of the composer's makes.
SET = """
tasks:
  - id: topic
    difficulty: easy
    prompt: an SNS topic called alerts
    expect: {attributes: [{resource: aws_sns_topic, path: name, equals: alerts}], clean: [fmt]}
  - id: queue
    difficulty: easy
    prompt: an SQS queue called orders
    expect: {resources: {aws_sqs_queue: 1}, absent: [aws_sqs_queue]}
  - id: quantum
    difficulty: hard
    prompt: an Amazon Braket quantum task with its results
    expect: {jmespath: ["resource_changes[0]"]}
"""


@pytest.fixture(scope="module")
def report(tfkit: Tfkit, outputs: StackOutputs) -> Any:
    (tfkit.home / "set.yaml").write_text(SET)
    return tfkit.json("eval", "set.yaml", "--rehearse", "off", "-o", "set.jsonl", "--html", "set.html")


def test_each_is_judged_by_what_came_of_it(report: Any) -> None:
    tasks = {task["task"]: task for task in report["tasks"]}
    topic, queue, quantum = tasks["topic"], tasks["queue"], tasks["quantum"]
    assert (topic["status"], topic["final"]["plan"], topic["attempts"]) == ("ok", "planned", 1)
    assert [one["met"] for one in topic["final"]["expected"]] == [True, True]
    assert topic["first"] == topic["final"]
    assert queue["final"]["plan"] == "planned"
    assert [one["met"] for one in queue["final"]["expected"]] == [True, False]
    assert quantum["status"] != "ok"
    assert (quantum["final"]["plan"], quantum["final"]["reason"]) == ("nothing", "no files were made")
    total = report["total"]
    assert [total[name] for name in ("tasks", "failed", "plans", "first", "final")] == [3, 0, 2, 1, 1]
    assert total["input_tokens"] > 0
    assert total["seconds"] > 0


def test_again_nothing_is_asked_and_the_page_is_there(tfkit: Tfkit, report: Any) -> None:
    again = tfkit("eval", "set.yaml", "--rehearse", "off", "-o", "set.jsonl")
    assert again.returncode == 0
    assert "3 of 3 tasks are done already" in again.stderr
    runs = tfkit.json("runs")
    assert len(runs if isinstance(runs, list) else runs["runs"]) == 3
    assert "quantum" in (tfkit.home / "set.html").read_text()
    kept = [json.loads(line) for line in (tfkit.home / "set.jsonl").read_text().splitlines()]
    ends = [line["task"] for line in kept[1:] if "begun" not in line]
    assert sorted(ends) == ["quantum", "queue", "topic"]


def test_this_installations_agent_does_as_the_deployed_one(tfkit: Tfkit, report: Any) -> None:
    found = tfkit.json(
        "eval", "set.yaml", "--only", "topic", "--local-agent", "--rehearse", "off", "-o", "local.jsonl"
    )
    (task,) = found["tasks"]
    assert found["evaluation"]["author"] == "local-agent"
    (deployed,) = [one for one in report["tasks"] if one["task"] == "topic"]
    assert task["run_id"] != deployed["run_id"]
    assert task["final"]["tree"] == deployed["final"]["tree"]
    assert task["final"]["plan"] == "planned"

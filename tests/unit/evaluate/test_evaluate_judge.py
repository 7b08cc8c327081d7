"""A set of IaC-Eval's form with right and wrong answers: the judge is right about each, and says why."""

import csv
from pathlib import Path

import pytest

from toolkit.checker.sandbox import level
from toolkit.contracts import Tree
from toolkit.evaluate import judge as module
from toolkit.evaluate.dataset import COLUMNS, load_dataset
from toolkit.evaluate.judge import Judge
from toolkit.evaluate.opa import Opa
from toolkit.evaluate.task import Expected, Met, Task, Verdict, Wanted

RULE = """\
package terraform.validation

import future.keywords.in

default table_valid = false
default alarm_valid = false

table_valid {
    some change in input.resource_changes
    change.type == "aws_dynamodb_table"
    change.change.after.read_capacity == 5
}

alarm_valid {
    some resource in input.configuration.root_module.resources
    resource.type == "aws_cloudwatch_metric_alarm"
}
"""
TABLE = """\
resource "aws_dynamodb_table" "t" {{
  name           = "orders"
  hash_key       = "id"
  billing_mode   = "PROVISIONED"
  read_capacity  = {capacity}
  write_capacity = 5

  attribute {{
    name = "id"
    type = "S"
  }}
}}
"""
ALARM = """\
resource "aws_cloudwatch_metric_alarm" "a" {
  alarm_name          = "reads"
  namespace           = "AWS/DynamoDB"
  metric_name         = "ConsumedReadCapacityUnits"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  period              = 60
  statistic           = "Sum"
  threshold           = 100
}
"""
OWN_MACHINE = """\
terraform {
  required_version = "~> 0.12"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 4.16"
    }
  }
}

provider "aws" {
  region  = "us-east-1"
  profile = "somebody"

  assume_role {
    role_arn = "arn:aws:iam::111122223333:role/theirs"
  }
}

data "aws_availability_zones" "here" {}

data "aws_ami" "ubuntu" {
  most_recent = true
  owners      = ["amazon"]

  filter {
    name   = "name"
    values = ["*ubuntu-noble-24.04-amd64-server-*"]
  }
}

data "aws_caller_identity" "me" {}

"""
RIGHT = OWN_MACHINE + TABLE.format(capacity=5) + ALARM

# What an answer is, and how it has to be judged: plan, rule, and a word of the reason.
ANSWERS = {
    "right, and of another machine": (RIGHT, "planned", "passes", ""),
    "wrong capacity": (TABLE.format(capacity=6) + ALARM, "planned", "fails", "table_valid"),
    "a resource is missing": (TABLE.format(capacity=5), "planned", "fails", "alarm_valid"),
    "no plan": (RIGHT.replace('"id"\n    type', '"key"\n    type'), "refused", "not_run", "indexed"),
    "a syntax error": ('resource "aws_vpc" {\n', "refused", "not_run", "main.tf"),
    "reads the host": (
        'output "x" { value = file("/etc/passwd") }',
        "refused",
        "not_run",
        "leaves the workspace",
    ),
    "runs a program": ('data "external" "x" { program = ["id"] }', "refused", "not_run", "external"),
    "another provider": ('resource "nobody_thing" "x" {}', "refused", "not_run", "nobody"),
    "nothing": ("", "nothing", "not_run", "no files"),
}


@pytest.fixture(scope="module")
def judge(opa: Opa) -> Judge:
    return Judge(opa, unsandboxed=not level().confines)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """The one task of a file of IaC-Eval's form, with the right answer as its reference."""
    path = tmp_path_factory.mktemp("set") / "set.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        rows.writerow(["aws_dynamodb_table", "a table with an alarm", RULE, "2", RIGHT, "a table, an alarm"])
    (found,) = load_dataset(str(path)).tasks
    return found


@pytest.fixture(scope="module")
def verdicts(judge: Judge, task: Task) -> dict[str, Verdict]:
    """Of all answers, by one author, which is quicker: they share the provider."""
    trees = [Tree(files={"main.tf": text.encode()} if text else {}) for text, *_ in ANSWERS.values()]
    return dict(zip(ANSWERS, judge.verdicts(task, trees), strict=True))


@pytest.mark.parametrize("name", ANSWERS)
def test_the_judge_is_right(verdicts: dict[str, Verdict], name: str) -> None:
    _, plan, rule, reason = ANSWERS[name]
    found = verdicts[name]
    assert (found.plan, found.rule) == (plan, rule), found
    assert reason in found.reason + found.rule_reason
    assert found.passed is (rule == "passes")


def test_what_is_overlooked_is_said(verdicts: dict[str, Verdict]) -> None:
    assert verdicts["right, and of another machine"].overlooked == [
        "terraform ~> 0.12", "hashicorp/aws ~> 4.16", 'profile = "somebody"'
    ]  # fmt: skip
    assert verdicts["wrong capacity"].overlooked == []


def test_expectations_and_validators_of_a_task_of_our_own(judge: Judge) -> None:
    wanted = Wanted(resource="aws_sqs_queue", path="name", equals="orders")
    expected = Expected(
        resources={"aws_sqs_queue": 1}, attributes=[wanted], clean=["fmt"], rego="package a\nx {"
    )
    ugly = Tree(files={"main.tf": b'resource "aws_sqs_queue" "q" {\nname="orders"\n}\n'})
    (found,) = judge.verdicts(Task(id="t", prompt="p", expect=expected), [ugly])
    assert (found.plan, found.rule) == ("planned", "error")
    assert [one.met for one in found.expected] == [True, True, False]
    assert not found.passed


def test_equal_trees_are_judged_once(judge: Judge, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def verdict(self, task, tree, checker, plans) -> Verdict:
        asked.append(tree.hash)
        return Verdict(tree=tree.hash, plan="planned")

    monkeypatch.setattr(module.Judge, "_verdict", verdict)
    one, two = Tree(files={"main.tf": b"a"}), Tree(files={"main.tf": b"b"})
    found = judge.verdicts(task, [one, two, one])
    assert [verdict.tree for verdict in found] == [one.hash, two.hash, one.hash]
    assert asked == [one.hash, two.hash]


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, True),
        ({"rule": "passes"}, True),
        ({"rule": "fails"}, False),
        ({"rule": "error"}, False),
        ({"plan": "unsupported"}, False),
        ({"expected": [Met(what="w", met=False)]}, False),
    ],
)
def test_what_passes(changes: dict[str, object], passed: bool) -> None:
    values: dict[str, object] = {"tree": "t", "plan": "planned", **changes}
    assert Verdict(**values).passed is passed


def test_the_judge_says_what_it_judges_by(judge: Judge, tmp_path: Path) -> None:
    assert [tool.name for tool in judge.tools] == ["terraform", "hashicorp/aws", "opa"]
    assert [tool.name for tool in Judge(None, mirrors=[tmp_path]).tools] == ["terraform"]

"""Expectations on a plan: each is met by what it describes, and by nothing near it."""

from typing import Any

import msgspec
import pytest

from toolkit.contracts import CheckReport, CheckResult, Finding
from toolkit.evaluate.expect import met_by_plan, met_by_report
from toolkit.evaluate.task import Expected


def change(kind: str, after: dict[str, Any] | None, unknown: Any = None, actions: Any = None, mode="managed"):
    return {
        "type": kind,
        "mode": mode,
        "change": {"actions": actions or ["create"], "after": after, "after_unknown": unknown or {}},
    }


PLAN = {
    "resource_changes": [
        change("aws_sqs_queue", {"name": "a", "delay_seconds": 5, "fifo_queue": False, "policy": ""}),
        change("aws_sqs_queue", {"name": "b", "delay_seconds": 9, "fifo_queue": None}, {"arn": True}),
        change("aws_s3_bucket", None, actions=["delete"]),
        change("aws_ami", {}, mode="data"),
        change("aws_eks_cluster", {"version": "1.31", "on": "true"}, {"rules": [{"id": True}]}),
    ]
}


def met(**expected: Any) -> list[bool]:
    return [one.met for one in met_by_plan(msgspec.convert(expected, Expected), PLAN)]


def test_counts_are_of_what_will_be_there() -> None:
    assert met(resources={"aws_sqs_queue": 2}) == [True]
    assert met(resources={"aws_sqs_queue": 3}) == [False]
    assert met(resources={"aws_s3_bucket": 1, "aws_ami": 1}) == [False, False]
    assert met(absent=["aws_s3_bucket", "aws_sqs_queue"]) == [True, False]


@pytest.mark.parametrize(
    ("resource", "path", "limit", "expected"),
    [
        ("aws_sqs_queue", "name", {"equals": "b"}, True),
        ("aws_sqs_queue", "name", {"equals": "c"}, False),
        ("aws_vpc", "name", {"equals": "b"}, False),
        ("aws_sqs_queue", "fifo_queue", {"equals": False}, True),
        ("aws_sqs_queue", "fifo_queue", {"equals": 0}, False),
        ("aws_sqs_queue", "delay_seconds", {"equals": True}, False),
        ("aws_sqs_queue", "delay_seconds", {"at_least": 6, "at_most": 9}, True),
        ("aws_sqs_queue", "delay_seconds", {"at_least": 6, "at_most": 8}, False),
        ("aws_sqs_queue", "delay_seconds", {"one_of": [1, 5]}, True),
        ("aws_sqs_queue", "delay_seconds", {"one_of": [1, 6]}, False),
        ("aws_sqs_queue", "name", {"at_least": 1}, False),
        ("aws_eks_cluster", "version", {"at_least": 1.3}, True),
        ("aws_eks_cluster", "on", {"equals": True}, True),
        ("aws_sqs_queue", "name", {"matches": "^[ab]$"}, True),
        ("aws_sqs_queue", "delay_seconds", {"matches": "5"}, False),
        ("aws_sqs_queue", "policy", {"present": True}, False),
        ("aws_sqs_queue", "arn", {"present": True}, True),
        ("aws_eks_cluster", "rules[0]", {"present": True}, True),
        ("aws_sqs_queue", "policy", {"present": False}, True),
        ("aws_sqs_queue", "length(delay_seconds)", {"equals": 1}, False),
    ],
)
def test_an_attribute(resource: str, path: str, limit: dict[str, Any], expected: bool) -> None:
    assert met(attributes=[{"resource": resource, "path": path, **limit}]) == [expected]


def test_one_resource_has_to_have_all_of_it() -> None:
    """`a` is fast and `b` is slow; none is both."""
    (one,) = met_by_plan(
        msgspec.convert(
            {
                "attributes": [
                    {"resource": "aws_sqs_queue", "path": "delay_seconds", "at_least": 6, "at_most": 6}
                ]
            },
            Expected,
        ),
        PLAN,
    )
    assert (one.met, one.detail) == (False, "found [5,9]")


def test_queries_come_to_something() -> None:
    queries = ["resource_changes[?type=='aws_sqs_queue']", "resource_changes[?type=='aws_vpc']"]
    assert met(jmespath=[*queries, "length(resource_changes) == `9`", "abs('a')"]) == [
        True,
        False,
        False,
        False,
    ]


def test_validators_that_have_to_be_clean() -> None:
    def finding(validator: str, severity: Any) -> Finding:
        return Finding(validator=validator, rule="r", severity=severity, message="m")

    report = CheckReport(
        tree="t",
        results=[
            CheckResult(validator="fmt", status="ok"),
            CheckResult(validator="tflint", status="findings", findings=[finding("tflint", "info")]),
            CheckResult(validator="validate", status="findings", findings=[finding("validate", "high")]),
            CheckResult(validator="policy", status="error", detail="it crashed"),
        ],
    )
    names = ["fmt", "tflint", "validate", "policy", "checkov"]
    found = met_by_report(Expected(clean=names), report)
    assert [(one.met, one.detail) for one in found] == [
        (True, ""), (True, ""), (False, "m"), (False, "it crashed"), (False, "it did not run")
    ]  # fmt: skip

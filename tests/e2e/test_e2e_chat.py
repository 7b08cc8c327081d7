"""A chat over two processes: the second knows what was said in the first, and a goodbye ends it."""

import json
from pathlib import Path
from typing import Any

import pytest
from driver import Tfkit

from toolkit.contracts import StackOutputs


@pytest.fixture(scope="module")
def first(tfkit: Tfkit, outputs: StackOutputs) -> dict[str, Any]:
    """What the first process printed."""
    return tfkit.json("chat", "--rehearse", "off", stdin="an SQS queue named orders\n")


def folder(tfkit: Tfkit, first: dict[str, Any]) -> Path:
    return tfkit.home / "tfkit-runs" / first["conversation"]


def test_the_first_process_writes_the_files_and_does_not_end_the_conversation(
    tfkit: Tfkit, first: dict[str, Any]
) -> None:
    (turn,) = first["turns"]
    assert (turn["status"], turn["run_id"], first["terminate"]) == ("ok", first["conversation"], False)
    assert "sqs_managed_sse_enabled" in (folder(tfkit, first) / "sqs.tf").read_text()


def test_the_second_remembers_and_a_goodbye_ends_it(tfkit: Tfkit, first: dict[str, Any]) -> None:
    said = "encrypt it with KMS\nthanks, bye\nnever read\n"
    second = tfkit.json("chat", "--rehearse", "off", "--conversation", first["conversation"], stdin=said)
    changed, bye = second["turns"]
    assert (changed["status"], changed["conversation"]) == ("ok", first["conversation"])
    assert "+  kms_master_key_id" in changed["diff"]  # "it" is the queue of the first process
    assert (bye["status"], bye["terminate"], second["terminate"]) == ("ok", True, True)
    text = (folder(tfkit, first) / "sqs.tf").read_text()
    assert "kms_master_key_id" in text and "sqs_managed_sse_enabled" not in text
    verified = tfkit("verify", str(folder(tfkit, first)))
    assert verified.returncode == 0, verified.stderr


def test_ask_goes_on_with_it_too_and_the_trace_says_so(tfkit: Tfkit, first: dict[str, Any]) -> None:
    asked = tfkit.json("ask", "--continue", "and an S3 bucket named acme-logs-eu", "--rehearse", "off")
    assert asked["conversation"] == first["conversation"] != asked["run_id"]
    assert {"s3.tf", "sqs.tf", "kms.tf"} <= {entry["path"] for entry in asked["files"]}
    trace = tfkit("traces", "--run", asked["run_id"]).stdout
    assert "memory load" in trace and "memory window" in trace


def test_anothers_conversation_is_not_gone_on_with(tfkit: Tfkit, first: dict[str, Any]) -> None:
    table = tfkit.client("dynamodb")
    (name,) = [n for n in table.list_tables()["TableNames"] if n.startswith("tfkit-dev")]
    key = {"pk": {"S": f"CHAT#{first['conversation']}"}, "sk": {"S": "HEAD"}}
    head = table.get_item(TableName=name, Key=key)["Item"]
    assert head["caller"]["S"].endswith(":root") and int(head["expires"]["N"]) > 0
    table.put_item(TableName=name, Item={**head, "caller": {"S": "arn:aws:iam::000000000000:user/you"}})
    refused = tfkit("--json", "chat", "--conversation", first["conversation"], stdin="more\n")
    assert refused.returncode == 2 and "belongs to" in json.loads(refused.stdout)["error"]

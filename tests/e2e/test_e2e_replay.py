"""Five runs; a validator's threshold is changed; their replays show exactly those whose outcome changes."""

from pathlib import Path
from typing import Any

import pytest
from driver import Tfkit

from toolkit.contracts import StackOutputs

# A missing tag is medium, a forbidden type high.
POLICY = """
[tags]
required = ["team"]
except = ["aws_dynamodb_table", "aws_cloudwatch_log_group"]

[forbidden]
types = ["aws_dynamodb_table"]
"""
TOPIC = 'resource "aws_sns_topic" "news" {\n  name = "news"\n}\n'
UNTAGGED = {"topic", "bucket", "added"}
"""The runs that come to resources without the tag."""


def up(tfkit: Tfkit, threshold: str) -> StackOutputs:
    (tfkit.home / "tfkit.toml").write_text(f'[validators.policy]\nthreshold = "{threshold}"\n')
    (tfkit.home / "tfkit-policy.toml").write_text(POLICY)
    return StackOutputs(**tfkit.json("up", "--validators", "fmt,policy")["outputs"])


def outcomes(document: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    return {names[one["run_id"]]: one["outcome"] for one in document["runs"]}


def given_to(tfkit: Tfkit, run_id: str, *, gone: bool = False) -> bytes:
    """The packed files that a run started from; `gone` takes them away, as the bucket does after 90 days."""
    s3, key = tfkit.client("s3"), f"runs/{run_id}/start.tree"
    bucket = next(found["Name"] for found in s3.list_buckets()["Buckets"] if "-runs-" in found["Name"])
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    if gone:
        s3.delete_object(Bucket=bucket, Key=key)
    return body


@pytest.fixture(scope="module")
def recorded(tfkit: Tfkit, home: Path) -> dict[str, str]:
    """Five past runs, by id, from a time when only high findings closed the gate."""
    up(tfkit, "high")
    (home / "shop").mkdir()
    (home / "shop" / "main.tf").write_text(TOPIC)
    asked = {
        "topic": ("an SNS topic named alerts",),
        "bucket": ("an encrypted s3 bucket named acme-logs",),
        "logs": ("a CloudWatch log group named app kept for 30 days",),
        "added": ("add an SQS queue for refunds", "--dir", "shop"),
        "table": ("a DynamoDB table for sessions",),
    }
    for name, arguments in asked.items():
        options = () if name == "added" else ("-o", f"out/{name}")
        run = tfkit.json(
            "ask", *arguments, *options, "--run-id", f"run-{name}", code=3 if name == "table" else 0
        )
        assert run["replays"] == ""
    return {f"run-{name}": name for name in asked}


@pytest.fixture(scope="module")
def stricter(tfkit: Tfkit, recorded: dict[str, str]) -> dict[str, Any]:
    """What `replay` says when medium findings close the gate too."""
    up(tfkit, "medium")
    return tfkit.json("replay", "--since", "1h", "--concurrency", "2")


def test_exactly_the_runs_that_the_threshold_decides_have_another_outcome(
    stricter: dict[str, Any], recorded: dict[str, str]
) -> None:
    assert outcomes(stricter, recorded) == {
        name: "worse" if name in UNTAGGED else "same" for name in recorded.values()
    }
    assert (stricter["changed"], stricter["not_replayed"]) == (3, [])
    for one in stricter["runs"]:
        flips = recorded[one["run_id"]] in UNTAGGED
        assert one["same_files"], "the model wrote what it wrote before"
        assert one["findings_new"] == (["policy/tags"] if flips else [])
        assert one["findings_gone"] == []
        assert (one["status"] == one["status_before"]) is not flips


def test_a_replay_is_a_run_with_all_that_the_other_was_given(
    tfkit: Tfkit, stricter: dict[str, Any], recorded: dict[str, str]
) -> None:
    replays = {recorded[one["run_id"]]: one["replay"] for one in stricter["runs"]}
    then, now = (tfkit.json("runs", "show", run_id) for run_id in ("run-added", replays["added"]))
    assert now["replays"] == "run-added"
    assert now["start"] == then["start"] != ""
    assert (now["prompt"], now["model"]) == (then["prompt"], then["model"])
    assert given_to(tfkit, replays["added"]) == given_to(tfkit, "run-added")


@pytest.mark.thorough
def test_the_other_way_it_gets_better_and_replays_are_not_taken_for_runs(
    tfkit: Tfkit, stricter: dict[str, Any], recorded: dict[str, str]
) -> None:
    up(tfkit, "high")
    listed = tfkit.json("replay", "--since", "1h", "--dry-run")
    assert {one["run_id"] for one in listed["runs"]} == recorded.keys()
    strict = next(one["replay"] for one in stricter["runs"] if one["run_id"] == "run-topic")
    (looser,) = tfkit.json("replay", strict)["runs"]
    assert (looser["outcome"], looser["status_before"], looser["status"]) == ("better", "not_converged", "ok")
    assert (looser["findings_gone"], looser["findings_new"]) == (["policy/tags"], [])


def test_a_run_whose_files_have_expired_is_named(tfkit: Tfkit, recorded: dict[str, str]) -> None:
    given_to(tfkit, "run-added", gone=True)
    document = tfkit.json("replay", "run-added", code=1)
    assert document["runs"] == []
    assert document["not_replayed"] == [
        {"run_id": "run-added", "reason": "no longer in the bucket: the files that it started from"}
    ]

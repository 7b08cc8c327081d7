"""`tfkit audit` on a platform that is up: a real run, the deployed digest function, an attacker with root."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from driver import Tfkit

from toolkit.contracts import StackOutputs
from toolkit.telemetry import keys
from toolkit.telemetry.record import NEW_CHAIN, Chain, Draft, Line


@pytest.fixture(scope="module")
def run_id(tfkit: Tfkit, outputs: StackOutputs) -> str:
    """A run that ended as `ok`."""
    found: str = tfkit.json("ask", "an sqs queue named orders", "-o", "out")["run_id"]
    return found


def make_digest(tfkit: Tfkit, outputs: StackOutputs) -> dict[str, Any]:
    """What the schedule does each hour, under the function's own role."""
    answer = tfkit.client("lambda").invoke(FunctionName=outputs.digest_function)
    said = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return dict(said)


def records_of(tfkit: Tfkit, outputs: StackOutputs, run_id: str) -> dict[str, bytes]:
    """The objects of the audit bucket that hold records of the run."""
    s3 = tfkit.client("s3")
    listed = s3.list_objects_v2(Bucket=outputs.audit_bucket, Prefix="year=")["Contents"]
    bodies = {
        item["Key"]: s3.get_object(Bucket=outputs.audit_bucket, Key=item["Key"])["Body"].read()
        for item in listed
    }
    return {key: body for key, body in bodies.items() if run_id.encode() in body}


def test_an_honest_platform_is_ok_before_and_after_its_digest(
    tfkit: Tfkit, outputs: StackOutputs, run_id: str
) -> None:
    report = tfkit.json("audit", "verify")
    assert {"ok", "runs", "records", "problems"} <= report.keys()
    assert report["ok"] and report["problems"] == []
    assert (report["runs"], report["signed"], report["digests"]["last"]) == (1, 0, None)
    assert report["records"] == report["objects"] >= 2
    assert tfkit.json("audit") == []

    made = make_digest(tfkit, outputs)
    assert (made["number"], made["chains"]) == (0, 1)
    report = tfkit.json("audit", "verify", "--since", "1d")
    assert report["ok"] and report["signed"] == 1
    (row,) = tfkit.json("audit", "list")
    assert (row["number"], row["objects"], row["chains"]) == (0, made["objects"], 1)
    said = tfkit("audit", "verify").stdout
    assert "the record is whole and unaltered" in said
    assert "no evidence" in said, "a lock of the emulator must never pass for one"


def test_the_schedule_calls_the_function_each_hour(tfkit: Tfkit, outputs: StackOutputs) -> None:
    events = tfkit.client("events")
    (rule,) = events.list_rules()["Rules"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 hour)", "ENABLED")
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"].endswith(f":function:{outputs.digest_function}")


def as_the_agent(tfkit: Tfkit, outputs: StackOutputs) -> Callable[[str], Any]:
    """Clients of whoever has taken the agent's role."""
    sts = tfkit.client("sts")
    key = sts.assume_role(RoleArn=outputs.agent_role_arn, RoleSessionName="test")["Credentials"]
    session: Any = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"], "us-east-1")
    return lambda service: session.client(service, endpoint_url=tfkit.running().endpoint)


def test_the_agents_role_cannot_write_a_digest(tfkit: Tfkit, outputs: StackOutputs, run_id: str) -> None:
    agent = as_the_agent(tfkit, outputs)
    s3, kms = agent("s3"), agent("kms")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=outputs.audit_bucket, Key="digests/00000009.json", Body=b"{}")
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.sign(KeyId=outputs.digest_key_arn, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")


def test_a_file_kept_elsewhere_is_written_once_and_then_checked(
    tfkit: Tfkit, outputs: StackOutputs, run_id: str, tmp_path: Path
) -> None:
    file = tmp_path / "kept.json"
    first = tfkit.json("audit", "verify", "--digest", str(file))["digest"]
    written = file.read_bytes()
    assert first["action"] == "written" and json.loads(written)["chains"].keys() == {run_id}
    again = tfkit.json("audit", "verify", "--digest", str(file))
    assert again["ok"] and again["digest"]["action"] == "checked"
    assert file.read_bytes() == written


def test_whoever_rewrites_a_run_with_root_is_found_by_the_digest_and_by_the_file(
    tfkit: Tfkit, outputs: StackOutputs, run_id: str, tmp_path: Path
) -> None:
    file = tmp_path / "kept.json"
    tfkit.json("audit", "verify", "--digest", str(file))
    s3 = tfkit.client("s3")
    key, body = max(records_of(tfkit, outputs, run_id).items(), key=lambda item: b'"last":true' in item[1])
    version = s3.head_object(Bucket=outputs.audit_bucket, Key=key)["VersionId"]
    s3.delete_object(Bucket=outputs.audit_bucket, Key=key, VersionId=version, BypassGovernanceRetention=True)
    s3.put_object(Bucket=outputs.audit_bucket, Key=key, Body=body.replace(b'"name":"run"', b'"name":"ruN"'))

    report = tfkit.json("audit", "verify", "--digest", str(file), code=1)
    assert not report["ok"]
    found = {(problem["kind"], problem["run_id"] or problem["object"]) for problem in report["problems"]}
    assert {("forged_chain", run_id), ("object_altered", key), ("baseline", run_id)} <= found
    done = tfkit("audit", "verify")
    assert done.returncode == 1 and "forged_chain" in done.stdout and run_id in done.stdout

    other = tmp_path / "new.json"
    refused = tfkit.json("audit", "verify", "--digest", str(other), code=1)
    assert refused["digest"]["action"] == "refused" and not other.exists()


def forged_chain(run_id: str) -> list[Line]:
    """A chain that is whole and closed, and tells another story."""
    chain = Chain(run_id, b"{}", NEW_CHAIN)
    return [chain.seal(Draft(), last=False), chain.seal(Draft(), last=True)]


def test_a_whole_chain_forged_with_the_agents_rights_is_found(tfkit: Tfkit, outputs: StackOutputs) -> None:
    """With the role alone the two stories contradict each other; with root's help the digest still knows."""
    run_id = tfkit.json("ask", "an sns topic named news", "-o", "forged")["run_id"]
    make_digest(tfkit, outputs)
    honest = records_of(tfkit, outputs, run_id)
    agent, lines = as_the_agent(tfkit, outputs), forged_chain(run_id)
    agent("firehose").put_record_batch(
        DeliveryStreamName=outputs.delivery_stream, Records=[{"Data": line.data} for line in lines]
    )
    for line in lines:
        agent("s3").put_object(Bucket=outputs.runs_bucket, Key=keys.copy(run_id, line.seq), Body=line.data)
    found = tfkit.json("audit", "verify", code=1)["problems"]
    assert "conflict" in {problem["kind"] for problem in found if problem["run_id"] == run_id}

    s3 = tfkit.client("s3")
    for key in honest:
        version = s3.head_object(Bucket=outputs.audit_bucket, Key=key)["VersionId"]
        s3.delete_object(
            Bucket=outputs.audit_bucket, Key=key, VersionId=version, BypassGovernanceRetention=True
        )
    found = tfkit.json("audit", "verify", code=1)["problems"]
    assert {problem["kind"] for problem in found if problem["run_id"] == run_id} == {"forged_chain"}
    gone = {problem["object"] for problem in found if problem["kind"] == "object_missing"}
    assert gone == set(honest)


def test_bad_input_is_refused(tfkit: Tfkit, outputs: StackOutputs, tmp_path: Path) -> None:
    no_digest = tmp_path / "x.json"
    no_digest.write_text("[]")
    for arguments, code, said in [
        (("audit", "verify", "--digest", str(no_digest)), 2, "is no digest of tfkit's"),
        (("audit", "verify", "--since", "soon-ish"), 2, "1d"),
        (("--stack", "other", "audit", "verify"), 4, "tfkit up"),
    ]:
        done = tfkit(*arguments)
        assert done.returncode == code, done.stderr
        assert said in done.stderr and "Traceback" not in done.stderr

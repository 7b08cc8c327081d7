"""`tfkit verify` on a platform that is up: a real run, its statement, and what must not pass for it."""

import base64
import json
import shutil
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from driver import Tfkit

from toolkit.contracts import StackOutputs


@pytest.fixture(scope="module")
def runs(tfkit: Tfkit, outputs: StackOutputs) -> dict[str, str]:
    """Two runs that were `ok`, by the folder of their files."""
    prompts = {"orders": "an sqs queue named orders", "news": "an sns topic named news"}
    return {name: tfkit.json("ask", prompt, "-o", name)["run_id"] for name, prompt in prompts.items()}


def test_the_untouched_result_is_proven_with_and_without_the_platform(
    tfkit: Tfkit, runs: dict[str, str], tmp_path: Path
) -> None:
    verdict = tfkit.json("verify", "orders")
    assert verdict["ok"] and verdict["run_id"] == runs["orders"]
    assert "nothing was applied" in " ".join(verdict["not_proven"])
    shutil.copytree(tfkit.home / "orders", tmp_path / "anywhere")
    found = tfkit.json("verify", str(tmp_path / "anywhere"))
    assert found["ok"] and found["statement"] == "the platform's runs"

    key, statement = str(tmp_path / "key.pem"), str(tfkit.home / "orders.tfkit.json")
    tfkit.json("verify", "--write-key", key)
    elsewhere = Tfkit(tmp_path / "ci")  # a home that knows no platform
    elsewhere.home.mkdir()
    arguments = ("verify", str(tmp_path / "anywhere"), "--statement", statement, "--key", key)
    assert elsewhere.json(*arguments)["ok"]
    (tmp_path / "anywhere" / "zz.auto.tfvars").write_text("name = 1\n")
    assert elsewhere.json(*arguments, code=1)["added"] == ["zz.auto.tfvars"]


def test_the_statement_names_what_checked_it_and_its_provider(tfkit: Tfkit, runs: dict[str, str]) -> None:
    envelope = json.loads((tfkit.home / "orders.tfkit.json").read_bytes())
    said = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    assert {"fmt", "validate", "rehearse"} <= {check["validator"] for check in said["checks"]}
    assert all(check["tool"]["version"] for check in said["checks"])
    (provider,) = said["providers"]
    assert provider["source"].endswith("hashicorp/aws")
    assert any(one.startswith("h1:") for one in provider["hashes"])


def test_one_byte_another_run_and_a_forged_signature_are_refused(
    tfkit: Tfkit, runs: dict[str, str], tmp_path: Path
) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(tfkit.home / "orders", changed)
    file = next(changed.glob("*.tf"))
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.write_bytes(body)
    statement = tfkit.home / "orders.tfkit.json"
    verdict = tfkit.json("verify", str(changed), "--statement", str(statement), code=1)
    assert (verdict["changed"], verdict["added"], verdict["missing"]) == ([file.name], [], [])

    verdict = tfkit.json("verify", "orders", "--statement", "news.tfkit.json", code=1)
    assert verdict["added"] or verdict["changed"] or verdict["missing"]

    forged = json.loads(statement.read_bytes())
    other = json.loads((tfkit.home / "news.tfkit.json").read_bytes())
    forged["signatures"][0]["sig"] = other["signatures"][0]["sig"]
    (tmp_path / "forged.json").write_text(json.dumps(forged))
    verdict = tfkit.json("verify", "orders", "--statement", str(tmp_path / "forged.json"), code=1)
    assert not verdict["run_id"] and "signature" in verdict["problems"][0]


def test_another_key_than_the_agents_cannot_sign_a_statement(
    tfkit: Tfkit, outputs: StackOutputs, runs: dict[str, str]
) -> None:
    """Nor can another role use the agent's, whatever its own policies allow it."""
    iam, sts = tfkit.client("iam"), tfkit.client("sts")
    trusted = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role = iam.create_role(
        RoleName="mighty",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trusted}),
    )["Role"]["Arn"]
    iam.put_role_policy(
        RoleName="mighty",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": everything}),
    )
    taken = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    kms = boto3.client(
        "kms",
        endpoint_url=tfkit.running().endpoint,
        region_name="us-east-1",
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )
    assert kms.get_public_key(KeyId=outputs.statement_key_arn)["PublicKey"]
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.sign(KeyId=outputs.statement_key_arn, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")

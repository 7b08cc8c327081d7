"""The main job on the local target: up, ask, traces, runs, down; in the order of a working day."""

import io
import json
import os
import shutil
import signal
import subprocess
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from driver import Tfkit

from toolkit.checker.mirrors import cli_configuration, find_providers
from toolkit.contracts import StackOutputs
from toolkit.deploy.platform import Platform, quiet
from toolkit.emulator import healthy
from toolkit.settings import load

PROMPT = "Set up a new terraform project, creating a best practice s3 bucket."


@pytest.fixture(scope="module")
def asked(tfkit: Tfkit, outputs: StackOutputs) -> dict[str, Any]:
    """The result of one run, and its files in `out`."""
    return tfkit.json("ask", PROMPT, "-o", "out")


def test_up_again_finds_everything_the_same(tfkit: Tfkit, outputs: StackOutputs) -> None:
    again = tfkit.json("up")
    assert again["changes"]["same"] > 30
    assert sum(again["changes"].values()) == again["changes"]["same"]
    assert StackOutputs(**again["outputs"]) == outputs
    assert again.keys() == {"target", "account", "region", "stack", "changes", "outputs", "seconds"}


def test_the_emulator_listens_on_loopback_only(tfkit: Tfkit, outputs: StackOutputs) -> None:
    ports = {urlsplit(url).port for url in (tfkit.running().endpoint, tfkit.running().model_url)}
    listening = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            if state == "0A":
                listening[int(address.split(":")[1], 16)] = address.split(":")[0]
    assert {listening[port] for port in ports} == {"0100007F"}


def test_ask_is_ok_and_its_files_pass_terraform_by_hand(tfkit: Tfkit, asked: dict[str, Any]) -> None:
    assert asked["status"] == "ok" and asked["error"] is None
    assert asked["model"] == "offline-composer"
    assert asked["usage"]["requests"] > 1 and asked["usage"]["input_tokens"] > 0
    assert len(asked["trace_id"]) == 32
    assert asked["attempts"][-1]["validators"] == {"fmt": "ok", "validate": "ok", "rehearse": "ok"}
    files = {entry["path"] for entry in asked["files"]}
    assert {"versions.tf"} < files and all(path.endswith(".tf") for path in files)
    assert {
        str(p.relative_to(tfkit.home / "out")) for p in (tfkit.home / "out").rglob("*") if p.is_file()
    } == files
    work = tfkit.home / "by-hand"
    shutil.copytree(tfkit.home / "out", work)
    configuration = tfkit.home / "terraformrc"
    said = subprocess.run(
        ["terraform", "version", "-json"], capture_output=True, text=True, check=True
    ).stdout
    platform = json.loads(said)["platform"]
    configuration.write_text(cli_configuration(find_providers(platform)))
    environment = {**tfkit.environment, "TF_CLI_CONFIG_FILE": str(configuration)}
    for command in (["init", "-input=false"], ["validate"], ["fmt", "-check", "-recursive"]):
        done = subprocess.run(
            ["terraform", *command], cwd=work, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_ask_says_what_was_not_proven(asked: dict[str, Any]) -> None:
    assert [check["tool"]["name"] for check in asked["checks"]] == ["terraform", "terraform", "ministack"]
    assert asked["checks"][-1]["detail"].endswith("resources planned")
    assert {skipped["validator"] for skipped in asked["skipped"]} == {"tflint", "checkov"}
    for unproven in ("no language model", "which is not AWS", "nothing was applied"):
        assert any(unproven in point for point in asked["not_proven"]), unproven


def test_traces_list_the_run_and_its_objects_are_locked(
    tfkit: Tfkit, outputs: StackOutputs, asked: dict[str, Any]
) -> None:
    rows = {row["run_id"]: row for row in tfkit.json("traces", "--since", "1d")}
    row = rows[asked["run_id"]]
    assert row["trace_id"] == asked["trace_id"] and row["status"] == "ok"
    assert (row["model"], row["cost_usd"]) == ("offline-composer", 0.0)
    assert row["input_tokens"] == asked["usage"]["input_tokens"]
    assert row["tool_calls"] >= 3 and row["spans"] > row["tool_calls"]

    s3 = tfkit.client("s3")
    today = datetime.now(UTC)
    prefix = f"year={today:%Y}/month={today:%m}/day={today:%d}/"
    found = s3.list_objects_v2(Bucket=outputs.audit_bucket, Prefix=prefix)["Contents"]
    for entry in found:
        lock = s3.get_object_retention(Bucket=outputs.audit_bucket, Key=entry["Key"])["Retention"]
        assert lock["Mode"] == "GOVERNANCE"
        assert (lock["RetainUntilDate"] - today).days >= 6


def test_one_run_is_a_waterfall(tfkit: Tfkit, asked: dict[str, Any]) -> None:
    text = tfkit("traces", "--run", asked["run_id"]).stdout
    for name in ("run", "invoke_agent", "chat", "execute_tool", "terraform init", "validator validate"):
        assert name in text
    document = tfkit.json("traces", "--run", asked["run_id"])
    assert document["complete"] and len(document["span_list"]) == document["spans"]
    contents = json.dumps(document["span_list"])
    assert PROMPT in contents  # what went to the model is in the record


def test_runs_show_and_files_give_the_same_again(tfkit: Tfkit, asked: dict[str, Any]) -> None:
    assert tfkit.json("runs", "show", asked["run_id"]) == asked
    assert asked["run_id"] in {record["run_id"] for record in tfkit.json("runs")}
    tfkit.json("runs", "files", asked["run_id"], "-o", "again")
    for entry in asked["files"]:
        assert (tfkit.home / "again" / entry["path"]).read_bytes() == (
            tfkit.home / "out" / entry["path"]
        ).read_bytes()
    assert tfkit("runs", "show", "0nosuchrun").returncode == 1


def test_the_same_run_id_does_the_work_once(tfkit: Tfkit, asked: dict[str, Any]) -> None:
    again = tfkit.json("ask", PROMPT, "--run-id", asked["run_id"], "-o", "once")
    assert again == asked


PROBE = """
import boto3, json, os

def handler(event, context):
    answers = {}
    for name, service, operation, arguments in event:
        try:
            getattr(boto3.client(service), operation)(**arguments)
            answers[name] = "allowed"
        except Exception as error:
            answers[name] = getattr(error, "response", {}).get("Error", {}).get("Code", repr(error))
    answers["arn"] = boto3.client("sts").get_caller_identity()["Arn"]
    return answers
"""


def test_inside_lambda_it_is_the_agent_role_and_no_more(
    tfkit: Tfkit, outputs: StackOutputs, asked: dict[str, Any]
) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", PROBE)
    functions = tfkit.client("lambda")
    functions.create_function(
        FunctionName="probe",
        Runtime="python3.11",
        Role=outputs.agent_role_arn,
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
    )
    locked = tfkit.client("s3").list_objects_v2(Bucket=outputs.audit_bucket)["Contents"][0]["Key"]
    role = outputs.agent_role_arn.rsplit("/", 1)[1]
    own = {"Bucket": outputs.runs_bucket, "Key": f"runs/{asked['run_id']}/result.json"}
    audit, stream = outputs.audit_bucket, outputs.delivery_stream
    calls: list[tuple[str, str, str, dict[str, Any]]] = [
        ("read own run", "s3", "get_object", own),
        ("read registry", "ssm", "get_parameter", {"Name": outputs.registry_parameter}),
        ("list buckets", "s3", "list_buckets", {}),
        ("delete a record", "s3", "delete_object", {"Bucket": audit, "Key": locked}),
        ("read the audit trail", "s3", "get_object", {"Bucket": audit, "Key": locked}),
        ("forge a record", "s3", "put_object", {"Bucket": audit, "Key": "year=2026/x", "Body": b""}),
        ("change own policy", "iam", "delete_role_policy", {"RoleName": role, "PolicyName": "x"}),
        ("another function", "lambda", "invoke", {"FunctionName": outputs.digest_function, "Payload": b"{}"}),
        ("another parameter", "ssm", "get_parameter", {"Name": "/other"}),
        ("list tables", "dynamodb", "list_tables", {}),
        ("delete the stream", "firehose", "delete_delivery_stream", {"DeliveryStreamName": stream}),
    ]  # fmt: skip
    try:
        payload = json.dumps(
            [
                [n, s, o, {k: v if not isinstance(v, bytes) else v.decode() for k, v in a.items()}]
                for n, s, o, a in calls
            ]
        )
        answers = json.loads(functions.invoke(FunctionName="probe", Payload=payload)["Payload"].read())
    finally:
        functions.delete_function(FunctionName="probe")
        tfkit.client("logs").delete_log_group(logGroupName="/aws/lambda/probe")
    assert answers.pop("arn") == f"arn:aws:sts::000000000000:assumed-role/{role}/probe"
    assert {name for name, answer in answers.items() if answer == "allowed"} == {
        "read own run",
        "read registry",
    }
    refused = {name: answer for name, answer in answers.items() if answer != "allowed"}
    assert set(refused.values()) <= {"AccessDenied", "AccessDeniedException"}, refused


def test_a_prompt_without_a_recipe_does_not_converge_and_invents_nothing(
    tfkit: Tfkit, outputs: StackOutputs
) -> None:
    result = tfkit.json("ask", "an AWS Ground Station dataflow endpoint", code=3)
    assert result["status"] == "not_converged" and result["files"] == []
    assert "--llm" in result["output"] and "no language model" in result["output"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ask", "   "), 2, "empty"),
        (("ask", "a bucket", "-m", "gpt-9"), 2, "offline-composer"),
        (("ask", "a bucket", "-o", "out"), 2, "not empty"),
        (("traces", "--since", "yesterday-ish"), 2, "1d"),
        (("--stack", "other", "ask", "a bucket"), 4, "tfkit up"),
        (("--stack", "Bad_Name", "up"), 2, "lower-case"),
        (("frobnicate",), 2, "--help"),
        (("--region", "eu-west-1", "status"), 2, "lives in us-east-1"),
        (("--region", "mars-1", "status"), 2, "region"),
        (("up", "--llm", "notaurl", "--llm-model", "x"), 2, "llm"),
        (("ask", "another bucket", "--run-id", "ASKED", "-o", "other"), 2, "another request"),
        (("ask", "a bucket", "-o", "out/versions.tf/below"), 2, "versions.tf"),
    ],
)
def test_bad_input_is_refused_with_what_would_be_right(
    tfkit: Tfkit, asked: dict[str, Any], arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = tfkit(*(asked["run_id"] if argument == "ASKED" else argument for argument in arguments))
    assert done.returncode == code, done.stderr
    assert "error:" in done.stderr and said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_terraform_up_says_how_to_get_it_and_starts_nothing(tmp_path: Path) -> None:
    bare = Tfkit(tmp_path, PATH=str(tmp_path))
    done = bare("up")
    assert done.returncode == 1
    assert "terraform is not on PATH" in done.stderr and "hint: Install" in done.stderr
    assert not bare.folder.exists()


@pytest.mark.thorough
def test_a_killed_emulator_comes_back_with_its_resources(
    tfkit: Tfkit, outputs: StackOutputs, asked: dict[str, Any]
) -> None:
    os.kill(tfkit.running().emulator_pid, signal.SIGKILL)
    result = tfkit.json("ask", "an sqs queue named orders with a dead letter queue", "-o", "queue")
    assert result["status"] == "ok"
    again = tfkit.json("up")["changes"]
    assert again["same"] == sum(again.values())


def test_down_leaves_no_resource_no_process_and_no_port(tfkit: Tfkit, asked: dict[str, Any]) -> None:
    running = tfkit.running()
    platform = Platform(load({}, {"TFKIT_HOME": str(tfkit.home)}, tfkit.home))
    _, receipt = platform.destroy(quiet)

    # Still running: everything that the platform's services can list is empty.
    assert tfkit.client("s3").list_buckets()["Buckets"] == []
    assert tfkit.client("dynamodb").list_tables()["TableNames"] == []
    assert tfkit.client("iam").list_roles()["Roles"] == []
    assert tfkit.client("iam").list_policies(Scope="Local")["Policies"] == []
    assert tfkit.client("lambda").list_functions()["Functions"] == []
    assert tfkit.client("firehose").list_delivery_streams()["DeliveryStreamNames"] == []
    assert tfkit.client("sqs").list_queues().get("QueueUrls", []) == []
    assert tfkit.client("sns").list_topics()["Topics"] == []
    assert tfkit.client("ecr").describe_repositories()["repositories"] == []
    assert tfkit.client("ssm").describe_parameters()["Parameters"] == []
    assert tfkit.client("logs").describe_log_groups()["logGroups"] == []
    assert tfkit.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert tfkit.client("cloudwatch").list_dashboards()["DashboardEntries"] == []
    assert tfkit.client("events").list_rules()["Rules"] == []
    profiles = tfkit.client("bedrock").list_inference_profiles()["inferenceProfileSummaries"]
    assert [p for p in profiles if ":application-inference-profile/" in p["inferenceProfileArn"]] == []
    tagged = tfkit.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "tfkit:stack", "Values": ["dev"]}]
    )["ResourceTagMappingList"]
    keys = [entry["ResourceARN"] for entry in tagged if ":key/" in entry["ResourceARN"]]
    assert [entry["ResourceARN"] for entry in tagged if ":key/" not in entry["ResourceARN"]] == []
    states = {tfkit.client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] for arn in keys}
    assert states <= {"PendingDeletion"}
    assert receipt.kept == [] and len(receipt.scheduled) == 3 and len(receipt.deleted) > 30

    assert tfkit("down").returncode == 0
    deadline = time.monotonic() + 10
    while _alive(running.pid) or _alive(running.emulator_pid):
        assert time.monotonic() < deadline, "a process is left"
        time.sleep(0.05)
    assert not healthy(running.endpoint)
    assert not (tfkit.folder / "emulator").exists()

    second = tfkit("down")
    assert second.returncode == 0 and "nothing is deployed" in second.stdout


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False

"""What an operator does with a platform: looks at it, moves it, keeps its data, takes the state out."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from driver import Tfkit

from toolkit.local import control


@pytest.fixture(scope="module")
def tfkit(tmp_path_factory: pytest.TempPathFactory):
    made = Tfkit(tmp_path_factory.mktemp("home"))
    yield made
    made("down")


def test_one_setting_is_one_update_and_a_preview_changes_nothing(tfkit: Tfkit) -> None:
    first = tfkit.json("preview")["changes"]
    assert first["create"] == sum(first.values()) > 45
    made = tfkit.json("up")["changes"]
    assert made == first
    tfkit.environment["TFKIT_DAILY_TOKEN_LIMIT"] = "5000"
    assert tfkit.json("preview")["changes"]["update"] == 1
    changed = tfkit.json("up")["changes"]
    assert changed == {"create": 0, "update": 1, "replace": 0, "delete": 0, "same": made["create"] - 1}


@pytest.mark.thorough
def test_status_names_what_was_changed_by_hand_and_up_puts_it_right(tfkit: Tfkit) -> None:
    before = tfkit.json("status")
    assert before["drift"] == []
    assert {check["name"]: check["ok"] for check in before["health"]}.pop("agent")
    outputs = before["outputs"]
    tfkit.client("sqs").delete_queue(QueueUrl=outputs["dead_letter_queue_url"])
    tfkit.client("cloudwatch").delete_alarms(AlarmNames=[outputs["token_alarm"]])
    tfkit.client("logs").put_retention_policy(logGroupName=outputs["log_group"], retentionInDays=1)
    after = tfkit.json("status")
    drift = {each["name"]: each for each in after["drift"]}
    assert drift["dead-letters"]["gone"] and drift["token-alarm"]["gone"]
    assert drift["agent-log"]["changed"] == ["retentionInDays"]
    health = {check["name"]: check for check in after["health"]}
    assert not health["alarms"]["ok"] and "missing" in health["alarms"]["detail"]

    tfkit.json("state", "refresh")
    tfkit.json("up")
    assert tfkit.json("status")["drift"] == []


def test_a_dry_run_of_down_and_nothing_to_take_down_touch_nothing(tfkit: Tfkit) -> None:
    running = tfkit.running()
    assert tfkit("down", "--dry-run").returncode == 0
    assert tfkit("down", "--dry-run", "--stack", "typo").returncode == 0
    assert tfkit.running() == running
    hidden = tfkit.folder / "hidden"
    (tfkit.folder / "state.json").rename(hidden)
    assert "nothing is deployed" in tfkit("down", "--dry-run").stdout
    hidden.rename(tfkit.folder / "state.json")
    assert tfkit.running() == running
    assert tfkit.json("status")["drift"] == []


@pytest.mark.thorough
def test_a_providers_key_outlives_the_emulator(tfkit: Tfkit) -> None:
    tfkit.environment["TFKIT_MISTRAL_KEY"] = "a-key-of-mistral"
    assert tfkit.json("up")["changes"]["create"] == 1
    del tfkit.environment["TFKIT_MISTRAL_KEY"]
    os.kill(tfkit.running().pid, signal.SIGTERM)
    while control.find(tfkit.folder):
        time.sleep(0.05)
    assert tfkit("preview").returncode == 0
    assert tfkit.json("up")["changes"]["delete"] == 0
    parameter = tfkit.client("ssm").get_parameter(Name="/tfkit-dev/secrets/mistral", WithDecryption=True)
    assert parameter["Parameter"]["Value"] == "a-key-of-mistral"
    assert "a-key-of-mistral" not in tfkit("state", "export").stdout
    tfkit.environment["TFKIT_MISTRAL_KEY"] = "none"
    assert tfkit.json("up")["changes"]["delete"] == 1


@pytest.mark.thorough
def test_a_move_is_announced_before_it_happens(tfkit: Tfkit) -> None:
    run = tfkit.json("ask", "an sqs queue", "-o", str(tfkit.home / "queue"))
    planned = tfkit("preview", "--region", "eu-west-1")
    assert "the region from us-east-1 to eu-west-1 changes" in planned.stderr
    refused = tfkit("status", "--region", "eu-west-1")
    assert refused.returncode == 2 and "lives in us-east-1" in refused.stderr
    moved = tfkit("up", "--region", "eu-west-1", "--json")
    assert "which replaces the platform" in moved.stderr
    changes = json.loads(moved.stdout)["changes"]
    assert changes["replace"] == sum(changes.values())
    assert tfkit.client("s3").list_buckets()["Buckets"]
    names = [bucket["Name"] for bucket in tfkit.client("s3").list_buckets()["Buckets"]]
    assert all(name.endswith("eu-west-1") for name in names)
    assert run["run_id"] in {row["run_id"] for row in tfkit.json("traces")}

    tfkit.environment["TFKIT_PREFIX"] = "acme"
    renamed = tfkit("up", "--json")
    assert "the prefix from tfkit-dev to acme changes" in renamed.stderr
    assert json.loads(renamed.stdout)["changes"]["replace"] > 40
    names = [bucket["Name"] for bucket in tfkit.client("s3").list_buckets()["Buckets"]]
    assert len(names) == 2 and all(name.startswith("acme-") for name in names)


@pytest.mark.thorough
def test_data_can_be_kept_and_the_next_up_goes_on_with_it(tfkit: Tfkit) -> None:
    run = tfkit.json("ask", "an sqs queue", "-o", str(tfkit.home / "kept"))
    would = tfkit.json("down", "--keep-data", "--dry-run")["receipt"]
    receipt = tfkit.json("down", "--keep-data")["receipt"]
    assert {kept["urn"] for kept in would["kept"]} == {kept["urn"] for kept in receipt["kept"]}
    assert {"audit-bucket", "runs-bucket", "key"} <= {
        kept["urn"].rsplit("::", 1)[-1] for kept in receipt["kept"]
    }
    assert tfkit("status").returncode == 4
    back = tfkit.json("up")["changes"]
    assert back["same"] == len(receipt["kept"])
    files = tfkit("runs", "files", run["run_id"], "-o", str(tfkit.home / "again"))
    assert files.returncode == 0, files.stderr
    assert list((tfkit.home / "again").glob("*.tf"))


@pytest.mark.thorough
def test_the_state_goes_out_and_comes_in(tfkit: Tfkit, tmp_path: Path) -> None:
    saved = tmp_path / "state.json"
    assert tfkit("state", "export", "-o", str(saved)).returncode == 0
    document = json.loads(saved.read_text())
    assert document["version"] == 3
    refused = tfkit("state", "import", str(saved))
    assert refused.returncode == 1 and "--force" in refused.stderr
    assert tfkit("state", "import", str(saved), "--force").returncode == 0
    again = tfkit.json("up")["changes"]
    assert again["same"] == sum(again.values())
    assert tfkit("state", "cancel").returncode == 0


def test_what_somebody_made_by_hand_survives_down(tfkit: Tfkit) -> None:
    tfkit.client("s3").create_bucket(Bucket="made-by-hand")
    tfkit.client("sqs").create_queue(QueueName="made-by-hand")
    from toolkit.deploy.platform import Platform, quiet
    from toolkit.settings import load

    environment = {"TFKIT_HOME": str(tfkit.home), "TFKIT_PREFIX": "acme"}
    Platform(load({}, environment, tfkit.home)).destroy(quiet)  # the emulator still runs, to look into
    assert [b["Name"] for b in tfkit.client("s3").list_buckets()["Buckets"]] == ["made-by-hand"]
    urls = tfkit.client("sqs").list_queues()["QueueUrls"]
    assert len(urls) == 1 and urls[0].endswith("made-by-hand")

"""A change of a configuration that is there: twenty files, of which only those are touched that must be."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from driver import Tfkit

from toolkit.contracts import StackOutputs, Tree

SHOP = Path(__file__).parent / "shop"
PROMPT = "add an SQS queue for refunds with a dead-letter queue"
SECRET = "AKIAQWERTYUIOPASDFGH"


def held(folder: Path) -> dict[str, bytes]:
    """Every file of the folder, hidden ones too."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def shop(tfkit: Tfkit) -> Path:
    """The shop in a folder of its user's, with what such a folder holds besides."""
    folder = tfkit.home / "shop"
    shutil.copytree(SHOP, folder)
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "debug.log").write_text("ignored")
    (folder / ".env").write_text(f"AWS_ACCESS_KEY_ID={SECRET}")
    (folder / "old.md").write_text(f"our key is {SECRET}")
    (folder / "terraform.tfstate").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def asked(tfkit: Tfkit, outputs: StackOutputs, shop: Path) -> dict[str, Any]:
    """The result of a run that started from the shop; nothing was written."""
    before = held(shop)
    result = tfkit.json("ask", PROMPT, "--dir", "shop", "--run-id", "shop-refunds-1")
    assert held(shop) == before
    return result


def test_it_touches_only_what_it_must_and_keeps_the_style(asked: dict[str, Any], shop: Path) -> None:
    assert (asked["status"], asked["error"]) == ("ok", None)
    assert asked["attempts"][-1]["validators"] == {"fmt": "ok", "validate": "ok", "rehearse": "ok"}
    start = {entry.path: entry.sha256 for entry in Tree(files=held(SHOP)).entries}
    assert len(start) == 20
    files = {entry["path"]: entry["sha256"] for entry in asked["files"]}
    assert files.keys() == start.keys()
    assert [path for path in start if files[path] != start[path]] == ["messaging.tf", "outputs.tf"]
    lines = asked["diff"].splitlines()
    assert [line for line in lines if line.startswith("-")] == ["--- a/messaging.tf", "--- a/outputs.tf"]
    assert '+  name                       = "${local.prefix}-refunds"' in lines
    assert lines.count("+  tags = local.tags") == 2


def test_what_stays_home_has_left_no_trace_in_the_platform(tfkit: Tfkit, asked: dict[str, Any]) -> None:
    assert {stay["path"] for stay in asked["stays"]} == {
        ".env", ".gitignore", "debug.log", "old.md", "terraform.tfstate"
    }  # fmt: skip
    stored = tfkit.client("s3")
    bucket = f"tfkit-dev-runs-{tfkit.client('sts').get_caller_identity()['Account']}-us-east-1"
    listed = stored.list_objects_v2(Bucket=bucket, Prefix="runs/shop-refunds-1/")["Contents"]
    assert f"runs/{asked['run_id']}/start.tree" in {item["Key"] for item in listed}
    for item in listed:
        assert SECRET.encode() not in stored.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()


def test_the_diff_applies_with_git_and_terraform_finds_it_formatted(
    tfkit: Tfkit, asked: dict[str, Any], tmp_path: Path
) -> None:
    copy = tmp_path / "shop"
    shutil.copytree(SHOP, copy)
    printed = tfkit("ask", PROMPT, "--dir", "shop", "--run-id", asked["run_id"], "-x").stdout
    assert printed == asked["diff"]
    subprocess.run(["git", "apply", "-"], cwd=copy, input=printed, text=True, check=True)
    entries = {entry.path: entry.sha256 for entry in Tree(files=held(copy)).entries}
    assert entries == {entry["path"]: entry["sha256"] for entry in asked["files"]}
    subprocess.run(["terraform", "fmt", "-check", "-recursive"], cwd=copy, check=True)


def test_the_same_run_is_written_where_the_files_are_as_they_were(
    tfkit: Tfkit, asked: dict[str, Any], shop: Path
) -> None:
    same = ("ask", PROMPT, "--dir", "shop", "--run-id", asked["run_id"], "--write")
    before = held(shop)
    (shop / "logs.tf").write_bytes(before["logs.tf"] + b"# mine\n")
    moved = tfkit(*same)
    assert moved.returncode == 2 and "belongs to another request" in moved.stderr
    assert held(shop) == {**before, "logs.tf": before["logs.tf"] + b"# mine\n"}
    (shop / "logs.tf").write_bytes(before["logs.tf"])
    assert tfkit.json(*same)["written"] == ["messaging.tf", "outputs.tf"]
    after = held(shop)
    changed = {path for path in after if after[path] != before.get(path)}
    assert (changed, after.keys()) == ({"messaging.tf", "outputs.tf"}, before.keys())


def test_what_is_there_by_that_name_is_not_made_twice(
    tfkit: Tfkit, asked: dict[str, Any], shop: Path
) -> None:
    before = held(shop)
    again = tfkit.json(
        "ask", "add an SQS queue for orders", "--dir", "shop", "--write", "--rehearse", "off", code=3
    )
    assert "has this already: aws_sqs_queue.orders" in again["output"]
    assert (again["error"], again["diff"], again["written"]) == ("the model changed no file", "", [])
    assert held(shop) == before


def test_a_prompt_above_the_limit_of_an_event_arrives(tfkit: Tfkit, outputs: StackOutputs) -> None:
    done = tfkit.json("ask", "-", "-o", "large", stdin="ü" * 100_000, code=3)
    assert done["status"] == "not_converged" and len(done["prompt"]) == 100_000

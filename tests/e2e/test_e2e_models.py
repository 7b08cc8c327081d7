"""The registry is its user's: a model is added, used, made the default, kept by an `up`, and removed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Tfkit
from mistral_server import Mistral, Said, serve_mistral

from toolkit.contracts import StackOutputs

COMPOSER = "tfkit.offline-composer-v1"
GOOD = 'resource "aws_sqs_queue" "this" {\n  name = "orders"\n}\n'


@pytest.fixture(scope="module")
def mistral() -> Iterator[Mistral]:
    with serve_mistral() as told:
        yield told


def test_a_model_that_is_added_is_used_without_a_deploy(
    tfkit: Tfkit, outputs: StackOutputs, tmp_path: Path
) -> None:
    listed = tfkit.json("models", "list")
    assert (listed["default"], sorted(listed["models"])) == (
        "offline-composer",
        ["devstral-small", "mistral-large", "offline-composer"],
    )
    long = ("--max-tokens", "20000")  # such answers are streamed
    added = tfkit.json("models", "add", "mine", "--id", COMPOSER, *long)["models"]["mine"]
    assert added["profile"] == outputs.profiles["offline-composer"]
    assert tfkit.json("models", "check", "mine")["models"][0]["ok"]
    result = tfkit.json("ask", "an SQS queue", "-m", "mine", "-o", str(tmp_path / "out"))
    assert (result["status"], result["model"], result["models"]) == ("ok", "mine", ["mine"])
    assert result["usage"]["cost_usd"] == 0
    assert any("offline-composer" in point for point in result["not_proven"])


def test_the_users_models_are_no_drift_and_the_next_up_keeps_them(
    tfkit: Tfkit, outputs: StackOutputs
) -> None:
    assert tfkit.json("models", "default", "mine")["default"] == "mine"
    assert tfkit.json("status")["drift"] == []
    up = tfkit.json("up")
    assert up["outputs"]["profiles"].keys() == {"offline-composer", "mine"}
    assert up["changes"]["replace"] == up["changes"]["delete"] == 0
    listed = tfkit.json("models")
    assert (listed["default"], listed["models"]["mine"]["profile"]) == (
        "mine",
        up["outputs"]["profiles"]["mine"],
    )
    again = tfkit.json("up")["changes"]
    assert (again["create"], again["update"], again["delete"]) == (0, 0, 0)
    assert tfkit.json("models", "check", "mine")["models"][0]["ok"]


def test_a_model_of_mistrals_needs_no_deploy_and_falls_back(
    tfkit: Tfkit, outputs: StackOutputs, mistral: Mistral, tmp_path: Path
) -> None:
    address = ("--provider", "mistral", "--id", "mistral-large-2512", "--endpoint", mistral.endpoint)
    tfkit.json("models", "add", "local-large", *address)
    assert tfkit.json("models", "check", "local-large")["models"][0]["ok"]
    mistral.answers = [
        Said(tool=("write_file", {"path": "main.tf", "content": GOOD})),
        Said(text="A queue."),
    ]
    run = ("ask", "an SQS queue", "--rehearse", "off", "-o")
    result = tfkit.json(*run, str(tmp_path / "large"), "-m", "local-large", "--temperature", "0.3")
    assert (result["models"], result["model_retries"]) == (["local-large"], 0), result
    assert mistral.asked[0]["temperature"] == 0.3
    dead = ("--provider", "mistral", "--id", "x", "--endpoint", "http://127.0.0.1:9")
    tfkit.json("models", "add", "dead", *dead, "--fallback", "mine")
    assert "cannot be reached" in tfkit.json("models", "check", "dead", code=1)["models"][0]["detail"]


def test_what_is_removed_is_unknown_and_goes_with_the_next_up(tfkit: Tfkit, outputs: StackOutputs) -> None:
    assert tfkit("models", "remove", "mine").returncode == 2
    tfkit.json("models", "default", "offline-composer")
    tfkit.json("models", "remove", "dead")
    tfkit.json("models", "remove", "mine")
    refused = tfkit("ask", "an SQS queue", "-m", "mine")
    assert refused.returncode == 2
    assert "unknown model 'mine'" in refused.stderr
    assert tfkit.json("up")["outputs"]["profiles"].keys() == {"offline-composer"}


def test_without_a_key_mistrals_own_are_told_with_the_next_step(tfkit: Tfkit, outputs: StackOutputs) -> None:
    checked = tfkit.json("models", "check", "mistral-large", code=1)["models"]
    assert checked[0]["fix"] == "TFKIT_MISTRAL_KEY=… tfkit up"
    assert tfkit("ask", "a queue", "-m", "mistral-large").returncode == 1

"""Follow-ups: read together with the prompts before them, where the files are those that came of these."""

import pytest
from test_model_turns import TOOLS, Agent

from toolkit.local.model.compose import compose
from toolkit.local.model.composer import complete
from toolkit.local.model.follow import is_goodbye
from toolkit.local.model.prompt import read_prompt

QUEUE = "an SQS queue named orders"


@pytest.mark.parametrize(
    "said",
    [
        "bye",
        "Goodbye!",
        "thanks, that's all",
        "ok, that\N{RIGHT SINGLE QUOTATION MARK}s it",
        "quit",
        "we are done",
        "No thanks, bye.",
        "that is all for now, thanks",
        "nothing else",
        "I'm done",
    ],
)
def test_a_goodbye_is_known(said: str):
    assert is_goodbye(said)


@pytest.mark.parametrize(
    "said",
    [
        "a bucket named bye",
        "that's all I want: a bucket",
        "thanks, now add a queue",
        "an exit queue",
        "",
        "ok",
    ],
)
def test_what_only_looks_like_a_goodbye_is_none(said: str):
    assert not is_goodbye(said)


def test_a_goodbye_ends_the_conversation_where_there_is_a_tool_for_it():
    messages = [{"role": "user", "content": "bye"}]
    end = {"type": "function", "function": {"name": "end_conversation", "parameters": {}}}
    message = complete({"model": "arn:x", "messages": messages, "tools": [*TOOLS, end]})["choices"][0][
        "message"
    ]
    assert message["tool_calls"][0]["function"]["name"] == "end_conversation"
    assert "Goodbye" in message["tool_calls"][0]["function"]["arguments"]
    plain = complete({"model": "arn:x", "messages": messages, "tools": TOOLS})["choices"][0]["message"]
    assert "Goodbye" in plain["content"] and not plain.get("tool_calls")


def test_a_follow_up_changes_what_is_there():
    agent = Agent()
    agent.ask(QUEUE)
    before = dict(agent.files)
    text = agent.ask("and encrypt it with KMS")
    assert "kms_master_key_id" in agent.files["sqs.tf"] and "sqs_managed_sse" not in agent.files["sqs.tf"]
    assert agent.files["sqs.tf"].count('resource "aws_sqs_queue" "orders"') == 1
    assert agent.files["versions.tf"] == before["versions.tf"] and "kms.tf" in agent.files
    assert '"orders"' in text and "KMS key" in text
    agent.ask("also an S3 bucket named acme-logs-eu")
    assert {"sqs.tf", "kms.tf", "s3.tf"} <= agent.files.keys()


def test_only_what_differs_is_written():
    agent = Agent()
    agent.ask(QUEUE)
    agent.called.clear()
    agent.ask("and encrypt it with KMS")
    assert agent.called.count("write_file") == 3  # kms.tf, sqs.tf, outputs.tf


def test_a_follow_up_that_says_nothing_to_a_recipe_writes_nothing_and_says_so():
    agent = Agent()
    agent.ask(QUEUE)
    before = dict(agent.files)
    text = agent.ask("make it sparkle")
    assert agent.files == before and "comes to the same files" in text and "sparkle" in text
    assert "no language model" in text


def test_what_was_refused_or_was_a_goodbye_does_not_spoil_what_comes_after():
    agent = Agent()
    agent.ask(QUEUE)
    assert "no recipe for" in agent.ask("a CloudFront distribution in front")
    agent.ask("bye")
    agent.ask("encrypt it with KMS")
    assert "kms_master_key_id" in agent.files["sqs.tf"]


def test_files_that_somebody_changed_are_added_to_and_not_made_anew():
    agent = Agent()
    agent.ask(QUEUE)
    agent.files["sqs.tf"] += "# mine\n"
    agent.ask("and an S3 bucket named acme-logs-eu")
    assert "# mine" in agent.files["sqs.tf"] and "acme-logs-eu" in "".join(agent.files.values())
    assert "I recognise no AWS resource" in agent.ask("make it sparkle")


def test_sources_beside_the_terraform_are_gone_on_with():
    agent = Agent()
    agent.ask("a Python lambda function named resize")
    assert any(path.startswith("src/") for path in agent.files)
    agent.ask("and an SQS queue named orders")
    whole = read_prompt("a Python lambda function named resize\nand an SQS queue named orders")
    assert agent.files == compose(whole).files

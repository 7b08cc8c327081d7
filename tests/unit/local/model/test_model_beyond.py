"""Nothing of substance is dropped silently: it is told, and then nothing is written."""

import re

import pytest
from test_model_turns import Agent

from toolkit.local.model.closing import summary, too_much
from toolkit.local.model.compose import Composition, compose
from toolkit.local.model.ignored import tokens
from toolkit.local.model.prompt import read_prompt
from toolkit.local.model.spelling import guesses


def made(prompt: str) -> Composition:
    """What is made of a prompt that must not be refused."""
    wishes = read_prompt(prompt)
    assert wishes.wishes and not wishes.unknown and not wishes.beyond, (wishes.unknown, wishes.beyond)
    composition = compose(wishes)
    assert not composition.loose
    return composition


def code(prompt: str) -> str:
    return re.sub(r"[ \t]+", " ", "\n".join(made(prompt).files.values()))


def kinds(prompt: str) -> list[str]:
    return sorted(wish.kind for wish in read_prompt(prompt).wishes)


def told(prompt: str) -> str:
    wishes = read_prompt(prompt)
    return summary(wishes, compose(wishes), ())


def test_tokens_of_every_sort_are_seen_without_their_punctuation() -> None:
    text = 'Keep (.json) under raw/, id "x-1", 7pm; 300GB = a_b.The end.'
    assert [text[slice(*span)] for span in tokens(text)] == [
        "Keep", ".json", "under", "raw/", "id", "x-1", "7pm", "300GB", "a_b.The", "end",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("an s3 bucket whose objects are copied at 6am", {"6am"}),
        ("an SQS queue with 250KB messages", {"250KB"}),
        ("a bucket that notifies a lambda of .png uploads", {".png"}),
        ("an EC2 role with external id 'abc-99'", {"external", "id", "abc-99"}),
        ("an SNS topic tagged team=payments", {"tagged", "team=payments"}),
        ("a DynamoDB table with a prefix", {"prefix"}),
        ("a lambda that a queue triggers, cat pictures only", {"pictures"}),
        ("an RDS instance with 40 GB and 900 GB", {"900"}),
        ("a KMS key that frobs the widgets of gadgets", {"frobs", "widgets", "gadgets"}),
        ("a bucket with frobnication", {"frobnication"}),
    ],
)
def test_what_is_of_substance_refuses_the_whole(prompt: str, words: set[str]) -> None:
    wishes = read_prompt(prompt)
    assert wishes.wishes
    assert words <= {part for left in wishes.beyond for part in (left, *re.findall(r"\d+", left))}


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a queue without writing a lambda", ["sqs_queue"]),
        ("a table, but do not create a bucket", ["dynamodb_table"]),
        ("an EC2 instance t3.small with 30 GB disk, no ssh, no bastion, IMDSv2 only", ["ec2_instance"]),
        ("a postgres RDS instance whose master password is not in the state file", ["rds_instance"]),
        ("can someone show me two SQS queues, please?", ["sqs_queue", "sqs_queue"]),
    ],
)
def test_chat_and_what_is_not_wanted_refuse_nothing(prompt: str, expected: list[str]) -> None:
    made(prompt)
    assert kinds(prompt) == expected
    assert read_prompt(prompt).ignored == ()


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("an SQS queue parcels with a dead letter queue", ["parcels"]),
        ("an SQS queue parcel-orders", ["parcel-orders"]),
        ("a DynamoDB table invoices whose hash key is id", ["invoices"]),
        ("two SQS queues, loading and labels", ["loading", "labels"]),
        ("a KMS key with the alias alias/ledger", ["alias/ledger"]),
        ("a bucket encrypted with AES256", [""]),
        ("a bucket policy that lets a role read", ["", ""]),
    ],
)
def test_a_name_behind_its_noun(prompt: str, names: list[str]) -> None:
    assert [wish.name for wish in read_prompt(prompt).wishes] == names


def test_the_refusal_tells_what_it_can_do_what_it_cannot_and_what_was_meant() -> None:
    wishes = read_prompt("a VPC with 4 subnts over two availabilty zones")
    text = too_much(wishes)
    assert text.startswith("I can make: VPC. But these words ask for more than I know:")
    assert "subnts (did you mean subnets?)" in text
    assert "Nothing was written" in text
    assert guesses(["gatway", "streaming", "subnets", "bucket"]) == {"gatway": "gateway"}
    assert read_prompt("a relational databse and a queue").beyond


def test_a_refusal_writes_no_file_and_later_prompts_forget_it() -> None:
    agent = Agent()
    assert "ask for more than I know: .png" in agent.ask("a bucket and a queue for .png files")
    assert agent.files == {}
    assert "is written" in agent.ask("a queue named parcels")
    assert "s3.tf" not in agent.files and "sqs.tf" in agent.files


def test_what_is_there_is_named_with_what_was_not_understood() -> None:
    agent = Agent({"main.tf": 'resource "aws_s3_bucket" "stock" {\n  bucket = "stock"\n}\n'})
    text = agent.ask("an s3 bucket named stock for .png files")
    assert "has this already: aws_s3_bucket.stock" in text
    assert "cannot change, replace or complete a block that is there" in text
    assert ".png" in text


def test_an_alarm_for_the_dead_letter_queue_watches_that_queue_and_feeds_none() -> None:
    text = code("a queue named bills with a DLQ, and an alarm on the DLQ that mails ops@example.com")
    assert "QueueName = aws_sqs_queue.bills_dlq.name" in text
    assert 'statistic = "Maximum"' in text
    assert "period = 60" in text
    assert 'protocol = "sqs"' not in text
    assert "alias/aws/sns" not in text
    assert '"cloudwatch.amazonaws.com"' in text
    plain = code("a queue named bills, an alarm when more than 50 messages are visible for 15 minutes")
    assert "QueueName = aws_sqs_queue.bills.name" in plain
    assert 'statistic = "Average"' in plain


def test_an_alarms_topic_feeds_a_queue_where_that_is_asked_for() -> None:
    text = code("a topic, a queue subscribed to the topic, and an alarm on the queue that notifies the topic")
    assert 'protocol = "sqs"' in text


def test_a_key_lets_the_alarm_send() -> None:
    text = code("an alarm on a queue named bills with a KMS key, mail to ops@example.com")
    assert "kms_master_key_id = aws_kms_key.main.arn" in text
    assert re.search(r'sid = "Alarm\w+"', text)


@pytest.mark.parametrize(
    ("prompt", "seconds", "note"),
    [
        ("a lambda with a timeout of 20 seconds that reads a queue", 120, ""),
        ("a lambda with a timeout of 2 hours that reads a queue", 5400, "timeout seconds is 900"),
        ("a lambda with a 60 second timeout and a queue with a visibility timeout of 90 seconds", 90, "360"),
        ("a lambda with a 60 second timeout and a queue with a visibility timeout of 30 seconds", 360, "60"),
        ("a lambda that sends to a queue", 60, ""),
    ],
)
def test_a_queue_waits_for_the_function_that_reads_it(prompt: str, seconds: int, note: str) -> None:
    composition = made(prompt)
    assert f"visibility_timeout_seconds = {seconds}" in re.sub(r" +", " ", composition.files["sqs.tf"])
    assert note in " ".join(composition.notes)


def test_numbers_are_told_as_asked_assumed_or_moved() -> None:
    text = told("a VPC with three availability zones with public and private subnets")
    assert "asked: zones 3;" in text
    assert "public subnets: 3" in text and "private subnets: 3" in text
    assert "public count 3" in text.partition("assumed:")[2]
    assert "timeout seconds 900 (not 3600, as asked)" in told("a lambda with a timeout of one hour")
    grown = code("a mysql RDS instance with 60 GB that can grow to 250 GB")
    assert "allocated_storage = 60" in grown and "max_allocated_storage = 250" in grown


def test_old_versions_go_and_the_objects_stay() -> None:
    text = code("a versioned bucket that deletes old versions after 21 days")
    assert "noncurrent_days = 21" in text
    assert not re.search(r"^ expiration \{", text, re.M)


def test_new_code_is_deployed_when_the_zip_changes() -> None:
    text = code("a lambda function")
    assert "fileexists(var.handler_package) ? filebase64sha256(var.handler_package) : null" in text


def test_a_bucket_that_exists_is_referred_to_or_refused() -> None:
    role = code("a role that lets ec2 read the objects in our bucket acme-stock")
    assert 'acme_stock_bucket_arn = "arn:aws:s3:::acme-stock"' in role
    assert '"${local.acme_stock_bucket_arn}/*"' in role
    assert 'resource "aws_s3_bucket"' not in role
    stream = code("a firehose stream to my existing bucket")
    assert 'existing_bucket_arn = "arn:aws:s3:::${var.bucket_name}"' in stream
    triggered = read_prompt("a lambda triggered by uploads to my bucket acme-stock")
    assert compose(triggered).loose == ("S3 bucket",)
    for prompt in ("a lambda that writes to our table stock-levels", "encrypt this bucket with a KMS key"):
        assert "(which exists)" in " ".join(read_prompt(prompt).beyond)
    assert not read_prompt("a bucket and a KMS key, and encrypt this bucket with it").beyond


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("a GKE cluster", "Google Cloud"),
        ("an AKS cluster", "Azure"),
        ("warn me when the forecast is over my budget", "budget"),
        ("a table whose stream triggers a lambda", "stream"),
    ],
)
def test_what_is_outside_is_named(prompt: str, title: str) -> None:
    assert any(title in unknown for unknown in read_prompt(prompt).unknown)


def test_an_index_has_its_name_and_its_key() -> None:
    text = code("a table invoices with hash key id and a global secondary index by-customer on customer_id")
    assert 'name = "by-customer"' in text and 'hash_key = "customer_id"' in text
    assert 'name = "device_id-index"' in code("a table with a GSI to look up by device_id")


def test_a_dead_letter_queue_by_its_name_has_none_of_its_own() -> None:
    text = code("an alarm when the SQS queue bills-dlq has any visible message, mail ops@example.com")
    assert re.findall(r'"aws_sqs_queue" "(\w+)"', text) == ["bills_dlq"]
    assert "QueueName = aws_sqs_queue.bills_dlq.name" in text

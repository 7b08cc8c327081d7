"""Who is asked for and who is only spoken of, who may come in where, and what the closing text says of it."""

import re

import pytest

from toolkit.local.model.closing import summary
from toolkit.local.model.compose import compose
from toolkit.local.model.prompt import read_prompt
from toolkit.local.model.traffic import sources

DATABASE = (
    "Terraform script to set up a postgres RDS instance (db.t3.micro, 20 GB) in private subnets, with a "
    "security group that only lets the app servers in on port 5432"
)
LOGS = (
    "Please write Terraform code which creates a CloudWatch log group with 14 days retention and an IAM role "
    "that allows a Lambda function to write to it"
)


def kinds(prompt: str) -> list[str]:
    return sorted(wish.kind for wish in read_prompt(prompt).wishes)


def code(prompt: str) -> str:
    return "\n".join(compose(read_prompt(prompt)).files.values())


def closing(prompt: str) -> str:
    wishes = read_prompt(prompt)
    return summary(wishes, compose(wishes), ())


def test_a_database_lets_the_group_of_the_app_servers_in_and_no_range() -> None:
    text = code(DATABASE)
    assert "referenced_security_group_id = aws_security_group.app_servers.id" in text
    assert "vpc_security_group_ids = [aws_security_group.db.id]" in text
    assert not re.search(r"ingress_rule.*?cidr_ipv4.*?\n}", text.split("egress_rule")[0], re.S)
    assert text.count("_ingress_rule") == 1
    assert "in: tcp/5432 from group app-servers; out: everything (assumed)" in closing(DATABASE)


def test_a_role_for_a_function_that_is_only_spoken_of() -> None:
    wishes = read_prompt(LOGS)
    assert kinds(LOGS) == ["iam_role", "log_group"]
    assert wishes.ignored == ()
    text = code(LOGS)
    assert "retention_in_days = 14" in text
    assert '"lambda.amazonaws.com"' in text
    assert "${aws_cloudwatch_log_group.app.arn}:*" in text
    told = closing(LOGS)
    assert "may be assumed by lambda.amazonaws.com" in told
    assert "logs:PutLogEvents on aws_cloudwatch_log_group.app.arn:*" in told
    assert "only speaks of it as using what is made: Lambda function" in told


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("an SQS queue for my lambda", ["sqs_queue"]),
        ("an IAM role for use by an EC2 instance", ["iam_role"]),
        ("a bucket so that a Lambda function can read from it", ["s3_bucket"]),
        ("a lambda execution role", ["iam_role"]),
        ("a role for ECS tasks that may read a queue", ["iam_role", "sqs_queue"]),
        ("a security group for a postgres database, port 5432 from 10.0.0.0/8", ["security_group"]),
        ("write terraform code for a lambda function", ["lambda_function"]),
        ("a table for a Lambda function with python 3.12", ["dynamodb_table", "lambda_function"]),
        ("a lambda and a role that allows the lambda to read", ["lambda_function"]),
        ("an EC2 instance with a role that lets it read a bucket", ["ec2_instance", "iam_role", "s3_bucket"]),
    ],
)
def test_who_is_asked_for(prompt: str, expected: list[str]) -> None:
    assert not read_prompt(prompt).unknown
    assert kinds(prompt) == expected


def test_someone_unknown_is_refused_where_nothing_else_is_asked_for() -> None:
    assert read_prompt("an ECS service with a role for it").unknown == ("ECS service",)
    assert read_prompt("a cluster so that ECS can pull").unknown == ("ECS service",)


@pytest.mark.parametrize(
    ("prompt", "rules"),
    [
        (
            "security group, ssh from 203.0.113.0/24",
            "in: tcp/22 from 203.0.113.0/24; out: everything (assumed)",
        ),
        (
            "security group allowing traffic from 10.0.0.0/8 on ports 80 and 443 and ssh from 1.2.3.4",
            "in: tcp/80 from 10.0.0.0/8, tcp/443 from 10.0.0.0/8, tcp/22 from 1.2.3.4/32; out",
        ),
        (
            "a security group opening 22 from my office 203.0.113.10/32 and 443 from everywhere",
            "in: tcp/22 from 203.0.113.10/32, tcp/443 from 0.0.0.0/0 (everyone)",
        ),
        ("security group which allows SSH from sg-0123456789abcdef0", "in: tcp/22 from group sg-0123456789"),
        ("security group for https from 10.0.0.0/8 and no outbound traffic", "out: nothing"),
        (
            "a security group that blocks all inbound traffic and allows outbound https only",
            "in: nothing; out: tcp/443 to 0.0.0.0/0",
        ),
        ("security group for the app with port 9000 in a vpc", "tcp/9000 from the whole VPC (assumed"),
        ("security group on port 5432 from the web security group", "tcp/5432 from group web;"),
    ],
)
def test_the_rules_are_those_of_the_prompt_and_are_told(prompt: str, rules: str) -> None:
    assert rules in closing(prompt)


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("an rds database with a security group", "db"),
        ("an ec2 instance with a security group for ssh from 1.2.3.4", "instance"),
        ("a security group for a bastion host that allows SSH from 1.2.3.4", "bastion-host"),
        ("a security group allowing https from anywhere", "web"),
        ("a security group named front allowing https from anywhere", "front"),
    ],
)
def test_a_group_is_named_after_what_it_guards(prompt: str, name: str) -> None:
    groups = [wish.name for wish in read_prompt(prompt).wishes if wish.kind == "security_group"]
    assert groups == [name]


def test_two_groups_of_which_one_speaks_of_the_other() -> None:
    told = closing(
        "a security group for a bastion host that allows SSH only from 198.51.100.7, and another security "
        "group for the app servers that only accepts SSH from the bastion"
    )
    assert "in: tcp/22 from 198.51.100.7/32" in told
    assert "in: tcp/22 from group bastion-host" in told


def test_instance_and_database_have_a_group_each() -> None:
    text = code("a MySQL RDS database in a VPC, accessible only from an EC2 instance in the public subnet")
    assert text.count('"aws_vpc_security_group_ingress_rule"') == 1
    assert "referenced_security_group_id = aws_security_group.instance.id" in text
    assert "vpc_security_group_ids = [aws_security_group.db.id]" in text
    assert "vpc_security_group_ids      = [aws_security_group.instance.id]" in text


def test_a_function_reaches_the_database_that_it_is_to_connect_to() -> None:
    text = code("a Lambda function inside a VPC that can connect to a Postgres RDS database on port 5432")
    assert re.findall(r"referenced_security_group_id = (\S+)", text) == [
        "aws_security_group.db.id",
        "aws_security_group.handler_lambda.id",
    ]
    assert "secretsmanager:GetSecretValue" in text


def test_subnets_are_counted_with_their_ranges() -> None:
    told = closing("a VPC 172.16.0.0/16 with 1 public subnet and 2 private subnets and a NAT gateway")
    assert "public subnets: 1 (172.16.0.0/24)" in told
    assert "private subnets: 2 (172.16.1.0/24, 172.16.2.0/24)" in told
    assert "public subnets: none" in closing(DATABASE)


def test_a_topic_that_goes_without_encryption_is_not_called_encrypted() -> None:
    told = closing("send SNS notifications to ops@example.com when objects are created in an S3 bucket")
    assert "s3 notifies sns" in told
    assert "not encrypted" in told
    assert "encryption" not in next(line for line in told.splitlines() if line.startswith("- SNS topic"))


def test_sources_are_read() -> None:
    text = "80 from 10.0.0.0/8 and 1.2.3.4, 81 from anywhere, 82 from my app servers and from 10.9.0.0/16"
    assert [source.values for source in sources(text)] == [
        ("10.0.0.0/8", "1.2.3.4/32"),
        ("0.0.0.0/0",),
        ("who:app servers", "10.9.0.0/16"),
    ]


def test_a_range_that_may_reach_the_database_is_a_rule_of_its_group() -> None:
    assert "in: tcp/5432 from 10.1.0.0/16;" in closing(
        "Create an RDS postgres database and allow access from 10.1.0.0/16 only"
    )


def test_an_instance_that_is_let_at_a_bucket_gets_a_role() -> None:
    prompt = "an EC2 instance and an S3 bucket, let the instance read and write the bucket"
    assert kinds(prompt) == ["ec2_instance", "iam_role", "s3_bucket"]
    assert "s3:PutObject" in code(prompt)
